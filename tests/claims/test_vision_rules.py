"""The rules that turn records of practice 3 into verdicts, on records made up for it."""

import numpy as np
import pytest
from made_up import of_network, runs, shaky, steady

from helpers.claims import vision_rules
from helpers.claims.findings import FAILS, HOLDS, INCONCLUSIVE, LIMITED, PUBLISHED_VISION
from helpers.claims.vision_rules import NAMES, PUBLISHED_SETTINGS, REPEATED
from helpers.runs.catalogue.vision import POINTS, Point
from helpers.runs.experiments import find


def repeated(**ends):
    """Records of the published rows: as published, or as given."""
    return all_by(0) | {REPEATED[model]: records for model, records in ends.items()}


def all_by(gap):
    return {
        name: steady(PUBLISHED_VISION[model]["test_accuracy"] + gap)
        for model, name in REPEATED.items()
    }


def on_little_data(gap, parameters=(), seconds=()):
    """Records of the four models with 600 images; `gap` is ResNet-18's, LeNet's is 0.05."""
    size = {"lenet": 6e4, "resnet18": 1.1e7, "vgg11": 2.8e7, "vit": 2e5} | dict(parameters)
    cost = {"lenet": 10.0, "resnet18": 300.0, "vgg11": 600.0, "vit": 20.0} | dict(seconds)
    records = {}
    for model in NAMES:
        made = of_network(runs([0.9, 0.91, 0.92]), parameters=size[model])
        gaps = gap if model == "resnet18" else steady(0.05)
        for record, other in zip(made, gaps, strict=True):
            ahead = other.metrics["eval_accuracy"]
            record.metrics["train_accuracy"] = record.metrics["eval_accuracy"] + ahead
            record.metrics["cpu_seconds"] = cost[model]
        records[f"hundredth-{model}"] = made
    return records


FLAT = np.r_[np.linspace(0.5, 0.9, 10), np.linspace(0.901, 0.91, 10)]
LATE_JUMP = FLAT + np.where(np.arange(20) >= 10, 0.02, 0.0)  # from the tenth epoch to the next
EARLY_JUMP = FLAT + np.where(np.arange(20) >= 9, 0.02, 0.0)  # from the ninth to the tenth
LOW, HIGH, WIDE = (0.1, 0.11, 0.12), (0.6, 0.61, 0.62), (0.1, 0.30, 0.50)  # rises of three seeds


def climbing(first, second, *courses):
    """What the rule of C3.3 takes: runs, and how far each rises in the halves of an epoch."""
    made = runs([0.9, 0.9, 0.9])
    for record, course in zip(made, courses, strict=True):
        record.history["eval_accuracy"] = course.tolist()
    rises = {(0, 0.5): first, (0.5, 1): second}
    return {REPEATED["ViT"]: made}, lambda run, start, stop: rises[start, stop][run.seed]


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (climbing(LOW, HIGH, FLAT, FLAT, FLAT), HOLDS),
        (climbing(LOW, HIGH, EARLY_JUMP, EARLY_JUMP, FLAT), HOLDS),
        (climbing(LOW, HIGH, LATE_JUMP, FLAT, FLAT), LIMITED),
        (climbing(HIGH, LOW, FLAT, FLAT, FLAT), LIMITED),
        (climbing(WIDE, HIGH, FLAT, FLAT, FLAT), LIMITED),  # not clearly later
        (climbing(HIGH, LOW, LATE_JUMP, LATE_JUMP, LATE_JUMP), FAILS),
    ],
)
def test_accuracy_climbs_late_and_flattens(judge, made, verdict):
    records, curve = made
    assert judge("C3.3", records, curve=curve).verdict == verdict


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


def active(relu, share, gelu=(0.39, 0.40, 0.41)):
    """A ReLU's records against a GELU's, which ends at 0.95, with shares of active units."""
    records = {Point().name(True): (steady(0.95), gelu), "tenth-vit-relu": (relu, share)}
    for made, shares in records.values():
        for record, one in zip(made, shares, strict=True):
            record.history |= {"active_units": [0.5, one], "dead_units": [0.5, 0.1]}
    return {name: made for name, (made, _) in records.items()}


FEW, MANY = (0.19, 0.20, 0.21), (0.39, 0.40, 0.41)


@pytest.mark.parametrize(
    ("claim", "records", "verdict"),
    [
        ("C3.1", all_by(-0.002), HOLDS),  # near enough
        ("C3.1", repeated(LeNet=steady(0.98)), LIMITED),
        ("C3.1", repeated(LeNet=shaky(0.97)), LIMITED),  # nobody can tell
        ("C3.1", all_by(-0.02), FAILS),
        ("C3.1", {name: shaky(0.94) for name in REPEATED.values()}, INCONCLUSIVE),
        ("C3.2", on_little_data(steady(0.10)), HOLDS),
        ("C3.2", on_little_data(shaky(0.10)), LIMITED),  # nobody can tell whether it overfits
        ("C3.2", on_little_data(steady(0.10), seconds={"vit": 5.0}), LIMITED),
        ("C3.2", on_little_data(steady(0.10), parameters={"resnet18": 5e7}), LIMITED),
        ("C3.2", on_little_data(steady(0.01), parameters={"vit": 5e4, "resnet18": 5e7}), FAILS),
        ("C3.4", swept(steady(0.97), d128=shaky(0.9)), HOLDS),
        ("C3.4", swept(steady(0.97), d128=steady(0.946)), HOLDS),  # a little
        ("C3.4", swept(steady(0.97), d128=steady(0.90)), LIMITED),
        ("C3.4", swept(steady(0.97), d4=steady(0.96)), LIMITED),  # it harms
        ("C3.4", swept(steady(0.97), squares=steady(0.95)), FAILS),
        ("C3.4", swept(steady(0.97), squares=shaky(0.97)), INCONCLUSIVE),
        ("C3.4", swept(shaky(0.97), d128=steady(0.90)), LIMITED),  # little elsewhere
        ("C3.4", undecided() | {Point(128).name(False): steady(0.90)}, FAILS),
        ("C3.4", swept(shaky(0.97)), INCONCLUSIVE),
        ("C3.6", active(steady(0.93), FEW), HOLDS),
        ("C3.6", active(steady(0.93), MANY), LIMITED),  # better, but not by more active units
        ("C3.6", active(steady(0.93), (0.05, 0.20, 0.50)), LIMITED),
        ("C3.6", active(steady(0.949), FEW), FAILS),
        ("C3.6", active(shaky(0.94), FEW), INCONCLUSIVE),
    ],
)
def test_a_verdict_follows_from_the_records(judge, claim, records, verdict):
    assert judge(claim, records).verdict == verdict


OWN, FOREIGN = np.zeros((4, 5)), np.zeros((4, 5))
OWN[0] = 1.0
FOREIGN[:, 0] = 1.0


@pytest.mark.parametrize(
    ("told", "not_told", "verdict"),
    [
        (OWN, FOREIGN, HOLDS),
        (OWN + 1e-7, FOREIGN, HOLDS),  # rounding is no influence
        (OWN, OWN, FAILS),  # it makes no difference
        (np.maximum(OWN, FOREIGN), FOREIGN, FAILS),
        (OWN * [1, 1, 1, 1, 0], FOREIGN, FAILS),  # one token is left out
    ],
)
def test_both_ways_are_looked_at(told, not_told, verdict):
    found, _ = vision_rules.c3_5(lambda layer: told if layer.self_attn.batch_first else not_told)
    assert found == verdict


def test_pytorchs_layer_mixes_images_unless_it_is_told():
    verdict, values = vision_rules.c3_5()
    assert (verdict, values["own"], values["foreign"]) == (HOLDS, 4, 0)
    assert (values["own_without"], values["foreign_without"]) == (0, 3)


def test_each_published_row_has_its_experiment():
    assert REPEATED.keys() == PUBLISHED_VISION.keys()
    for model, name in REPEATED.items():
        config = find(name).config
        assert config.epochs == PUBLISHED_VISION[model]["epochs"]
        if "ViT" in model:
            assert config.model_kwargs["patching"] == "flattened"
            assert config.model_kwargs.get("scaled", True) == (model == "ViT")


def test_the_vit_with_a_tenth_of_the_images_is_the_sweeps_middle():
    for part, images in {"tenth": 6_000, "hundredth": 600}.items():
        for model in NAMES:
            experiment = find(vision_rules.small_data_name(part, model))
            assert experiment.data["train_size"] == images
            assert experiment.config.model.startswith(model)
