"""The experiments of practice 4: several labels an image, on Tiny-VOC.

Names begin with `voc-`, or with `voc96-` where the images have 96 pixels a side instead of 128.
"""

from dataclasses import replace

from helpers.experiment import add
from helpers.recipe import Recipe

#: The original's augmentation: its list of changes; their amounts are ours.
AUGMENT = {
    "flip": True, "rotation": 10.0, "crop": 0.5, "brightness": 0.2, "contrast": 0.2,
    "saturation": 0.2, "blur": 1.0,
}  # fmt: skip

#: The original's loss; its weights in our order of the classes: person, cat, plane, car, bird.
WEIGHTED = {"name": "multi-label", "positive_weights": [1.0, 1.0, 1.5, 1.5, 2.0]}

#: bfloat16 halves the time of the larger networks on a CPU that has it, channels last that of
#: the convolutional ones.
CONVOLUTIONS = {"precision": "bfloat16", "channels_last": True}
ATTENTION = {"precision": "bfloat16"}

SMALL_VIT = {"patch": 16, "width": 192, "heads": 3, "depth": 6, "hidden": 768, "dropout": 0.1}


def tiny_voc(size, evaluate_on="validation", **options):
    """Return what an experiment says of its data: Tiny-VOC at one size."""
    return {"name": "tiny-voc", "size": size, "evaluate_on": evaluate_on} | options


# ------------------------------------------------------------ C4.3: the published table

ROWS = {
    "lenet": ("LeNet", "lenet", {}, 1e-3, {}),
    "resnet18": ("ResNet-18", "resnet18", {}, 1e-3, CONVOLUTIONS),
}
for _name, (_about, _model, _arguments, _rate, _precision) in ROWS.items():
    add(
        f"voc-{_name}", _about,
        Recipe(
            _model, arguments=_arguments, loss=WEIGHTED, augment=AUGMENT, epochs=30,
            schedule={"name": "constant", "rate": _rate}, **_precision,
        ),
        tiny_voc(128), seeds=(0,), keep=True,
    )  # fmt: skip

# ------------------------------------- C4.2, C4.7, C4.8: one change at a time, at 96 pixels

BASE = Recipe(
    "resnet18", loss=WEIGHTED, augment=AUGMENT, epochs=20,
    schedule={"name": "constant", "rate": 1e-3}, **CONVOLUTIONS,
)  # fmt: skip
CHANGES = {
    "resnet18": ("ResNet-18", BASE),
    "resnet18-plain": ("without augmentation", replace(BASE, augment={})),
    "resnet18-annealed": (
        "rate annealed", replace(BASE, schedule={"name": "cosine", "peak": 1e-3, "warmup": 0.05})
    ),
}  # fmt: skip
for _name, (_about, _recipe) in CHANGES.items():
    add(f"voc96-{_name}", _about, _recipe, tiny_voc(96), keep=True)
