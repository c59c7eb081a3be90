"""The rules that turn records of practice 3 into verdicts, on records made up for it."""

import numpy as np
import pytest
from made_up import of_network, runs, shaky, steady

from helpers.claims import vision_rules
from helpers.claims.findings import PUBLISHED_VISION, Verdict
from helpers.claims.vision_rules import NAMES, PUBLISHED_SETTINGS, REPEATED
from helpers.runs.catalogue.vision import POINTS, Point


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
            record.metrics["eval_train_accuracy"] = record.metrics["eval_accuracy"] + ahead
            record.metrics["cpu_seconds"] = cost[model]
        records |= {f"hundredth-{model}": made, f"hundredth-{model}-long": made}
    return records


FLAT, CLIMBING = np.r_[np.full(9, 0.5), np.full(11, 0.9)], np.linspace(0.5, 0.99, 20)
LOW, HIGH, WIDE = (0.1, 0.11, 0.12), (0.6, 0.61, 0.62), (0.1, 0.50, 0.90)  # rises of three seeds


def climbing(first, second, course, warm=(0.9, 0.9, 0.9)):
    """What the rule of C3.3 takes: runs, and how far each rises in the halves of an epoch."""
    made = runs([0.9, 0.9, 0.9])
    for seed, record in enumerate(made):
        record.history["eval_accuracy"] = (course - 0.001 * seed).tolist()
    rises = {(0, 0.5): first, (0.5, 1): second}
    records = {REPEATED["ViT"]: made}
    for rate in vision_rules.WARMED_UP:
        records[Point(16, rate).name(True)] = steady(0.9)
        records[f"tenth-vit-warm-up-rate-{rate:g}"] = runs(warm)
    return records, lambda run, start, stop: rises[start, stop][run.seed]


@pytest.mark.parametrize(
    ("made", "verdicts"),
    [
        (climbing(LOW, HIGH, FLAT, warm=(0.95, 0.951, 0.952)), "RRR"),
        (climbing(WIDE, HIGH, CLIMBING), "INN"),  # not clearly later
        (climbing(HIGH, LOW, CLIMBING, warm=(0.8, 0.9, 0.99)), "NNI"),
    ],
)
def test_accuracy_climbs_late_and_flattens(judge, made, verdicts):
    records, curve = made
    assert judge("C3.3", records, curve=curve)[0] == verdicts


def swept(unscaled, squares=None, early=(0.93, 0.93, 0.93), **points):
    """Records with and without 1/√d: in the published setting, and at some of the points."""
    scaled = of_network(steady(0.97), epochs=50, eval_accuracy=[0.93] * 10)
    for record, accuracy in zip(unscaled, early, strict=True):
        record.history["eval_accuracy"] = [accuracy] * 10
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


FEW, MANY = (0.09, 0.10, 0.11), (0.39, 0.40, 0.41)


@pytest.mark.parametrize(
    ("claim", "records", "verdicts"),
    [
        ("C3.1", all_by(-0.002), "RRRRR"),
        ("C3.1", repeated(LeNet=steady(0.98)), "NRRRR"),
        ("C3.1", repeated(LeNet=shaky(0.97)), "IRRRR"),  # one more run might be anywhere
        ("C3.2", on_little_data(steady(0.10)), "RRR"),
        ("C3.2", on_little_data(shaky(0.06), seconds={"vit": 5.0}), "NRI"),
        ("C3.2", on_little_data(steady(0.01), parameters={"resnet18": 5e7}), "RNN"),
        ("C3.4", swept(steady(0.97), d128=steady(0.946)), "RRRR"),  # a little
        ("C3.4", swept(steady(0.97), d128=shaky(0.9)), "RRRI"),
        ("C3.4", swept(steady(0.97), d128=steady(0.90)), "RRRN"),
        ("C3.4", swept(steady(0.97), d4=steady(0.96)), "RRRN"),  # it harms
        ("C3.4", swept(steady(0.97), early=(0.80, 0.81, 0.80)), "RNRR"),
        ("C3.4", swept(steady(0.95), squares=shaky(0.97), early=(0.90, 0.93, 0.96)), "NIIR"),
        ("C3.4", undecided(), "IRII"),
        ("C3.6", active(steady(0.93), FEW), "RR"),
        ("C3.6", active(steady(0.93), MANY), "RN"),  # better, but not by more active units
        ("C3.6", active(shaky(0.94), (0.05, 0.20, 0.50)), "II"),
        ("C3.6", active(steady(0.949), FEW), "NR"),
    ],
)
def test_verdicts_follow_from_the_records(judge, claim, records, verdicts):
    assert judge(claim, records)[0] == verdicts


OWN, FOREIGN = np.zeros((4, 5)), np.zeros((4, 5))
OWN[0] = 1.0
FOREIGN[:, 0] = 1.0


@pytest.mark.parametrize(
    ("told", "not_told", "verdict"),
    [
        (OWN, FOREIGN, Verdict.REPRODUCED),
        (OWN, OWN, Verdict.NOT_REPRODUCED),  # it makes no difference
        (np.maximum(OWN, FOREIGN), FOREIGN, Verdict.NOT_REPRODUCED),
        (OWN * [1, 1, 1, 1, 0], FOREIGN, Verdict.NOT_REPRODUCED),  # one token is left out
    ],
)
def test_both_ways_are_looked_at(told, not_told, verdict):
    parts, _ = vision_rules.c3_5(lambda layer: told if layer.self_attn.batch_first else not_told)
    assert parts == {"needs": verdict}
