"""Practice 5's records: batches of networks, written, read back and refused."""

from dataclasses import replace

import pytest

from helpers.runs import ensemble_runner
from helpers.runs.catalogue.activations import STUDIES
from helpers.runs.ensemble_records import one_trained, recorded, write
from helpers.runs.records import RUNS, RecordError


@pytest.fixture
def quick(monkeypatch):
    study = replace(STUDIES["activation-relu/plain"], iterations=3, seeds=4)
    monkeypatch.setitem(STUDIES, study.name, study)
    return study


def test_a_batch_is_written_and_reads_back(quick, tmp_path):
    made = ensemble_runner.run(quick, tmp_path)
    assert recorded("relu", folder=tmp_path) == made
    assert made.parameters == 151 and len(made.train_accuracy) == 4
    assert one_trained("relu", 2, tmp_path).weights[0].shape == (1, 2, 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"complete": False}, "incomplete"),
        ({"schema": 99}, "schema version"),
        ({"fitted_at": [None]}, "one entry for each seed"),
    ],
)
def test_a_bad_record_is_refused(quick, tmp_path, change, message):
    write(replace(ensemble_runner.run(quick, tmp_path), **change), tmp_path)
    with pytest.raises(RecordError, match=message):
        recorded("relu", folder=tmp_path)


def test_missing_changed_and_unknown_records_are_refused(quick, tmp_path, monkeypatch):
    with pytest.raises(RecordError, match="missing"):
        recorded("relu", folder=tmp_path)
    ensemble_runner.run(quick, tmp_path)
    monkeypatch.setitem(STUDIES, quick.name, replace(quick, learning_rate=0.5))
    with pytest.raises(RecordError, match="learning_rate"):
        recorded("relu", folder=tmp_path)
    with pytest.raises(RecordError, match="unknown study"):
        recorded("relu", "nothing", folder=tmp_path)


@pytest.mark.parametrize("name", STUDIES)
def test_every_listed_study_is_recorded(name):
    batch = recorded(*name.removeprefix("activation-").split("/"))
    assert (RUNS / f"{name}.json").stat().st_size < 200_000
    assert not batch.commit.endswith("+changes")
    assert all(0 <= share <= 1 for share in batch.held_out_accuracy)


def test_no_record_is_unlisted():
    files = {
        path.relative_to(RUNS).with_suffix("").as_posix()
        for path in RUNS.glob("activation-*/*.json")
    }
    assert files == set(STUDIES) | {"activation-extrapolation/extrapolation"}


def test_the_command_line_refuses_what_it_does_not_know(capsys):
    assert ensemble_runner.main(["run", "nothing"]) == 2
    assert "there is no study 'nothing'" in capsys.readouterr().err
