"""What is on file is as listed and repeats its own figures; what is not is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from made_up import TINY
from sklearn.metrics import average_precision_score, f1_score

from helpers.data.datasets import SCALES
from helpers.networks.ensemble import ACTIVATION_PAIRS, MENDED
from helpers.runs import experiments, records, runner
from helpers.runs.catalogue import mlps, tiny_voc, vision
from helpers.runs.experiments import ENSEMBLES, EXPERIMENTS, recorded
from helpers.runs.records import RecordError, track_records_read

#: Their scores were kept in half precision, in which the two highest of an image tie.
TIED = {("mnist-corrected", 2), ("mnist-sgd", 1), ("mnist-lenet", 2)}
#: As above: two answers to one class tie, and change their order.
TIED |= {("tune-voc-resnet18-halved", 0), ("best-voc-resnet18", 2)}

# --------------------------------------------------------------- the records on file


def metrics_of(scores, labels):
    """Return the figures that follow from the scores which are kept beside a record."""
    if labels.ndim == 1:
        return {"eval_accuracy": (scores.argmax(axis=1) == labels).mean()}
    # A score of 0 is a yes; the older records, in half precision, took it for a no.
    yes = scores > 0 if scores.dtype == np.float16 else scores >= 0
    return {
        "eval_accuracy": (yes == labels).mean(),
        "eval_f1": f1_score(labels, yes, average="micro"),
        "eval_mean_average_precision": average_precision_score(labels, scores.astype(np.float64)),
    }


def test_every_listed_run_is_recorded_and_repeats_its_figures():
    """One pass over all records: the configuration, the data, the size, and the kept arrays."""
    checksums, faults, on_file = {}, [], set()
    for experiment in EXPERIMENTS.values():
        for scale in filter(experiment.seeds_at, SCALES):
            for record in recorded(experiment.name, scale):
                which = experiment.name, scale, record.seed
                path = records.record_path(*which)
                on_file.add(path)
                data = record.data, record.config["data"].get("size")
                if checksums.setdefault(data, record.data_checksum) != record.data_checksum:
                    faults.append((*which, "other data"))
                if path.stat().st_size > 200_000 or "+changes" in record.commit:
                    faults.append((*which, "size or commit"))
                if record.diverged != (record.metrics["eval_accuracy"] is None):
                    faults.append((*which, "figures"))
                if experiment.keep:
                    arrays = records.read_arrays(*which)
                    limit = 1.01e-4 if which[::2] in TIED else 1e-7
                    again = metrics_of(arrays["scores"], arrays["labels"])
                    faults += [
                        (*which, name, value)
                        for name, value in again.items()
                        if abs(value - record.metrics[name]) > limit
                    ]
    for ensemble in ENSEMBLES.values():
        record = experiments.recorded_ensemble(ensemble.activation_pair, ensemble.setting)
        on_file.add(records.record_path(*record.place))
        if "+changes" in record.commit or not all(0 <= a <= 1 for a in record.held_out_accuracy):
            faults.append((ensemble.name, "figures or commit"))
    assert faults == []
    on_file |= {records.record_path(mlps.EXTRAPOLATION, "full", None)}
    assert set(records.RUNS.rglob("*.json")) == on_file  # none is unlisted


def test_the_catalogue_lists_every_pair_of_activations_and_no_name_twice():
    assert list(mlps.PAIRS) == list(ACTIVATION_PAIRS)
    assert list(mlps.MENDED_PAIRS) == list(MENDED)
    listed = [catalogue.EXPERIMENTS for catalogue in (mlps, vision, tiny_voc)]
    assert sum(map(len, listed)) == len(EXPERIMENTS)


def test_reading_is_noted_inside_and_outside():
    with track_records_read() as outer:
        recorded("moons-published")
        with track_records_read() as inner:
            records.read_arrays("mnist-lenet", "full", 2)
    recorded("moons-long")
    assert outer == {"moons-published": set(range(50))}
    assert inner == {"mnist-lenet": {2}}


# -------------------------------------------------------------------- reading records


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the record of TINY's seed 0, as JSON content."""
    runs = tmp_path_factory.mktemp("runs")
    runner.run(TINY, "full", 0, runs)
    return json.loads(records.record_path("tiny", "full", 0, runs).read_text("utf-8"))


OTHER = replace(TINY, config=replace(TINY.config, weight_decay=0.5))


@pytest.mark.parametrize(
    ("change", "message", "experiment"),
    [
        ({"schema": 99}, "schema version 99, but this code reads version", TINY),
        ({"schema": 1}, "run python runs/migrate.py", TINY),
        ({"extra": 1}, "has not the fields of its results: look at extra", TINY),
        ({"seed": 5}, "the record of another run", TINY),
        ({}, r"another configuration .*\(weight_decay\)", OTHER),
        ("", "cannot be read as JSON", TINY),
        ("[]", "holds no results", TINY),
        ({"config": None}, "look at config", TINY),
        ({"metrics": {"eval_accuracy": "0.9"}}, "figures that are no numbers", TINY),
        (None, r"full-seed-0\.json is missing: .* run tiny --seeds 0$", TINY),
    ],
)
def test_a_record_that_is_not_the_one_asked_for_is_refused(
    made, tmp_path, change, message, experiment
):
    path = records.record_path("tiny", "full", 0, tmp_path)
    path.parent.mkdir()
    if change is not None:
        text = change if isinstance(change, str) else json.dumps(made | change)
        path.write_text(text, "utf-8")
    with pytest.raises(RecordError, match=message):
        experiments.recorded_run(experiment, "full", 0, tmp_path)


def test_what_is_not_listed_is_refused(tmp_path):
    with pytest.raises(RecordError, match="no seeds at embedded scale"):
        recorded("tenth-reference", "embedded")
    with pytest.raises(experiments.UnknownExperiment, match="no experiment 'huge'"):
        recorded("huge")
    with pytest.raises(RecordError, match=r"relu/plain\.json is missing: .* run activation-relu/"):
        experiments.recorded_ensemble("relu", folder=tmp_path)


def test_an_ensemble_s_record_is_read_as_strictly(tmp_path):
    other = replace(experiments.recorded_ensemble("relu"), config={"seeds": 200})
    records.write(other, tmp_path)
    with pytest.raises(RecordError, match="another configuration"):
        experiments.recorded_ensemble("relu", folder=tmp_path)
