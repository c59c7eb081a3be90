"""Practice 5's networks: what follows a layer, many seeds at once, pieces, records, rules."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from helpers.analysis import activations as extrapolation
from helpers.book import activation_gallery
from helpers.book.activation_frames import ITERATIONS, frame, trajectory
from helpers.book.activation_play import LONGEST, activation_trial, parse
from helpers.book.activation_words import of_which
from helpers.claims import activation_rules as claims
from helpers.claims.finding import FAILS, HOLDS, LIMITED
from helpers.data.datasets import half_moons
from helpers.networks.ensemble import (
    ACTIVATION_PAIRS,
    MENDED,
    PIECEWISE_LINEAR,
    EnsembleTrainer,
    MLPEnsemble,
    count_linear_regions,
    linear_map,
    linear_regions,
    permute,
    sort,
)
from helpers.runs.experiments import recorded_ensemble

X, Y = (torch.tensor(part) for part in half_moons(100, 0.1, 42))


def test_sort_and_permute_are_what_the_course_defines():
    z1 = torch.tensor([[[3.0, 1.0, 2.0]]])
    z2 = torch.tensor([[[10.0, 20.0, 30.0]]])
    assert sort(z1).tolist() == [[[1, 2, 3]]]
    assert permute(z2, before=z1).tolist() == [[[20, 30, 10]]]


def test_networks_start_as_pytorch_s_layers_do():
    networks = MLPEnsemble(ACTIVATION_PAIRS["relu"], [7])
    with torch.random.fork_rng():
        torch.manual_seed(7)
        layers = [nn.Linear(2, 10), nn.Linear(10, 10), nn.Linear(10, 1)]
    x = X.float()
    expected = layers[2](layers[1](layers[0](x).relu()).relu())[:, 0]
    assert torch.equal(networks.weights[0][0].T, layers[0].weight)
    assert torch.allclose(networks.logits(x)[0], expected, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATION_PAIRS)
def test_a_seed_in_the_batch_equals_the_seed_alone(name):
    trained = []
    for seeds in (range(5), [3]):
        networks = MLPEnsemble(ACTIVATION_PAIRS[name], seeds, dtype=torch.float64)
        training = EnsembleTrainer(networks, X, Y)
        for _ in range(10):
            training.step()
        trained.append([part.detach()[3 if len(seeds) > 1 else 0] for part in networks.weights])
    for among, alone in zip(*trained, strict=True):
        torch.testing.assert_close(among, alone, rtol=1e-7, atol=1e-9)


def test_a_broken_neighbour_changes_nothing():
    networks = MLPEnsemble(ACTIVATION_PAIRS["tanh"], range(2))
    networks.weights[0][0] = torch.nan
    alone = EnsembleTrainer(MLPEnsemble(ACTIVATION_PAIRS["tanh"], [1]), X.float(), Y)
    both = EnsembleTrainer(networks, X.float(), Y)
    for _ in range(5):
        both.step(), alone.step()
    assert not both.loss[0].isfinite()
    assert both.loss[1] == pytest.approx(float(alone.loss[0]), rel=1e-5)


def test_the_sign_passes_no_gradient_on_and_its_remedies_do():
    norms = {}
    for name, combination in (ACTIVATION_PAIRS | MENDED).items():
        training = EnsembleTrainer(MLPEnsemble(combination, range(3)), X.float(), Y)
        training.step()
        norms[name] = training.gradient_norms()
    assert (norms["sgn"][:2] == 0).all() and (norms["sgn"][2] > 0).all()
    assert (norms["sgn-straight"] > 0).all() and (norms["sgn-surrogate"] > 0).all()


def test_frozen_layers_stay_and_clipped_gradients_are_short():
    networks = MLPEnsemble(ACTIVATION_PAIRS["relu"], range(2))
    before = [part.clone() for part in networks.weights]
    EnsembleTrainer(networks, X.float(), Y, frozen=True).step()
    changed = [not torch.equal(a, b) for a, b in zip(before, networks.weights, strict=True)]
    assert changed == [False] * 4 + [True] * 2
    clipped = EnsembleTrainer(
        MLPEnsemble(ACTIVATION_PAIRS["tan"], range(4)), X.float(), Y, clip=0.5
    )
    clipped.step()
    assert (clipped.gradient_norms().square().sum(0).sqrt() <= 0.5 + 1e-5).all()


# ------------------------------------------------------------------------------- pieces


@pytest.mark.parametrize("name", PIECEWISE_LINEAR)
def test_on_a_piece_the_network_is_linear(name):
    networks = MLPEnsemble(ACTIVATION_PAIRS[name], range(2), dtype=torch.float64)
    slope, height = linear_map(networks, X)
    near = X + 1e-6
    same = linear_regions(networks, X) == linear_regions(networks, near)
    assert same.float().mean() > 0.9
    there = (slope * near).sum(-1) + height
    assert torch.allclose(there[same], networks.logits(near)[same], atol=1e-10)


def test_pieces_of_a_network_without_any_cannot_be_counted():
    with pytest.raises(ValueError, match="not piecewise linear"):
        count_linear_regions(MLPEnsemble(ACTIVATION_PAIRS["tanh"], [0]), X.float())


# ------------------------------------------------------------------------ far away, rules


def test_agreement_of_votes_that_are_known():
    rng = np.random.default_rng(0)
    ones, zeros = np.ones((10, 6), bool), np.zeros((10, 6), bool)
    opposed = extrapolation.estimate_agreement([ones, zeros], rng)
    assert (opposed.within.estimate, opposed.between.estimate) == (1, 0)
    assert opposed.explained.estimate == 1
    coins = [rng.random((400, 50)) > 0.5 for _ in range(2)]
    tossed = extrapolation.estimate_agreement(coins, rng)
    assert tossed.within.estimate == pytest.approx(0.5, abs=0.01)
    assert tossed.explained.estimate < 0.02


@pytest.mark.parametrize(
    ("name", "shape"),
    [("linear", "linear"), ("sigmoid", "constant"), ("square", "power"), ("exp", "explodes")],
)
def test_shapes_far_away(name, shape):
    networks = MLPEnsemble(ACTIVATION_PAIRS[name], range(3), dtype=torch.float64)
    assert (extrapolation.ray_shapes(networks, directions=6) == shape).mean() > 0.8


def test_votes_do_not_overflow():
    networks = MLPEnsemble(ACTIVATION_PAIRS["exp"], range(4), dtype=torch.float64)
    near = extrapolation.circle(1)
    expected = (networks.logits(torch.tensor(near)) > 0).numpy()
    assert (extrapolation.class_1_votes(networks, near) == expected).all()


def made_up(fits):
    """Stand-in for `recorded`: so many of 200 seeds of each combination fit."""

    def read(name, setting="plain"):
        batch = recorded_ensemble("relu")
        share = fits.get(name, 0) if setting == "plain" else 0
        return replace(batch, train_accuracy=[1.0] * share + [0.5] * (200 - share))

    return read


@pytest.mark.parametrize(
    ("claim", "fits", "answer"),
    [
        ("C5.1", dict.fromkeys(claims.WELL_BEHAVED, 200), HOLDS),
        ("C5.1", dict.fromkeys(claims.WELL_BEHAVED, 200) | {"abs": 170}, LIMITED),
        ("C5.1", {}, FAILS),
        ("C5.2", {}, HOLDS),
        ("C5.2", {"tan": 200}, LIMITED),
        ("C5.2", dict.fromkeys(claims.FAILURES, 100), FAILS),
        ("C5.3", {"sort": 200, "permute": 200}, HOLDS),
        ("C5.3", {"sort": 200, "permute": 100}, LIMITED),
        ("C5.3", {"sort": 200, "permute": 200, "linear": 200}, FAILS),
    ],
)
def test_the_rules(monkeypatch, claim, fits, answer):
    monkeypatch.setattr(claims, "recorded", made_up(fits))
    found = claims.RULES[claim]()
    assert (found.claim, found.verdict) == (claim, answer)


# ------------------------------------------------------------------- pictures and widget


def test_the_gallery_s_page_is_what_the_records_say():
    assert activation_gallery.PAGE.read_text(encoding="utf-8") == activation_gallery.page()
    sizes = {path.name: path.stat().st_size for path in activation_gallery.PICTURES.iterdir()}
    assert set(sizes) == {
        f"{name}{end}" for name in ACTIVATION_PAIRS for end in (".gif", ".webp", "-still.webp")
    }
    assert sum(sizes.values()) < 6_000_000
    assert max(size for name, size in sizes.items() if name.endswith(".gif")) < 1_000_000


def test_the_gallery_needs_no_script_and_no_other_host():
    content = activation_gallery.together()
    assert "<script" not in content and "http" not in content
    assert "\n\n" not in content  # Markdown would end the HTML there
    assert content.count("<figure>") == len(ACTIVATION_PAIRS)


def test_frames_show_the_boundary_and_where_there_is_no_number():
    assert ITERATIONS[0] == 0 and ITERATIONS[-1] == 1000 and sorted(set(ITERATIONS)) == ITERATIONS
    (_, networks, accuracy), *_ = trajectory("linear", 0, [0])
    assert 0 <= accuracy <= 1
    networks.weights[5][:] = torch.nan
    assert (frame(networks)[0, 0] == 160).all()


@pytest.mark.parametrize(
    "text", ["__import__('os')", "z.x", "foo(z)", "sin(z, z)", "z if z else z", "'a'", "z +", "x"]
)
def test_what_is_not_on_the_list_is_refused(text):
    with pytest.raises(ValueError, match=r"understood|unknown|argument|expression"):
        parse(text)


def test_an_expression_is_what_it_says():
    z = torch.linspace(-2, 2, 5)
    assert torch.allclose(parse("sin(z) + 0.1 * z**2 - -1")(z), z.sin() + 0.1 * z**2 + 1)
    assert torch.equal(parse("maximum(z, 0.5)")(z), z.clamp(min=0.5))
    with pytest.raises(ValueError, match="shorten"):
        parse("z + " * LONGEST + "z")
    assert "unknown function foo" in activation_trial("foo(z)", "ReLU", 3, 0.1, 0)[1]


def test_a_part_of_some_seeds_in_words():
    parts = [(0, 30), (3, 30), (30, 30), (2, 2), (1, 1)]
    words = ["none of which", "3 of which", "all of which", "both of which", "1 of which"]
    assert [of_which(*part) for part in parts] == words
