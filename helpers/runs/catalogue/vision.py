"""The experiments of practice 3: LeNet, VGG-11, ResNet-18 and ViT on MNIST.

The first word of a name is the data or the purpose: `mnist-` (all of MNIST), `tenth-` and
`hundredth-` (a part of its training images), `tune-` (a recipe being chosen), `best-` (the chosen
one), `page-` (what answers in the page), `small-` (the chapter's live cells).
"""

from dataclasses import dataclass, replace

import numpy as np

from helpers.runs.catalogue.mlps import ALL_OF_MNIST, MNIST_VALIDATION, TENTH_OF_MNIST
from helpers.training.config import TrainConfig, one_after_the_other

THREE, FIVE = (0, 1, 2), (0, 1, 2, 3, 4)  # seeds
MANY = tuple(range(20))  # where three could not tell

# ------------------------------------------------------------ C3.1: the published table

CONSTANT_LR = {"name": "constant", "lr": 1e-3}
VIT_LR = {"name": "constant", "lr": 5e-5}
#: The two large ones: bfloat16, where the CPU has it, and channels last halve their time.
LARGE = {"precision": "auto", "channels_last": True}
RESNET = TrainConfig("resnet18", schedule=CONSTANT_LR, **LARGE)
VIT = TrainConfig("vit", schedule=VIT_LR, epochs=50, precision="auto")

#: C3.1: each of the original's ways by itself, and as it computed.
ORIGINAL_VIT = {"patching": "flattened", "pool": "last", "normalised_shortcut": True}
ORIGINAL_VARIANTS = {
    "strips": ("strips for patches", {"patching": "flattened"}),
    "last-token": ("read from the last token", {"pool": "last"}),
    "shortcut": ("residual branch after the LayerNorm", {"normalised_shortcut": True}),
    "original": ("all three, as the original", ORIGINAL_VIT),
}
UNSCALED = {"scaled": False}


def published(label, config, **options):
    """Return an experiment in the published settings, on all of MNIST."""
    return {"label": label, "config": config, "data": ALL_OF_MNIST, "keep": True} | options


def published_variant(label, **model_kwargs):
    """Return the published ViT with some of its parts changed."""
    return published(label, replace(VIT, model="vit-variant", model_kwargs=model_kwargs))


# -------------------------------------- C3.4: where the attention's 1/sqrt(d) makes a difference

SWEEP = TrainConfig(
    "vit-variant", schedule={"name": "constant", "lr": 5e-4}, epochs=10, evaluate_every=10
)  # fmt: skip
EMBED_DIM = 128  # of a token, at every head dimension: fewer heads are larger ones


@dataclass(frozen=True)
class Point:
    """A setting at which attention with and without 1/sqrt(d) is compared."""

    head_dimension: int = 16
    rate: float = 5e-4
    depth: int = 1
    score_scale: float = 1.0

    def label(self, scaled):
        """Say what is tried."""
        rate = np.format_float_positional(self.rate)
        words = [f"d = {self.head_dimension}", f"learning rate {rate}"]
        words += [f"depth {self.depth}"] if self.depth != 1 else []
        words += [f"scores × {self.score_scale:g}"] if self.score_scale != 1 else []
        return ", ".join(words + ["without 1/√d"] * (not scaled))

    def name(self, scaled):
        """Return the name of its experiment: the label, as a file may be called."""
        rate = np.format_float_positional(self.rate)
        words = self.label(scaled).replace(f"learning rate {rate}", f"rate {self.rate:g}")
        words = words.replace("without 1/√d", "unscaled")
        words = words.replace(" = ", "").replace(", ", "-").replace(" × ", "-")
        return "tenth-vit-" + words.replace(" ", "-")

    def experiment(self, scaled):
        """Return the experiment."""
        model_kwargs = {
            "heads": EMBED_DIM // self.head_dimension, "depth": self.depth,
            "score_scale": self.score_scale, "scaled": scaled,
        }  # fmt: skip
        schedule = {"name": "constant", "lr": self.rate}
        seeds = MANY if self == Point() and scaled else THREE
        return tenth(self.label(scaled), seeds, model_kwargs=model_kwargs, schedule=schedule)


def tenth(label, seeds=THREE, **changes):
    """Return an experiment on a tenth of MNIST."""
    config = replace(SWEEP, **changes)
    return {"label": label, "config": config, "data": TENTH_OF_MNIST, "seeds": seeds}


POINTS = (
    *(Point(d) for d in (4, 16, 64, 128)), Point(16, 5e-5), Point(16, 3e-3), Point(128, 3e-3),
    Point(score_scale=16), Point(depth=4),
)  # fmt: skip

# ----------------------------------------------------- C3.2: with 1% and 10% of the images


def little_data(model, images=6_000, epochs=10, rate=1e-3, **options):
    """Return an experiment on a part of the training images."""
    recipe = TrainConfig(
        model, schedule={"name": "constant", "lr": rate}, epochs=epochs, evaluate_every=epochs,
        **options,
    )  # fmt: skip
    data = TENTH_OF_MNIST | {"train_size": images}
    return {"label": f"{model}, {epochs} epochs", "config": recipe, "data": data}


#: The gap is measured in evaluation mode, without dropout, on both sides.
GAP = {"evaluate_train": True}
RESNET_ON_A_TENTH = little_data("resnet18", **LARGE, **GAP)
HUNDREDTH = {"images": 600, "epochs": 20}
#: As many steps (940) on 600 images, ten a pass, as ten epochs are on 6,000, 94 a pass.
AS_MANY_STEPS = {"images": 600, "epochs": 94, **GAP}

# ------------------------------------- beyond the published: better recipes, step by step

COSINE = {"name": "cosine", "peak_lr": 2e-3, "warmup": 0.05}
SLOWER_COSINE = COSINE | {"peak_lr": 1e-3}
DISTORTED = ("and the images distorted",
             {"augment": {"shift": 2.0, "rotation": 10.0, "scale": 0.1}})  # fmt: skip
PUBLISHED_STEP = ("the published settings", {})
#: The changes that were tried for each network, in this order, on validation images.
VISION_STEPS = {
    "lenet": one_after_the_other(
        TrainConfig("lenet", epochs=20),
        {
            "annealed": ("learning rate annealed", {"schedule": COSINE}),
            "distorted": DISTORTED,
            "long": ("and twice as long", {"epochs": 40, "evaluate_every": 5}),
        },
    ),
    "vgg11": one_after_the_other(
        replace(RESNET, model="vgg11", evaluate_every=10),
        {
            "published": PUBLISHED_STEP,
            "normalised": ("with batch normalisation", {"model_kwargs": {"batch_norm": True}}),
            "annealed": ("and learning rate annealed", {"schedule": SLOWER_COSINE}),
            "distorted": DISTORTED,
        },
    ),
    "resnet18": one_after_the_other(
        replace(RESNET, evaluate_every=10),
        {
            "published": PUBLISHED_STEP,
            "annealed": ("learning rate annealed", {"schedule": COSINE}),
            "distorted": DISTORTED,
            "long": ("and twice as long", {"epochs": 20, "evaluate_every": 20}),
        },
    ),
    "vit": one_after_the_other(
        replace(VIT, evaluate_every=50),
        {
            "published": ("the published settings, true squares", {}),
            "annealed": ("larger learning rate, annealed", {"schedule": SLOWER_COSINE}),
            "distorted": DISTORTED,
            "deep": ("and four layers", {"model_kwargs": {"depth": 4}}),
            "whole": ("and without dropout", {"model_kwargs": {"depth": 4, "dropout": 0.0}}),
        },
    ),
}
#: The step that is trained on all of MNIST and tested once: its network, its name, and the seeds.
VISION_CHOSEN = {
    "lenet": ("LeNet", "long", THREE),
    "vgg11": ("VGG-11", "distorted", THREE),
    "resnet18": ("ResNet-18", "long", THREE),
    "vit": ("ViT", "whole", THREE),
}

# -------------------------------- the chapter's live cells: small versions, on embedded data


def small(label, model, rate, epochs, **model_kwargs):
    """Return an experiment with a small network, on the embedded data."""
    schedule = {"name": "cosine", "peak_lr": rate, "warmup": 0.1}
    config = TrainConfig(model, model_kwargs, schedule=schedule, epochs=epochs)
    return {
        "label": label, "config": config, "data": ALL_OF_MNIST, "seeds": (),
        "embedded_seeds": THREE,
    }  # fmt: skip


# ------------------------------------------------------------------------- all of them

EXPERIMENTS = {
    "mnist-lenet": published(
        "LeNet", TrainConfig("lenet", schedule=CONSTANT_LR), seeds=FIVE, keep_model=(0,)
    ),
    "mnist-resnet18": published("ResNet-18", RESNET),
    "mnist-vgg11": published("VGG-11", replace(RESNET, model="vgg11")),
    "mnist-vit": published("ViT", VIT, keep_model=(0,)),
    "mnist-vit-unscaled": published_variant("ViT without 1/√d", **UNSCALED),
    "mnist-vit-original": published_variant("ViT as the original", **ORIGINAL_VIT),
    "mnist-vit-original-unscaled": published_variant(
        "ViT as the original, without 1/√d", **ORIGINAL_VIT, **UNSCALED
    ),
    **{
        point.name(scaled): point.experiment(scaled)
        for point in POINTS
        for scaled in (True, False)
    },
    **{
        f"tenth-vit-{name}": tenth(label, model_kwargs=changes)
        for name, (label, changes) in ORIGINAL_VARIANTS.items()
    },
    # C3.6: GELU or ReLU
    "tenth-vit-relu": tenth("ReLU", MANY, model_kwargs={"activation": "relu"}),
    "hundredth-lenet": little_data("lenet", **HUNDREDTH),
    "hundredth-resnet18": little_data("resnet18", **HUNDREDTH),
    "hundredth-vgg11": little_data("vgg11", **HUNDREDTH, channels_last=True),
    "hundredth-vit": little_data("vit", **HUNDREDTH, rate=5e-4),
    "tenth-lenet": little_data("lenet", **GAP),  # the ViT's is the sweep's middle
    "tenth-resnet18": RESNET_ON_A_TENTH,
    "tenth-vgg11": little_data("vgg11", **LARGE),
    "tenth-resnet18-float32": {
        "label": "ResNet-18 in float32", "data": TENTH_OF_MNIST,
        "config": replace(
            RESNET_ON_A_TENTH["config"], precision="float32", evaluate_train=False
        ),
    },
    "hundredth-lenet-long": little_data("lenet", **AS_MANY_STEPS),
    "hundredth-resnet18-long": little_data("resnet18", **LARGE, **AS_MANY_STEPS),
    "hundredth-vit-long": little_data("vit", rate=5e-4, **AS_MANY_STEPS),
    # C3.3: the learning rate rises to its value over the first of ten epochs
    **{
        f"tenth-vit-warm-up-rate-{rate:g}": tenth(
            f"rate {rate:g} after a warm-up of one epoch",
            schedule={"name": "constant", "lr": rate, "warmup": 0.1},
        )
        for rate in (5e-5, 3e-3)
    },
    **{
        f"tune-{model}-{name}": {
            "label": label, "config": recipe, "seeds": (0,),
            "data": MNIST_VALIDATION if model == "lenet" else TENTH_OF_MNIST,
        }
        for model, steps in VISION_STEPS.items()
        for name, (label, recipe) in steps.items()
    },
    **{
        f"best-{model}": published(
            f"{network}, chosen recipe",
            replace(VISION_STEPS[model][step][1], evaluate_every=5), seeds=seeds,
        )
        for model, (network, step, seeds) in VISION_CHOSEN.items()
    },
    # The page on which the reader draws a digit: a ViT of one layer, since its weights are loaded.
    **{
        f"page-{model}": published(
            f"{network}, images distorted, 15 epochs",
            replace(VISION_STEPS[model]["distorted"][1], epochs=15, evaluate_every=5),
            seeds=(0,), keep_model=(0,),
        )
        for model, network in (("lenet", "LeNet"), ("vit", "ViT"))
    },
    "small-lenet": small("LeNet", "lenet", 0.002, 5),
    "small-vgg11": small(
        "VGG-11 of width 12", "vgg11", 0.002, 3, width=12, hidden=128, batch_norm=True
    ),
    "small-resnet18": small("ResNet-18 of width 12", "resnet18", 0.003, 3, width=12),
    "small-vit": small(
        "ViT of width 64, two layers", "vit", 0.003, 8,
        embed_dim=64, heads=4, hidden=128, depth=2, dropout=0.0,
    ),
}  # fmt: skip
