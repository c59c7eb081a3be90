"""The experiments of practices 1 and 2, on the networks in NumPy.

The first word of a name is the practice's data: `moons-`, `mnist-` (all of MNIST), or `tenth-`
(a tenth of MNIST's training images, for controlled comparisons).
"""

from dataclasses import replace

from helpers.runs.experiment import add
from helpers.training.numpy_trainer import NumpyConfig

# ----------------------------------------------------------- practice 1: half-moons

MOONS = NumpyConfig(
    sizes=(2, 10, 2),
    activation="tanh",
    init="glorot",
    dtype="float64",
    loss="cross-entropy",
    weight_decay=0.001,
    schedule={"name": "constant", "lr": 0.1},
    epochs=5000,
    log_every=50,
    evaluate_every=50,
)
MOONS_DATA = {"name": "half-moons", "n": 200, "noise": 0.2, "held_out": 10_000, "data_seed": None}

add("moons-published", "as published", MOONS, MOONS_DATA, seeds=tuple(range(50)))
add(
    "moons-same-data", "one data set, 50 initial networks",
    MOONS, MOONS_DATA | {"data_seed": 0}, seeds=tuple(range(50)),
)  # fmt: skip
add(
    "moons-same-weights", "50 data sets, one initial network",
    MOONS, MOONS_DATA, seeds=tuple(range(50)), weight_seed=0,
)  # fmt: skip

# Why some networks fail: one change at a time, the same 50 seeds.
MOONS_CHANGES = {
    "long": ("20,000 epochs", {"epochs": 20_000, "log_every": 200, "evaluate_every": 200}),
    "rate-1": ("learning rate 1", {"schedule": {"name": "constant", "lr": 1.0}}),
    "no-decay": ("λ = 0", {"weight_decay": 0.0}),
    "50-hidden": ("50 hidden units", {"sizes": (2, 50, 2)}),
    "he": ("He initialisation", {"init": "he"}),
}
for _name, (_about, _changes) in MOONS_CHANGES.items():
    add(
        f"moons-{_name}", _about, replace(MOONS, **_changes), MOONS_DATA, seeds=tuple(range(50))
    )  # fmt: skip

# ---------------------------------------------------- practice 2: MNIST, as published

CORRECTED = NumpyConfig(
    sizes=(784, 1024, 10),
    loss="hinge",
    weight_decay=0.01,
    schedule={"name": "course"},
    epochs=400,
    evaluate_every=5,
)
PUBLISHED = replace(CORRECTED, output_activation="relu")
ALL_OF_MNIST = {"name": "mnist", "evaluate_on": "test"}

add(
    "mnist-published", "as published (ReLU on the scores)",
    PUBLISHED, ALL_OF_MNIST, embedded_seeds=tuple(range(5)), keep=True,
)  # fmt: skip
add(
    "mnist-corrected", "linear scores",
    CORRECTED, ALL_OF_MNIST, embedded_seeds=tuple(range(5)), keep=True,
)  # fmt: skip

# ------------------------------- practice 2: one change at a time, a tenth of the images

TENTH_OF_MNIST = {
    "name": "mnist",
    "validation": 10_000,
    "train_size": 6_000,
    "evaluate_on": "validation",
}
REFERENCE = replace(CORRECTED, sizes=(784, 256, 10), evaluate_every=20)


def _tenth(name, about, **changes):
    """Add the reference setting with some changes, on a tenth of the training images."""
    options = {key: changes.pop(key) for key in ("seeds",) if key in changes}
    add(f"tenth-{name}", about, replace(REFERENCE, **changes), TENTH_OF_MNIST, **options)


_tenth("reference", "hinge, ReLU, λ 0.01, 256 hidden units")

# C2.1: what the ReLU on the scores does, over more seeds
_tenth("output-relu", "ReLU on the scores", output_activation="relu", seeds=tuple(range(10)))
_tenth(
    "output-relu-wide", "ReLU on the scores, 1,024 hidden units",
    output_activation="relu", sizes=(784, 1024, 10), seeds=tuple(range(10)),
)  # fmt: skip

# C2.2: the three losses as the original computed them, correctly, and each with the learning
# rate and λ that suit it (chosen on a seed of its own; see LOSS_CHOICES)
_tenth("loss-mse-original", "MSE, ReLU on the scores", loss="mse", output_activation="relu")
_tenth(
    "loss-cross-entropy-original", "-log of a ReLU score, gradient not averaged",
    loss="bare-cross-entropy", output_activation="relu", mean_gradient=False,
)  # fmt: skip
_tenth("loss-mse", "MSE", loss="mse")
_tenth("loss-cross-entropy", "softmax cross-entropy", loss="cross-entropy")

# At zero scores the gradient at the label is -9 for the hinge, -0.9 for the cross-entropy and
# -0.2 for the MSE; the smaller it is, the larger the rates to try, and the smaller the λ.
TUNING_GRIDS = {
    "hinge": [(scale, decay) for scale in (0.3, 1, 3) for decay in (0.03, 0.01, 0.001)],
    "cross-entropy": [
        (scale, decay) for scale in (1, 3, 10, 20) for decay in (0.001, 0.0001, 0.00001)
    ],
    "mse": [(scale, decay) for scale in (3, 10, 30) for decay in (0.001, 0.0001, 0.00001)],
}
TUNING_SEED = 100


def tuning_name(loss, scale, weight_decay):
    """Return the name of the tuning run of a loss with one learning-rate scale and λ."""
    return f"tenth-tune-{loss}-{scale}-{weight_decay}"


for _loss, _grid in TUNING_GRIDS.items():
    for _scale, _decay in _grid:
        _tenth(
            tuning_name(_loss, _scale, _decay).removeprefix("tenth-"),
            f"{_loss}, schedule × {_scale}, λ {_decay}",
            loss=_loss, schedule={"name": "course", "scale": _scale}, weight_decay=_decay,
            seeds=(TUNING_SEED,),
        )  # fmt: skip

# The best trial of each loss (tests check that it is), measured once on the test images.
for _loss, (_scale, _decay) in {
    "hinge": (1, 0.01), "cross-entropy": (10, 0.0001), "mse": (10, 0.0001)
}.items():  # fmt: skip
    add(
        f"tenth-loss-{_loss}-tuned",
        f"{_loss.replace('mse', 'MSE')}, schedule × {_scale}, λ {_decay}",
        replace(
            REFERENCE, loss=_loss, weight_decay=_decay,
            schedule={"name": "course", "scale": _scale},
        ),
        TENTH_OF_MNIST | {"evaluate_on": "test"}, seeds=tuple(range(5)),
    )  # fmt: skip

# C2.3: the activation, with the initialisation made for it and the other one's
_tenth("relu-glorot", "ReLU, Glorot", init="glorot")
_tenth("sigmoid-he", "sigmoid, He", activation="sigmoid")
_tenth("sigmoid-glorot", "sigmoid, Glorot", activation="sigmoid", init="glorot")
for _scale in (3, 10):
    _tenth(
        f"sigmoid-glorot-{_scale}", f"sigmoid, Glorot, × {_scale}",
        activation="sigmoid", init="glorot", schedule={"name": "course", "scale": _scale},
    )  # fmt: skip

ACTIVATION_NAMES = (
    "tenth-reference", "tenth-relu-glorot", "tenth-sigmoid-he", "tenth-sigmoid-glorot",
    "tenth-sigmoid-glorot-3",
    "tenth-sigmoid-glorot-10",
)  # fmt: skip

# C2.4: a constant learning rate from far too small to far too large
RATES = (0.0001, 0.001, 0.01, 0.2, 0.5, 1, 2)
for _rate in RATES:
    _tenth(f"rate-{_rate}", f"rate {_rate}", schedule={"name": "constant", "lr": _rate})
for _rate in (0.001, 0.01):
    _tenth(
        f"output-relu-rate-{_rate}", f"ReLU on the scores, rate {_rate}",
        output_activation="relu", schedule={"name": "constant", "lr": _rate},
    )  # fmt: skip

for _rate in (0.01, 0.1):
    _tenth(
        f"sigmoid-glorot-rate-{_rate}", f"sigmoid, rate {_rate}",
        activation="sigmoid", init="glorot", schedule={"name": "constant", "lr": _rate},
    )  # fmt: skip

# C2.5: learning-rate decay (a constant rate of 0.2 is `tenth-rate-0.2`)
_tenth("decay-off", "cosine without decay", schedule={"name": "course", "decay": 1.0})
_tenth(
    "decay-to-zero", "one cosine down to 0",
    schedule={"name": "warmup-cosine", "peak_lr": 0.2, "epochs": 400, "warmup": 20},
)  # fmt: skip

# C2.6: λ from 0 to too much (0.01 is `tenth-reference`)
LAMBDAS = (0, 0.001, 0.1, 1)
for _decay in LAMBDAS:
    _tenth(f"lambda-{_decay}", f"λ {_decay}", weight_decay=_decay)

# C2.7: hidden units (256 is `tenth-reference`)
HIDDEN_SIZES = (16, 64, 1024, 4096)
for _hidden in HIDDEN_SIZES:
    _tenth(f"hidden-{_hidden}", f"{_hidden} hidden units", sizes=(784, _hidden, 10))

# ------------------------------- practice 2, beyond: mini-batch SGD with momentum

MINI_BATCH = NumpyConfig(
    sizes=(784, 1024, 10),
    loss="cross-entropy",
    weight_decay=1e-4,
    momentum=0.9,
    batch_size=128,
    schedule={"name": "warmup-cosine", "peak_lr": 0.1, "epochs": 15, "warmup": 1},
    epochs=15,
)
MNIST_VALIDATION = {"name": "mnist", "validation": 10_000, "evaluate_on": "validation"}


def mini_batch(rate=0.1, weight_decay=1e-4, shift=0):
    """Return the mini-batch configuration with some of its settings changed."""
    schedule = MINI_BATCH.schedule | {"peak_lr": rate}
    return replace(MINI_BATCH, schedule=schedule, weight_decay=weight_decay, shift=shift)


# One change at a time from "start", on validation images alone.
MINI_BATCH_TRIALS = {
    "start": {},
    "rate-0.03": {"rate": 0.03},
    "rate-0.2": {"rate": 0.2},
    "decay-0.0005": {"weight_decay": 5e-4},
    "shift-1": {"shift": 1},
    "shift-2": {"shift": 2},
}
for _trial, _changes in MINI_BATCH_TRIALS.items():
    add(
        f"mnist-sgd-{_trial}",
        _trial.replace("-", " ").replace("decay", "λ") if _changes else "rate 0.1, λ 0.0001",
        mini_batch(**_changes), MNIST_VALIDATION, seeds=(TUNING_SEED,),
    )  # fmt: skip

# The best trial (a test checks that it is), trained on all 60,000 images and measured once on
# the test images.
add(
    "mnist-sgd", "mini-batch SGD, momentum 0.9, shift 1",
    mini_batch(**MINI_BATCH_TRIALS["shift-1"]), ALL_OF_MNIST, seeds=tuple(range(5)), keep=True,
)  # fmt: skip
