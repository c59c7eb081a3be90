"""The files of the three benchmarks are read with suspicion."""

import json
import re

import pytest

from benchmarks import augment_bench, race
from benchmarks import numpy_speed as bench
from helpers.runs import records
from helpers.runs.records import RecordError

#: Fields of each benchmark's results, and something that such a field can't hold.
MALFORMED = {
    bench: [("rows", [{"name": "a"}]), ("rows", 3)],
    race: [("stages", [{"name": "a"}]), ("waiting", 3)],
    augment_bench: [("pil", 3), ("v2", {"name": "b"}), ("shares", []), ("shares", {"a": {}})],
}


@pytest.fixture(params=MALFORMED, ids=lambda module: module.__name__)
def module(request):
    return request.param


@pytest.fixture
def change(module, tmp_path):
    """Return what writes the book's results with some fields changed, None for taken out."""

    def written(**fields):
        path = tmp_path / "found.json"
        records.write_json(module.read(), path)
        content = json.loads(path.read_text("utf-8")) | fields
        kept = {name: value for name, value in content.items() if value is not None}
        path.write_text(json.dumps(kept), "utf-8")
        return path

    return written


def test_results_are_read_back(module, change):
    assert module.read(change()) == module.read()


@pytest.mark.parametrize("version", [99, "1"])
def test_another_schema_is_named(module, change, version):
    message = rf"found\.json has schema version {version!r}, but this code reads version 1"
    with pytest.raises(RecordError, match=message):
        module.read(change(schema=version))


def test_further_fields_are_refused(module, change):
    with pytest.raises(RecordError, match=r"has not the fields of its results: look at colour$"):
        module.read(change(colour="red"))


def test_missing_fields_are_refused(module, change):
    for name in json.loads(change().read_text("utf-8")).keys() - {"schema"}:
        with pytest.raises(RecordError, match=f"look at .*{name}"):
            module.read(change(**{name: None}))


@pytest.mark.parametrize(
    ("module", "field", "value"),
    [(module, *wrong) for module, fields in MALFORMED.items() for wrong in fields],
    indirect=["module"],
)
def test_malformed_fields_are_refused(module, change, field, value):
    with pytest.raises(RecordError, match=f"has not the fields .* look at .*{field}"):
        module.read(change(**{field: value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '"schema"'])
def test_what_holds_no_results_is_refused(module, tmp_path, text):
    path = tmp_path / "found.json"
    path.write_text(text, "utf-8")
    with pytest.raises(RecordError, match=r"found\.json holds no results: measure it"):
        module.read(path)


def test_a_missing_file_says_how_to_make_it(module, tmp_path):
    command = f"is missing: measure it with python -m {module.__name__} --output "
    with pytest.raises(RecordError, match=re.escape(command)):
        module.read(tmp_path / "none.json")
