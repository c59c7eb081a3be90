"""The experiments of practices 1, 2 and 5, on multi-layer perceptrons.

The first word of a name is the data: `moons-`, `mnist-` (all of MNIST), or `tenth-` (a tenth of
MNIST's training images, for controlled comparisons); `page-` answers in the page; `activation-` is
practice 5, on half-moons.
"""

from dataclasses import replace

from helpers.training.numpy_trainer import NumpyConfig

FIVE, TEN, FIFTY = (tuple(range(n)) for n in (5, 10, 50))  # seeds

# ----------------------------------------------------------- practice 1: half-moons

MOONS = NumpyConfig(
    sizes=(2, 10, 2), activation="tanh", init="glorot", dtype="float64", weight_decay=0.001,
    epochs=5000, log_every=50, evaluate_every=50,
)  # fmt: skip
MOONS_DATA = {"name": "half-moons", "n": 200, "noise": 0.2, "held_out": 10_000, "data_seed": None}

# Why some networks fail: one change at a time, the same 50 seeds.
MOONS_CHANGES = {
    "long": ("20,000 epochs", {"epochs": 20_000, "log_every": 200, "evaluate_every": 200}),
    "rate-1": ("learning rate 1", {"schedule": {"name": "constant", "lr": 1.0}}),
    "no-decay": ("λ = 0", {"weight_decay": 0.0}),
    "50-hidden": ("50 hidden units", {"sizes": (2, 50, 2)}),
    "he": ("He initialisation", {"init": "he"}),
}


def moons(label, config=MOONS, data=MOONS_DATA, **options):
    """Return an experiment on half-moons, with fifty seeds."""
    return {"label": label, "config": config, "data": data, "seeds": FIFTY} | options


# ---------------------------------------------------- practice 2: MNIST, as published

CORRECTED = NumpyConfig(
    sizes=(784, 1024, 10), loss="hinge", weight_decay=0.01, schedule={"name": "course"},
    epochs=400, evaluate_every=5,
)  # fmt: skip
ALL_OF_MNIST = {"name": "mnist", "evaluate_on": "test"}


def published(label, **changes):
    """Return an experiment on all of MNIST."""
    config = replace(CORRECTED, **changes)
    return {"label": label, "config": config, "data": ALL_OF_MNIST, "keep": True}


# ------------------------------- practice 2: one change at a time, a tenth of the images

MNIST_VALIDATION = {"name": "mnist", "validation": 10_000, "evaluate_on": "validation"}
TENTH_OF_MNIST = MNIST_VALIDATION | {"train_size": 6_000}
REFERENCE = replace(CORRECTED, sizes=(784, 256, 10), evaluate_every=20)
GLOROT_SIGMOID = {"activation": "sigmoid", "init": "glorot"}
OUTPUT_RELU = {"output_activation": "relu"}


def tenth(label, seeds=(0, 1, 2), **changes):
    """Return the reference setting with some changes, on a tenth of the training images."""
    config = replace(REFERENCE, **changes)
    return {"label": label, "config": config, "data": TENTH_OF_MNIST, "seeds": seeds}


def constant(label, lr, **changes):
    """Return the reference setting with a constant learning rate."""
    return tenth(f"{label}learning rate {lr}", schedule={"name": "constant", "lr": lr}, **changes)


# C2.2: the learning rate and λ that suit each loss, chosen on a seed of its own. At zero scores
# the gradient at the label is -9 for the hinge, -0.9 for the cross-entropy and -0.2 for the MSE;
# the smaller it is, the larger the rates to try, and the smaller the λ.
TUNING_GRIDS = {
    loss: [(scale, decay) for scale in scales for decay in decays]
    for loss, scales, decays in (
        ("hinge", (0.3, 1, 3), (0.03, 0.01, 0.001)),
        ("cross-entropy", (1, 3, 10, 20), (0.001, 0.0001, 0.00001)),
        ("mse", (3, 10, 30), (0.001, 0.0001, 0.00001)),
    )
}
TUNING_SEED = 100
#: The best trial of each loss (tests check that it is), measured once on the test images.
TUNED = {"hinge": (1, 0.01), "cross-entropy": (10, 0.0001), "mse": (10, 0.0001)}
#: C2.3: the same for the sigmoid, with the hinge. ReLU's trials are those of the hinge.
SIGMOID_GRID = [(scale, decay) for scale in (1, 3, 10, 30) for decay in (0.01, 0.001, 0.0001)]
SIGMOID_GRID += [(10, 0)]
SIGMOID_TUNED = (10, 0.0001)


def tuning_name(loss, scale, weight_decay):
    """Return the name of the tuning run of a loss with one learning-rate scale and λ."""
    return f"tenth-tune-{loss}-{scale}-{weight_decay}"


def tuning(label, loss, scale, weight_decay, seeds, **changes):
    """Return the reference setting with another loss, rate and λ, and further changes."""
    return tenth(
        f"{label}, schedule ×\u00a0{scale}, λ\u00a0{weight_decay}", seeds, loss=loss,
        schedule={"name": "course", "scale": scale}, weight_decay=weight_decay, **changes,
    )  # fmt: skip


LEARNING_RATES = (0.0001, 0.001, 0.01, 0.2, 0.5, 1, 2)  # C2.4, constant
WEIGHT_DECAYS = (0, 0.001, 0.1, 1)  # C2.6; 0.01 is `tenth-reference`
HIDDEN_SIZES = (16, 64, 1024, 4096)  # C2.7; 256 is `tenth-reference`
#: C2.3: the activation, with the initialisation made for it and the other one's.
ACTIVATION_NAMES = (
    "tenth-reference", "tenth-relu-glorot", "tenth-sigmoid-he", "tenth-sigmoid-glorot",
    "tenth-sigmoid-glorot-3", "tenth-sigmoid-glorot-10",
)  # fmt: skip

# ------------------------------- practice 2, beyond: mini-batch SGD with momentum

MINI_BATCH = NumpyConfig(
    sizes=(784, 1024, 10), weight_decay=1e-4, momentum=0.9, batch_size=128, epochs=15,
    schedule={"name": "warmup-cosine", "peak_lr": 0.1, "warmup": 1},
)  # fmt: skip
#: One change at a time, on validation images alone.
MINI_BATCH_TRIALS = {
    "start": ("learning rate 0.1, λ 0.0001", {}),
    "rate-0.03": ("learning rate 0.03", {"schedule": MINI_BATCH.schedule | {"peak_lr": 0.03}}),
    "rate-0.2": ("learning rate 0.2", {"schedule": MINI_BATCH.schedule | {"peak_lr": 0.2}}),
    "decay-0.0005": ("λ 0.0005", {"weight_decay": 5e-4}),
    "shift-1": ("shift 1", {"shift": 1}),
    "shift-2": ("shift 2", {"shift": 2}),
}

# ------------------------------------------------------------------------- all of them

EXPERIMENTS = {
    "moons-published": moons("as published"),
    "moons-same-data": moons("one data set, 50 initial networks",
                             data=MOONS_DATA | {"data_seed": 0}),
    "moons-same-weights": moons("50 data sets, one initial network", weight_seed=0),
    **{
        f"moons-{name}": moons(label, replace(MOONS, **changes))
        for name, (label, changes) in MOONS_CHANGES.items()
    },
    "mnist-published": published("as published (ReLU on the scores)", **OUTPUT_RELU),
    "mnist-corrected": published("linear scores"),
    "tenth-reference": tenth("hinge, ReLU, λ 0.01, 256 hidden units"),
    # C2.1: what the ReLU on the scores does, over more seeds
    "tenth-output-relu": tenth("ReLU on the scores", TEN, **OUTPUT_RELU),
    "tenth-output-relu-wide": tenth("ReLU on the scores, 1,024 hidden units", TEN,
                                    sizes=(784, 1024, 10), **OUTPUT_RELU),
    # C2.2: the losses as the original computed them, correctly, and tuned
    "tenth-loss-mse-original": tenth("MSE, ReLU on the scores", loss="mse", **OUTPUT_RELU),
    "tenth-loss-cross-entropy-original": tenth(
        "-log of a ReLU score, gradient not averaged",
        loss="bare-cross-entropy", mean_gradient=False, **OUTPUT_RELU,
    ),
    "tenth-loss-mse": tenth("MSE", loss="mse"),
    "tenth-loss-cross-entropy": tenth("softmax cross-entropy", loss="cross-entropy"),
    **{
        tuning_name(loss, *setting): tuning(loss, loss, *setting, (TUNING_SEED,))
        for loss, grid in TUNING_GRIDS.items()
        for setting in grid
    },
    **{
        f"tenth-loss-{loss}-tuned": tuning(loss.replace("mse", "MSE"), loss, *setting, FIVE)
        | {"data": TENTH_OF_MNIST | {"evaluate_on": "test"}}
        for loss, setting in TUNED.items()
    },
    # C2.3: the activation and the initialisation
    "tenth-relu-glorot": tenth("ReLU, Glorot", init="glorot"),
    "tenth-sigmoid-he": tenth("sigmoid, He", activation="sigmoid"),
    "tenth-sigmoid-glorot": tenth("sigmoid, Glorot", **GLOROT_SIGMOID),
    **{
        f"tenth-sigmoid-glorot-{scale}": tenth(
            f"sigmoid, Glorot, × {scale}", schedule={"name": "course", "scale": scale},
            **GLOROT_SIGMOID,
        )
        for scale in (3, 10)
    },
    **{
        f"tenth-tune-sigmoid-{scale}-{decay}": tuning(
            "sigmoid, Glorot", "hinge", scale, decay, (TUNING_SEED,), **GLOROT_SIGMOID
        )
        for scale, decay in SIGMOID_GRID
    },
    "tenth-tune-relu-glorot": tuning(
        "ReLU, Glorot", "hinge", *TUNED["hinge"], (TUNING_SEED,), init="glorot"
    ),
    "tenth-tune-sigmoid-he": tuning(
        "sigmoid, He", "hinge", *SIGMOID_TUNED, (TUNING_SEED,), activation="sigmoid"
    ),
    "tenth-sigmoid-tuned": tuning(
        "sigmoid, Glorot", "hinge", *SIGMOID_TUNED, FIVE, **GLOROT_SIGMOID
    ) | {"data": TENTH_OF_MNIST | {"evaluate_on": "test"}},
    # C2.4: a constant learning rate from far too small to far too large
    **{f"tenth-rate-{lr}": constant("", lr) for lr in LEARNING_RATES},
    **{
        f"tenth-output-relu-rate-{lr}": constant("ReLU on the scores, ", lr, **OUTPUT_RELU)
        for lr in (0.001, 0.01)
    },
    **{
        f"tenth-sigmoid-glorot-rate-{lr}": constant("sigmoid, ", lr, **GLOROT_SIGMOID)
        for lr in (0.01, 0.1)
    },
    # C2.5: learning-rate decay (a constant rate of 0.2 is `tenth-rate-0.2`)
    "tenth-decay-off": tenth("cosine without decay", schedule={"name": "course", "decay": 1.0}),
    "tenth-decay-to-zero": tenth(
        "one cosine down to 0", schedule={"name": "warmup-cosine", "peak_lr": 0.2, "warmup": 20}
    ),
    # C2.6 and C2.7: weight decay and hidden units
    **{f"tenth-lambda-{decay}": tenth(f"λ {decay}", weight_decay=decay) for decay in WEIGHT_DECAYS},
    **{
        f"tenth-hidden-{units}": tenth(f"{units} hidden units", sizes=(784, units, 10))
        for units in HIDDEN_SIZES
    },
    **{
        f"mnist-sgd-{name}": {
            "label": label, "config": replace(MINI_BATCH, **changes), "data": MNIST_VALIDATION,
            "seeds": (TUNING_SEED,),
        }
        for name, (label, changes) in MINI_BATCH_TRIALS.items()
    },
    # The best trial (a test checks that it is), trained on all 60,000 images and measured once
    # on the test images.
    "mnist-sgd": {
        "label": "mini-batch SGD, momentum 0.9, shift 1",
        "config": replace(MINI_BATCH, shift=1), "data": ALL_OF_MNIST, "seeds": FIVE, "keep": True,
        "embedded_seeds": (0, 1, 2),
    },
    # The same, small enough for the page on which the reader draws a digit.
    "page-mlp": {
        "label": "mini-batch SGD, 128 hidden units",
        "config": replace(MINI_BATCH, shift=1, sizes=(784, 128, 10)), "data": ALL_OF_MNIST,
        "seeds": (0,), "keep": True, "keep_model": (0,),
    },
}  # fmt: skip

# -------------------- practice 5: many networks trained at once, for each pair of activations

#: Keys of `helpers.networks.ensemble.ACTIVATION_PAIRS`, which a test compares.
PAIRS = (
    "abs", "exp", "exp-cos", "sin", "square", "relu", "sigmoid", "sort", "permute", "reciprocal",
    "tan", "sgn", "linear", "tanh", "gelu", "silu",
)  # fmt: skip
MENDED_PAIRS = ("sgn-straight", "sgn-surrogate", "reciprocal-bounded", "tan-bounded")
HALF_MOONS_SEED = 42  # the course's points
NOISES, POINT_COUNTS = (0.1, 0.2, 0.4), (10, 20, 50)
OWN_POINTS = {"data_seed": None, "seeds": 50}  # each network has its own

SETTINGS = {
    "plain": {"keep": True},
    "frozen": {"frozen": True},
    "frozen-wide": {"frozen": True, "width": 100},
    **{f"noise-{noise}": {"noise": noise, **OWN_POINTS} for noise in NOISES},
    **{f"points-{n}": {"n": n, **OWN_POINTS} for n in POINT_COUNTS},
}
#: (pair, setting) -> what differs from the defaults of `helpers.runs.experiments.Ensemble`.
ENSEMBLES = {
    **{(pair, name): changes for pair in PAIRS for name, changes in SETTINGS.items()},
    **{(pair, "plain"): {} for pair in MENDED_PAIRS},
    **{(pair, "clipped"): {"clip": 1.0} for pair in ("reciprocal", "tan")},
    **{(pair, "slow"): {"learning_rate": 0.001} for pair in ("reciprocal", "tan")},
}
#: Where `helpers.analysis.activations` keeps what it measures on their weights.
EXTRAPOLATION = "activation-extrapolation/extrapolation"
