"""The experiments of practice 3: LeNet, VGG-11, ResNet-18 and ViT on MNIST.

The first word of a name is the practice's data: `mnist-` (all of MNIST), or `tenth-` (a tenth of
MNIST's training images, for controlled comparisons).
"""

from helpers.experiment import add
from helpers.numpy_experiments import ALL_OF_MNIST
from helpers.recipe import Recipe

# ------------------------------------------------------------ C3.1: the published table

ADAM = {"name": "constant", "rate": 1e-3}
VIT_ADAM = {"name": "constant", "rate": 5e-5}

add(
    "mnist-lenet", "LeNet", Recipe("lenet", schedule=ADAM), ALL_OF_MNIST,
    seeds=tuple(range(5)), keep=True, keep_model=(0,),
)  # fmt: skip
add("mnist-resnet18", "ResNet-18", Recipe("resnet18", schedule=ADAM), ALL_OF_MNIST, keep=True)
add("mnist-vgg11", "VGG-11", Recipe("vgg11", schedule=ADAM, channels_last=True), ALL_OF_MNIST,
    keep=True)  # fmt: skip

#: What the original computed: strips for patches, the last token's answer, and a shortcut from
#: behind the normalisation.
ORIGINAL_VIT = {"cut": "strips", "read": "last", "normalised_shortcut": True}
VITS = {
    "vit": ("ViT", {}),
    "vit-unscaled": ("ViT without 1/√d", {"scaled": False}),
    "vit-original": ("ViT, as the original computed it", ORIGINAL_VIT),
    "vit-original-unscaled": (
        "ViT, as the original computed it, without 1/√d", ORIGINAL_VIT | {"scaled": False},
    ),
}  # fmt: skip
for _name, (_about, _changes) in VITS.items():
    add(
        f"mnist-{_name}", _about,
        Recipe("vit", arguments=_changes, schedule=VIT_ADAM, epochs=20),
        ALL_OF_MNIST, keep=True, keep_model=(0,) if _name == "vit" else (),
    )  # fmt: skip
