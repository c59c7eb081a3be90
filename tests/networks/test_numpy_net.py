"""The network's derivatives against numerical ones, and its arithmetic against known cases."""

import copy

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier

from helpers.networks.gradient_check import gradient_error, numerical_gradient
from helpers.networks.mlp import (
    ACTIVATIONS,
    LOSSES,
    SGD,
    Dense,
    Network,
    ReLU,
    loss_and_gradients,
    mlp,
    predict,
)

LIMIT = 1e-6


def rng():
    return np.random.default_rng(7)


def small_problem(classes=4, dtype=np.float64):
    x = rng().normal(size=(6, 5)).astype(dtype)
    return x, np.array([0, 1, 2, 3, 1, 0]) % classes


# ------------------------------------------------------------------ gradient checks


@pytest.mark.parametrize("loss_name", LOSSES)
def test_gradient_of_each_loss(loss_name):
    scores, labels = rng().uniform(0.1, 2, size=(6, 4)), np.array([0, 1, 2, 3, 1, 0])
    loss = LOSSES[loss_name]()
    loss.forward(scores, labels)
    analytic = loss.backward()
    numerical = numerical_gradient(lambda: loss.forward(scores, labels).sum(), scores)
    assert gradient_error(analytic, numerical) < LIMIT


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradient_of_each_activation(name):
    z, upstream = rng().normal(size=(6, 4)), rng().normal(size=(6, 4))
    layer = ACTIVATIONS[name]()
    layer.forward(z.copy())
    analytic = layer.backward(upstream.copy())
    numerical = numerical_gradient(lambda: (layer.forward(z.copy()) * upstream).sum(), z)
    assert gradient_error(analytic, numerical) < LIMIT


def test_gradient_of_dense():
    x, upstream = rng().normal(size=(6, 5)), rng().normal(size=(6, 3))
    layer = Dense(rng().normal(size=(5, 3)), rng().normal(size=3))

    def value():
        return (layer.forward(x) * upstream).sum()

    value()
    d_x = layer.backward(upstream)
    assert gradient_error(d_x, numerical_gradient(value, x)) < LIMIT
    assert gradient_error(layer.d_weight, numerical_gradient(value, layer.weight)) < LIMIT
    assert gradient_error(layer.d_bias, numerical_gradient(value, layer.bias)) < LIMIT


@pytest.mark.parametrize("loss_name", ["cross-entropy", "mse", "hinge"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output_activation", [None, "relu"])
def test_gradient_of_whole_network_with_weight_decay(loss_name, activation, output_activation):
    x, labels = small_problem()
    network = mlp((5, 7, 6, 4), activation, rng(), output_activation=output_activation,
                  dtype=np.float64)  # fmt: skip
    loss = LOSSES[loss_name]()

    def objective():
        result = loss_and_gradients(network, loss, x, labels, weight_decay=0.3)
        return result["loss"] + result["penalty"]

    objective()
    analytic = [gradient.copy() for _, gradient in network.parameters()]
    for (parameter, _), gradient in zip(network.parameters(), analytic, strict=True):
        assert gradient_error(gradient, numerical_gradient(objective, parameter)) < LIMIT


def test_the_gradient_check_notices_a_wrong_derivative():
    z, upstream = rng().normal(size=(6, 4)), rng().normal(size=(6, 4))
    layer = ReLU()
    layer.forward(z.copy())
    wrong = upstream.copy()  # forgets the mask
    numerical = numerical_gradient(lambda: (layer.forward(z.copy()) * upstream).sum(), z)
    assert gradient_error(wrong, numerical) > 0.01


# ---------------------------------------------------------------- against references


@pytest.mark.parametrize(
    ("loss_name", "reference"),
    [
        ("cross-entropy", lambda s, y: torch.nn.functional.cross_entropy(s, y, reduction="none")),
        (
            "mse",
            lambda s, y: ((s - torch.nn.functional.one_hot(y, s.shape[1])) ** 2).mean(dim=1),
        ),
        (
            "hinge",  # PyTorch divides by the number of classes
            lambda s, y: torch.nn.functional.multi_margin_loss(s, y, reduction="none") * s.shape[1],
        ),
    ],
)
def test_losses_equal_pytorch(loss_name, reference):
    scores, labels = rng().normal(size=(8, 5)) * 3, np.arange(8) % 5
    ours = LOSSES[loss_name]().forward(scores, labels)
    theirs = reference(torch.tensor(scores), torch.tensor(labels)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_losses_of_hand_computed_scores():
    scores, labels = np.array([[2.0, 1.5, 0.0]]), np.array([0])
    # hinge: max(0, 1 + 1.5 - 2) + max(0, 1 + 0 - 2) = 0.5
    assert LOSSES["hinge"]().forward(scores, labels) == pytest.approx([0.5])
    # squared error: (1 + 2.25 + 0) / 3
    assert LOSSES["mse"]().forward(scores, labels) == pytest.approx([3.25 / 3])
    assert LOSSES["bare-cross-entropy"]().forward(scores, labels) == pytest.approx([-np.log(2)])


def test_cross_entropy_does_not_overflow():
    scores = np.array([[1000.0, 0.0], [-1000.0, 0.0]])
    losses = LOSSES["cross-entropy"]().forward(scores, np.array([1, 1]))
    np.testing.assert_allclose(losses, [1000.0, 0.0])


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise"):
        values = ACTIVATIONS["sigmoid"]().forward(np.array([[-1e4, 0.0, 1e4]]))
    np.testing.assert_allclose(values, [[0, 0.5, 1]])


def test_one_step_equals_scikit_learn():
    """A step of momentum SGD on softmax cross-entropy with L2 equals scikit-learn's."""
    x, labels = small_problem()
    theirs = MLPClassifier(
        (7,), activation="relu", solver="sgd", learning_rate_init=0.1, momentum=0.9,
        nesterovs_momentum=False, batch_size=6, alpha=0.6, max_iter=1, shuffle=False,
        random_state=0, n_iter_no_change=10,
    )  # fmt: skip
    theirs.partial_fit(x, labels, classes=[0, 1, 2, 3])
    network = mlp((5, 7, 4), "relu", rng(), dtype=np.float64)
    optimiser = SGD(network, momentum=0.9)
    for layer, weight, bias in zip(
        network.dense_layers, theirs.coefs_, theirs.intercepts_, strict=True
    ):
        layer.weight[...], layer.bias[...] = weight, bias
    optimiser_before = copy.deepcopy(theirs._optimizer.velocities)
    theirs.partial_fit(x, labels)
    loss_and_gradients(network, LOSSES["cross-entropy"](), x, labels, weight_decay=0.6 / 6)
    weights, biases = optimiser_before[:2], optimiser_before[2:]
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        # scikit-learn keeps -learning_rate * velocity
        optimiser.velocities[2 * i][...] = -weight / 0.1
        optimiser.velocities[2 * i + 1][...] = -bias / 0.1
    optimiser.step(0.1)
    for layer, weight in zip(network.dense_layers, theirs.coefs_, strict=True):
        np.testing.assert_allclose(layer.weight, weight, rtol=1e-10)


# ------------------------------------------------------------------------- behaviour


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept_throughout(dtype):
    x, labels = small_problem(dtype=dtype)
    network = mlp((5, 7, 4), "relu", rng(), dtype=dtype)
    loss_and_gradients(network, LOSSES["cross-entropy"](), x, labels, weight_decay=0.1)
    SGD(network, momentum=0.9).step(0.1)
    assert {p.dtype for pair in network.parameters() for p in pair} == {np.dtype(dtype)}
    assert predict(network, x).dtype == dtype


@pytest.mark.parametrize("chunk", [1, 4, 6, 100])
def test_chunks_do_not_change_the_gradient(chunk):
    x, labels = small_problem()
    network, loss = mlp((5, 7, 4), "tanh", rng(), dtype=np.float64), LOSSES["hinge"]()
    whole = loss_and_gradients(network, loss, x, labels, chunk=6)
    expected = [gradient.copy() for _, gradient in network.parameters()]
    parts = loss_and_gradients(network, loss, x, labels, chunk=chunk)
    assert parts == pytest.approx(whole)
    for (_, gradient), wanted in zip(network.parameters(), expected, strict=True):
        np.testing.assert_allclose(gradient, wanted, rtol=1e-12, atol=1e-15)


def test_data_are_not_changed():
    x, labels = small_problem()
    before = x.copy()
    loss_and_gradients(mlp((5, 7, 4), "relu", rng()), LOSSES["hinge"](), x, labels)
    np.testing.assert_array_equal(x, before)


def test_overfits_one_batch():
    x, labels = small_problem()
    network, loss = mlp((5, 16, 4), "relu", rng(), dtype=np.float64), LOSSES["cross-entropy"]()
    optimiser = SGD(network, momentum=0.9)
    for _ in range(300):
        result = loss_and_gradients(network, loss, x, labels)
        optimiser.step(0.1)
    assert result["accuracy"] == 1
    assert result["loss"] < 0.01


def test_parameter_count_of_the_course_networks():
    assert mlp((2, 10, 2), "tanh", rng()).parameter_count == 2 * 10 + 10 + 10 * 2 + 2
    assert mlp((784, 1024, 10), "relu", rng()).parameter_count == 785 * 1024 + 1025 * 10


def test_both_precisions_start_from_the_same_network():
    single, double = (mlp((5, 7, 4), "relu", rng(), dtype=d) for d in ("float32", "float64"))
    np.testing.assert_array_equal(
        single.layers[0].weight, double.layers[0].weight.astype(np.float32)
    )


def test_unknown_names_and_misplaced_layers_are_refused():
    with pytest.raises(ValueError, match="unknown activation 'swish': choose one of relu, tanh"):
        mlp((5, 7, 4), "swish", rng())
    for layers in ([], [ReLU()], [Dense(np.eye(2), np.zeros(2)), ReLU(), ReLU()]):
        with pytest.raises(ValueError, match="a Dense one first and before each activation"):
            Network(layers)
