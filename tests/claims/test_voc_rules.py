"""The rules that turn records of practice 4 into verdicts, on records made up for it."""

import numpy as np
import pytest
from made_up import run

from helpers.claims import voc_rules as rules
from helpers.claims.findings import PUBLISHED_VOC
from helpers.claims.voc_rules import CAUSES, COMPARED, F1, MAP


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
    made = {name: records(0.6, losses=losses) for name in rules.PLAIN.values()}
    for about, (with_it, _) in rules.REMEDIES.items():
        gain = help_by.get(about, 0.1)
        made[with_it] = records(0.6 + gain, losses=(3, 2, 1 - 5 * gain))
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
    made = {COMPARED["ResNet-18"]: records(0.8), COMPARED["ViT"]: make(at_96)}
    made |= {rules.OWN["ResNet-18"]: records(0.85), rules.OWN["ViT"]: records(best)}
    return made | dict(zip(rules.NETWORKS_LARGER, (records(0.8), make(at_128)), strict=True))


def caused(by):
    made = dict(zip(rules.PATCHES_LARGER, (records(0.5), records(0.7)), strict=True))
    for about, (without, with_it) in CAUSES.items():
        base = {"voc96-vit": 0.6}
        made.setdefault(without, records(base.get(without, 0.6 + by.get(about, 0.1))))
        made.setdefault(with_it, records(base.get(with_it, 0.6 - by.get(about, 0.1))))
    return made


OSCILLATING, CALM, WILD = (1, 2, 1, 2), (2, 1.1, 1.05, 1), (1, 3, 1, 3)


def annealed(*losses):
    """Models at a constant learning rate, OSCILLATING, and at an annealed one."""
    made = {}
    for (about, name), ends in zip(rules.ANNEALED.items(), losses, strict=True):
        made[COMPARED[about]] = records(0.7, losses=OSCILLATING)
        made[name] = records(0.75, losses=ends)
    return made


def long(*losses):
    return {rules.LONG: records(0.5, losses=np.repeat(losses, 10))}


@pytest.mark.parametrize(
    ("claim", "made", "verdicts"),
    [
        ("C4.2", remedied({}), "RRRR"),
        ("C4.2", remedied({"dropout": -0.3}), "RRRN"),
        ("C4.2", remedied({}, losses=FALLS), "NRRR"),  # it helps, but nothing overfitted
        ("C4.4", four(), "RRR"),
        ("C4.4", four(course=FLAT), "RRN"),  # behind, but arrived
        ("C4.4", four(vit=shaky(0.8, course=RISING)), "RIR"),
        ("C4.4", four(others=0.9, course=FLAT), "NNN"),
        ("C4.5", against(), "RRR"),
        ("C4.5", against(at_128=0.9), "RNR"),
        ("C4.5", against(at_96=0.8, at_128=0.8, best=0.95, make=shaky), "IIN"),
        (
            "C4.6",
            caused({rules.PATCHES: -0.1}),
            "RRRR",
        ),  # no suspect of the course
        ("C4.6", caused({"all images instead of 30%": -0.1, "twice the width": -0.1}), "PRRP"),
        ("C4.6", caused(dict.fromkeys(CAUSES, -0.1)), "NNNN"),
        ("C4.7", long(1, 3, 1), "RI"),
        ("C4.7", long(1, 2, 3), "II"),
        ("C4.8", annealed(CALM, WILD), "RN"),
        ("C4.8", annealed(OSCILLATING, CALM), "IR"),
    ],
)
def test_verdicts_follow_from_the_records(judge, claim, made, verdicts):
    assert judge(claim, made)[0] == verdicts


def test_a_published_f1_is_one_more_run_or_not(judge):
    def as_published(name):
        (model,) = [about for about, repeats in rules.REPEATED.items() if repeats == name]
        far, spread = {"VGG": (0.1, 0.01), "ViT": (0.1, 0.1)}.get(model, (0.01, 0.01))
        return [{"f1": PUBLISHED_VOC[model]["f1"] + far + spread * step} for step in (-1, 0, 1)]

    made = {name: records(0.8, seeds=1, side=224) for name in rules.LARGEST.values()}
    found, _ = judge("C4.3", made, records(0.8), as_published=as_published)
    assert found == "RNRI"


def test_each_network_is_compared_in_its_own_pair(judge):
    _, found = judge("C4.5", against())
    assert found["at_96"]["mAP"].estimate == pytest.approx(0.1)
    assert found["own"]["mAP"].estimate == pytest.approx(0.85 - 0.75)


@pytest.mark.parametrize(("images", "verdict"), [(5, "reproduced"), (4, "not reproduced")])
def test_five_classes_that_all_occur(images, verdict):
    parts, _ = rules.c4_1(lambda name: np.eye(images, 5, dtype=np.uint8))
    assert parts == {"five": verdict}


def test_a_rise_is_lost_again_in_full_in_part_or_for_a_spike_alone():
    for losses, window, share in (
        ((3, 1, 3, 1), 1, 1.0),
        ((3, 1, 3, 2), 1, 0.5),
        ((3, 2, 1), 1, 0.0),
        ((3, 1, 1, 1, 3, 3, 9, 3, 3), 3, 0.0),
    ):
        assert rules.regained(losses, window) == pytest.approx(share)
