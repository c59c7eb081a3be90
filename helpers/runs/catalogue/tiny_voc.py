"""The experiments of practice 4: several labels an image, on Tiny-VOC.

The number in a name is the images' side in pixels.
"""

from dataclasses import replace

from helpers.runs.experiment import add
from helpers.training.config import TrainConfig, one_after_the_other

#: The original's augmentation: its list of changes; their amounts are ours.
AUGMENT = {
    "flip": True, "rotation": 10.0, "crop": 0.5, "brightness": 0.2, "contrast": 0.2,
    "saturation": 0.2, "blur": 1.0,
}  # fmt: skip

#: The original's loss; its weights in our order of the classes: person, cat, plane, car, bird.
WEIGHTED = {"name": "binary-cross-entropy", "positive_weights": [1.0, 1.0, 1.5, 1.5, 2.0]}

#: Where the processor has bfloat16, these two halve the time of a convolutional network.
CONVOLUTIONS = {"precision": "auto", "channels_last": True}


def tiny_voc(size, evaluate_on="validation", **options):
    """Return what an experiment says of its data: Tiny-VOC at one size."""
    return {"name": "tiny-voc", "size": size, "evaluate_on": evaluate_on} | options


ADAM = {"name": "constant", "lr": 1e-3}
VIT_ADAM = {"name": "constant", "lr": 5e-5}
VIT = {"patch": 16, "embed_dim": 192, "depth": 6, "heads": 3, "hidden": 768}

#: The original's settings; its images are larger, and how many epochs it took is not published.
BASE = TrainConfig(
    "resnet18", loss=WEIGHTED, augment=AUGMENT, epochs=30, schedule=ADAM, **CONVOLUTIONS
)  # fmt: skip
VIT_BASE = replace(BASE, model="vit", model_kwargs=VIT, schedule=VIT_ADAM, channels_last=False)

# --------------------------------- C4.3 to C4.6: the published models, at 128 and 96 pixels

MODELS = {
    "resnet18": ("ResNet-18", BASE),
    "lenet": ("LeNet", replace(BASE, model="lenet")),
    "course-vgg": ("VGG", replace(BASE, model="course-vgg")),
    "vit": ("ViT", VIT_BASE),
    "vit-strips": (
        "ViT with strips",
        replace(VIT_BASE, model="vit-variant", model_kwargs=VIT | {"patching": "flattened"}),
    ),
}
add("voc128-lenet", *MODELS["lenet"], tiny_voc(128), keep=True)
for _name, (_about, _recipe) in MODELS.items():
    add(
        f"voc96-{_name}", _about, replace(_recipe, epochs=20), tiny_voc(96), keep=True,
        keep_images=(2,),
    )  # fmt: skip
for _name in ("resnet18", "vit", "vit-strips"):
    _about, _recipe = MODELS[_name]
    add(f"voc128-{_name}", _about, replace(_recipe, epochs=20), tiny_voc(128), keep=True)

# One run each: they take over an hour on one core, VGG-11 for half as many epochs.
for _about, _model, _arguments, _epochs in (
    ("VGG", "course-vgg", {}, 20), ("VGG-11", "vgg11", {"pool": 4}, 10),
):  # fmt: skip
    add(
        f"voc128-{_model}", _about,
        replace(BASE, model=_model, model_kwargs=_arguments, epochs=_epochs), tiny_voc(128),
        seeds=(0,), keep=True,
    )  # fmt: skip

# One run: on one core it takes two hours. It is of the published size.
add(
    "voc224-resnet18", "ResNet-18", replace(BASE, epochs=20), tiny_voc(224), seeds=(0,), keep=True,
)  # fmt: skip

# ------------------------------------------- C4.2: one change at a time, at 96 pixels

SHORT = replace(BASE, epochs=20)
LENET_PLAIN = replace(SHORT, model="lenet", augment={})
CHANGES = {
    "resnet18-plain": ("without augmentation", replace(SHORT, augment={})),
    "lenet-plain": ("LeNet without augmentation", LENET_PLAIN),
    "lenet-norm": (
        "with batch normalisation", replace(LENET_PLAIN, model_kwargs={"batch_norm": True}),
    ),
    "lenet-dropout": ("with dropout", replace(LENET_PLAIN, model_kwargs={"dropout": 0.5})),
}  # fmt: skip
for _name, (_about, _recipe) in CHANGES.items():
    add(f"voc96-{_name}", _about, _recipe, tiny_voc(96), keep=True)

# --------------- C4.7: many times as many epochs, of the cheapest network that overfits

add(
    "voc96-lenet-long", "LeNet without augmentation, long", replace(LENET_PLAIN, epochs=150),
    tiny_voc(96), keep=True,
)  # fmt: skip

# ------------------------------------- C4.8: one change at a time, at 96 pixels

ANNEALED = replace(SHORT, schedule={"name": "cosine", "peak_lr": ADAM["lr"]})
add("voc96-resnet18-annealed", "a rate that falls to zero", ANNEALED, tiny_voc(96), keep=True)

# ----------------- C4.6, C4.8: the ViT with true patches, one change at a time, at 96 pixels

VIT_SHORT = replace(VIT_BASE, epochs=20)
VIT_FALLING = {"name": "cosine", "peak_lr": VIT_ADAM["lr"]}
WIDE = {"embed_dim": 384, "heads": 6, "hidden": 1536}
VIT_CHANGES = {
    "rate": ("six times the learning rate", replace(VIT_SHORT, schedule=ADAM | {"lr": 3e-4})),
    "deep": ("twelve layers", replace(VIT_SHORT, model_kwargs=VIT | {"depth": 12})),
    "wide": ("twice the width", replace(VIT_SHORT, model_kwargs=VIT | WIDE)),
    "long": ("sixty epochs", replace(VIT_SHORT, epochs=60)),
    "annealed": ("a rate that falls to zero", replace(VIT_SHORT, schedule=VIT_FALLING)),
}
for _name, (_about, _recipe) in VIT_CHANGES.items():
    add(f"voc96-vit-{_name}", _about, _recipe, tiny_voc(96), keep=True)

#: A part of the training images, for as many steps as 20 epochs over all of them take.
for _size, _epochs in ((600, 188), (1800, 65)):
    add(
        f"voc96-vit-data-{_size // 60}", f"{_size // 60}% of the images",
        replace(VIT_SHORT, epochs=_epochs, evaluate_every=5), tiny_voc(96, train_size=_size),
        keep=True,
    )  # fmt: skip

# ------------------------------------- beyond the published: better recipes, step by step

#: Of the training images, 600 are for choosing; those that judge stay out of it. ResNet-18's
#: recipe is chosen on smaller images, which have less than half as many pixels.
CHOOSING = {
    model: tiny_voc(size, "held-out", held_out=600)
    for model, size in {"lenet": 96, "resnet18": 64}.items()
}
FALLING = {"name": "cosine", "peak_lr": ADAM["lr"], "warmup": 0.05}

#: The changes that were tried for each network, in this order, on held-out training images.
STEPS = {
    "lenet": one_after_the_other(
        replace(SHORT, model="lenet", evaluate_every=20),
        {
            "published": ("the course's settings", {}),
            "annealed": ("a rate that falls to zero", {"schedule": FALLING}),
            "normalised": ("and batch normalisation", {"model_kwargs": {"batch_norm": True}}),
            "mirrored": (
                "and the mean of two answers, one to the mirror image",
                {"flip_tta": True},
            ),
            "long": ("and three times as long", {"epochs": 60}),
        },
    ),
    "resnet18": one_after_the_other(
        replace(SHORT, evaluate_every=20),
        {
            "published": ("the course's settings", {}),
            "mirrored": (
                "LeNet's falling rate, and its mean of two answers",
                {"schedule": FALLING, "flip_tta": True},
            ),
            "halved": ("and batches of half the size", {"batch_size": 32}),
        },
    ),
}
for _model, _steps in STEPS.items():
    for _name, (_about, _recipe) in _steps.items():
        add(f"tune-voc-{_model}-{_name}", _about, _recipe, CHOOSING[_model], seeds=(0,), keep=True)

#: The step that is trained on all training images, and judged once. Halving ResNet-18's batches
#: changed nothing that one run could show, and takes longer.
CHOSEN = {"lenet": "long", "resnet18": "mirrored"}
for _model, _step in CHOSEN.items():
    add(
        f"best-voc-{_model}", f"{MODELS[_model][0]}, chosen recipe",
        replace(STEPS[_model][_step][1], evaluate_every=5), tiny_voc(96), keep=True,
    )  # fmt: skip

# -------------------------------- the chapter's live cells: small versions, on Toy-VOC

TOY_AUGMENT = {"flip": True, "rotation": 10.0, "crop": 0.6, "brightness": 0.2, "saturation": 0.2}
SMALL_VERSIONS = {
    "lenet": ("LeNet", {}, 0.002, 10),
    "resnet18": ("ResNet-18 of width 16", {"width": 16}, 0.003, 25),
    "vit": (
        "ViT of width 64, two layers",
        {"patch": 8, "embed_dim": 64, "heads": 4, "hidden": 128, "depth": 2, "dropout": 0.0},
        0.002, 20,
    ),
}  # fmt: skip
for _name, (_about, _arguments, _peak, _epochs) in SMALL_VERSIONS.items():
    add(
        f"toy-{_name}", _about,
        TrainConfig(
            _name, model_kwargs=_arguments, epochs=_epochs, loss="binary-cross-entropy",
            augment=TOY_AUGMENT,
            schedule={"name": "cosine", "peak_lr": _peak, "warmup": 0.1},
        ),
        tiny_voc(64), seeds=(), embedded_seeds=tuple(range(5)),
    )  # fmt: skip
