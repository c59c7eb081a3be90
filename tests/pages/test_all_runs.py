"""The page of all records: each is a row that leads to its file, and nothing is skipped."""

import json
from dataclasses import asdict

import all_runs
import pytest
from bs4 import BeautifulSoup
from sphinx.errors import ExtensionError

from helpers.runs import records


def record(seed=0, accuracy=0.9, experiment="made-up", **changes):
    facts = {
        "experiment": experiment, "scale": "full", "seed": seed,
        "config": {"data": {"name": "half-moons"}}, "data": "x", "data_checksum": "x",
        "parameters": 1, "environment": {"cpu": "Some processor", "threads": 2},
        "commit": "abc+changes",
        "wall_seconds": 12.5, "cpu_seconds": 1234.5, "history": {},
        "metrics": {"eval_accuracy": accuracy}, "complete": True,
    }  # fmt: skip
    return asdict(records.Record(**facts | changes))


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def table_of(html):
    rows = BeautifulSoup(html, "html.parser").select("tbody tr")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in rows]


# ------------------------------------------------------------------------ the rendered page


def test_every_record_is_a_row_that_leads_to_its_file(site, parsed):
    page = site / "book" / "all_runs.html"
    files = {path.relative_to(records.RUNS).as_posix() for path in records.RUNS.rglob("*.json")}
    rows = parsed(page).select("#all-runs-runs tbody tr")
    assert len(rows) == len(files)
    targets = [(page.parent / row.find("a")["href"]).resolve() for row in rows]
    copies = site.resolve() / "runs"
    assert {target.relative_to(copies).as_posix() for target in targets} == files
    for target in targets:
        assert target.read_bytes() == (records.RUNS / target.relative_to(copies)).read_bytes()
    assert {path.suffix for path in copies.rglob("*") if path.is_file()} == {".json"}


# ------------------------------------------------------------------ what can't be listed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "isn't a record"),
        ([1], "isn't a record"),
        ({"experiment": "x", "complete": True}, "isn't a record"),
        (record(metrics={}), "isn't a record"),
        (record(complete=False), "unfinished"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_record_stops_the_build(tmp_path, content, said):
    put(tmp_path, "made-up/full-seed-0.json", record())
    put(tmp_path, "made-up/bad.json", content)
    with pytest.raises(ExtensionError, match=rf"runs/made-up/bad.json .*{said}.*git checkout"):
        all_runs.read_runs(tmp_path)


# ------------------------------------------------------------------------------- the rows


def rows_of(folder, *contents):
    for i, content in enumerate(contents):
        put(folder, f"made-up/{i}.json", content)
    return all_runs.read_runs(folder)


def test_runs_that_diverged_are_counted_and_not_averaged(tmp_path):
    lost = record(2, metrics={"eval_accuracy": None}, diverged=True)
    runs = rows_of(tmp_path, record(0, 0.80), record(1, 0.81), lost)
    assert [row[3] for row in table_of(all_runs.runs_table(runs, ""))][-1] == "diverged"
    (row,) = table_of(all_runs.experiments_table(runs))
    assert row[4] == "3"
    assert row[2].startswith("0.8050 [") and row[2].endswith(", 1 diverged")
