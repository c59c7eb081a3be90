"""The experiments of practices 1 and 2, on the networks in NumPy.

The first word of a name is the data: `moons-`, `mnist-` (all of MNIST), or `tenth-` (a tenth of
MNIST's training images, for controlled comparisons); or `page-`, for what answers in the page.
"""

from dataclasses import replace

from helpers.training.numpy_trainer import NumpyConfig

FIVE, TEN, FIFTY = (tuple(range(n)) for n in (5, 10, 50))  # seeds

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
    sizes=(784, 1024, 10),
    loss="hinge",
    weight_decay=0.01,
    schedule={"name": "course"},
    epochs=400,
    evaluate_every=5,
)
PUBLISHED = replace(CORRECTED, output_activation="relu")
ALL_OF_MNIST = {"name": "mnist", "evaluate_on": "test"}

# ------------------------------- practice 2: one change at a time, a tenth of the images

TENTH_OF_MNIST = {
    "name": "mnist",
    "validation": 10_000,
    "train_size": 6_000,
    "evaluate_on": "validation",
}
REFERENCE = replace(CORRECTED, sizes=(784, 256, 10), evaluate_every=20)
GLOROT_SIGMOID = {"activation": "sigmoid", "init": "glorot"}


def course(scale):
    """Return the course's schedule, its rates times `scale`."""
    return {"name": "course", "scale": scale}


def constant(lr):
    """Return the schedule with one rate."""
    return {"name": "constant", "lr": lr}


def tenth(label, seeds=(0, 1, 2), **changes):
    """Return the reference setting with some changes, on a tenth of the training images."""
    config = replace(REFERENCE, **changes)
    return {"label": label, "config": config, "data": TENTH_OF_MNIST, "seeds": seeds}


# C2.2: the learning rate and λ that suit each loss, chosen on a seed of its own. At zero scores
# the gradient at the label is -9 for the hinge, -0.9 for the cross-entropy and -0.2 for the MSE;
# the smaller it is, the larger the rates to try, and the smaller the λ.
TUNING_GRIDS = {
    "hinge": [(scale, decay) for scale in (0.3, 1, 3) for decay in (0.03, 0.01, 0.001)],
    "cross-entropy": [
        (scale, decay) for scale in (1, 3, 10, 20) for decay in (0.001, 0.0001, 0.00001)
    ],
    "mse": [(scale, decay) for scale in (3, 10, 30) for decay in (0.001, 0.0001, 0.00001)],
}
TUNING_SEED = 100
#: The best trial of each loss (tests check that it is), measured once on the test images.
TUNED = {"hinge": (1, 0.01), "cross-entropy": (10, 0.0001), "mse": (10, 0.0001)}


def tuning_name(loss, scale, weight_decay):
    """Return the name of the tuning run of a loss with one learning-rate scale and λ."""
    return f"tenth-tune-{loss}-{scale}-{weight_decay}"


def tuning(label, loss, scale, weight_decay, seeds):
    """Return the reference setting with another loss, rate and λ."""
    return tenth(
        f"{label}, schedule × {scale}, λ {weight_decay}", seeds,
        loss=loss, schedule=course(scale), weight_decay=weight_decay,
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

MNIST_VALIDATION = {"name": "mnist", "validation": 10_000, "evaluate_on": "validation"}
MINI_BATCH = NumpyConfig(
    sizes=(784, 1024, 10),
    loss="cross-entropy",
    weight_decay=1e-4,
    momentum=0.9,
    batch_size=128,
    schedule={"name": "warmup-cosine", "peak_lr": 0.1, "warmup": 1},
    epochs=15,
)
#: One change at a time, on validation images alone.
MINI_BATCH_TRIALS = {
    "start": ("rate 0.1, λ 0.0001", {}),
    "rate-0.03": ("rate 0.03", {"schedule": MINI_BATCH.schedule | {"peak_lr": 0.03}}),
    "rate-0.2": ("rate 0.2", {"schedule": MINI_BATCH.schedule | {"peak_lr": 0.2}}),
    "decay-0.0005": ("λ 0.0005", {"weight_decay": 5e-4}),
    "shift-1": ("shift 1", {"shift": 1}),
    "shift-2": ("shift 2", {"shift": 2}),
}

# ------------------------------------------------------------------------- all of them

EXPERIMENTS = {
    "moons-published": moons("as published"),
    "moons-same-data": moons(
        "one data set, 50 initial networks", data=MOONS_DATA | {"data_seed": 0}
    ),
    "moons-same-weights": moons("50 data sets, one initial network", weight_seed=0),
    **{
        f"moons-{name}": moons(label, replace(MOONS, **changes))
        for name, (label, changes) in MOONS_CHANGES.items()
    },
    "mnist-published": {
        "label": "as published (ReLU on the scores)", "config": PUBLISHED, "data": ALL_OF_MNIST,
        "embedded_seeds": FIVE, "keep": True,
    },
    "mnist-corrected": {
        "label": "linear scores", "config": CORRECTED, "data": ALL_OF_MNIST,
        "embedded_seeds": FIVE, "keep": True,
    },
    "tenth-reference": tenth("hinge, ReLU, λ 0.01, 256 hidden units"),
    # C2.1: what the ReLU on the scores does, over more seeds
    "tenth-output-relu": tenth("ReLU on the scores", TEN, output_activation="relu"),
    "tenth-output-relu-wide": tenth(
        "ReLU on the scores, 1,024 hidden units", TEN, output_activation="relu",
        sizes=(784, 1024, 10),
    ),
    # C2.2: the losses as the original computed them, correctly, and tuned
    "tenth-loss-mse-original": tenth(
        "MSE, ReLU on the scores", loss="mse", output_activation="relu"
    ),
    "tenth-loss-cross-entropy-original": tenth(
        "-log of a ReLU score, gradient not averaged",
        loss="bare-cross-entropy", output_activation="relu", mean_gradient=False,
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
            f"sigmoid, Glorot, × {scale}", schedule=course(scale), **GLOROT_SIGMOID
        )
        for scale in (3, 10)
    },
    # C2.4: a constant learning rate from far too small to far too large
    **{f"tenth-rate-{lr}": tenth(f"rate {lr}", schedule=constant(lr)) for lr in LEARNING_RATES},
    **{
        f"tenth-output-relu-rate-{lr}": tenth(
            f"ReLU on the scores, rate {lr}", output_activation="relu", schedule=constant(lr)
        )
        for lr in (0.001, 0.01)
    },
    **{
        f"tenth-sigmoid-glorot-rate-{lr}": tenth(
            f"sigmoid, rate {lr}", schedule=constant(lr), **GLOROT_SIGMOID
        )
        for lr in (0.01, 0.1)
    },
    # C2.5: learning-rate decay (a constant rate of 0.2 is `tenth-rate-0.2`)
    "tenth-decay-off": tenth("cosine without decay", schedule={"name": "course", "decay": 1.0}),
    "tenth-decay-to-zero": tenth(
        "one cosine down to 0",
        schedule={"name": "warmup-cosine", "peak_lr": 0.2, "warmup": 20},
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
        "config": replace(MINI_BATCH, **MINI_BATCH_TRIALS["shift-1"][1]), "data": ALL_OF_MNIST,
        "seeds": FIVE, "keep": True,
    },
    # The same, small enough for the page on which the reader draws a digit.
    "page-mlp": {
        "label": "mini-batch SGD, 128 hidden units",
        "config": replace(
            MINI_BATCH, **MINI_BATCH_TRIALS["shift-1"][1], sizes=(784, 128, 10)
        ),
        "data": ALL_OF_MNIST, "seeds": (0,), "keep": True, "keep_model": (0,),
    },
}  # fmt: skip
