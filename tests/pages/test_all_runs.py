"""The page of all records: each is a row that leads to its file, and nothing is skipped."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from sphinx.errors import ExtensionError

from benchmarks import notebook_times
from helpers.analysis.stats import mean_interval
from helpers.runs import records

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "book" / "_static" / "run_tables.js"
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import all_runs  # noqa: E402

ENSEMBLE = "activation-relu/plain"
ENVIRONMENT = {"cpu": "Some processor", "threads": 2}
TIME = notebook_times.NotebookTime(90.0, 30.0, ENVIRONMENT, "abc", "2020-02-20")


def record(seed=0, accuracy=0.9, experiment="made-up", **changes):
    facts = {
        "experiment": experiment, "scale": "full", "seed": seed,
        "config": {"data": {"name": "half-moons"}}, "data": "x", "data_checksum": "x",
        "parameters": 1, "environment": ENVIRONMENT, "commit": "abc+changes",
        "wall_seconds": 12.5, "cpu_seconds": 1234.5, "history": {},
        "metrics": {"eval_accuracy": accuracy}, "complete": True,
    }  # fmt: skip
    return asdict(records.Record(**facts | changes))


def batch(accuracies, **changes):
    facts = {
        "experiment": ENSEMBLE, "config": {"seeds": len(accuracies)}, "data": "x",
        "data_checksum": "x",
        "parameters": 1, "environment": ENVIRONMENT, "commit": "abc", "wall_seconds": 3.0,
        "cpu_seconds": 2.0, "train_accuracy": accuracies, "held_out_accuracy": accuracies,
        "first_fit_step": accuracies, "first_nan_step": accuracies, "history": {}, "complete": True,
    }  # fmt: skip
    return asdict(records.EnsembleRecord(**facts | changes))


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def table_of(html):
    soup = BeautifulSoup(html, "html.parser") if isinstance(html, str) else html
    rows = soup.select("tbody tr")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in rows]


# ------------------------------------------------------------------------ the rendered page


@pytest.fixture(scope="module")
def page(site):
    return site / "book" / "all_runs.html"


@pytest.fixture(scope="module")
def soup(page, parsed):
    return parsed(page)


def test_every_record_is_a_row_that_leads_to_its_file(page, soup):
    files = {path.relative_to(records.RUNS).as_posix() for path in records.RUNS.rglob("*.json")}
    rows = soup.select("#all-runs-runs tbody tr")
    assert len(rows) == len(files)
    targets = [(page.parent / row.find("a")["href"]).resolve() for row in rows]
    copies = page.parent.parent.resolve() / "runs"
    assert {target.relative_to(copies).as_posix() for target in targets} == files
    for target in targets:
        assert target.read_bytes() == (records.RUNS / target.relative_to(copies)).read_bytes()
    assert {path.suffix for path in copies.rglob("*") if path.is_file()} == {".json"}


def test_the_records_of_an_experiment_add_up_to_its_row(soup):
    rows = [row for row in table_of(soup.select_one("#all-runs-runs")) if row[1] == "full"]
    results = [float(row[3]) for row in rows if row[0] == "moons-published"]
    rows = table_of(soup.select_one("#all-runs-experiments"))
    (shown,) = [row for row in rows if row[0] == "moons-published"]
    assert shown[2:5] == [f"{mean_interval(results):.4f}", shown[3], "50"]


def test_the_page_is_readable_without_a_script_and_light(page, soup):
    tables = soup.select(".run-table")
    assert len(tables) == 3
    for box in tables:
        assert box["role"] == "region" and box["tabindex"] == "0" and box["aria-label"]
        assert box.select("thead th[scope=col]") and box.select("tbody th[scope=row]")
        assert box.select("button, input, [hidden]") == []
    assert len(soup.select("details:not([open]) > summary")) == 2
    assert len(soup.select('script[src*="_static/run_tables.js"]')) == 1
    assert page.stat().st_size < 3_000_000


# ------------------------------------------------------------------ what can't be listed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "isn't a record"),
        ([1], "isn't a record"),
        ({"schema": 1}, "isn't a record"),
        ({"experiment": "x", "complete": True}, "isn't a record"),
        (record(metrics={}), "isn't a record"),
        (record(environment={}), "isn't a record"),
        (record(complete=False), "unfinished"),
        ({**batch([0.9]), "complete": False}, "unfinished"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_record_stops_the_build(tmp_path, content, said):
    name = f"{ENSEMBLE}.json" if "train_accuracy" in content else "made-up/bad.json"
    put(tmp_path, "made-up/full-seed-0.json", record())
    put(tmp_path, name, content)
    with pytest.raises(ExtensionError, match=rf"runs/{name} .*{said}.*git checkout"):
        all_runs.read_runs(tmp_path)


def test_no_record_at_all_stops_the_build(tmp_path):
    with pytest.raises(ExtensionError, match="no record"):
        all_runs.read_runs(tmp_path)


def test_a_page_without_its_places_stops_the_build(tmp_path):
    put(tmp_path, "made-up/full-seed-0.json", record())
    put(tmp_path, "times.json", {"schema": 1, "notebooks": {}})
    config = SimpleNamespace(all_runs_folder=tmp_path / "made-up", all_runs_page="page",
                             all_runs_times=tmp_path / "times.json")  # fmt: skip
    app = SimpleNamespace(config=config, env=SimpleNamespace(found_docs=set()))
    context = {"body": "<p>x</p>", "pathto": lambda name, resource: name}
    with pytest.raises(ExtensionError, match="must have one place"):
        all_runs.fill_page(app, "page", "", context, None)
    all_runs.fill_page(app, "another", "", context, None)
    assert context["body"] == "<p>x</p>"


def test_a_record_that_is_gone_leaves_the_site(tmp_path):
    source, site = tmp_path / "runs", tmp_path / "site"
    put(source, "made-up/full-seed-0.json", record())
    put(source, "made-up/full-seed-0.npz", "arrays")
    put(site, "runs/made-up/full-seed-1.json", record(1))
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=site,
                          config=SimpleNamespace(all_runs_folder=source))  # fmt: skip
    all_runs.copy_records(app)
    assert [path.name for path in site.rglob("*.*")] == ["full-seed-0.json"]


# ------------------------------------------------------------------------------- the rows


def rows_of(folder, *contents):
    for i, content in enumerate(contents):
        put(folder, f"made-up/{i}.json", content)
    return all_runs.read_runs(folder)


def test_a_row_says_what_the_record_says(tmp_path):
    runs = rows_of(tmp_path, record(3, 0.98765))
    (row,) = table_of(all_runs.runs_table(runs, "../runs"))
    assert row == [
        "made-up", "full", "3", "0.9877", "12.5", "1,234", "0.json", "accuracy", "1",
        "Some processor, 2 threads", "abc+changes",
    ]  # fmt: skip


def test_runs_that_diverged_are_counted_and_not_averaged(tmp_path):
    lost = record(2, metrics={"eval_accuracy": None}, diverged=True)
    runs = rows_of(tmp_path, record(0, 0.8), record(1, 0.9), lost)
    assert [row[3] for row in table_of(all_runs.runs_table(runs, ""))][-1] == "diverged"
    (row,) = table_of(all_runs.experiments_table(runs))
    assert row[4] == "3"
    assert row[2].startswith("0.8500 [") and row[2].endswith(", 1 diverged")


def test_one_seed_gets_no_interval(tmp_path):
    (row,) = table_of(all_runs.experiments_table(rows_of(tmp_path, record(0, 0.8))))
    assert row[2:5] == ["0.8000, one seed", "–", "1"]


def test_a_batch_is_one_row_with_all_its_seeds(tmp_path):
    put(tmp_path, f"{ENSEMBLE}.json", batch([0.8, 0.9, 1.0]))
    (row,) = table_of(all_runs.runs_table(all_runs.read_runs(tmp_path), ""))
    assert row[:4] == [ENSEMBLE, "full", "0 to 2", "0.9000 (mean)"]
    assert row[8] == "5"


def test_the_notebooks_have_their_measured_minutes(tmp_path):
    runs = rows_of(tmp_path, record(0), record(1))
    rows = table_of(all_runs.practices_table(runs, {"01_some": TIME}, ["01_some", "02_new"], ""))
    assert [row[:2] for row in rows] == [["01_some", "2"], ["02_new", "–"]]
    assert rows[0][-3:] == ["1.5", "0.5", "Some processor, 2 threads, 2020-02-20"]
    assert rows[1][-3:] == ["not measured yet", "–", "–"]


def test_the_practice_follows_from_the_configuration(tmp_path):
    configs = [
        {"data": {"name": "tiny-voc"}, "model": "resnet18"},
        {"data": {"name": "mnist"}, "model": "lenet"},
        {"data": {"name": "mnist"}, "sizes": [1]},
        {"data": {"name": "half-moons"}, "sizes": [1]},
    ]
    several = {"eval_accuracy": 0.9, "eval_mean_average_precision": 0.7}
    contents = [record(config=config, metrics=several) for config in configs]
    runs = rows_of(tmp_path, *contents)
    assert [run.practice for run in runs] == [1, 2, 3, 4]
    assert {run.metric for run in runs} == {"mean average precision"}
    with pytest.raises(ExtensionError, match="isn't a record"):
        rows_of(tmp_path / "other", record(config={}))


def test_what_a_record_says_is_no_markup(tmp_path):
    runs = rows_of(tmp_path, record(experiment="<b>&"))
    for html in (all_runs.runs_table(runs, ""), all_runs.experiments_table(runs)):
        assert BeautifulSoup(html, "html.parser").find("b") is None
        assert table_of(html)[0][0] == "<b>&"


# ----------------------------------------------------------------- sorting and filtering

ACTIONS = """
<script>
const box = document.querySelector(".run-table"), said = {};
const names = () => [...box.querySelectorAll("tbody tr")].filter(row => !row.hidden)
  .map(row => row.cells[0].textContent + row.cells[2].textContent);
const order = () => [...box.querySelectorAll("thead th")].map(head => head.ariaSort);
const press = column => box.querySelectorAll("thead button")[column].click();
const input = document.querySelector(".run-filter input");
const type = text => { input.value = text; input.dispatchEvent(new Event("input")); };
said.before = [names(), order()];
press(3); said.up = [names(), order()];
press(3); said.down = [names(), order()];
press(2); said.seed = [names(), order()];
type("MADE 11"); said.filtered = [names(), document.querySelector("output").value];
type("FULL made|=19"); said.either = names();
type("=mad|=other =19"); said.whole = names();
type(""); said.all = names().length;
const pre = document.createElement("pre");
pre.textContent = JSON.stringify(said);
document.body.append(pre);
</script>
"""
BROWSER = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])),
               None)  # fmt: skip


def page_of(folder, make, more=""):
    """Write a page with a table of 23 runs and the script; return its path."""
    contents = [record(seed, 0.8 + seed / 100) for seed in (2, 11)]
    contents += [record(3, metrics={}, diverged=True)]
    contents += [record(seed, 0.1, "other") for seed in range(20)]
    runs = rows_of(folder / "runs", *contents)
    html = make(runs, "") + f"<script>{SCRIPT.read_text()}</script>" + more
    put(folder, "page.html", f"<!doctype html><meta charset=utf-8><body>{html}")
    return folder / "page.html"


def opened(folder, address):
    """Open a page in a browser, and return what it then holds."""
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
               f"--user-data-dir={folder / 'profile'}", address]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return BeautifulSoup(done.stdout, "html.parser")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH")
def test_columns_sort_and_the_box_filters(tmp_path):
    page = page_of(tmp_path, all_runs.runs_table, ACTIONS)
    said = json.loads(opened(tmp_path, page.as_uri()).find("pre").get_text())
    none = [None] * 11
    assert said["before"][0][:3] == ["made-up2", "made-up3", "made-up11"]
    assert said["before"][1] == none
    assert said["up"][0][-3:] == ["made-up2", "made-up11", "made-up3"]  # diverged comes last
    assert said["up"][1] == none[:3] + ["ascending"] + none[4:]
    assert said["down"][0][:2] == ["made-up11", "made-up2"]
    assert said["down"][0][-1] == "made-up3"  # and last again
    assert said["down"][1] == none[:3] + ["descending"] + none[4:]
    assert said["seed"][0][-1] == "other19"  # as numbers: 2 comes before 11
    assert said["seed"][1] == none[:2] + ["ascending"] + none[3:]
    assert said["filtered"] == [["made-up11"], "1 of 23"]
    assert set(said["either"]) == {"made-up2", "made-up3", "made-up11", "other19"}
    assert said["whole"] == ["other19"]
    assert said["all"] == 23


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH")
def test_an_address_opens_the_table_at_some_rows(tmp_path):
    page = page_of(tmp_path, all_runs.runs_table)
    soup = opened(tmp_path, f"{page.as_uri()}?rows=full%20%3Dmade-up%7C%3Dabsent#all-runs-runs")
    shown = [row for row in soup.select("tbody tr") if not row.has_attr("hidden")]
    assert {row.find("th").get_text() for row in shown} == {"made-up"}
    assert soup.find("details").has_attr("open")
    assert soup.find("output").get_text() == "3 of 23"
    assert not opened(tmp_path, page.as_uri()).find("details").has_attr("open")
