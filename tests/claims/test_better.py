"""Practice 3's better recipes: how they were chosen, what they reach, alone and together."""

from dataclasses import replace

import numpy as np
import pytest
from made_up import of_network, runs, steady

from helpers.claims import better
from helpers.claims.better import ALL, THREE_LENETS
from helpers.claims.course import PUBLISHED_VISION
from helpers.claims.vision_rules import NAMES
from helpers.runs.catalogue.vision import ALL_OF_MNIST, VISION_STEPS
from helpers.runs.experiments import EXPERIMENTS, Experiment


@pytest.fixture
def recorded(monkeypatch):
    """Return a dict whose entries take the place of all experiments' recorded runs."""
    made_up = {
        f"tune-{model}-{name}": runs([0.99])
        for model in VISION_STEPS
        for name in VISION_STEPS[model]
    }
    made_up |= {name: steady(0.98) for name in better.PLAIN.values()}
    monkeypatch.setattr(better, "recorded", made_up.__getitem__)
    return made_up


@pytest.fixture
def listed(monkeypatch, recorded):
    """Return a function that lists made-up runs of a network's own recipe."""
    experiments = {}
    monkeypatch.setattr(better, "EXPERIMENTS", experiments)

    def add(model, accuracies):
        name = f"best-{model}"
        seeds = tuple(range(len(accuracies)))
        experiments[name] = Experiment(
            name, "", VISION_STEPS[model]["annealed"][1], {}, seeds=seeds
        )
        recorded[name] = of_network(runs(accuracies))

    return add


def answers(*sure):
    """Arrays of a run on one image for each entry: how much sooner it says 1 than 0."""
    scores = np.array([[0.0, by] for by in sure], np.float16)
    return {"scores": scores, "labels": np.ones(len(sure), np.uint8)}


# ------------------------------------------------------------------------- the choosing


@pytest.mark.parametrize("model", VISION_STEPS)
def test_recipes_are_chosen_on_validation_images_and_tested_at_full_size(model):
    for name, (_, recipe) in VISION_STEPS[model].items():
        step = EXPERIMENTS[f"tune-{model}-{name}"]
        assert step.data["evaluate_on"] == "validation" and step.config == recipe
    chosen = EXPERIMENTS[f"best-{model}"]
    assert chosen.data == ALL_OF_MNIST and chosen.keep
    # It is one of the steps, but for its length.
    length = {"epochs": chosen.config.epochs, "evaluate_every": chosen.config.evaluate_every}
    assert chosen.config in [
        replace(recipe, **length) for _, recipe in VISION_STEPS[model].values()
    ]


def test_each_step_is_shown_by_its_validation_accuracy(recorded):
    recorded["tune-resnet18-distorted"] = runs([0.9876])
    table = better.steps_table("resnet18", "vit")
    assert table["network"].tolist() == ["ResNet-18"] * 4 + ["ViT"] * len(VISION_STEPS["vit"])
    row = table.iloc[2]
    assert row["validation accuracy"] == "0.9876" and row["epochs"] == "10"
    assert row["one change at a time"] == "and the images distorted"
    assert "network" not in better.steps_table("lenet")


# ------------------------------------------------------------------------- the results


def test_a_recipe_stands_beside_the_published_value_and_the_published_settings(listed, monkeypatch):
    monkeypatch.setattr(better, "read_arrays", lambda *_: answers(1, 1, 1, -1))
    listed("lenet", [0.994, 0.995, 0.996])
    listed("vgg11", [0.9955])
    table = better.best_table().set_index("network")
    assert table.index.tolist() == ["LeNet", "VGG-11", THREE_LENETS, ALL]  # those listed
    assert table.loc["LeNet"].tolist() == [
        "0.9917", "0.9800 [0.9775, 0.9825]", "0.9950 [0.9925, 0.9975]", "3", "20", "50",
    ]  # fmt: skip
    assert table.loc["VGG-11", ["own recipe", "seeds"]].tolist() == ["0.9955", "1"]
    assert table.loc[ALL, ["own recipe", "wrong of 10,000"]].tolist() == ["0.7500", "2500"]


def test_an_ensemble_answers_with_the_mean_of_the_probabilities(listed, monkeypatch):
    kept = {
        ("best-lenet", 0): answers(9, -1, -1),
        ("best-lenet", 1): answers(9, -1, -1),
        ("best-lenet", 2): answers(9, 4, -1),
        ("best-vit", 0): answers(-9, 4, -1),
        ("best-vit", 1): answers(9, 4, 4),
    }
    monkeypatch.setattr(better, "read_arrays", lambda name, scale, seed: kept[name, seed])
    listed("lenet", [0.9, 0.9, 0.9])
    listed("vit", [0.9, 0.9])
    together = better.ensembles()
    # One that is sure outvotes two that are a little wrong: probabilities 0.98, 0.27 and 0.27.
    np.testing.assert_allclose(together[THREE_LENETS], [2 / 3])
    assert len(together[ALL]) == 2  # the seeds that both have
    np.testing.assert_allclose(together[ALL][1], 1.0)


def test_only_a_whole_interval_above_the_published_value_beats_it(listed, monkeypatch):
    monkeypatch.setattr(better, "read_arrays", lambda *_: answers(1, -1))
    above = PUBLISHED_VISION["LeNet"]["test_accuracy"] + 0.004
    listed("lenet", [above - 0.0001, above, above + 0.0001])
    listed("resnet18", [0.999])
    listed("vit", [0.99, 0.95, 0.97])
    said = better.about_best()
    beaten, rest = said.split(" For ")
    assert beaten.endswith(" lies above the published accuracy with the whole interval.")
    assert "LeNet (+0.0040)" in beaten and "ResNet-18" in rest and "ViT" in rest
    assert "reaches 0.5000 (n = 1)." in said and "On 1 test images" in said
    listed("lenet", [0.5, 0.6, 0.7])
    assert better.about_best().startswith("No network lies above")


def test_the_lenets_gain_is_told_in_images(recorded):
    recorded |= {"mnist-lenet": steady(0.989), "best-lenet": of_network(steady(0.995))}
    said = better.about_lenet()
    assert "**0.9950 [" in said and "+0.0060 [" in said
    assert "50 wrong images instead of 110" in said and "1,000 parameters" in said


def test_every_network_has_its_own_recipe():
    assert list(better.best()) == list(NAMES)
