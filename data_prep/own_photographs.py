"""The step `photographs`: one's own photographs become features, and a list says what they show.

A line of the list is a file's name and the classes in it, ``holiday/0001.jpg,dog,beach``; ``0002``
alone, without its suffix, shows none of them. The course's label files are such lists, too: where
all classes are numbers and a ``classes.txt`` stands beside the list, its lines are their names.
"""

import argparse
import codecs
import csv
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from data_prep import sums
from data_prep.errors import PrepError
from data_prep.features import FEATURES, make_features
from data_prep.files import explained_reads, explained_writes, read_bytes
from data_prep.paths import display_path, expanded
from data_prep.photograph import NotAPhotograph, read_photograph
from data_prep.steps import SAMPLE, SizedStep
from data_prep.voc_store import ABOUT, CLASS_NAMES

LIST = "labels.csv"
FILES = (FEATURES, LIST, ABOUT, SAMPLE)

Labels = dict[str, tuple[str, ...]]  # what each photograph shows


@dataclass(frozen=True)
class Photographs(SizedStep):
    """Compute and verify the features of one's own photographs; see `data_prep.steps.Step`.

    Attributes
    ----------
    labels : Path, optional
        The list of what the photographs show.
    size : int
        Height and width to which they are squashed for the network, in pixels.
    """

    labels: Path | None = None

    name = "photographs"
    usage = "photographs --source FOLDER --labels FILE"
    title = "EfficientNet-Lite0's features of your own photographs, and what they show"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the step's own options to its command."""
        parser.add_argument(
            "--source", type=expanded, metavar="DIR", help="the folder of the photographs"
        )
        parser.add_argument(
            "--labels", type=expanded, metavar="FILE",
            help="a list of what they show, a line each: 0001.jpg,dog,beach",
        )  # fmt: skip
        super().add_arguments(parser)

    def problems(self, folder: Path) -> list[str]:
        """Return a sentence for each file that is missing or was altered."""
        return sums.problems(folder, FILES)

    def prepare(self, source: Path | None, folder: Path) -> bool:
        """Compute the features of all listed photographs; False if they were there already.

        An interrupted run is taken up where it was.

        Raises
        ------
        PrepError
            If a listed photograph is missing or damaged, the list is malformed, the network's
            weights are missing, or `folder` can't be written.
        """
        if source is None or self.labels is None:
            raise PrepError("Name the folder with --source, and what it shows with --labels.")
        labels = named_classes(read_list(self.labels), self.labels.with_name(CLASS_NAMES))
        images = Squashed(found_in(source, labels), self.size)
        table = StringIO()
        csv.writer(table, lineterminator="\n").writerows([n, *shown] for n, shown in labels.items())
        more = {LIST: table.getvalue().encode()}
        about = _about(images, more[LIST])
        if not self.problems(folder) and (folder / ABOUT).read_text("utf-8") == about:
            return False
        with explained_writes(folder):
            make_features(images, about, folder.with_name(f".{self.name}.partial"), folder, more)
        return True

    def summary(self, folder: Path) -> str:
        """Return how many photographs show each class."""
        _, targets, classes = read_prepared(folder)
        rows = [f"{count:>8,}  {name}" for name, count in zip(classes, targets.sum(0), strict=True)]
        return "\n".join([f"{len(targets):>8,}  photographs, of which show", *rows])


def read_prepared(folder: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Read the features float32 [N, 1280], their targets uint8 [N, K], and the K classes' names.

    Raises
    ------
    PrepError
        If they are missing or damaged.
    """
    if found := sums.problems(folder, FILES):
        raise PrepError(found[0])
    labels = read_list(folder / LIST)
    classes = tuple(sorted({name for shown in labels.values() for name in shown}))
    targets = np.array([[name in shown for name in classes] for shown in labels.values()], "u1")
    return np.load(folder / FEATURES), targets, classes


# ----------------------------------------------------------------------------- the list


def read_list(path: Path) -> Labels:
    """Read what photographs show; PrepError if the list is missing or malformed."""
    shown = display_path(path)
    content = read_bytes(path, "name a list with --labels")
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        rows = [*csv.reader(content.decode("utf-16" if wide else "utf-8-sig").splitlines())]
    except (UnicodeDecodeError, csv.Error) as error:
        raise PrepError(f"{shown} is no table in UTF-8 ({error}); save it as such.") from error
    labels: Labels = {}
    for number, row in enumerate(rows, start=1):
        name, *classes = [cell.strip() for cell in row] or [""]
        if not any((name, *classes)):
            continue  # an empty line
        if not name or (not classes and re.search(r"[;\t]", name)):
            raise PrepError(
                f"Line {number} of {shown} is not a name and classes, with commas between; write "
                "it as in 0001.jpg,dog,beach."
            )
        name = PurePosixPath(name.replace("\\", "/")).as_posix()
        if name in labels:
            raise PrepError(f"{shown} lists {name} twice; remove one of the two lines.")
        labels[name] = tuple(dict.fromkeys(filter(None, classes)))  # a table may have empty cells
    if not any(labels.values()):
        raise PrepError(f"{shown} names no class; write a line a photograph: 0001.jpg,dog,beach.")
    return labels


def named_classes(labels: Labels, names: Path) -> Labels:
    """Give classes that are all numbers, from 0 on, the names in a file, if there is one."""
    numbers = {name for shown in labels.values() for name in shown}
    if not names.is_file() or not all(re.fullmatch(r"\d{1,9}", n, re.ASCII) for n in numbers):
        return labels
    lines = read_bytes(names, "").decode("utf-8-sig", errors="replace").split("\n")
    known = [line.strip() for line in lines if line.strip()]
    if (largest := max(map(int, numbers))) >= len(known):
        raise PrepError(
            f"{display_path(names)} has {len(known)} names, but a photograph has the class "
            f"{largest}; add its name, or remove the file."
        )
    return {name: tuple(known[int(n)] for n in shown) for name, shown in labels.items()}


# ----------------------------------------------------------------------- the photographs


def found_in(folder: Path, names: Iterable[str]) -> list[Path]:
    """Return the file of each name, with its suffix or without, anywhere below the folder given."""
    if not folder.is_dir():
        raise PrepError(f"{display_path(folder)} is not a folder; name one with --source.")
    there, pictures = defaultdict(set), Image.registered_extensions()
    for path in folder.rglob("[!.]*"):
        if path.suffix.lower() in pictures and path.is_file():
            name = path.relative_to(folder)
            for key in (name, name.with_suffix("")):
                there[key.as_posix()].add(path)
    missing = [name for name in names if name not in there]
    if missing:
        others = f" (and so for {len(missing) - 1} others)" if missing[1:] else ""
        raise PrepError(
            f"There is no photograph {missing[0]} in {display_path(folder)}{others}; remove the "
            "line from the list, or name it as the file is named."
        )
    several = [name for name in names if len(there[name]) > 1 and folder / name not in there[name]]
    if several:
        raise PrepError(
            f"{several[0]} may be {' or '.join(sorted(p.name for p in there[several[0]]))} in "
            f"{display_path(folder)}; write its suffix into the list."
        )
    paths = [folder / n if folder / n in there[n] else next(iter(there[n])) for n in names]
    if len(set(paths)) < len(paths):  # one might be held out, and the other learned from
        twice = next(path for path in paths if paths.count(path) > 1)
        raise PrepError(f"The list names {display_path(twice)} twice; remove one of the two lines.")
    return paths


class Squashed:
    """Photographs in files as a sequence of squares: uint8 [S, S, 3], and slices [B, S, S, 3]."""

    def __init__(self, paths: list[Path], size: int):
        self.paths, self.size = paths, size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: int | slice) -> np.ndarray:
        if isinstance(rows, slice):
            return np.stack([self._read(path) for path in self.paths[rows]])
        return self._read(self.paths[rows])

    def _read(self, path: Path) -> np.ndarray:
        try:
            return read_photograph(path, self.size)
        except NotAPhotograph as error:
            raise PrepError(
                f"{display_path(path)} is damaged, or no picture ({error.__cause__}); mend it, or "
                "remove it from the list."
            ) from error


def _about(images: Squashed, listed: bytes) -> str:
    """Say what the features are made from."""
    from helpers.networks import efficientnet  # here: it brings PyTorch with it

    content = hashlib.sha256()
    for path in images.paths:
        with explained_reads(display_path(path)):
            content.update(sums.sha256(path).encode())
    made_from = {
        "photographs": content.hexdigest(), "labels": hashlib.sha256(listed).hexdigest(),
        "size": images.size, "weights": efficientnet.SHA256,
    }  # fmt: skip
    return json.dumps(made_from, indent=1) + "\n"
