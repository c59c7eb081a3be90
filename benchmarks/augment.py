"""How fast images reach the network: batched augmentation, and waiting for data.

    python -m benchmarks.augment
    python -m benchmarks.augment --images 64 --rounds 3 --output try.json

On scenes of Toy-VOC, one thread. What is compared takes turns, so that whatever else the machine
does befalls all alike; each round gives one ratio. Nothing here trains a network to any end.
"""

import os
import sys
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from tqdm import tqdm

from benchmarks import comparison
from benchmarks.comparison import Comparison, command, compare, spread, whole_number
from benchmarks.stopwatch import Clock, Pictures, Timed
from data_prep.toy_voc import draw_set
from data_prep.voc_labels import classes_of, label_matrix
from helpers.data.datasets import Dataset
from helpers.runs import records
from helpers.runs.catalogue.tiny_voc import AUGMENT, VOC_MODELS
from helpers.training.torch_trainer import TorchTrainer

PATH = records.ROOT / "benchmarks" / "augment.json"
NETWORKS = ("resnet18", "lenet", "vit")  # of practice 4's table
SIZE = 128  # of the images, in pixels
TIMES_FASTER, SHARE = 10.0, 0.05  # the goals
COLOURS = ("brightness", "contrast", "saturation")


@dataclass(frozen=True)
class Results:
    """What one run of the benchmark found.

    Attributes
    ----------
    environment, commit : as in `helpers.runs.records.Record`; with the load average at the start,
        None where the system keeps none.
    data : name of the data.
    size, images : side in pixels, and how many of them an epoch has.
    rounds : how often each way ran.
    pil, v2 : batched augmentation against the two ways of torchvision, in processor time.
    shares : of each network, by name: waiting for its data against whole steps.
    schema : version of this format.
    """

    environment: dict
    commit: str
    data: str
    size: int
    images: int
    rounds: int
    pil: Comparison
    v2: Comparison
    shares: dict
    schema: int = 1

    @property
    def rows(self):
        """All comparisons."""
        return [self.pil, self.v2, *self.shares.values()]


# --------------------------------------------------------------------- what is compared


def changes(library, size):
    """List the operations of `helpers.runs.catalogue.tiny_voc.AUGMENT` as torchvision has them.

    They are like ours but for the rotation, which takes the nearest pixel: that is what torchvision
    does unless told otherwise, and quicker than a mean of four.

    Parameters
    ----------
    library : module
        `torchvision.transforms` or `torchvision.transforms.v2`.
    size : int
        Of the images, in pixels.
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

    They are the loaders `pil` and `v2`, by name, which shuffle a `Dataset` of coloured images in
    this process, and give images in [-1, 1] and targets.
    """
    from torchvision import transforms  # who only reads the results does without
    from torchvision.transforms import v2

    size, middle = data.x.shape[-1], [0.5] * 3
    pictures = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in data.x]
    ways = {
        "pil": (pictures, transforms, transforms.ToTensor()),
        "v2": (data.x, v2, v2.ToDtype(torch.float32, scale=True)),
    }
    found = {}
    for name, (images, library, finish) in ways.items():
        steps = [*changes(library, size), finish, library.Normalize(middle, middle)]
        single = Pictures(images, data.y, library.Compose(steps))
        found[name] = DataLoader(single, batch_size, shuffle=True)
    return found


def scenes(count, size):
    """Draw the first `count` scenes of Toy-VOC at `size` pixels, as a `Dataset`."""
    images, masks = draw_set(0, count, size)
    images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    targets = torch.from_numpy(label_matrix(map(classes_of, masks))).float()
    return Dataset(images, targets, images[:1], targets[:1])


# ---------------------------------------------------------------------- measurement


def measure(images=320, rounds=7, size=SIZE, networks=NETWORKS):
    """Run the benchmark, and return its `Results`.

    The arguments are as there; the networks are keys of
    `helpers.runs.catalogue.tiny_voc.VOC_MODELS`.
    """
    commit = records.source_commit()  # of all that is loaded by now
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None  # before we add to it
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        data = scenes(images, size)
        paths, shares = measure_paths(data, rounds), measure_shares(data, rounds, networks)
    finally:
        torch.set_num_threads(threads)
    versions = {name: version(name) for name in ("torchvision", "pillow")}
    machine = {"device": "cpu", "threads": 1, "load_average": load}
    return Results(
        environment=records.environment() | versions | machine,
        commit=commit,
        data="toy-voc",
        size=size,
        images=images,
        rounds=rounds,
        **paths,
        shares=shares,
    )


def measure_paths(data, rounds):
    """Let batches come in each way in turn; compare the processor's microseconds an image."""
    config = VOC_MODELS["lenet"][1]  # its batches are like every other's
    ways = {"ours": TorchTrainer(config, data, seed=0).batches}
    ways |= {name: found.__iter__ for name, found in loaders(data, config.batch_size).items()}
    spent = {name: [] for name in ways}
    for _ in tqdm(range(rounds + 1), "augmentation", disable=None):
        for name, way in ways.items():
            clock = Clock()
            with clock.on():
                for _ in way():
                    pass
            spent[name].append(clock.cpu / len(data.x) * 1e6)
    spent = {name: values[1:] for name, values in spent.items()}  # the first prepares much
    what = "batched augmentation against image by image, with"
    return {
        "pil": compare(f"{what} PIL", "µs", spent["ours"], spent["pil"], TIMES_FASTER),
        "v2": compare(f"{what} torchvision.transforms.v2", "µs", spent["ours"], spent["v2"]),
    }


def measure_shares(data, rounds, networks=NETWORKS):
    """Let each network train an epoch in turn; by its title, how long it waits for its batches."""
    runs = {}
    for title, config in (VOC_MODELS[name] for name in networks):
        runs[title] = Timed(config, data, seed=0)
        runs[title].wait_for_data(1)  # the first step prepares much
    spent = {title: [] for title in runs}
    for _ in tqdm(range(rounds), "training", disable=None):
        for title, training in runs.items():
            waited, whole, images = training.wait_for_data(training.steps_per_epoch)
            spent[title].append((waited / images * 1e6, whole / images * 1e6))
    what = "waiting for data against the whole step"
    return {
        title: compare(f"{title}: {what}", "µs", *np.transpose(pairs), SHARE, share=True)
        for title, pairs in spent.items()
    }


# -------------------------------------------------------------------------- results


def read(path=PATH):
    """Read results; a file that can't be used is a `helpers.runs.records.RecordError`."""
    parts = dict.fromkeys(("pil", "v2"), lambda row: Comparison(**row))
    parts["shares"] = lambda rows: {title: Comparison(**row) for title, row in rows.items()}
    return comparison.read(path, Results, "augment", parts)


def table(results=None):
    """Tabulate results, those of the book if none are given: a DataFrame of str."""
    results = results or read()
    names = {"what": "the first against the second", "ours": "the first", "other": "the second"}
    found = comparison.table(results.rows)[[*names, "met"]].rename(columns=names)
    found.insert(3, "median ratio [smallest, largest]", [_ratio(row) for row in results.rows])
    found.insert(4, "goal", [_goal(row) for row in results.rows])
    return found


def _ratio(row):
    """Write a share in per cent, and otherwise how many times as long the second takes."""
    if row.at_most:
        return f"first: {spread(row, '.1%')} of second"
    return f"second: {spread(row, '.1f')} times as long"


def _goal(row):
    if row.target is None:
        return "–"
    return f"≤ {row.target:.0%}" if row.at_most else f"≥ {row.target:g} times"


OPTIONS = {
    "images": {"type": whole_number(2), "default": 320, "help": "in an epoch"},
    "rounds": {"type": whole_number(2), "default": 7, "help": "turns of each way"},
}

if __name__ == "__main__":
    sys.exit(command("benchmarks.augment", __doc__, measure, [table], OPTIONS, (), PATH))
