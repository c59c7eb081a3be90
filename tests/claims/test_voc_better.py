"""Practice 4's own recipes: how they were chosen, and what they reach."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made_up import steady

from helpers.analysis import metrics
from helpers.book import voc_chapter
from helpers.claims import voc_better
from helpers.claims.course import PUBLISHED_VOC
from helpers.claims.voc_better import BEST, TUNE
from helpers.claims.voc_rules import COMPARED, F1, MAP
from helpers.runs.catalogue.tiny_voc import CHOSEN, MODELS, STEPS
from helpers.runs.experiments import recorded
from helpers.runs.registry import EXPERIMENTS


@pytest.mark.parametrize("model", STEPS)
def test_recipes_are_chosen_on_training_images_and_judged_on_the_others(model):
    for name, (_, recipe) in STEPS[model].items():
        step = EXPERIMENTS[f"{TUNE}{model}-{name}"]
        assert step.config == recipe
        assert step.data["evaluate_on"] == "held-out" and step.data["held_out"] > 0
    chosen = EXPERIMENTS[BEST + model]
    assert chosen.data["evaluate_on"] == "validation" and "held_out" not in chosen.data
    often = {"evaluate_every": chosen.config.evaluate_every}
    assert chosen.config == replace(STEPS[model][CHOSEN[model]][1], **often)


@pytest.mark.parametrize("model", STEPS)
def test_each_step_is_shown_by_its_held_out_figures(model):
    table = voc_better.steps_table(model)
    names = [f"{TUNE}{model}-{name}" for name in STEPS[model]]
    assert table["F1"].tolist() == [f"{recorded(n)[0].metrics[F1]:.3f}" for n in names]
    assert table["mAP"].tolist() == [f"{recorded(n)[0].metrics[MAP]:.3f}" for n in names]


@pytest.mark.parametrize("model", CHOSEN)
def test_the_threshold_is_the_best_one_of_the_held_out_images_only(model):
    name = f"{TUNE}{model}-{CHOSEN[model]}"
    (said,), truth = voc_chapter.answers(name).probabilities, voc_chapter.targets(name)
    at = [metrics.summarise(said, truth, t)["f1"] for t in (voc_better.threshold(model), 0.5)]
    assert at[0] >= at[1]
    assert voc_better.answers(BEST + model).thresholds == voc_better.threshold(model)
    assert voc_better.answers(COMPARED[MODELS[model][0]]).thresholds == 0.5


def test_a_recipe_stands_beside_the_published_value_and_the_published_settings():
    table = voc_better.best_table().set_index("network")
    row, runs = table.loc["LeNet"], recorded(BEST + "lenet")
    assert row["published F1"] == f"{PUBLISHED_VOC['LeNet']['f1']:.3f}"
    assert row["trained"].endswith(f"{len(runs)} seeds")
    assert row["own recipe, mAP"].startswith(f"{np.mean([r.metrics[MAP] for r in runs]):.3f} [")
    plain = np.mean([r.metrics[F1] for r in recorded(COMPARED["LeNet"])])
    assert row["published settings, ours"].startswith(f"{plain:.3f} [")


def test_networks_together_answer_with_the_mean_of_their_probabilities():
    rows, truth = voc_better.side-by-side(), voc_chapter.targets()
    lenets = voc_chapter.answers(BEST + "lenet").probabilities
    (together,) = rows["3 LeNets together"].probabilities
    assert together == pytest.approx((lenets[0] + lenets[1] + lenets[2]) / 3)
    everyone = [voc_chapter.answers(BEST + model).probabilities for model in CHOSEN]
    counts = sum(map(len, everyone))
    (together,) = rows[f"all {counts} together"].probabilities
    assert together == pytest.approx(sum(p.sum(axis=0) for p in everyone) / counts)
    table = voc_better.side-by-side_table().set_index("model")
    reached = metrics.summarise(together, truth, 0.5)["mean_average_precision"]
    assert table.loc[f"all {counts} together", "mAP"].startswith(f"{reached:.3f} [")
    means = table["mAP"].str.split().str[0].astype(float)
    gain = means["3 LeNets together"] - means["one LeNet"]
    told = re.search(
        r"3 LeNets together ([+-]0\.\d{3}) over one LeNet", voc_better.about_together()
    )
    assert float(told[1]) == pytest.approx(gain, abs=0.0011)


def test_what_the_recipes_rest_on_is_told():
    sides = {model: EXPERIMENTS[f"{TUNE}{model}-{CHOSEN[model]}"].data["size"] for model in CHOSEN}
    assert f"of {sides['resnet18']} pixels a side instead of {sides['lenet']}" in (
        voc_better.about_sides()
    )
    (large,) = recorded("voc224-resnet18")
    assert f"took {large.wall_seconds / 3600:.1f} hours" in voc_better.about_limits()
    own = EXPERIMENTS[BEST + "resnet18"]
    assert f"{own.config.epochs} times, at {own.data['size']} pixels" in voc_better.about_limits()
    shares = [
        voc_chapter.targets(name)[:, 0].mean() for name in (f"{TUNE}lenet-long", BEST + "lenet")
    ]
    assert "{:.0%} of the held-out photographs, and in {:.0%}".format(*shares) in (
        voc_better.about_thresholds()
    )


@pytest.mark.parametrize(
    ("f1", "said"),
    [
        (0.80, "which is reached: 0.800"),
        (0.7605, "which is reached in the mean, not by the whole interval: 0.76"),
        (0.75, "which is not reached: 0.750"),
    ],
)
def test_whether_a_recipe_comes_to_what_was_wanted(monkeypatch, f1, said):
    made = {
        COMPARED["LeNet"]: steady(0.9, **{F1: 0.7, MAP: 0.60}),
        BEST + "lenet": steady(0.9, **{F1: 0.7, MAP: 0.65}),
    }
    monkeypatch.setattr(voc_better, "recorded", made.__getitem__)
    monkeypatch.setattr(voc_better, "CHOSEN", {"lenet": "long"})
    monkeypatch.setattr(voc_better, "_f1", lambda model: f1 + np.array([-0.001, 0, 0.001]))
    monkeypatch.setattr(voc_better, "threshold", lambda model: 0.4)
    (sentence,) = voc_better.about_best()
    assert f"We had set out for an F1 of 0.76, {said}" in sentence
    assert "At 0.5, as in the other tables, it would be 0.700 [0.700, 0.700]" in sentence
    assert "+0.050 [+0.050, +0.050] in mAP" in sentence and "a probability of 0.40" in sentence
