"""Multi-label figures against cases worked out by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from helpers.analysis import metrics, uncertainty
from helpers.data.datasets import DataNotPrepared
from helpers.data.voc import load_tiny_voc

CLASSES = ("person", "cat", "plane", "car", "bird")

# Four images, two classes. At 0.5 the first class has 2 hits, 1 false alarm, 0 misses, the
# second 1 hit, 0 false alarms, 1 miss: 6 of 8 pairs are right, and images 0 and 3 wholly.
SCORES = np.array([[0.9, 0.1], [0.8, 0.3], [0.6, 0.7], [0.2, 0.2]])
TARGETS = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
# By hand: sorted by score, class 0 reads 1 0 1 0, class 1 reads 1 0 1 0 too.
AP_BY_HAND = [(1 + 2 / 3) / 2, (1 + 2 / 3) / 2]


def draws(seed=0, images=300):
    """Make answers that are right more often than not."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((images, 5)) < [0.6, 0.2, 0.1, 0.15, 0.1]).astype(int)
    return rng.normal(size=targets.shape) + 1.5 * targets, targets


# ---------------------------------------------------------------------------- deciding


def test_a_score_on_the_threshold_is_a_yes():
    assert metrics.decide([[0.5, 0.4]], 0.5).tolist() == [[True, False]]
    assert metrics.decide([[0.5, 0.4]], [0.6, 0.4]).tolist() == [[False, True]]


@pytest.mark.parametrize("thresholds", [[0.5, 0.5, 0.5], [[0.5]], np.nan])
def test_thresholds_must_fit_the_classes(thresholds):
    with pytest.raises(ValueError, match="one for each of the 2 classes"):
        metrics.decide(SCORES, thresholds)


def test_chosen_thresholds_by_hand():
    """Of all pairs, 0.6 and more lets in 4, of which 3 are right: F1 6/8, against 8/11 at 0.2.

    Class 0 stops at 0.6 with 2 right of 3, F1 4/5; class 1 at 0.2, with the same.
    """
    assert metrics.choose_thresholds(SCORES, TARGETS) == pytest.approx((0.6 + 0.3) / 2)
    chosen = metrics.choose_thresholds(SCORES, TARGETS, per_class=True)
    assert chosen == pytest.approx([(0.6 + 0.2) / 2, (0.2 + 0.1) / 2])


def f1_at(scores, targets, thresholds):
    """F1 of all pairs at each of many thresholds."""
    said = scores.ravel() >= thresholds[:, None]
    hits = (said & (targets.ravel() == 1)).sum(axis=1)
    return 2 * hits / (said.sum(axis=1) + targets.sum())


def test_no_threshold_beats_the_chosen_one():
    scores, targets = draws()
    grid = np.linspace(-4, 5, 400)
    best = metrics.summarise(scores, targets, metrics.choose_thresholds(scores, targets))["f1"]
    assert best - 0.01 < f1_at(scores, targets, grid).max() <= best
    own = metrics.choose_thresholds(scores, targets, per_class=True)
    reached = metrics.by_class(scores, targets, own)["f1"]
    for k, best in enumerate(reached):
        assert best - 0.01 < f1_at(scores[:, k], targets[:, k], grid).max() <= best


def test_thresholds_that_let_everything_in_are_the_lowest_score():
    assert metrics.choose_thresholds([[0.2, 0.3]], [[1, 1]]) == 0.2


# ------------------------------------------------------------------------------ curves


def test_a_curve_by_hand():
    curve = metrics.pr_curve(SCORES[:, 0], TARGETS[:, 0])
    assert curve.thresholds.tolist() == [0.2, 0.6, 0.8, 0.9]
    assert curve.recall.tolist() == [1, 1, 0.5, 0.5, 0]
    assert curve.precision == pytest.approx([1 / 2, 2 / 3, 1 / 2, 1, 1])
    assert curve.average_precision == pytest.approx(AP_BY_HAND[0])
    assert curve.at(0.7) == curve.at(0.8) == (0.5, 0.5)
    assert curve.at(0.95) == (0, 1) and curve.at(0) == (1, 0.5)


def test_equal_scores_come_in_together():
    curve = metrics.pr_curve([0.7, 0.7, 0.7, 0.1], [1, 0, 0, 1])
    assert curve.average_precision == pytest.approx(0.5 * (1 / 3) + 0.5 * (2 / 4))


def test_every_class_has_its_curve_and_all_have_one():
    curves = metrics.pr_curves(SCORES, TARGETS, ("person", "cat"))
    assert list(curves) == ["person", "cat"]
    aps = [curve.average_precision for curve in curves.values()]
    assert aps == pytest.approx(AP_BY_HAND)
    assert metrics.average_precisions(SCORES, TARGETS).tolist() == pytest.approx(aps)
    # Sorted, all pairs read 1 0 1 1 0 1 and 0 together at 0.2, 0: precisions 1, 2/3, 3/4, 4/7.
    micro = metrics.micro_pr_curve(SCORES, TARGETS).average_precision
    assert micro == pytest.approx((1 + 2 / 3 + 3 / 4 + 4 / 7) / 4)


def test_curves_take_logits_and_probabilities_alike():
    logits, targets = draws()
    probabilities = 1 / (1 + np.exp(-logits))
    one, other = (metrics.micro_pr_curve(s, targets) for s in (logits, probabilities))
    assert np.array_equal(one.precision, other.precision)
    assert metrics.summarise(logits, targets, 0) == metrics.summarise(probabilities, targets, 0.5)


# ----------------------------------------------------------------------------- figures


def test_figures_by_hand():
    found = metrics.summarise(SCORES, TARGETS, 0.5)
    assert found == pytest.approx(
        {
            "accuracy": 6 / 8, "exact_match": 2 / 4,
            "precision": 3 / 4, "recall": 3 / 4, "f1": 3 / 4,
            "macro_precision": (2 / 3 + 1) / 2, "macro_recall": (1 + 1 / 2) / 2,
            "macro_f1": (4 / 5 + 2 / 3) / 2,
            "mean_average_precision": np.mean(AP_BY_HAND),
            "micro_average_precision": (1 + 2 / 3 + 3 / 4 + 4 / 7) / 4,
        }
    )  # fmt: skip
    assert all(type(value) is float for value in found.values())  # a record can hold them


def test_figures_of_each_class_by_hand():
    found = metrics.by_class(SCORES, TARGETS, 0.5)
    counts = {name: found[name].tolist() for name in ("hits", "false_alarms", "misses")}
    assert counts == {"hits": [2, 1], "false_alarms": [1, 0], "misses": [0, 1]}
    assert found["rejections"].tolist() == [1, 2]
    assert found["precision"] == pytest.approx([2 / 3, 1])
    assert found["recall"] == pytest.approx([1, 1 / 2])
    assert found["f1"] == pytest.approx([4 / 5, 2 / 3])
    assert found["average_precision"] == pytest.approx(AP_BY_HAND)


def test_each_class_may_have_its_own_threshold():
    found = metrics.by_class(SCORES, TARGETS, [0.85, 0.15])
    assert found["hits"].tolist() == [1, 2] and found["false_alarms"].tolist() == [0, 1]


def test_saying_nothing_is_no_error():
    found = metrics.summarise(SCORES, TARGETS, 2)
    assert (found["precision"], found["recall"], found["f1"], found["accuracy"]) == (0, 0, 0, 0.5)


def test_an_aggregate_is_no_mean_of_batch_means():
    """Two batches: one predicts much and is right a tenth of the time, one little and always."""
    scores, targets = np.zeros((11, 2)), np.zeros((11, 2), int)
    scores[:, 0], targets[[0, 10], 0], targets[10, 1], scores[10, 1] = 1, 1, 1, 1
    whole = metrics.summarise(scores, targets, 0.5)
    parts = metrics.batch_means(scores, targets, 0.5, batch_size=10)
    assert whole["precision"] == pytest.approx(3 / 12) and whole["recall"] == 1
    assert parts["precision"] == pytest.approx((1 / 10 + 2 / 2) / 2)
    assert whole["accuracy"] == pytest.approx(13 / 22)
    assert parts["accuracy"] == pytest.approx((11 / 20 + 1) / 2)
    together = metrics.batch_means(scores, targets, 0.5, batch_size=11)
    assert together == {name: pytest.approx(whole[name]) for name in together}
    # The order of the images changes the mean of batches, and nothing else.
    order = np.roll(np.arange(11), 1)
    assert metrics.summarise(scores[order], targets[order], 0.5) == pytest.approx(whole)
    assert metrics.batch_means(scores[order], targets[order], 0.5, 10) != parts


def test_the_original_averaged_over_all_epochs():
    epochs = [
        {"accuracy": 0.6, "precision": 0.1, "recall": 0.2},
        {"accuracy": 0.9, "precision": 0.8, "recall": 0.6},
    ]
    found = metrics.original_way(epochs)
    assert found["accuracy"] == pytest.approx(0.75)  # though the last epoch reached 0.9
    assert (found["precision"], found["recall"]) == (0.8, 0.6)
    assert found["f1"] == pytest.approx(0.96 / 1.4)
    nothing = {"accuracy": 0.7, "precision": 0.0, "recall": 0.0}
    assert metrics.original_way([nothing])["f1"] == 0
    with pytest.raises(ValueError, match="at least one epoch"):
        metrics.original_way([])


# --------------------------------------------------------------------------- baselines

# Tiny-VOC's 624 validation images: how many hold a person, a cat, a plane, a car, a bird.
VALIDATION_COUNTS = (426, 62, 67, 88, 55)
TRAINING_PREVALENCE = (0.6035, 0.1705, 0.0802, 0.1575, 0.0805)


def validation_targets():
    """Place as many images of each class as Tiny-VOC's validation set has, anyhow.

    Which classes meet in an image changes neither accuracy nor micro-averages.
    """
    targets = np.zeros((624, 5), int)
    for k, count in enumerate(VALIDATION_COUNTS):
        targets[:count, k] = 1
    return targets


def assert_constant_answer_person(targets):
    answers = metrics.constant_baselines(TRAINING_PREVALENCE, CLASSES, len(targets))
    person = metrics.summarise(answers["person"], targets, 0.5)
    rounded = {name: round(person[name], 4) for name in ("accuracy", "precision", "recall", "f1")}
    assert rounded == {"accuracy": 0.8494, "precision": 0.6827, "recall": 0.6103, "f1": 0.6445}
    for scores in answers.values():  # who does not look ranks nothing: chance level
        found = metrics.summarise(scores, targets, 0.5)["mean_average_precision"]
        assert round(found, 4) == 0.2237


def test_always_saying_person_already_scores_0_8494():
    assert_constant_answer_person(validation_targets())


def test_always_saying_person_on_the_real_labels():
    try:
        data = load_tiny_voc("full")
    except DataNotPrepared as error:
        pytest.skip(str(error))
    assert_constant_answer_person(data.y_eval)


def test_baselines_are_answers_like_any_others():
    answers = metrics.constant_baselines(TRAINING_PREVALENCE, CLASSES, 624)
    assert list(answers) == ["nothing", "person", "class priors"]
    assert all(scores.shape == (624, 5) for scores in answers.values())
    targets = validation_targets()
    found = {name: metrics.summarise(s, targets, 0.5) for name, s in answers.items()}
    assert found["nothing"]["accuracy"] == pytest.approx(1 - 698 / 3120)
    assert found["nothing"]["f1"] == 0
    # Only person is in more than half of the images: the same decisions, a better ranking.
    assert found["class priors"]["f1"] == found["person"]["f1"]
    micro = [found[name]["micro_average_precision"] for name in answers]
    assert micro[0] == pytest.approx(698 / 3120) and micro[2] > micro[1] > micro[0]


# ------------------------------------------------------------------------------ checks


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        (SCORES[:3], TARGETS, r"got \[3, 2\] and \[4, 2\]"),
        (SCORES[:, 0], TARGETS[:, 0], "must both be"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "at least one"),
        (SCORES * np.nan, TARGETS, "finite"),
        (SCORES, 2 * TARGETS, "0 or 1"),
        (SCORES, TARGETS * [1, 0], "column 1 has none"),
    ],
)
def test_bad_input_is_told(scores, targets, message):
    for compute in (
        lambda: metrics.summarise(scores, targets, 0.5),
        lambda: uncertainty.bootstrap(scores, targets, 0.5, np.random.default_rng(0), 2),
    ):
        with pytest.raises(ValueError, match=message):
            compute()


def test_one_class_alone_has_no_multi_label_figures():
    with pytest.raises(ValueError, match="at least 2 classes"):
        metrics.summarise(SCORES[:, :1], TARGETS[:, :1], 0.5)


# --------------------------------------------------------------------------- bootstrap


def test_weighted_average_precision_is_that_of_the_images_drawn():
    scores, targets = draws(images=60)
    scores, targets = scores[:, 0].round(1), targets[:, 0]  # with many ties
    rng = np.random.default_rng(1)
    drawn = rng.integers(60, size=(20, 60))
    weights = np.array([np.bincount(rows, minlength=60) for rows in drawn])
    ours = uncertainty.weighted_average_precision(scores, targets, weights)
    theirs = [average_precision_score(targets[rows], scores[rows]) for rows in drawn]
    assert ours == pytest.approx(theirs)
    only_negatives = weights * (targets == 0)
    assert not uncertainty.weighted_average_precision(scores, targets, only_negatives).any()


def test_bootstrapped_figures_are_those_of_the_images_drawn(monkeypatch):
    scores, targets = draws(images=80)
    drawn = np.random.default_rng(3).integers(80, size=(50, 80))
    weights = np.array([np.ones(80), *(np.bincount(rows, minlength=80) for rows in drawn)])
    monkeypatch.setattr(uncertainty, "_draws", lambda images, rng, resamples: weights)
    found = uncertainty.bootstrap(scores, targets, 0.5, None)
    redone = [metrics.summarise(scores[rows], targets[rows], 0.5) for rows in drawn]
    whole = metrics.summarise(scores, targets, 0.5)
    for name, interval in found.items():
        ends = np.quantile([figures[name] for figures in redone], [0.025, 0.975])
        assert interval.estimate == pytest.approx(whole[name], abs=1e-6), name
        assert [interval.low, interval.high] == pytest.approx(ends, abs=1e-6), name
        assert interval.n == 80


def test_the_same_generator_gives_the_same_interval():
    scores, targets = draws(images=50)
    one, same, other = (
        uncertainty.bootstrap(scores, targets, 0.5, np.random.default_rng(seed), 100)
        for seed in (0, 0, 1)
    )
    assert one == same and one["f1"].estimate == other["f1"].estimate
    assert one["f1"] != other["f1"]


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    """Accuracy over images is a plain mean, whose interval is known to be about right."""
    inside = []
    for seed in range(100):
        scores, targets = draws(seed, images=100)
        found = uncertainty.bootstrap(scores, targets, 0.75, np.random.default_rng(seed), 200)
        inside.append(found["accuracy"].contains(0.7734))  # P(N(0, 1) < 0.75), by symmetry
    assert 88 <= sum(inside) <= 100


def test_seeds_are_averaged_over_the_same_images():
    scores, targets = draws(images=50)
    rng = np.random.default_rng
    alone = uncertainty.bootstrap(scores, targets, 0.5, rng(0), 100)
    twice = uncertainty.bootstrap([scores, scores], targets, 0.5, rng(0), 100)
    assert {name: str(i) for name, i in twice.items()} == {n: str(i) for n, i in alone.items()}
    other = draws(9, images=50)[0]
    both = uncertainty.bootstrap([scores, other], targets, 0.5, rng(0), 100)
    ends = [metrics.summarise(s, targets, 0.5)["f1"] for s in (scores, other)]
    assert both["f1"].estimate == pytest.approx(np.mean(ends), abs=1e-6)


# ------------------------------------------------------------------------- calibration


def test_calibration_by_hand():
    probabilities = np.array([[0.05, 0.15], [0.15, 0.95], [1.0, 0.95]])
    targets = np.array([[0, 1], [0, 1], [1, 0]])
    stated, true = uncertainty.reliability_curve(probabilities, targets)
    assert stated == pytest.approx([0.05, 0.15, (0.95 + 0.95 + 1) / 3])
    assert [share.estimate for share in true] == pytest.approx([0, 1 / 2, 2 / 3])
    assert [share.n for share in true] == [1, 2, 3]
    error = uncertainty.expected_calibration_error(probabilities, targets)
    by_hand = (1 * 0.05 + 2 * (0.5 - 0.15) + 3 * (2.9 / 3 - 2 / 3)) / 6
    assert error == pytest.approx(by_hand)


def test_who_states_the_truth_is_calibrated():
    rng = np.random.default_rng(0)
    probabilities = rng.random((20_000, 2))
    targets = (rng.random(probabilities.shape) < probabilities).astype(int)
    assert uncertainty.expected_calibration_error(probabilities, targets) < 0.01
    sharper = np.where(probabilities > 0.5, 0.99, 0.01)
    assert uncertainty.expected_calibration_error(sharper, targets) > 0.2


def test_logits_are_no_probabilities():
    with pytest.raises(ValueError, match="sigmoid"):
        uncertainty.reliability_curve(*draws())
