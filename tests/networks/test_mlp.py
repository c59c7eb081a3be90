"""The network's derivatives against numerical ones, and its arithmetic against known cases."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from helpers.networks.mlp import (
    ACTIVATIONS,
    LOSSES,
    SGD,
    Dense,
    Network,
    ReLU,
    gradient_error,
    loss_and_gradients,
    mlp,
    numerical_gradient,
    predict,
)

LIMIT = 1e-6
X = np.random.default_rng(7).normal(size=(6, 5))
LABELS = np.array([0, 1, 2, 3, 1, 0])


def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_of_each_loss(name):
    scores, loss = rng().uniform(0.1, 2, size=(6, 4)), LOSSES[name]()
    loss.forward(scores, LABELS)
    numerical = numerical_gradient(lambda: loss.forward(scores, LABELS).sum(), scores)
    assert gradient_error(loss.backward(), numerical) < LIMIT


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output_activation", [None, "relu"])
def test_gradient_of_a_whole_network_with_weight_decay(activation, output_activation):
    options = {"output_activation": output_activation, "dtype": np.float64}
    network, loss = mlp((5, 7, 6, 4), activation, rng(), **options), LOSSES["cross-entropy"]()

    def objective():
        result = loss_and_gradients(network, loss, X, LABELS, weight_decay=0.3)
        return result["loss"] + result["penalty"]

    objective()
    analytic = [gradient.copy() for _, gradient in network.parameters()]
    for (parameter, _), gradient in zip(network.parameters(), analytic, strict=True):
        assert gradient_error(gradient, numerical_gradient(objective, parameter)) < LIMIT


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("cross-entropy", lambda s, y: functional.cross_entropy(s, y, reduction="none")),
        ("mse", lambda s, y: ((s - functional.one_hot(y, s.shape[1])) ** 2).mean(dim=1)),
        (  # PyTorch divides by the number of classes
            "hinge",
            lambda s, y: functional.multi_margin_loss(s, y, reduction="none") * s.shape[1],
        ),
    ],
)
def test_losses_equal_pytorch(name, reference):
    scores, labels = rng().normal(size=(8, 5)) * 3, np.arange(8) % 5
    theirs = reference(torch.tensor(scores), torch.tensor(labels)).numpy()
    np.testing.assert_allclose(LOSSES[name]().forward(scores, labels), theirs, rtol=1e-12)


def test_nothing_overflows():
    with np.errstate(all="raise"):
        values = ACTIVATIONS["sigmoid"]().forward(np.array([[-1e4, 0.0, 1e4]]))
    np.testing.assert_allclose(values, [[0, 0.5, 1]])
    scores = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
    losses = LOSSES["cross-entropy"]().forward(scores, np.array([1, 1]))
    np.testing.assert_allclose(losses, [1000.0, 0.0])


def test_steps_with_momentum_and_weight_decay_are_pytorchs():
    network, loss = mlp((5, 7, 4), "relu", rng(), dtype=np.float64), LOSSES["cross-entropy"]()
    theirs = [torch.tensor(part, requires_grad=True) for part, _ in network.parameters()]
    groups = [{"params": theirs[::2], "weight_decay": 0.1}, {"params": theirs[1::2]}]
    ours, optimiser = SGD(network, 0.9), torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    for _ in range(3):
        loss_and_gradients(network, loss, X, LABELS, weight_decay=0.1)
        ours.step(0.1)
        hidden = (torch.tensor(X) @ theirs[0] + theirs[1]).relu()
        scores = hidden @ theirs[2] + theirs[3]
        optimiser.zero_grad()
        functional.cross_entropy(scores, torch.tensor(LABELS)).backward()
        optimiser.step()
    for (part, _), other in zip(network.parameters(), theirs, strict=True):
        np.testing.assert_allclose(part, other.detach(), rtol=1e-9)


def test_the_fast_layers_compute_what_the_plain_ones_do():
    fast = mlp((5, 7, 4), "relu", rng())
    first, _, last = fast.layers
    plain = Network([Dense(first.weight, first.bias), ReLU(), Dense(last.weight, last.bias)])
    for network in (fast, plain):
        loss_and_gradients(network, LOSSES["hinge"](), X.astype("float32"), LABELS)
    for (_, ours), (_, theirs) in zip(fast.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept_and_data_are_not_changed(dtype):
    x = X.astype(dtype)
    network = mlp((5, 7, 4), "relu", rng(), dtype=dtype)
    loss_and_gradients(network, LOSSES["cross-entropy"](), x, LABELS, weight_decay=0.1)
    SGD(network, momentum=0.9).step(0.1)
    assert {p.dtype for pair in network.parameters() for p in pair} == {np.dtype(dtype)}
    assert predict(network, x).dtype == dtype and np.array_equal(x, X.astype(dtype))


def test_chunks_do_not_change_the_gradient_and_one_batch_is_overfitted():
    network, loss = mlp((5, 16, 4), "relu", rng(), dtype=np.float64), LOSSES["cross-entropy"]()
    whole = loss_and_gradients(network, loss, X, LABELS, chunk=6)
    expected = [gradient.copy() for _, gradient in network.parameters()]
    assert loss_and_gradients(network, loss, X, LABELS, chunk=4) == pytest.approx(whole)
    for (_, gradient), wanted in zip(network.parameters(), expected, strict=True):
        np.testing.assert_allclose(gradient, wanted, rtol=1e-12, atol=1e-15)
    optimiser = SGD(network, momentum=0.9)
    for _ in range(300):
        result = loss_and_gradients(network, loss, X, LABELS)
        optimiser.step(0.1)
    assert result["accuracy"] == 1 and result["loss"] < 0.01
