"""A Sphinx extension: the page that lists every recorded run, made from the records.

It copies the records' JSON files into the built site and puts three tables where the page has
their places. No number of them stands in a source file, and a file that it can't read stops
the build.
"""

import json
import shutil
import sys
from collections import defaultdict
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import median
from types import SimpleNamespace

from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # Sphinx starts anywhere; `helpers` is no installed package

from benchmarks import notebook_times  # noqa: E402
from helpers.analysis.stats import mean_interval  # noqa: E402
from helpers.runs import records  # noqa: E402
from helpers.runs.catalogue.mlps import EXTRAPOLATION  # noqa: E402
from helpers.runs.experiments import ENSEMBLES, EXPERIMENTS  # noqa: E402

NOTHING = "–"
PRACTICES = {"half-moons": 1, "tiny-voc": 4, "tiny-voc-features": 4}
NAMES = {"eval_accuracy": "accuracy", "eval_mean_average_precision": "mean average precision"}


@dataclass(frozen=True)
class Run:
    """What the page says of one record.

    Attributes
    ----------
    path : below the folder of records, with forward slashes.
    practice : 1 to 5.
    experiment, scale, seed, commit : as in the record; an ensemble of practice 5 has all its seeds.
    metric : what is measured.
    values : what the runs of the record came to, most records hold one; None if it diverged.
    seconds, processor_seconds : of training and evaluation; None where not recorded.
    hardware : what it was made on.
    """

    path: str
    practice: int
    experiment: str
    scale: str
    seed: str
    metric: str
    values: tuple
    seconds: float
    processor_seconds: float | None
    hardware: str
    commit: str


# ---------------------------------------------------------------------------- the records


def read_runs(folder):
    """Read every JSON file below a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Run
        One for each file, by practice and name.

    Raises
    ------
    ExtensionError
        If there is none, or one isn't a record of a finished run.
    """
    paths = sorted(Path(folder).rglob("*.json"))
    if not paths:
        raise ExtensionError(f"no record is in {folder}: get them back with git checkout runs")
    runs = [_read(path, path.relative_to(folder)) for path in paths]
    return sorted(runs, key=lambda run: (run.practice, run.experiment, run.scale, _number(run)))


def _number(run):
    return int(run.seed) if run.seed.isdecimal() else -1


def _read(path, place):
    name, mend = place.as_posix(), f"restore it with git checkout runs/{place.as_posix()}"
    try:
        if (experiment := name.removesuffix(".json")) == EXTRAPOLATION:
            record = SimpleNamespace(**json.loads(path.read_text(encoding="utf-8")))
            listed = "full", "all", "agreement", ()
        elif experiment in ENSEMBLES:
            record = records.read(path, records.EnsembleRecord, mend)
            accuracies = tuple(record.held_out_accuracy)
            listed = "full", f"0 to {len(accuracies) - 1}", "accuracy", accuracies
        else:
            record = records.read(path, records.Record, mend)
            experiment, metrics = record.experiment, record.metrics
            metric = next((key for key in reversed(NAMES) if key in metrics), "eval_accuracy")
            value = None if record.diverged else float(metrics[metric])
            listed = record.scale, str(record.seed), NAMES[metric], (value,)
        practice = _practice(record.config) if isinstance(record, records.Record) else 5
        if not record.complete:
            raise ExtensionError(f"runs/{name} is of an unfinished run: {mend}")
        return Run(
            name, practice, experiment, *listed, float(record.wall_seconds),
            getattr(record, "cpu_seconds", None), _hardware(record.environment), record.commit,
        )  # fmt: skip
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = f"{type(error).__name__} {error}".strip()
        raise ExtensionError(
            f"runs/{name} isn't a record that can be listed ({what}): {mend}"
        ) from error


def _practice(config):
    data = config["data"]["name"]
    if data in PRACTICES:
        return PRACTICES[data]
    return 3 if "model" in config else 2


def _hardware(environment):
    threads = environment["threads"]
    device = environment.get("device", "cpu")
    where = environment["cpu"] if device == "cpu" else device
    return f"{where}, {threads} thread{'s' if threads > 1 else ''}"


# ----------------------------------------------------------------------------- the tables


def table(label, head, rows):
    """Return a table that the page's script can sort and filter.

    Parameters
    ----------
    label : str
        What is in it.
    head : sequence of (name, whether it holds numbers)
    rows : iterable of sequences of HTML, the first cell names the row
    """
    numbers = [number for _, number in head]

    def cell(html, i):
        tag = 'th scope="row"' if i == 0 else "td"
        return f"<{tag}{' class=n' if numbers[i] else ''}>{html}</{tag.split()[0]}>"

    names = "".join(
        f'<th scope="col"{" class=n" if number else ""}>{escape(name)}</th>'
        for name, number in head
    )
    body = "\n".join("<tr>" + "".join(map(cell, row, range(len(row)))) + "</tr>" for row in rows)
    return (
        f'<div class="run-table" role="region" tabindex="0" aria-label="{escape(label)}">\n'
        f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>\n"
    )


def folded(label, head, rows):
    """Return a table that opens at a click: hundreds of rows would make the page slow to load."""
    html = table(label, head, rows)
    return f"<details><summary>{escape(label)}</summary>\n{html}</details>\n"


def runs_table(runs, prefix):
    """Return the table with a row for each record; `prefix` leads from the page to the records."""
    head = [("Experiment", False), ("Scale", False), ("Seed", True), ("Result", True),
            ("Seconds", True), ("Processor seconds", True), ("Record", False),
            ("Metric", False), ("Practice", True), ("Hardware", False),
            ("Commit", False)]  # fmt: skip
    rows = (
        [
            escape(run.experiment), run.scale, run.seed, _result(run.values),
            _seconds(run.seconds), _seconds(run.processor_seconds),
            f'<a href="{escape(prefix)}/{escape(run.path)}">{escape(Path(run.path).name)}</a>',
            run.metric, str(run.practice), escape(run.hardware), escape(run.commit),
        ]
        for run in runs
    )  # fmt: skip
    return folded(f"All {len(runs):,} records", head, rows)


def _result(values):
    finite = [value for value in values if value is not None]
    if not finite:
        return "diverged" if values else NOTHING
    mean = f"{sum(finite) / len(finite):.4f}"
    return mean if len(values) == 1 else f"{mean} (mean)"


def _seconds(seconds):
    return NOTHING if seconds is None else f"{seconds:,.1f}" if seconds < 100 else f"{seconds:,.0f}"


def experiments_table(runs):
    """Return the table with a row for each experiment and scale: its mean and interval."""
    head = [("Experiment", False), ("Scale", False), ("Mean and 95% interval", True),
            ("SD", True), ("Seeds", True), ("Seconds a record", True), ("Minutes in all", True),
            ("Metric", False), ("Practice", True), ("What is tried", False)]  # fmt: skip
    groups = defaultdict(list)
    for run in runs:
        groups[run.experiment, run.scale].append(run)
    rows = []
    for (name, scale), some in groups.items():
        values = [value for run in some for value in run.values]
        mean, sd = _mean_and_sd(values)
        rows.append([
            escape(name), scale, mean, sd, str(len(values) or NOTHING),
            _seconds(median(run.seconds for run in some)),
            f"{sum(run.seconds for run in some) / 60:,.1f}", some[0].metric,
            str(some[0].practice), escape(_about(name)),
        ])  # fmt: skip
    return folded(f"All {len(rows)} experiments", head, rows)


def _about(name):
    return EXPERIMENTS[name].label if name in EXPERIMENTS else NOTHING


def _mean_and_sd(values):
    """Return the mean with Student's interval and the SD, as far as the seeds tell."""
    finite = [value for value in values if value is not None]
    lost = len(values) - len(finite)
    also = f", {lost} diverged" if lost else ""
    if len(finite) < 2:
        return (f"{finite[0]:.4f}, one seed{also}" if finite else _result(values)), NOTHING
    interval = mean_interval(finite, low=0, high=1)  # every metric here is a share
    return f"{interval:.4f}{also}", f"{interval.sd:.4f}"


def practices_table(runs, times, notebooks, prefix):
    """Return the table of what each practice cost: its records, and its notebook to execute.

    Parameters
    ----------
    runs : list of Run
    times : dict
        As `benchmarks.notebook_times.read` returns it.
    notebooks : list of str
        All of them, below `notebooks/`; a chapter begins with its practice, and has the records.
    prefix : str
        Leads from the page to the notebooks' pages.
    """
    head = [("Notebook", False), ("Records", True), ("Hours of recorded training", True),
            ("Processor hours", True), ("Minutes to execute", True),
            ("Processor minutes", True), ("Executed on", False)]  # fmt: skip
    rows = []
    for name in notebooks:
        some = [run for run in runs if name[:2] == f"{run.practice:02}"]
        time = times.get(name)
        rows.append([
            f'<a href="{escape(prefix)}/{escape(name)}.html">{escape(name)}</a>',
            f"{len(some):,}" if some else NOTHING,
            *(_hours(some, part) for part in ("seconds", "processor_seconds")),
            f"{time.seconds / 60:.1f}" if time else NOTHING,
            _minutes(time and time.processor_seconds),
            escape(f"{_hardware(time.environment)}, {time.date}") if time else NOTHING,
        ])  # fmt: skip
    return table("The notebooks and the training behind them", head, rows)


def _minutes(seconds):
    return f"{seconds / 60:.1f}" if seconds else NOTHING


def _hours(runs, part):
    seconds = sum(getattr(run, part) or 0 for run in runs)
    return f"{seconds / 3600:.2f}" if runs else NOTHING


# ------------------------------------------------------------------------------- the build


def copy_records(app):
    """Copy the JSON files of the records into the built site, below `runs/`."""
    if app.builder.format != "html":
        return
    source, target = Path(app.config.all_runs_folder), Path(app.outdir) / "runs"
    shutil.rmtree(target, ignore_errors=True)  # a record that is gone must not stay in the site
    for path in source.rglob("*.json"):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def fill_page(app, pagename, templatename, context, doctree):
    """Put the tables where the page has a place for them."""
    if pagename != app.config.all_runs_page:
        return
    runs = read_runs(app.config.all_runs_folder)
    notebooks = sorted(name.removeprefix("notebooks/") for name in app.env.found_docs
                       if name.startswith("notebooks/"))  # fmt: skip
    pathto = context["pathto"]
    times = notebook_times.read(app.config.all_runs_times)
    tables = {
        "practices": practices_table(runs, times, notebooks, pathto("notebooks", resource=True)),
        "experiments": experiments_table(runs),
        "runs": runs_table(runs, pathto("runs", resource=True)),
    }
    script = f'<script defer src="{pathto("_static/run_tables.js", resource=True)}"></script>\n'
    for name, html in tables.items():
        place = f'<div id="all-runs-{name}"></div>'
        if context["body"].count(place) != 1:
            raise ExtensionError(f"{pagename} must have one place for a table, written {place}")
        html = f'<div id="all-runs-{name}">\n{html}</div>\n' + script
        context["body"] = context["body"].replace(place, html)
        script = ""


def setup(app):
    """Register both steps with Sphinx, and where they find what they read."""
    app.add_config_value("all_runs_folder", str(records.RUNS), "html")
    app.add_config_value("all_runs_times", str(notebook_times.PATH), "html")
    app.add_config_value("all_runs_page", "book/all_runs", "html")
    app.connect("builder-inited", copy_records)
    app.connect("html-page-context", fill_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
