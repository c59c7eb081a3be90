"""The experiments of practice 3: LeNet, VGG-11, ResNet-18 and ViT on MNIST.

The first word of a name is the practice's data: `mnist-` (all of MNIST), or `tenth-` (a tenth of
MNIST's training images, for controlled comparisons).
"""

from dataclasses import dataclass, replace

from helpers.runs.catalogue.numpy_networks import ALL_OF_MNIST, TENTH_OF_MNIST
from helpers.runs.experiment import EXPERIMENTS, add
from helpers.training.config import TrainConfig, one_after_the_other

# ------------------------------------------------------------ C3.1: the published table

ADAM = {"name": "constant", "lr": 1e-3}
VIT_ADAM = {"name": "constant", "lr": 5e-5}

add(
    "mnist-lenet", "LeNet", TrainConfig("lenet", schedule=ADAM), ALL_OF_MNIST,
    seeds=tuple(range(5)), keep=True, keep_model=(0,),
)  # fmt: skip

#: The two large ones: bfloat16, where the CPU has it, and channels last halve their time.
LARGE = {"precision": "auto", "channels_last": True}
add(
    "mnist-resnet18", "ResNet-18", TrainConfig("resnet18", schedule=ADAM, **LARGE), ALL_OF_MNIST,
    keep=True,
)  # fmt: skip
add(
    "mnist-vgg11", "VGG-11", TrainConfig("vgg11", schedule=ADAM, **LARGE), ALL_OF_MNIST, keep=True,
)  # fmt: skip

for _name, _scaled in (("", True), ("-unscaled", False)):
    add(
        f"mnist-vit{_name}",
        "ViT" + ("" if _scaled else " without 1/√d"),
        TrainConfig(
            *(("vit",) if _scaled else ("vit-variant", {"scaled": False})),
            schedule=VIT_ADAM, epochs=50, precision="auto",
        ),
        ALL_OF_MNIST, keep=True, keep_model=(0,) if _scaled else (),
    )  # fmt: skip

#: What the original computed: strips for patches, the last token's answer, and a shortcut from
#: behind the normalisation.
ORIGINAL_VIT = {"patching": "flattened", "pool": "last", "normalised_shortcut": True}
for _name, _scaled in (("original", True), ("original-unscaled", False)):
    add(
        f"mnist-vit-{_name}",
        "ViT as the original" + ("" if _scaled else ", without 1/√d"),
        TrainConfig(
            "vit-variant", model_kwargs=ORIGINAL_VIT | ({} if _scaled else {"scaled": False}),
            schedule=VIT_ADAM, epochs=50, precision="auto",
        ),
        ALL_OF_MNIST, keep=True,
    )  # fmt: skip

# -------------------------------------- C3.4: where the attention's 1/sqrt(d) makes a difference

SWEEP = TrainConfig(
    "vit-variant", schedule={"name": "constant", "lr": 5e-4}, epochs=10, evaluate_every=10
)  # fmt: skip
EMBED_DIM = 128  # of a token, at every head dimension: fewer heads are larger ones
MANY = tuple(range(20))  # seeds where three could not tell


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

    def about(self, scaled):
        """Say what is tried."""
        words = [f"d = {self.head_dimension}", f"rate {self.rate:g}"]
        words += [f"depth {self.depth}"] if self.depth != 1 else []
        words += [f"scores × {self.score_scale:g}"] if self.score_scale != 1 else []
        return ", ".join([*words, *([] if scaled else ["without 1/√d"])])


POINTS = (
    *(Point(d) for d in (4, 16, 64, 128)),
    Point(16, 5e-5),
    *(Point(d, 3e-3) for d in (16, 128)),
    Point(score_scale=16),
    Point(depth=4),
)
for _point in POINTS:
    for _scaled in (True, False):
        _arguments = {
            "heads": EMBED_DIM // _point.head_dimension, "depth": _point.depth,
            "score_scale": _point.score_scale, "scaled": _scaled,
        }  # fmt: skip
        add(
            _point.name(_scaled), _point.about(_scaled),
            replace(
                SWEEP, model_kwargs=_arguments, schedule={"name": "constant", "lr": _point.rate}
            ),
            TENTH_OF_MNIST, seeds=MANY if _point == Point() and _scaled else (0, 1, 2),
        )  # fmt: skip

# ------------------------------------------------ C3.1: each of the original's ways by itself

QUIRKS = {
    "strips": ("strips for patches", {"patching": "flattened"}),
    "last-token": ("read from the last token", {"pool": "last"}),
    "shortcut": ("shortcut behind the normalisation", {"normalised_shortcut": True}),
    "original": ("all three, as the original", ORIGINAL_VIT),
}
for _name, (_about, _changes) in QUIRKS.items():
    add(f"tenth-vit-{_name}", _about, replace(SWEEP, model_kwargs=_changes), TENTH_OF_MNIST)

# ----------------------------------------------------------------------- C3.6: GELU or ReLU

add(
    "tenth-vit-relu", "ReLU", replace(SWEEP, model_kwargs={"activation": "relu"}), TENTH_OF_MNIST,
    seeds=MANY,
)  # fmt: skip

# ----------------------------------------------------- C3.2: with 1% and 10% of the images

HUNDREDTH_OF_MNIST = TENTH_OF_MNIST | {"train_size": 600}
RATES = {"lenet": 1e-3, "resnet18": 1e-3, "vgg11": 1e-3, "vit": 5e-4}


def _small_data(part, data, models, epochs):
    """List some models on little data: how many seeds of each, and in which precision."""
    for model, (seeds, precision) in models.items():
        recipe = TrainConfig(
            model, schedule={"name": "constant", "lr": RATES[model]}, epochs=epochs,
            evaluate_every=epochs, **precision,
        )  # fmt: skip
        add(f"{part}-{model}", f"{model}, {epochs} epochs", recipe, data, seeds=tuple(range(seeds)))


_small_data(
    "hundredth", HUNDREDTH_OF_MNIST,
    {"lenet": (3, {}), "resnet18": (3, {}), "vgg11": (3, {"channels_last": True}), "vit": (3, {})},
    epochs=20,
)  # fmt: skip
_small_data(
    "tenth", TENTH_OF_MNIST,  # the ViT's is the sweep's middle
    {"lenet": (3, {}), "resnet18": (3, LARGE), "vgg11": (3, LARGE)},
    epochs=10,
)  # fmt: skip

add(
    "tenth-resnet18-float32", "ResNet-18 in float32",
    replace(EXPERIMENTS["tenth-resnet18"].config, precision="float32"), TENTH_OF_MNIST,
)  # fmt: skip

# ------------------------------------- beyond the published: better recipes, step by step

CHOOSING = ALL_OF_MNIST | {"validation": 10_000, "evaluate_on": "validation"}
CHOOSING_ON_A_TENTH = CHOOSING | {"train_size": 6_000}
ANNEALED = {"name": "cosine", "peak_lr": 2e-3, "warmup": 0.05}
DISTORTED = {"shift": 2.0, "rotation": 10.0, "scale": 0.1}
_WITH = {
    "published": ("the published settings", {}),
    "annealed": ("the rate annealed", {"schedule": ANNEALED}),
    "distorted": ("and the images distorted", {"augment": DISTORTED}),
    "long": ("and twice as long", {"epochs": 20, "evaluate_every": 20}),
}
_LONG_LENET = "and twice as long", {"epochs": 40, "evaluate_every": 5}
_PUBLISHED = TrainConfig("resnet18", schedule=ADAM, evaluate_every=10, **LARGE)
#: The changes that were tried for each network, in this order, on validation images.
STEPS = {
    "lenet": one_after_the_other(
        TrainConfig("lenet", epochs=20),
        {"annealed": _WITH["annealed"], "distorted": _WITH["distorted"], "long": _LONG_LENET},
    ),
    "vgg11": one_after_the_other(
        replace(_PUBLISHED, model="vgg11"),
        {
            "published": _WITH["published"],
            "normalised": ("with batch normalisation", {"model_kwargs": {"batch_norm": True}}),
            "annealed": ("and the rate annealed", {"schedule": ANNEALED | {"peak_lr": 1e-3}}),
            "distorted": _WITH["distorted"],
        },
    ),
    "resnet18": one_after_the_other(_PUBLISHED, _WITH),
    "vit": one_after_the_other(
        TrainConfig("vit", schedule=VIT_ADAM, epochs=50, evaluate_every=50, precision="auto"),
        {
            "published": ("the published settings, true squares", {}),
            "annealed": (
                "the rate larger, and annealed", {"schedule": ANNEALED | {"peak_lr": 1e-3}},
            ),
            "distorted": _WITH["distorted"],
            "deep": ("and four layers", {"model_kwargs": {"depth": 4}}),
            "whole": ("and without dropout", {"model_kwargs": {"depth": 4, "dropout": 0.0}}),
        },
    ),
}  # fmt: skip
for _model, _steps in STEPS.items():
    for _name, (_about, _recipe) in _steps.items():
        _data = CHOOSING if _model == "lenet" else CHOOSING_ON_A_TENTH
        add(f"tune-{_model}-{_name}", _about, _recipe, _data, seeds=(0,))

#: The step that is trained on all of MNIST and tested once: its network, its name, and the seeds.
CHOSEN = {
    "lenet": ("LeNet", "long", (0, 1, 2)),
    "vgg11": ("VGG-11", "distorted", (0,)),
    "resnet18": ("ResNet-18", "long", (0,)),
    "vit": ("ViT", "whole", (0, 1, 2)),
}
for _model, (_about, _step, _seeds) in CHOSEN.items():
    add(
        f"best-{_model}", f"{_about}, chosen recipe",
        replace(STEPS[_model][_step][1], evaluate_every=5), ALL_OF_MNIST, seeds=_seeds, keep=True,
    )  # fmt: skip

# -------------------------------- the chapter's live cells: small versions, on embedded data

SMALL_VERSIONS = {
    "lenet": ("LeNet", {}, 0.002, 10),
    "vgg11": ("VGG-11 of width 12", {"width": 12, "hidden": 128, "batch_norm": True}, 0.002, 6),
    "resnet18": ("ResNet-18 of width 12", {"width": 12}, 0.003, 6),
    "vit": (
        "ViT of width 64, two layers",
        {"embed_dim": 64, "heads": 4, "hidden": 128, "depth": 2, "dropout": 0.0}, 0.003, 15,
    ),
}  # fmt: skip
for _name, (_about, _arguments, _peak, _epochs) in SMALL_VERSIONS.items():
    add(
        f"small-{_name}", _about,
        TrainConfig(
            _name, model_kwargs=_arguments, epochs=_epochs,
            schedule={"name": "cosine", "peak_lr": _peak, "warmup": 0.1},
        ),
        ALL_OF_MNIST, seeds=(), embedded_seeds=tuple(range(5)),
    )  # fmt: skip
