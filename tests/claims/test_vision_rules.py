"""The rules that turn records of practice 3 into verdicts, on records made up for it."""

import numpy as np
import pytest
from made_up import of_network, runs, shaky, steady

from helpers.claims import vision_rules
from helpers.claims.course import FAILS, HOLDS, INCONCLUSIVE, LIMITED, PUBLISHED_VISION
from helpers.claims.findings import finding
from helpers.claims.vision_rules import NAMES, PUBLISHED_SETTINGS, REPEATED
from helpers.runs.catalogue.vision import POINTS, Point
from helpers.runs.experiments import find

# --------------------------------------------------------------- C3.1: the published table


def repeated(**ends):
    """Records of the published rows: as published, or as given."""
    return all_by(0) | {REPEATED[model]: records for model, records in ends.items()}


def all_by(gap):
    return {
        name: steady(PUBLISHED_VISION[model]["test_accuracy"] + gap)
        for model, name in REPEATED.items()
    }


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        (all_by(0), HOLDS),
        (all_by(-0.002), HOLDS),  # near enough
        (repeated(LeNet=steady(0.98)), LIMITED),
        (repeated(LeNet=shaky(0.97)), LIMITED),  # nobody can tell
        (all_by(-0.02), FAILS),
        ({name: shaky(0.94) for name in REPEATED.values()}, INCONCLUSIVE),
    ],
)
def test_published_accuracies_come_out_again_or_not(judge, records, verdict):
    assert judge("C3.1", records).verdict == verdict


def test_what_did_and_did_not_come_out_again_is_named(judge):
    effect = judge("C3.1", repeated(LeNet=steady(0.98), ViT=shaky(0.95))).effect
    assert "LeNet 0.9800 [0.9775, 0.9825] (n = 3 seeds; published 0.9917); VGG" in effect
    assert "ed: VGG-11, ResNet-18 and ViT without 1/√d. Not repeated: LeNet. Can't be" in effect
    assert effect.endswith("told: ViT.")


def test_each_published_row_has_its_experiment():
    assert REPEATED.keys() == PUBLISHED_VISION.keys()
    for model, name in REPEATED.items():
        config = find(name).config
        assert config.epochs == PUBLISHED_VISION[model]["epochs"]
        if "ViT" in model:
            assert config.model_kwargs["patching"] == "flattened"
            assert config.model_kwargs.get("scaled", True) == (model == "ViT")


# ------------------------------------------------------------ C3.2: costs and little data


def on_little_data(gap=0.1, **changes):
    """Records of the four models with 600 images; `gap` is ResNet-18's, LeNet's is 0.05."""
    parameters = {"lenet": 6e4, "resnet18": 1.1e7, "vgg11": 2.8e7, "vit": 2e5}
    seconds = {"lenet": 10.0, "resnet18": 300.0, "vgg11": 600.0, "vit": 20.0}
    parameters |= changes.get("parameters", {})
    seconds |= changes.get("seconds", {})
    gaps = dict.fromkeys(NAMES, steady(0.05)) | {"resnet18": gap}
    records = {}
    for model in NAMES:
        made = of_network(runs([0.9, 0.91, 0.92]), parameters=parameters[model])
        for record, other in zip(made, gaps[model], strict=True):
            record.metrics["train_accuracy"] = (
                record.metrics["eval_accuracy"] + other.metrics["eval_accuracy"]
            )
            record.metrics["cpu_seconds"] = seconds[model]
        records[f"hundredth-{model}"] = made
    return records


@pytest.mark.parametrize(
    ("gap", "changes", "answer"),
    [
        (steady(0.10), {}, HOLDS),
        (steady(0.05), {}, LIMITED),
        (shaky(0.10), {}, LIMITED),  # nobody can tell whether it overfits
        (steady(0.10), {"seconds": {"vit": 5.0}}, LIMITED),  # LeNet is the smallest, not fastest
        (steady(0.10), {"parameters": {"vit": 5e4}}, LIMITED),
        (steady(0.10), {"seconds": {"resnet18": 900.0}}, LIMITED),
        (steady(0.10), {"parameters": {"resnet18": 5e7}}, LIMITED),
        (steady(0.01), {"seconds": {"vit": 5.0, "resnet18": 900.0}}, FAILS),
        (steady(0.01), {"parameters": {"vit": 5e4, "resnet18": 5e7}}, FAILS),
    ],
)
def test_lenet_is_cheap_and_vgg_heavy_and_resnet_overfits(judge, gap, changes, answer):
    assert judge("C3.2", on_little_data(gap, **changes)).verdict == answer


def test_costs_are_relative_to_lenet(judge):
    effect = judge("C3.2", on_little_data(steady(0.1))).effect
    assert "VGG-11 28.00 M parameters, 60 × LeNet's time" in effect
    assert "in accuracy +0.000 [+0.000, +0.000] (n = 3 seeds, paired)" in effect
    assert "0.050 [0.048, 0.052] for LeNet, 0.100 [0.098, 0.102] for ResNet-18." in effect
    effect = judge("C3.2", on_little_data(steady(0.01), seconds={"vit": 5.0})).effect
    assert "fastest: not shown; VGG-11 is the largest and the slowest: shown; ResN" in effect


def test_the_vit_with_a_tenth_of_the_images_is_the_sweeps_middle():
    names = {
        (part, model): vision_rules.small_data_name(part, model)
        for part in ("tenth", "hundredth")
        for model in NAMES
    }
    assert len(set(names.values())) == 8
    for (part, model), name in names.items():
        experiment = find(name)
        assert experiment.data["train_size"] == {"tenth": 6_000, "hundredth": 600}[part]
        assert experiment.config.model.startswith(model)


# ------------------------------------------------------------------- C3.3: the late climb

FLAT = np.r_[np.linspace(0.5, 0.9, 10), np.linspace(0.901, 0.91, 10)]
LATE_JUMP = FLAT + np.where(np.arange(20) >= 10, 0.02, 0.0)  # from the tenth epoch to the next
EARLY_JUMP = FLAT + np.where(np.arange(20) >= 9, 0.02, 0.0)  # from the ninth to the tenth


@pytest.mark.parametrize(
    ("first", "second", "courses", "answer"),
    [
        ((0.1, 0.11, 0.12), (0.6, 0.61, 0.62), (FLAT, FLAT, FLAT), HOLDS),
        ((0.1, 0.11, 0.12), (0.6, 0.61, 0.62), (EARLY_JUMP, EARLY_JUMP, FLAT), HOLDS),
        ((0.1, 0.11, 0.12), (0.6, 0.61, 0.62), (LATE_JUMP, LATE_JUMP, LATE_JUMP), LIMITED),
        ((0.1, 0.11, 0.12), (0.6, 0.61, 0.62), (LATE_JUMP, FLAT, FLAT), LIMITED),
        ((0.6, 0.61, 0.62), (0.1, 0.11, 0.12), (FLAT, FLAT, FLAT), LIMITED),
        ((0.1, 0.30, 0.50), (0.4, 0.50, 0.60), (FLAT, FLAT, FLAT), LIMITED),  # not clearly later
        ((0.6, 0.61, 0.62), (0.1, 0.11, 0.12), (LATE_JUMP, LATE_JUMP, LATE_JUMP), FAILS),
    ],
)
def test_accuracy_climbs_late_and_flattens(judge, first, second, courses, answer):
    rises = {(0, 0.5): first, (0.5, 1): second}

    def curve(run, start, stop):
        return rises[start, stop][run.seed]

    made = runs([0.9, 0.9, 0.9])
    for record, course in zip(made, courses, strict=True):
        record.history["eval_accuracy"] = course.tolist()
    found = judge("C3.3", {REPEATED["ViT"]: made}, curve=curve)
    assert found.verdict == answer
    assert f"by {np.mean(first):.2f} [" in found.effect and "(n = 3 seeds)" in found.effect
    most = "0.021" if any(course is LATE_JUMP for course in courses) else "0.001"
    assert f"more than {most} to the test accuracy" in found.effect


# ------------------------------------------------------------------------ C3.4: 1/sqrt(d)


def swept(unscaled, squares=None, **points):
    """Records with and without 1/√d: in the published setting, and at some of the points."""
    scaled = of_network(steady(0.97), epochs=50)
    without = (unscaled, squares or unscaled)  # as the original computed it, and with squares
    records = {}
    for names, runs_without in zip(PUBLISHED_SETTINGS.values(), without, strict=True):
        records |= dict(zip(names, (scaled, runs_without), strict=True))
    for point in POINTS:
        records |= {point.name(scaled): steady(0.95) for scaled in (True, False)}
    return records | {Point(int(d[1:])).name(False): made for d, made in points.items()}


def undecided():
    """Records from which nothing can be told about the division, in any setting."""
    return swept(shaky(0.97)) | {point.name(False): shaky(0.95) for point in POINTS}


@pytest.mark.parametrize(
    ("records", "answer", "said"),
    [
        (swept(steady(0.971)), HOLDS, "0.005 in 0: none"),
        (swept(steady(0.97), d128=shaky(0.9)), HOLDS, "-0.005 in 0: none"),
        (swept(steady(0.97), d128=steady(0.946)), HOLDS, "in 0: none"),  # a little
        (swept(steady(0.97), d128=steady(0.90)), LIMITED, "in 1: d = 128, rate 0.0005 +0.050 ["),
        (swept(steady(0.97), d4=steady(0.96)), LIMITED, "-0.005 in 1: d = 4, rate 0.0005 -0.010"),
        (swept(steady(0.95)), FAILS, "original computed it +0.0200 [+0.0200, +0.0200]"),
        (swept(steady(0.99)), FAILS, "with true squares -0.0200"),
        (swept(steady(0.97), squares=steady(0.95)), FAILS, "true squares +0.0200 [+0.0200, +0.0"),
        (
            swept(steady(0.97), squares=shaky(0.97)),
            INCONCLUSIVE,
            "as the original computed it +0.0000",
        ),
        (swept(shaky(0.97), d128=steady(0.90)), LIMITED, "+0.050 ["),  # little elsewhere
        (undecided() | {Point(128).name(False): steady(0.90)}, FAILS, "+0.050 ["),
        (swept(shaky(0.97)), INCONCLUSIVE, f"In {len(POINTS)} other settings"),
        (swept(steady(0.95), d4=steady(0.96)), FAILS, "-0.010 [-0.010, -0.010] (n = 3 seeds, p"),
    ],
)
def test_the_division_matters_where_an_interval_says_so(judge, records, answer, said):
    found = judge("C3.4", records)
    assert found.verdict == answer
    assert said in found.effect


# ---------------------------------------------------------------------- C3.5: batch_first


def test_pytorchs_layer_mixes_images_unless_it_is_told():
    found = finding("C3.5")
    assert found.verdict == HOLDS
    assert "depends on 4 of the image's 4 other tokens and on 0 tokens of other" in found.effect
    assert found.effect.endswith("without it on 0 and 3.")


OWN, FOREIGN = np.zeros((4, 5)), np.zeros((4, 5))
OWN[0] = 1.0
FOREIGN[:, 0] = 1.0


@pytest.mark.parametrize(
    ("told", "not_told", "answer"),
    [
        (OWN, FOREIGN, HOLDS),
        (OWN, OWN, FAILS),  # it makes no difference
        (FOREIGN, FOREIGN, FAILS),
        (np.maximum(OWN, FOREIGN), FOREIGN, FAILS),
        (OWN * [1, 1, 1, 1, 0], FOREIGN, FAILS),  # one token is left out
        (OWN + 1e-7, FOREIGN, HOLDS),  # rounding is no influence
    ],
)
def test_both_ways_are_looked_at(told, not_told, answer):
    verdict, _ = vision_rules.RULES["C3.5"](
        lambda layer: told if layer.self_attn.batch_first else not_told
    )
    assert verdict == answer


# -------------------------------------------------------------------- C3.6: GELU and ReLU


def units(made, active, silent=0.1):
    for record, share in zip(made, active, strict=True):
        record.history |= {"active_units": [0.5, share], "dead_units": [0.5, silent]}
    return made


MANY, FEW, WIDE = (0.39, 0.40, 0.41), (0.19, 0.20, 0.21), (0.05, 0.20, 0.50)


@pytest.mark.parametrize(
    ("relu", "active", "answer"),
    [
        (steady(0.93), FEW, HOLDS),
        (steady(0.93), MANY, LIMITED),  # better, but not by more active units
        (steady(0.93), WIDE, LIMITED),
        (steady(0.949), FEW, FAILS),
        (steady(0.96), FEW, FAILS),
        (shaky(0.94), FEW, INCONCLUSIVE),
    ],
)
def test_gelu_must_be_better_and_keep_more_units_active(judge, relu, active, answer):
    gelu = units(steady(0.95), MANY, silent=0.02)
    found = judge("C3.6", {Point().name(True): gelu, "tenth-vit-relu": units(relu, active)})
    assert found.verdict == answer
    assert "(n = 3 seeds, paired). Of the hidden units of the MLP block, 40.0% [" in found.effect
    assert "images are 2.0% [2.0%, 2.0%] and 10.0% [10.0%, 10.0%]." in found.effect
