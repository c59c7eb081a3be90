"""The rules that turn records of practice 4 into verdicts, on records made up for it."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_up import run

from helpers.claims import findings as claims
from helpers.claims import voc_rules as voc_claims
from helpers.claims.course import PUBLISHED_VOC
from helpers.claims.finding import FAILS, HOLDS, INCONCLUSIVE, LIMITED
from helpers.claims.voc_rules import (
    ANNEALED,
    CAUSES,
    COMPARED,
    LARGEST,
    LONG,
    NETWORKS_LARGER,
    OWN,
    PATCHES,
    PATCHES_LARGER,
    PLAIN,
    REMEDIES,
    REPEATED,
    loss_oscillation,
    regained,
)

F1, MAP = voc_claims.F1, voc_claims.MAP


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


ALL_FIVE = np.eye(5, dtype=np.uint8)


@pytest.fixture
def find(monkeypatch):
    """Return a function that tests a claim on made-up records."""

    def find(claim, made, labels=ALL_FIVE):
        listed = {name: SimpleNamespace(seeds=range(len(group))) for name, group in made.items()}
        monkeypatch.setattr(voc_claims, "recorded", made.__getitem__)
        monkeypatch.setattr(voc_claims, "EXPERIMENTS", listed)
        monkeypatch.setattr(voc_claims, "read_arrays", lambda *run: {"labels": labels})
        found = claims.finding(claim)
        assert found.claim == claim and found.test and found.effect.endswith(".")
        assert "nan" not in found.effect
        return found

    return find


# ------------------------------------------------------------------------ C4.1: classes


def test_five_classes_that_all_occur(find):
    made = {COMPARED["LeNet"]: records(0.5)}
    assert find("C4.1", made).verdict == HOLDS
    assert find("C4.1", made, labels=np.eye(4, 5, dtype=np.uint8)).verdict == FAILS


# -------------------------------------------------------------------- C4.2: overfitting

RISES, FALLS = (3, 1, 2), (3, 2, 1)


def remedied(help_by, losses=RISES, leave_out=(), seeds=3):
    made = {name: records(0.6, losses=losses, seeds=seeds) for name in PLAIN.values()}
    for about, (with_it, _) in REMEDIES.items():
        if about not in leave_out:
            gain = help_by.get(about, 0.1)
            made[with_it] = records(0.6 + gain, losses=(3, 2, 1 - 5 * gain), seeds=seeds)
    return made


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (remedied({}), HOLDS),
        (remedied({"dropout": -0.1}), LIMITED),
        (remedied({}, losses=FALLS), LIMITED),  # it helps, but nothing overfitted
        (remedied(dict.fromkeys(REMEDIES, -0.1), losses=FALLS), FAILS),
        (remedied({}, leave_out=["dropout"]), LIMITED),
        (remedied({}, leave_out=["dropout", "batch normalisation"], seeds=1), INCONCLUSIVE),
    ],
)
def test_overfitting_and_what_helps(find, made, answer):
    assert find("C4.2", made).verdict == answer


def test_one_seed_of_a_remedy_decides_nothing(find):
    found = find("C4.2", remedied({}, seeds=1))
    assert found.verdict == INCONCLUSIVE and found.effect.count("n = 1 seed)") == len(PLAIN)
    assert "Not recorded yet with three seeds: augmentation, batch" in found.effect


# ---------------------------------------------------------------------- C4.3: the table


def repeated(by=0.0, below=(), missing=(), seeds=3):
    return {
        name: records(PUBLISHED_VOC[about]["f1"] + (-0.05 if about in below else by), seeds=seeds)
        for about, name in REPEATED.items()
        if about not in missing
    }


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (repeated(), HOLDS),
        (repeated(by=-0.008), HOLDS),  # near enough
        (repeated(by=0.1), HOLDS),  # better than published
        (repeated(below=["VGG"]), LIMITED),
        (repeated(missing=["VGG"]), LIMITED),
        (repeated(below=REPEATED), FAILS),
        (repeated(below=["LeNet"], missing=["VGG", "ResNet-18", "ViT"]), INCONCLUSIVE),
        (repeated(seeds=1), INCONCLUSIVE),
    ],
)
def test_the_published_table(find, made, answer):
    found = find("C4.3", made)
    assert found.verdict == answer
    assert ("Not recorded yet" in found.effect) == (len(made) < len(REPEATED))


def test_the_values_that_did_not_come_out_again_are_named(find):
    effect = find("C4.3", repeated(below=["VGG", "ViT"], missing=["LeNet"])).effect
    assert " Not repeated: VGG and ViT. Not recorded yet with three seeds: LeNet." in effect
    assert "Not repeated" not in find("C4.3", repeated(below=["VGG"], seeds=1)).effect


def test_one_run_on_larger_images_is_told_and_decides_nothing(find):
    made = repeated(below=REPEATED)
    made[LARGEST["ResNet-18"]] = records(0.9, seeds=1, side=224)
    found = find("C4.3", made)
    assert found.verdict == FAILS
    told = "On larger images: ResNet-18 0.899 at 224 px after 3 epochs"
    assert found.effect.endswith(f" {told} (n = 1 seed).")
    assert "larger images" not in find("C4.3", repeated()).effect


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
def test_only_resnet_is_good_and_the_others_have_not_arrived(find, made, answer):
    assert find("C4.4", made).verdict == answer


@pytest.mark.parametrize(
    ("vit", "answer"),
    [(records(0.7), HOLDS), (records(0.9), FAILS), (shaky(0.8), INCONCLUSIVE)],
)
def test_resnet_against_vit(find, vit, answer):
    made = {COMPARED["ResNet-18"]: records(0.8), COMPARED["ViT"]: vit}
    assert find("C4.5", made).verdict == answer


@pytest.mark.parametrize(
    ("vit", "answer"),
    [(records(0.7, side=128), HOLDS), (records(0.9), LIMITED), (shaky(0.8), LIMITED)],
)
def test_resnet_against_vit_on_larger_images_as_well(find, vit, answer):
    made = {COMPARED["ResNet-18"]: records(0.8), COMPARED["ViT"]: records(0.7)}
    made |= dict(zip(NETWORKS_LARGER, (records(0.8, side=128), vit), strict=True))
    found = find("C4.5", made)
    assert found.verdict == answer
    assert "patches: at 96 px +0.100" in found.effect and "; at 128 px " in found.effect


@pytest.mark.parametrize(("vit", "answer"), [(0.75, HOLDS), (0.9, LIMITED)])
def test_the_best_recipe_of_each_counts_as_well(find, vit, answer):
    made = {COMPARED["ResNet-18"]: records(0.8), COMPARED["ViT"]: records(0.6)}
    made |= {"voc96-vit-long": records(vit), "voc96-vit-wide": records(0.7), OWN: records(0.85)}
    found = find("C4.5", made)
    assert found.verdict == answer
    assert f"found on these images, {0.85 - vit:+.3f} [" in found.effect


# --------------------------------------------------------------- C4.6: what held the ViT


def caused(by, leave_out=()):
    made = {}
    for about, (without, with_it) in CAUSES.items():
        if about not in leave_out:
            base = {"voc96-vit": 0.6}
            made.setdefault(without, records(base.get(without, 0.6 + by.get(about, 0.1))))
            made.setdefault(with_it, records(base.get(with_it, 0.6 - by.get(about, 0.1))))
    return made


SUSPECTS = [about for about in CAUSES if about != PATCHES]


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (caused({}), HOLDS),
        (caused({PATCHES: -0.1}), HOLDS),  # the patches are none of the course's suspects
        (caused({SUSPECTS[0]: -0.1}), LIMITED),
        (caused(dict.fromkeys(SUSPECTS, -0.1)), FAILS),
        (caused({}, leave_out=SUSPECTS), INCONCLUSIVE),
        (caused({}, leave_out=SUSPECTS[1:]), LIMITED),
    ],
)
def test_the_suspected_causes(find, made, answer):
    assert find("C4.6", made).verdict == answer


def test_strips_on_larger_images_are_told_and_decide_nothing(find):
    larger = dict(zip(PATCHES_LARGER, (records(0.5), records(0.7)), strict=True))
    found = find("C4.6", caused({}) | larger)
    assert found.verdict == HOLDS
    assert f"On larger images {PATCHES}: -0.200 [-0.200, -0.200]" in found.effect


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
def test_a_second_descent(find, losses, answer):
    slow = np.repeat(losses, 10)
    assert find("C4.7", {LONG: records(0.5, losses=slow)}).verdict == answer
    assert find("C4.7", {}).verdict == INCONCLUSIVE


def test_how_restless_a_loss_is():
    assert loss_oscillation(records(0, losses=(9, 1, 2, 1))[0], 2) == 1
    assert loss_oscillation(records(0, losses=(1, 1, 1))[0]) == 0


RESTLESS, CALM, WILD = (1, 2, 1, 2), (2, 1.1, 1.05, 1), (1, 3, 1, 3)


def annealed(*losses):
    """Models at a constant rate, RESTLESS, and at a falling one."""
    made = {}
    for (about, name), ends in zip(ANNEALED.items(), losses, strict=False):
        made[COMPARED[about]] = records(0.7, losses=RESTLESS)
        made[name] = records(0.75, losses=ends)
    return made


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (annealed(CALM, CALM), HOLDS),
        (annealed(CALM, WILD), LIMITED),
        (annealed(CALM), LIMITED),  # the other one is not recorded
        (annealed(WILD, WILD), FAILS),
        (annealed(RESTLESS, WILD), INCONCLUSIVE),
        ({}, INCONCLUSIVE),
    ],
)
def test_oscillation_with_a_falling_rate(find, made, answer):
    assert find("C4.8", made).verdict == answer
