"""The rules that turn records of practice 4 into verdicts, on records made up for it."""

import numpy as np
import pytest
from made_up import run

from helpers.claims import voc_rules
from helpers.claims.findings import FAILS, HOLDS, INCONCLUSIVE, LIMITED, PUBLISHED_VOC
from helpers.claims.voc_rules import (
    ANNEALED,
    CAUSES,
    COMPARED,
    F1,
    LARGEST,
    LONG,
    MAP,
    NETWORKS_LARGER,
    OWN,
    PATCHES,
    PATCHES_LARGER,
    PLAIN,
    REMEDIES,
    REPEATED,
    regained,
)


def records(end, spread=0.001, seeds=3, losses=(3, 2, 1), course=None, side=96):
    """Runs that end at a mAP and an F1 of about `end`; a shaky group has a large spread."""
    course = np.full(12, 0.0) if course is None else np.asarray(course)
    made = []
    for seed in range(seeds):
        value = end + spread * (seed - 1)
        found = run(loss=losses, seed=seed, **{F1: value, MAP: value}, train_loss=losses[-1])
        found.metrics["eval_loss"] = losses[-1]
        found.config = {"data": {"size": side}, "epochs": len(losses)}
        found.history = {
            "epoch": list(range(len(course))), "eval_loss": list(losses),
            MAP: (course - course[-1] + value).tolist(),
        }  # fmt: skip
        made.append(found)
    return made


def shaky(end, **options):
    return records(end, spread=-0.2, **options)  # no pair with `records` agrees in its difference


RISES, FALLS = (3, 1, 2), (3, 2, 1)


def remedied(help_by, losses=RISES):
    made = {name: records(0.6, losses=losses) for name in PLAIN.values()}
    for about, (with_it, _) in REMEDIES.items():
        gain = help_by.get(about, 0.1)
        made[with_it] = records(0.6 + gain, losses=(3, 2, 1 - 5 * gain))
    return made


def repeated(**by):
    """Records of the published rows: so much above them, at a spread that decides or not."""
    made = {name: records(0.8, seeds=1, side=224) for name in LARGEST.values()}
    for model, name in REPEATED.items():
        make = by.get(f"{model}_like".replace("-", ""), records)
        made[name] = make(PUBLISHED_VOC[model]["f1"] + by.get(model.replace("-", ""), 0.0))
    return made


RISING, FLAT = np.linspace(0, 0.4, 12), np.zeros(12)


def four(others=0.5, course=RISING, vit=None):
    made = {name: records(others, course=course) for name in COMPARED.values()}
    made[COMPARED["ResNet-18"]] = records(0.8)
    if vit is not None:
        made[COMPARED["ViT"]] = vit
    return made


def against(at_96=0.7, at_128=0.7, best=0.75, make=records):
    """ResNet-18 at 0.8, and with its own recipe 0.85, against ViTs with true patches."""
    made = {name: records(0.5) for pair in CAUSES.values() for name in pair}
    made |= {COMPARED["ResNet-18"]: records(0.8), OWN: records(0.85)}
    made |= {COMPARED["ViT"]: make(at_96), "voc96-vit-long": records(best)}
    return made | dict(zip(NETWORKS_LARGER, (records(0.8), make(at_128)), strict=True))


def caused(by):
    made = dict(zip(PATCHES_LARGER, (records(0.5), records(0.7)), strict=True))
    for about, (without, with_it) in CAUSES.items():
        base = {"voc96-vit": 0.6}
        made.setdefault(without, records(base.get(without, 0.6 + by.get(about, 0.1))))
        made.setdefault(with_it, records(base.get(with_it, 0.6 - by.get(about, 0.1))))
    return made


SUSPECTS = [about for about in CAUSES if about != PATCHES]


RESTLESS, CALM, WILD = (1, 2, 1, 2), (2, 1.1, 1.05, 1), (1, 3, 1, 3)


SUSPECTS = [about for about in CAUSES if about != PATCHES]


def annealed(*losses):
    """Models at a constant rate, RESTLESS, and at a falling one."""
    made = {}
    for (about, name), ends in zip(ANNEALED.items(), losses, strict=True):
        made[COMPARED[about]] = records(0.7, losses=RESTLESS)
        made[name] = records(0.75, losses=ends)
    return made


def long(*losses):
    return {LONG: records(0.5, losses=np.repeat(losses, 10))}


@pytest.mark.parametrize(
    ("claim", "made", "verdict"),
    [
        ("C4.2", remedied({}), HOLDS),
        ("C4.2", remedied({"dropout": -0.1}), LIMITED),
        ("C4.2", remedied({}, losses=FALLS), LIMITED),  # it helps, but nothing overfitted
        ("C4.2", remedied(dict.fromkeys(REMEDIES, -0.1), losses=FALLS), FAILS),
        ("C4.3", repeated(LeNet=-0.008, ViT=0.008), HOLDS),  # near enough
        ("C4.3", repeated(VGG=0.05), LIMITED),  # better than published is no repetition
        ("C4.3", repeated(VGG=-0.05, VGG_like=shaky), LIMITED),
        ("C4.3", repeated(LeNet=-0.05, VGG=-0.05, ResNet18=-0.05, ViT=-0.05), FAILS),
        ("C4.4", four(), HOLDS),
        ("C4.4", four(course=FLAT), LIMITED),  # behind, but arrived
        ("C4.4", four(vit=shaky(0.8, course=RISING)), LIMITED),
        ("C4.4", four(others=0.9, course=FLAT), FAILS),
        ("C4.5", against(), HOLDS),
        ("C4.5", against(at_128=0.9), LIMITED),
        ("C4.5", against(at_96=0.9, at_128=0.9, best=0.95), FAILS),
        ("C4.5", against(at_96=0.8, at_128=0.8, best=0.95, make=shaky), INCONCLUSIVE),
        ("C4.6", caused({PATCHES: -0.1}), HOLDS),  # the patches are none of the course's suspects
        ("C4.6", caused({SUSPECTS[0]: -0.1}), LIMITED),
        ("C4.6", caused(dict.fromkeys(SUSPECTS, -0.1)), FAILS),
        ("C4.7", long(1, 3, 1), HOLDS),
        ("C4.7", long(1, 2, 3), INCONCLUSIVE),
        ("C4.8", annealed(CALM, CALM), HOLDS),
        ("C4.8", annealed(CALM, WILD), LIMITED),
        ("C4.8", annealed(WILD, WILD), FAILS),
        ("C4.8", annealed(RESTLESS, WILD), INCONCLUSIVE),
    ],
)
def test_a_verdict_follows_from_the_records(judge, claim, made, verdict):
    assert judge(claim, made).verdict == verdict


def test_strips_do_not_count_among_the_vits_and_the_best_of_the_others_does(judge):
    found = judge("C4.5", against()).values
    assert found["at_96"]["mAP"].estimate == pytest.approx(0.1)
    assert found["own"]["mAP"].estimate == pytest.approx(0.85 - 0.75)


@pytest.mark.parametrize(("images", "verdict"), [(5, HOLDS), (4, FAILS)])
def test_five_classes_that_all_occur(images, verdict):
    assert voc_rules.c4_1(lambda name: np.eye(images, 5, dtype=np.uint8))[0] == verdict


@pytest.mark.parametrize(
    ("losses", "window", "share"),
    [
        ((3, 1, 3, 1), 1, 1.0),
        ((3, 1, 3, 2), 1, 0.5),
        ((3, 1, 2, 3), 1, 0.0),
        ((3, 2, 1), 1, 0.0),
        ((3, 1, 1, 1, 3, 3, 9, 3, 3), 3, 0.0),  # one restless epoch is no descent
    ],
)
def test_how_much_of_its_rise_a_loss_has_lost_again(losses, window, share):
    assert regained(losses, window) == pytest.approx(share)
