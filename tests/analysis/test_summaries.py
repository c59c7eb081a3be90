"""What a run shows, or a few."""

import numpy as np
import pytest
from made_up import run, runs

from helpers.analysis import summaries

SLOW = np.exp(-np.arange(200) / 30)
SUDDEN = np.r_[np.full(100, 2.0), np.linspace(2, 0.5, 20), np.full(80, 0.5)]


def test_a_loss_that_only_slows_down_has_no_breakthrough():
    assert summaries.sudden_drop(run(loss=SLOW)) is None
    assert summaries.sudden_drop(run(loss=np.linspace(8, 1, 200))) is None
    assert summaries.sudden_drop(run(loss=SLOW[:30])) is None  # too short to tell


def test_coming_down_from_a_spike_is_no_breakthrough():
    loss = SLOW.copy()
    loss[100:110] += 5
    assert summaries.sudden_drop(run(loss=loss)) is None


def test_a_step_after_a_plateau_is_a_breakthrough_at_its_place():
    assert summaries.sudden_drop(run(loss=SUDDEN)) == pytest.approx(100, abs=1)
    tiny = np.r_[np.linspace(9, 2, 60), np.full(80, 2.0), np.linspace(2, 1.9, 20), np.full(40, 1.9)]
    assert summaries.sudden_drop(run(loss=tiny)) is None  # a step, but a hundredth of the fall


def test_a_breakthrough_is_dated_in_epochs_not_in_entries():
    logged = [0, *range(49, 10_000, 50)][: len(SUDDEN)]
    found = summaries.sudden_drop(run(loss=SUDDEN, epoch=logged))
    assert found == pytest.approx(100 * 50 - 1, abs=50) and found in logged


def test_still_falling_means_at_every_one_of_the_last_epochs():
    loss = np.r_[np.ones(60), np.linspace(1, 0.5, 41)]
    assert summaries.still_falling(run(loss=loss))
    assert not summaries.still_falling(run(loss=loss), window=41)
    loss[-2] = loss[-3]
    assert not summaries.still_falling(run(loss=loss))


def test_epochs_to_an_accuracy():
    assert summaries.epochs_to(run(accuracy=[0.1, 0.5, 0.9, 0.95]), 0.9) == 3
    assert summaries.epochs_to(run(accuracy=[0.1, None]), 0.9) is None
    assert summaries.epochs_to(run(accuracy=[0.1, 0.95], epoch=[0.0, 49.0]), 0.9) == 50


def test_counts_read_as_sentences():
    assert summaries.format_count(0, 3) == "none of 3 seeds"
    assert summaries.format_count(2, 3) == "2 of 3 seeds"
    assert summaries.format_count(3, 3, "runs") == "all 3 runs"


def test_span_is_from_the_lowest_to_the_highest():
    assert summaries.span(runs([0.93, 0.95, 0.91]), "eval_accuracy") == (0.91, 0.95)


def test_a_run_without_one_digit_is_crippled():
    assert summaries.lost_class(run(train_accuracy=0.91))
    assert not summaries.lost_class(run(train_accuracy=0.95))


def test_silent_classes_are_those_that_no_image_gets(monkeypatch):
    scores = np.zeros((5, 5))
    scores[range(5), [0, 0, 2, 3, 2]] = 1.0
    monkeypatch.setattr(summaries, "read_arrays", lambda *place: {"scores": scores})
    assert summaries.never_predicted(run()) == 2


def test_a_rise_is_between_means_of_the_entries_that_end_there(monkeypatch):
    asked = []
    curve = np.arange(40) ** 2 / 1000  # four epochs of ten entries

    def read(*place):
        asked.append(place)
        return {"curve_accuracy": curve}

    monkeypatch.setattr(summaries, "read_arrays", read)
    made = run(epoch=range(4), seed=3)

    def rise(start, stop):
        return summaries.batch_curve(made, start, stop)

    assert rise(0.5, 1) == pytest.approx(curve[5:10].mean() - curve[:5].mean())
    assert rise(0, 0.5) == pytest.approx(curve[:5].mean() - curve[0])
    assert rise(0.2, 4) == pytest.approx(curve[35:].mean() - curve[:2].mean())
    assert rise(0, 0.5) + rise(0.5, 1) == pytest.approx(rise(0, 1))
    assert set(asked) == {("made-up", "full", 3)}
