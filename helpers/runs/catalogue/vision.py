"""The experiments of practice 3: LeNet, VGG-11, ResNet-18 and ViT on MNIST.

The first word of a name is the data or the purpose: `mnist-` (all of MNIST), `tenth-` and
`hundredth-` (a part of its training images), `tune-` (a recipe being chosen), `best-` (the chosen
one), `page-` (what answers in the page), `small-` (the chapter's live cells).
"""

from dataclasses import dataclass, replace

from helpers.runs.catalogue.numpy_networks import ALL_OF_MNIST, TENTH_OF_MNIST
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

#: What the original computed: strips for patches, the last token's answer, and a shortcut from
#: behind the normalisation.
ORIGINAL_VIT = {"patching": "flattened", "pool": "last", "normalised_shortcut": True}
UNSCALED = {"scaled": False}


def vit_variant(**model_kwargs):
    """Return the published settings with another ViT."""
    return replace(VIT, model="vit-variant", model_kwargs=model_kwargs)


def published(label, config, **options):
    """Return an experiment in the published settings, on all of MNIST."""
    return {"label": label, "config": config, "data": ALL_OF_MNIST, "keep": True} | options


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

    def name(self, scaled):
        """Return the name of its experiment."""
        words = [f"d{self.head_dimension}", f"rate-{self.rate:g}"]
        words += [f"depth-{self.depth}"] if self.depth != 1 else []
        words += [f"scores-{self.score_scale:g}"] if self.score_scale != 1 else []
        return "-".join(["tenth-vit", *words, *([] if scaled else ["unscaled"])])

    def label(self, scaled):
        """Say what is tried."""
        words = [f"d = {self.head_dimension}", f"rate {self.rate:g}"]
        words += [f"depth {self.depth}"] if self.depth != 1 else []
        words += [f"scores × {self.score_scale:g}"] if self.score_scale != 1 else []
        return ", ".join([*words, *([] if scaled else ["without 1/√d"])])

    def experiment(self, scaled):
        """Return the experiment."""
        model_kwargs = {
            "heads": EMBED_DIM // self.head_dimension, "depth": self.depth,
            "score_scale": self.score_scale, "scaled": scaled,
        }  # fmt: skip
        schedule = {"name": "constant", "lr": self.rate}
        seeds = MANY if self == Point() and scaled else THREE
        config = replace(SWEEP, model_kwargs=model_kwargs, schedule=schedule)
        return tenth(self.label(scaled), config, seeds)


def tenth(label, config, seeds=THREE):
    """Return an experiment on a tenth of MNIST."""
    return {"label": label, "config": config, "data": TENTH_OF_MNIST, "seeds": seeds}


POINTS = (
    *(Point(d) for d in (4, 16, 64, 128)),
    Point(16, 5e-5),
    *(Point(d, 3e-3) for d in (16, 128)),
    Point(score_scale=16),
    Point(depth=4),
)

#: C3.1: each of the original's ways by itself.
ORIGINAL_VARIANTS = {
    "strips": ("strips for patches", {"patching": "flattened"}),
    "last-token": ("read from the last token", {"pool": "last"}),
    "shortcut": ("shortcut behind the normalisation", {"normalised_shortcut": True}),
    "original": ("all three, as the original", ORIGINAL_VIT),
}

# ----------------------------------------------------- C3.2: with 1% and 10% of the images


def little_data(model, data, epochs, rate=1e-3, **precision):
    """Return an experiment on a part of the training images."""
    recipe = TrainConfig(
        model, schedule={"name": "constant", "lr": rate}, epochs=epochs, evaluate_every=epochs,
        **precision,
    )  # fmt: skip
    return {"label": f"{model}, {epochs} epochs", "config": recipe, "data": data}


def hundredth(model, **options):
    """Return an experiment on a hundredth of the training images."""
    return little_data(model, TENTH_OF_MNIST | {"train_size": 600}, 20, **options)


RESNET_ON_A_TENTH = little_data("resnet18", TENTH_OF_MNIST, 10, **LARGE)

# ------------------------------------- beyond the published: better recipes, step by step

TUNING_DATA = ALL_OF_MNIST | {"validation": 10_000, "evaluate_on": "validation"}
TUNING_ON_A_TENTH = TUNING_DATA | {"train_size": 6_000}
COSINE = {"name": "cosine", "peak_lr": 2e-3, "warmup": 0.05}
SLOWER_COSINE = COSINE | {"peak_lr": 1e-3}
DISTORTED = (
    "and the images distorted",
    {"augment": {"shift": 2.0, "rotation": 10.0, "scale": 0.1}},
)
PUBLISHED_STEP = ("the published settings", {})
#: The changes that were tried for each network, in this order, on validation images.
VISION_STEPS = {
    "lenet": one_after_the_other(
        TrainConfig("lenet", epochs=20),
        {
            "annealed": ("the rate annealed", {"schedule": COSINE}),
            "distorted": DISTORTED,
            "long": ("and twice as long", {"epochs": 40, "evaluate_every": 5}),
        },
    ),
    "vgg11": one_after_the_other(
        replace(RESNET, model="vgg11", evaluate_every=10),
        {
            "published": PUBLISHED_STEP,
            "normalised": ("with batch normalisation", {"model_kwargs": {"batch_norm": True}}),
            "annealed": ("and the rate annealed", {"schedule": SLOWER_COSINE}),
            "distorted": DISTORTED,
        },
    ),
    "resnet18": one_after_the_other(
        replace(RESNET, evaluate_every=10),
        {
            "published": PUBLISHED_STEP,
            "annealed": ("the rate annealed", {"schedule": COSINE}),
            "distorted": DISTORTED,
            "long": ("and twice as long", {"epochs": 20, "evaluate_every": 20}),
        },
    ),
    "vit": one_after_the_other(
        replace(VIT, evaluate_every=50),
        {
            "published": ("the published settings, true squares", {}),
            "annealed": ("the rate larger, and annealed", {"schedule": SLOWER_COSINE}),
            "distorted": DISTORTED,
            "deep": ("and four layers", {"model_kwargs": {"depth": 4}}),
            "whole": ("and without dropout", {"model_kwargs": {"depth": 4, "dropout": 0.0}}),
        },
    ),
}
#: The step that is trained on all of MNIST and tested once: its network, its name, and the seeds.
VISION_CHOSEN = {
    "lenet": ("LeNet", "long", THREE),
    "vgg11": ("VGG-11", "distorted", (0,)),
    "resnet18": ("ResNet-18", "long", (0,)),
    "vit": ("ViT", "whole", THREE),
}

# -------------------------------- the chapter's live cells: small versions, on embedded data


def small(label, model, rate, epochs, **model_kwargs):
    """Return an experiment with a small network, on the embedded data."""
    schedule = {"name": "cosine", "peak_lr": rate, "warmup": 0.1}
    config = TrainConfig(model, model_kwargs, schedule=schedule, epochs=epochs)
    return {
        "label": label, "config": config, "data": ALL_OF_MNIST, "seeds": (),
        "embedded_seeds": FIVE,
    }  # fmt: skip


# ------------------------------------------------------------------------- all of them

EXPERIMENTS = {
    "mnist-lenet": published(
        "LeNet", TrainConfig("lenet", schedule=CONSTANT_LR), seeds=FIVE, keep_model=(0,)
    ),
    "mnist-resnet18": published("ResNet-18", RESNET),
    "mnist-vgg11": published("VGG-11", replace(RESNET, model="vgg11")),
    "mnist-vit": published("ViT", VIT, keep_model=(0,)),
    "mnist-vit-unscaled": published("ViT without 1/√d", vit_variant(**UNSCALED)),
    "mnist-vit-original": published("ViT as the original", vit_variant(**ORIGINAL_VIT)),
    "mnist-vit-original-unscaled": published(
        "ViT as the original, without 1/√d", vit_variant(**ORIGINAL_VIT, **UNSCALED)
    ),
    **{
        point.name(scaled): point.experiment(scaled)
        for point in POINTS
        for scaled in (True, False)
    },
    **{
        f"tenth-vit-{name}": tenth(label, replace(SWEEP, model_kwargs=changes))
        for name, (label, changes) in ORIGINAL_VARIANTS.items()
    },
    # C3.6: GELU or ReLU
    "tenth-vit-relu": tenth("ReLU", replace(SWEEP, model_kwargs={"activation": "relu"}), MANY),
    "hundredth-lenet": hundredth("lenet"),
    "hundredth-resnet18": hundredth("resnet18"),
    "hundredth-vgg11": hundredth("vgg11", channels_last=True),
    "hundredth-vit": hundredth("vit", rate=5e-4),
    "tenth-lenet": little_data("lenet", TENTH_OF_MNIST, 10),  # the ViT's is the sweep's middle
    "tenth-resnet18": RESNET_ON_A_TENTH,
    "tenth-vgg11": little_data("vgg11", TENTH_OF_MNIST, 10, **LARGE),
    "tenth-resnet18-float32": tenth(
        "ResNet-18 in float32", replace(RESNET_ON_A_TENTH["config"], precision="float32")
    ),
    **{
        f"tune-{model}-{name}": {
            "label": label, "config": recipe, "seeds": (0,),
            "data": TUNING_DATA if model == "lenet" else TUNING_ON_A_TENTH,
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
    "small-lenet": small("LeNet", "lenet", 0.002, 10),
    "small-vgg11": small(
        "VGG-11 of width 12", "vgg11", 0.002, 6, width=12, hidden=128, batch_norm=True
    ),
    "small-resnet18": small("ResNet-18 of width 12", "resnet18", 0.003, 6, width=12),
    "small-vit": small(
        "ViT of width 64, two layers", "vit", 0.003, 15,
        embed_dim=64, heads=4, hidden=128, depth=2, dropout=0.0,
    ),
}  # fmt: skip
