"""What competes in `benchmarks.augment_bench`: the usual ways from images to a network's batches.

It measures nothing. Our own way is `helpers.training.torch_trainer.TorchTrainer.batches`.
"""

import subprocess
import sys

import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.transforms import v2

from data_prep.toy_voc import draw_set
from data_prep.voc_labels import classes_of, label_matrix
from helpers.data.datasets import Dataset
from helpers.runs.catalogue.tiny_voc import AUGMENT
from helpers.runs.records import ROOT

COLOURS = ("brightness", "contrast", "saturation")


class PreparationFailed(RuntimeError):
    """The command that prepares the data ended with an error."""


class Pictures:
    """Images and targets one by one, as a `DataLoader` collects them."""

    def __init__(self, images, targets, transform):
        self.images, self.targets, self.transform = images, targets, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.targets[i]


def changes(library, size):
    """List the operations of `helpers.runs.catalogue.tiny_voc.AUGMENT` as torchvision has them.

    Parameters
    ----------
    library : module
        `torchvision.transforms` or `torchvision.transforms.v2`.
    size : int
        Of the images, in pixels.

    Returns
    -------
    list of callable
        Like ours but for the rotation, which takes the nearest pixel: that is what torchvision
        does unless told otherwise, and quicker than a mean of four.
    """
    return [
        library.RandomResizedCrop(size, scale=(AUGMENT["crop"], 1.0)),
        library.RandomHorizontalFlip(),
        library.RandomRotation(AUGMENT["rotation"]),
        library.ColorJitter(*(AUGMENT[name] for name in COLOURS)),
        library.RandomApply([library.GaussianBlur(5)], p=0.5),
    ]


def loaders(data, batch_size):
    """Return the two usual ways to a batch: image by image, with PIL and without.

    Parameters
    ----------
    data : helpers.data.datasets.Dataset
        Of three colours.
    batch_size : int

    Returns
    -------
    dict of DataLoader
        `pil` and `v2`: shuffled (images in [-1, 1], targets), made in this process.
    """
    size, middle = data.x.shape[-1], [0.5] * 3
    to_float = v2.ToDtype(torch.float32, scale=True)
    pictures = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in data.x]
    ways = {
        "pil": (pictures, transforms, [transforms.ToTensor()]),
        "v2": (data.x, v2, [to_float]),
    }
    found = {}
    for name, (images, library, finish) in ways.items():
        steps = [*changes(library, size), *finish, library.Normalize(middle, middle)]
        single = Pictures(images, data.y, library.Compose(steps))
        found[name] = DataLoader(single, batch_size, shuffle=True)
    return found


def scenes(count, size):
    """Draw the first `count` scenes of Toy-VOC at `size` pixels, as `Dataset`."""
    images, masks = draw_set(0, count, size)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    targets = torch.from_numpy(label_matrix(map(classes_of, masks))).float()
    return Dataset(images, targets, images[:1], targets[:1])


def prepare(source, target, jobs):
    """Run ``python -m data_prep tiny-voc`` with `jobs` processes, from one folder to another.

    Raises
    ------
    PreparationFailed
        If it ends with an error.
    """
    command = [sys.executable, "-m", "data_prep", "tiny-voc", "--source", source]
    command += ["--dest", target, "--jobs", str(jobs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise PreparationFailed(said[-1] if said else "data_prep tiny-voc failed and says nothing")
