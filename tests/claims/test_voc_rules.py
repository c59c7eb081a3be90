"""The rules that turn records of practice 4 into verdicts, on records made up for it."""

import numpy as np
import pytest
from made_up import run

from helpers.claims import voc_rules
from helpers.claims.course import FAILS, HOLDS, INCONCLUSIVE, LIMITED, PUBLISHED_VOC
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


# ------------------------------------------------------------------------ C4.1: classes


@pytest.mark.parametrize(("images", "verdict"), [(5, HOLDS), (4, FAILS)])
def test_five_classes_that_all_occur(images, verdict):
    made = np.eye(images, 5, dtype=np.uint8)
    assert voc_rules.RULES["C4.1"](lambda name: made)[0] == verdict


# -------------------------------------------------------------------- C4.2: overfitting

RISES, FALLS = (3, 1, 2), (3, 2, 1)


def remedied(help_by, losses=RISES):
    made = {name: records(0.6, losses=losses) for name in PLAIN.values()}
    for about, (with_it, _) in REMEDIES.items():
        gain = help_by.get(about, 0.1)
        made[with_it] = records(0.6 + gain, losses=(3, 2, 1 - 5 * gain))
    return made


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (remedied({}), HOLDS),
        (remedied({"dropout": -0.1}), LIMITED),
        (remedied({}, losses=FALLS), LIMITED),  # it helps, but nothing overfitted
        (remedied(dict.fromkeys(REMEDIES, -0.1), losses=FALLS), FAILS),
    ],
)
def test_overfitting_and_what_helps(judge, made, verdict):
    assert judge("C4.2", made).verdict == verdict


# ---------------------------------------------------------------------- C4.3: the table


def repeated(**by):
    """Records of the published rows: so much above them, at a spread that decides or not."""
    made = {name: records(0.8, seeds=1, side=224) for name in LARGEST.values()}
    for model, name in REPEATED.items():
        make = by.get(f"{model}_like".replace("-", ""), records)
        made[name] = make(PUBLISHED_VOC[model]["f1"] + by.get(model.replace("-", ""), 0.0))
    return made


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (repeated(), HOLDS),
        (repeated(LeNet=-0.008, ViT=0.008), HOLDS),  # near enough
        (repeated(VGG=-0.05), LIMITED),
        (repeated(VGG=0.05), LIMITED),  # better than published is no repetition
        (repeated(VGG=-0.05, VGG_like=shaky), LIMITED),
        (repeated(LeNet=-0.05, VGG=-0.05, ResNet18=-0.05, ViT=-0.05), FAILS),
    ],
)
def test_the_published_table(judge, made, verdict):
    assert judge("C4.3", made).verdict == verdict


def test_what_came_of_each_value_is_said(judge):
    effect = judge("C4.3", repeated(LeNet=-0.05, VGG=-0.05, VGG_like=shaky)).effect
    assert "Repeated: ResNet-18 and ViT. Not repeated: LeNet. Can't be told: VGG." in effect
    assert "VGG 0.799 at 224 px and ResNet-18 0.799 at 224 px" in effect


# ------------------------------------------------------- C4.4, C4.5: ResNet-18 and the others

RISING, FLAT = np.linspace(0, 0.4, 12), np.zeros(12)


def four(others=0.5, course=RISING, vit=None):
    made = {name: records(others, course=course) for name in COMPARED.values()}
    made[COMPARED["ResNet-18"]] = records(0.8)
    if vit is not None:
        made[COMPARED["ViT"]] = vit
    return made


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (four(), HOLDS),
        (four(course=FLAT), LIMITED),  # behind, but arrived
        (four(vit=records(0.9, course=RISING)), LIMITED),
        (four(vit=shaky(0.8, course=RISING)), LIMITED),
        (four(others=0.9, course=FLAT), FAILS),
    ],
)
def test_only_resnet_is_good_and_the_others_have_not_arrived(judge, made, answer):
    assert judge("C4.4", made).verdict == answer


def against(at_96=0.7, at_128=0.7, best=0.75, make=records):
    """ResNet-18 at 0.8, and with its own recipe 0.85, against ViTs with true patches."""
    made = {name: records(0.5) for pair in CAUSES.values() for name in pair}
    made |= {COMPARED["ResNet-18"]: records(0.8), OWN: records(0.85)}
    made |= {COMPARED["ViT"]: make(at_96), "voc96-vit-long": records(best)}
    return made | dict(zip(NETWORKS_LARGER, (records(0.8), make(at_128)), strict=True))


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (against(), HOLDS),
        (against(at_128=0.9), LIMITED),
        (against(best=0.9), LIMITED),
        (against(at_96=0.9, at_128=0.9, best=0.95), FAILS),
        (against(at_96=0.8, at_128=0.8, best=0.95, make=shaky), INCONCLUSIVE),
    ],
)
def test_resnet_against_vit(judge, made, verdict):
    found = judge("C4.5", made)
    assert found.verdict == verdict
    if verdict == HOLDS:  # strips do not count, and the best of the others does
        assert "at 96 px +0.100 [" in found.effect and "images, +0.100 [" in found.effect


# --------------------------------------------------------------- C4.6: what held the ViT


def caused(by):
    made = dict(zip(PATCHES_LARGER, (records(0.5), records(0.7)), strict=True))
    for about, (without, with_it) in CAUSES.items():
        base = {"voc96-vit": 0.6}
        made.setdefault(without, records(base.get(without, 0.6 + by.get(about, 0.1))))
        made.setdefault(with_it, records(base.get(with_it, 0.6 - by.get(about, 0.1))))
    return made


SUSPECTS = [about for about in CAUSES if about != PATCHES]


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (caused({}), HOLDS),
        (caused({PATCHES: -0.1}), HOLDS),  # the patches are none of the course's suspects
        (caused({SUSPECTS[0]: -0.1}), LIMITED),
        (caused(dict.fromkeys(SUSPECTS, -0.1)), FAILS),
    ],
)
def test_the_suspected_causes(judge, made, verdict):
    found = judge("C4.6", made)
    assert found.verdict == verdict
    assert "On larger images true patches instead of strips: -0.200 [" in found.effect


# ------------------------------------------------------------ C4.7, C4.8: the loss at the end


@pytest.mark.parametrize(
    ("losses", "share"),
    [((3, 1, 3, 1), 1.0), ((3, 1, 3, 2), 0.5), ((3, 1, 2, 3), 0.0), ((3, 2, 1), 0.0)],
)
def test_how_much_of_its_rise_a_loss_has_lost_again(losses, share):
    assert regained(losses, window=1) == pytest.approx(share)


def test_one_restless_epoch_is_no_descent():
    assert regained([3, 1, 1, 1, 3, 3, 9, 3, 3], window=3) == 0


@pytest.mark.parametrize(("losses", "answer"), [((1, 3, 1), HOLDS), ((1, 2, 3), INCONCLUSIVE)])
def test_a_second_descent(judge, losses, answer):
    slow = np.repeat(losses, 10)
    assert judge("C4.7", {LONG: records(0.5, losses=slow)}).verdict == answer


RESTLESS, CALM, WILD = (1, 2, 1, 2), (2, 1.1, 1.05, 1), (1, 3, 1, 3)


def annealed(*losses):
    """Models at a constant rate, RESTLESS, and at a falling one."""
    made = {}
    for (about, name), ends in zip(ANNEALED.items(), losses, strict=True):
        made[COMPARED[about]] = records(0.7, losses=RESTLESS)
        made[name] = records(0.75, losses=ends)
    return made


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (annealed(CALM, CALM), HOLDS),
        (annealed(CALM, WILD), LIMITED),
        (annealed(WILD, WILD), FAILS),
        (annealed(RESTLESS, WILD), INCONCLUSIVE),
    ],
)
def test_oscillation_with_a_falling_rate(judge, made, answer):
    assert judge("C4.8", made).verdict == answer
