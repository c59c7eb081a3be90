"""The tables and figures of practice 2 show the records that they are given."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers.book import digits, figures
from helpers.claims.course import PUBLISHED_MNIST
from helpers.claims.numpy_rules import SMALL_RATE_NAMES
from helpers.runs.catalogue.numpy_networks import (
    ACTIVATION_NAMES,
    LEARNING_RATES,
    MINI_BATCH_TRIALS,
    TUNING_SEED,
)
from helpers.runs.experiments import EXPERIMENTS

SLOW = np.exp(-np.arange(200) / 30).tolist()
SUDDEN = [*np.linspace(3, 2, 20), *np.full(80, 2.0), *np.linspace(2, 0.5, 20), *np.full(80, 0.5)]


def record(seed=0, loss=(), accuracy=(), every=1, **metrics):
    steps = len(loss) or len(accuracy)
    history = {
        "epoch": [every * i for i in range(steps)],
        "loss": list(loss),
        "accuracy": list(accuracy),
        "eval_accuracy": [0.5 if i % 20 == 0 else None for i in range(steps)],
    }
    metrics = {"eval_accuracy": 0.9} | metrics
    return SimpleNamespace(seed=seed, history=history, metrics=metrics)


@pytest.fixture
def recorded(monkeypatch):
    """Return a dict whose entries take the place of the recorded runs of that name."""
    made_up = {}
    monkeypatch.setattr(digits, "recorded", made_up.__getitem__)
    return made_up


def test_our_runs_stand_below_the_published_one(recorded, monkeypatch):
    ends = {"train_loss": 0.21, "train_accuracy": 0.96, "eval_loss": 0.22, "eval_accuracy": 0.957}
    recorded |= {"mnist-published": [record(0, **ends), record(1, **ends)]}
    recorded |= {"mnist-corrected": [record(0, **ends)]}
    monkeypatch.setattr(digits, "never_predicted", lambda record: record.seed)
    table = digits.beside_published()
    runs = ["published", "ours, seed 0", "ours, seed 1", "linear scores, seed 0"]
    assert table["run"].tolist() == runs
    assert table["test accuracy"].tolist()[:2] == [
        f"{PUBLISHED_MNIST['test_accuracy']:.4f}",
        "0.9570",
    ]
    assert table["training loss"].tolist()[:2] == [f"{PUBLISHED_MNIST['train_loss']:.4f}", "0.2100"]
    assert table["classes never answered"].tolist() == ["not said", "0", "1", "0"]


def test_activations_go_by_what_is_tried(recorded):
    recorded |= {name: name for name in ACTIVATION_NAMES}
    found = digits.activations()
    assert sorted(found.values()) == sorted(ACTIVATION_NAMES)
    for about, name in found.items():
        config = EXPERIMENTS[name].config
        assert about.lower().startswith(f"{config.activation}, {config.init}")


def test_a_seed_that_never_gets_there_does_not_hide_those_that_do():
    fast, slow = [0.5, 0.95, 0.95], [0.5, 0.5, 0.95]
    never = [0.5, 0.5, 0.6]
    settings = {
        "all": [record(0, accuracy=slow), record(1, accuracy=fast)],
        "some": [record(0, accuracy=slow), record(1, accuracy=never), record(2, accuracy=fast)],
        "none": [record(0, accuracy=never), record(1, accuracy=never)],
    }
    table = digits.activation_table(settings)
    column = table["epochs to 90% training accuracy"].tolist()
    assert column == ["2, 3", "2, 3 (2 of 3 seeds)", "never"]
    assert table["seeds"].tolist() == ["2", "3", "2"]


def small_rates(loss, every=1):
    return {name: [record(seed, loss, every=every) for seed in (0, 1)] for name in SMALL_RATE_NAMES}


def test_sudden_falls_are_marked_on_the_curves(recorded):
    recorded |= small_rates(SLOW) | {"tenth-rate-0.01": [record(0, SUDDEN, every=50)]}
    panels = digits.emergence_figure().axes
    names = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in panels]
    rates = [["rate 0.0001", "rate 0.001", "rate 0.01"], ["rate 0.001", "rate 0.01"]]
    assert names == [*rates, ["rate 0.01", "rate 0.1"]]
    dots = [line for ax in panels for line in ax.lines if line.get_color() == figures.BLACK]
    (dot,) = dots
    assert dot.get_xdata()[0] == pytest.approx(100 * 50, abs=50)
    assert dot.get_ydata()[0] == pytest.approx(2, abs=0.1)


def test_sudden_falls_are_counted_and_dated(recorded):
    recorded |= small_rates(SLOW)
    recorded["tenth-rate-0.01"] = [record(0, SUDDEN, every=50), record(1, SLOW)]
    table = digits.emergence_table().set_index("network and rate")
    assert len(table) == len(SMALL_RATE_NAMES)
    row = table.loc["rate 0.01"]
    assert row["falls suddenly"] == "1 of 2 seeds"
    assert int(row["at epoch"]) == pytest.approx(100 * 50, abs=50)
    assert row["validation accuracy at the end"] == "0.900 [0.900, 0.900]"
    others = table.drop("rate 0.01")
    assert set(others["falls suddenly"]) == {"none of 2 seeds"} and set(others["at epoch"]) == {"–"}


def test_every_mini_batch_trial_is_one_run_on_its_own_seed():
    trials = digits.mini_batch_trials()
    assert len(trials) == len(MINI_BATCH_TRIALS)
    assert [run.seed for runs in trials.values() for run in runs] == [TUNING_SEED] * len(trials)


def test_there_is_one_frame_for_each_rate(monkeypatch):
    asked = []
    runs = [record(0, SLOW), record(1, [*SLOW[:-1], None])]  # one diverges in the end
    monkeypatch.setattr(digits, "recorded", lambda name: asked.append(name) or runs)
    frames, labels = digits.rate_frames()
    assert asked == [f"tenth-rate-{rate}" for rate in LEARNING_RATES]
    assert labels == [f"learning rate {rate}" for rate in LEARNING_RATES]
    assert len(frames) == len(LEARNING_RATES) and len({frame.shape for frame in frames}) == 1
    assert all(frame.dtype == np.uint8 for frame in frames)
