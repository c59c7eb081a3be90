"""The experiments of practice 4: several labels an image, on Tiny-VOC.

The number in a name is the images' side in pixels.
"""

from dataclasses import replace

from helpers.runs.catalogue.vision import CONSTANT_LR, VIT_LR
from helpers.training.config import LinearConfig, TrainConfig, one_after_the_other

#: The original's augmentation: its list of changes; their amounts are ours.
AUGMENT = {
    "flip": True, "rotation": 10.0, "crop": 0.5, "brightness": 0.2, "contrast": 0.2,
    "saturation": 0.2, "blur": 1.0,
}  # fmt: skip

#: The original's loss; its weights in our order of the classes: person, cat, plane, car, bird.
WEIGHTED = {"name": "binary-cross-entropy", "positive_weights": [1.0, 1.0, 1.5, 1.5, 2.0]}

#: Where the processor has bfloat16, these two halve the time of a convolutional network.
CONVOLUTIONS = {"precision": "auto", "channels_last": True}


def photographs(size, evaluate_on="validation", **options):
    """Return what an experiment says of its data: Tiny-VOC at one size."""
    return {"name": "tiny-voc", "size": size, "evaluate_on": evaluate_on} | options


def voc(label, config, size, seeds=(0, 1, 2), keep_images=(), **options):
    """Return an experiment whose predictions are kept."""
    return {
        "label": label, "config": config, "data": photographs(size, **options), "seeds": seeds,
        "keep": True, "keep_images": keep_images,
    }  # fmt: skip


#: The original's settings; its images are larger, and how many epochs it took is not published.
BASE = TrainConfig(
    "resnet18", loss=WEIGHTED, augment=AUGMENT, epochs=20, schedule=CONSTANT_LR, **CONVOLUTIONS
)  # fmt: skip
VIT_SIZES = {"patch": 16, "embed_dim": 192, "depth": 6, "heads": 3, "hidden": 768}
VIT_WIDE = VIT_SIZES | {"embed_dim": 384, "heads": 6, "hidden": 1536}
VIT_BASE = replace(BASE, model="vit", model_kwargs=VIT_SIZES, schedule=VIT_LR, channels_last=False)
VIT_STRIPS = replace(
    VIT_BASE, model="vit-variant", model_kwargs=VIT_SIZES | {"patching": "flattened"}
)
LENET = replace(BASE, model="lenet")
LENET_PLAIN = replace(LENET, augment={})
VGG = replace(BASE, model="course-vgg")

#: C4.3 to C4.6: the published models.
VOC_MODELS = {
    "resnet18": ("ResNet-18", BASE),
    "lenet": ("LeNet", LENET),
    "course-vgg": ("VGG", VGG),
    "vit": ("ViT", VIT_BASE),
    "vit-strips": ("ViT with strips", VIT_STRIPS),
}

# ------------------------------------- beyond the published: better recipes, step by step

#: Of the training images, 600 are for choosing; the test set stays out of it. ResNet-18's
#: recipe is chosen on smaller images, which have less than half as many pixels.
VOC_TUNING_SIZES = {"lenet": 96, "resnet18": 64, "course-vgg": 64, "vit": 96}
COSINE_LR = {"name": "cosine", "peak_lr": 1e-3}
WARM_COSINE = COSINE_LR | {"warmup": 0.05}

#: What is tried first for the networks that take longer.
LIKE_LENET = {
    "published": ("the course's settings", {}),
    "mirrored": (
        "LeNet's schedule and flip test-time augmentation",
        {"schedule": WARM_COSINE, "flip_tta": True},
    ),
}
#: The changes that were tried for each network, in this order, on held-out training images.
VOC_STEPS = {
    "lenet": one_after_the_other(
        replace(LENET, evaluate_every=20),
        {
            "published": ("the course's settings", {}),
            "annealed": ("learning rate annealed to zero", {"schedule": WARM_COSINE}),
            "normalised": ("and batch normalisation", {"model_kwargs": {"batch_norm": True}}),
            "mirrored": (
                "and flip test-time augmentation",
                {"flip_tta": True},
            ),
            "long": ("and three times as long", {"epochs": 60}),
        },
    ),
    "resnet18": one_after_the_other(
        replace(BASE, evaluate_every=20),
        LIKE_LENET | {"halved": ("and batches of half the size", {"batch_size": 32})},
    ),
    "course-vgg": one_after_the_other(replace(VGG, evaluate_every=20), LIKE_LENET),
    "vit": one_after_the_other(
        replace(VIT_BASE, evaluate_every=20),
        {
            "published": ("the course's settings, true squares", {}),
            "mirrored": (
                "six times the learning rate, annealed, and flip test-time augmentation",
                {"schedule": WARM_COSINE | {"peak_lr": 3e-4}, "flip_tta": True},
            ),
            "whole": ("and without dropout", {"model_kwargs": VIT_SIZES | {"dropout": 0.0}}),
            "faster": ("and three times the learning rate", {"schedule": WARM_COSINE}),
        },
    ),
}
#: ResNet-18 for longer, against overfitting: crops of two thirds of the side, out of larger images,
#: that may show a quarter of one; stronger colours; then more.
CROPPED = AUGMENT | {
    "crop": 0.25, "size": 64, "brightness": 0.4, "contrast": 0.4, "saturation": 0.4,
}  # fmt: skip
SGD = {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4}
VOC_LONG_STEPS = one_after_the_other(
    replace(VOC_STEPS["resnet18"]["mirrored"][1], epochs=30, evaluate_every=30),
    {
        "cropped": ("crops at random of larger images, stronger colours", {"augment": CROPPED}),
        "mixed": (
            "and weight decay, and images mixed with others",
            {"optimiser": {"name": "adamw", "weight_decay": 0.05}, "mixup": 0.5},
        ),
        "momentum": (
            "crops, SGD with momentum and weight decay, no mixing",
            {"optimiser": SGD, "schedule": WARM_COSINE | {"peak_lr": 0.2}, "mixup": 0.0},
        ),
    },
)  # fmt: skip
VOC_LONG_STEPS["averaged"] = (
    "crops, and a running average of the weights",
    replace(VOC_LONG_STEPS["cropped"][1], ema_decay=0.998),
)
#: With a teacher: what the kept features of the whole photograph are, from any crop of it.
VOC_TAUGHT = {
    name: (about, replace(VOC_LONG_STEPS["cropped"][1], hint_weight=weight))
    for name, about, weight in (
        ("distilled", "crops, and a teacher's hints", 1.0),
        ("distilled-more", "crops, and hints that count four times as much", 4.0),
    )
}
#: What is then trained on all images, three times as long as before, on crops of 96 pixels a side.
VOC_LONG = {"augment": CROPPED | {"size": 96}, "epochs": 60, "evaluate_every": 10}
#: The step that is trained on all training images, and judged once. Halving ResNet-18's batches
#: changed nothing that one run could show, and takes longer.
VOC_CHOSEN = {"lenet": "long", "resnet18": "mirrored"}

#: C4.2, C4.6 to C4.8: one change at a time; many times as many epochs of the cheapest network that
#: overfits.
VOC_CHANGES = {
    "resnet18-plain": ("without augmentation", BASE, {"augment": {}}),
    "lenet-plain": ("LeNet without augmentation", LENET_PLAIN, {}),
    "lenet-norm": ("with batch normalisation", LENET_PLAIN, {"model_kwargs": {"batch_norm": True}}),
    "lenet-dropout": ("with dropout", LENET_PLAIN, {"model_kwargs": {"dropout": 0.5}}),
    "lenet-long": ("LeNet without augmentation, long", LENET_PLAIN, {"epochs": 150}),
    "resnet18-annealed": ("learning rate annealed to zero", BASE, {"schedule": COSINE_LR}),
    "vit-rate": ("six times the learning rate", VIT_BASE, {"schedule": VIT_LR | {"lr": 3e-4}}),
    "vit-deep": ("twelve layers", VIT_BASE, {"model_kwargs": VIT_SIZES | {"depth": 12}}),
    "vit-wide": ("twice the width", VIT_BASE, {"model_kwargs": VIT_WIDE}),
    "vit-long": ("sixty epochs", VIT_BASE, {"epochs": 60}),
    "vit-annealed": ("learning rate annealed to zero", VIT_BASE,
                     {"schedule": COSINE_LR | {"peak_lr": 5e-5}}),
}  # fmt: skip

# ------------------------------------------- what a network that knows ImageNet is worth


def linear(size, percent):
    """Return an experiment with a linear classifier on the features of some training images.

    Ten draws of them; that of all leaves nothing to chance but how they are held out in turn.
    On the kept features, three draws, so that they can be made again without any download.
    """
    data = {"name": "tiny-voc-features", "size": size}
    return {
        "label": f"linear classifier on frozen features, {percent}% of the images",
        "config": LinearConfig(),
        "data": data if percent == 100 else data | {"train_size": 60 * percent},
        "seeds": (0,) if percent == 100 else tuple(range(10)),
        "embedded_seeds": (0, 1, 2) if (size, percent) == (224, 10) else (),
        "keep": True,
    }


#: All of it learns on, the last layer ten times faster, on what batch normalisation knows.
FINE_TUNED = TrainConfig(
    "efficientnet-lite0", {"weights": "imagenet"}, loss="binary-cross-entropy",
    optimiser={"name": "adamw", "weight_decay": 0.01}, schedule=WARM_COSINE | {"peak_lr": 2e-3},
    epochs=3, batch_size=32, augment=AUGMENT, channels_last=True, body_lr_scale=0.1,
    freeze_batch_norm=True,
)  # fmt: skip
#: One rate for all, ten times that of the lower layers above, and new averages.
HOT_START = replace(FINE_TUNED, schedule=WARM_COSINE, body_lr_scale=None, freeze_batch_norm=False)
#: What was tried, on held-out training images.
FINE_TUNINGS = {
    "gentle": ("fine-tuned, the lower layers gently", FINE_TUNED),
    "hot": ("fine-tuned, one rate for all", HOT_START),
    "moving": (
        "gently, batch normalisation learning", replace(FINE_TUNED, freeze_batch_norm=False)
    ),
    "still": (
        "one rate for all, batch normalisation as it is", replace(HOT_START, freeze_batch_norm=True)
    ),
    "long": (
        "gently, twice as long, with the mirror image", replace(FINE_TUNED, epochs=6, flip_tta=True)
    ),
    "head": (
        "the last layer alone for an epoch, then gently",
        replace(FINE_TUNED, epochs=4, head_epochs=1),
    ),
}  # fmt: skip

#: What is trained on all training images, and judged once: gently, since twice as long brought
#: no more than one run can show. The same from random weights has one rate, and all to learn.
MIRRORED = replace(FINE_TUNED, flip_tta=True)
RANDOM_START = replace(HOT_START, model_kwargs={}, flip_tta=True)

# -------------------------------- the chapter's live cells: small versions, on Toy-VOC

TOY_AUGMENT = {"flip": True, "rotation": 10.0, "crop": 0.6, "brightness": 0.2, "saturation": 0.2}


def toy(label, model, rate, epochs, **model_kwargs):
    """Return an experiment with a small network, on Toy-VOC."""
    recipe = TrainConfig(
        model, model_kwargs, epochs=epochs, loss="binary-cross-entropy", augment=TOY_AUGMENT,
        schedule={"name": "cosine", "peak_lr": rate, "warmup": 0.1},
    )  # fmt: skip
    return {
        "label": label, "config": recipe, "data": photographs(64), "seeds": (),
        "embedded_seeds": (0, 1, 2, 3, 4),
    }  # fmt: skip


# ------------------------------------------------------------------------- all of them

EXPERIMENTS = {
    "voc128-lenet": voc("LeNet", replace(LENET, epochs=30), 128),
    **{
        f"voc96-{name}": voc(label, config, 96, keep_images=(2,))
        for name, (label, config) in VOC_MODELS.items()
    },
    **{
        f"voc128-{name}": voc(*VOC_MODELS[name], 128) for name in ("resnet18", "vit", "vit-strips")
    },
    # One run each: they take over an hour on one core, VGG-11 for half as many epochs.
    "voc128-course-vgg": voc("VGG", VGG, 128, (0,)),
    "voc128-vgg11": voc(
        "VGG-11", replace(BASE, model="vgg11", model_kwargs={"pool": 4}, epochs=10), 128, (0,)
    ),
    # One run: on one core it takes two hours. It is of the published size.
    "voc224-resnet18": voc("ResNet-18", BASE, 224, (0,)),
    **{
        f"voc96-{name}": voc(label, replace(config, **change), 96)
        for name, (label, config, change) in VOC_CHANGES.items()
    },
    # A part of the training images, for as many steps as 20 epochs over all of them take.
    **{
        f"voc96-vit-data-{percent}": voc(
            f"{percent}% of the images",
            replace(VIT_BASE, epochs=epochs, evaluate_every=5), 96, train_size=60 * percent,
        )
        for percent, epochs in ((10, 188), (30, 65))
    },
    **{
        f"tune-voc-{model}-{name}": voc(
            label, config, VOC_TUNING_SIZES[model], (0,), evaluate_on="held-out", held_out=600
        )
        for model, steps in VOC_STEPS.items()
        for name, (label, config) in steps.items()
    },
    **{
        f"tune-voc-resnet18-{name}": voc(
            label, config, 96, (0,), evaluate_on="held-out", held_out=600
        )
        for name, (label, config) in VOC_LONG_STEPS.items()
    },
    **{
        f"tune-voc-resnet18-{name}": voc(
            label, config, 96, (0,), evaluate_on="held-out", held_out=600, hints=True
        )
        for name, (label, config) in VOC_TAUGHT.items()
    },
    **{
        f"best-voc-{model}": voc(
            f"{VOC_MODELS[model][0]}, chosen recipe",
            replace(VOC_STEPS[model][step][1], evaluate_every=5), 96,
        )
        for model, step in VOC_CHOSEN.items()
    },
    "best-voc-resnet18-long": voc(
        "ResNet-18, longer", replace(VOC_LONG_STEPS["cropped"][1], **VOC_LONG), 128
    ),
    "best-voc-resnet18-distilled": voc(
        "ResNet-18, longer, with a teacher", replace(VOC_TAUGHT["distilled"][1], **VOC_LONG), 128,
        (0,), hints=True,
    ),
    # Three times as long, on larger images.
    "best-voc-vit": voc(
        "ViT, chosen recipe", replace(VOC_STEPS["vit"]["whole"][1], epochs=60, evaluate_every=10),
        128,
    ),
    # From scratch on a part of the training images, for half as many steps as on all of them.
    **{
        f"voc96-resnet18-data-{percent}": voc(
            f"ResNet-18 from scratch, {percent}% of the images",
            replace(VOC_STEPS["resnet18"]["mirrored"][1], epochs=epochs, evaluate_every=epochs),
            96, (0,), train_size=60 * percent,
        )
        for percent, epochs in ((1, 940), (10, 94), (33, 30))
    },
    **{
        f"voc{size}-linear-{percent}": linear(size, percent)
        for size in (128, 224)
        for percent in (1, 3, 10, 33, 100)
    },
    **{
        f"tune-voc-efficientnet-{name}": voc(
            label, config, 128, (0,), evaluate_on="held-out", held_out=600
        )
        for name, (label, config) in FINE_TUNINGS.items()
    },
    "voc128-fine-tuned": voc("fine-tuned", MIRRORED, 128),
    "voc224-fine-tuned": voc("fine-tuned", MIRRORED, 224),
    "voc128-random-start": voc("the same network from random weights", RANDOM_START, 128),
    "toy-lenet": toy("LeNet", "lenet", 0.002, 10),
    "toy-resnet18": toy("ResNet-18 of width 16", "resnet18", 0.003, 25, width=16),
    "toy-vit": toy(
        "ViT of width 64, two layers", "vit", 0.002, 20,
        patch=8, embed_dim=64, heads=4, hidden=128, depth=2, dropout=0.0,
    ),
}  # fmt: skip
