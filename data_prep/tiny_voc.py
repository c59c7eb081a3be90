"""The step `tiny-voc`: masks become labels, photographs become squares of one size.

Tiny-VOC is 6,624 photographs of PASCAL VOC with five of its classes. It has no download of
its own: the user names a folder or archive, or asks for PASCAL VOC 2012 in its place. Several
sizes can stand beside one another.
"""

import argparse
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data_prep import sums
from data_prep.downloads import downloaded_voc2012
from data_prep.errors import PrepError
from data_prep.files import explained_writes
from data_prep.paths import display_path, expanded
from data_prep.steps import SAMPLE, SizedStep
from data_prep.voc_build import build_array, build_pictures, finish_array
from data_prep.voc_labels import class_table
from data_prep.voc_lists import (
    array_problems,
    lists_problems,
    picture_problems,
    write_lists,
    write_sample,
)
from data_prep.voc_scenes import TINY_VOC, VOC2012, Layout, Source, open_source
from data_prep.voc_store import PNGS, read_about, read_labels, read_splits, sizes


@dataclass(frozen=True)
class TinyVoc(SizedStep):
    """Prepare and verify Tiny-VOC; see `data_prep.steps.Step`.

    Attributes
    ----------
    compact_only : bool
        Make the array, which is all that training needs, and no pictures.
    voc2012 : bool
        Take PASCAL VOC 2012 in place of Tiny-VOC, and download it where no source is named.
    jobs : int, optional
        How many images to work on at once; as many as there are cores where it is not given.
    """

    compact_only: bool = False
    voc2012: bool = False
    jobs: int | None = None

    name = "tiny-voc"
    usage = "tiny-voc --source FOLDER-OR-ZIP --size SIZE"
    title = "Tiny-VOC, 6,624 photographs with five of PASCAL VOC's classes (Everingham et al.)"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the step's own options to its command."""
        parser.add_argument(
            "--source",
            type=expanded,
            metavar="DIR-or-ZIP",
            help="a folder or zip archive with JPEGImages, Annotations and ImageSets",
        )
        super().add_arguments(parser)
        parser.add_argument(
            "--compact-only", action="store_true",
            help="write the array for training only, no PNG files",
        )  # fmt: skip
        parser.add_argument(
            "--voc2012", action="store_true",
            help="prepare the five classes of PASCAL VOC 2012 instead, from --source or, without "
            "it, from a download (2 GB)",
        )  # fmt: skip
        parser.add_argument(
            "--jobs", type=int, metavar="N", help="how many images at once (default: one a core)"
        )

    def __post_init__(self):
        """Refuse other sizes and numbers of jobs, from wherever they come."""
        super().__post_init__()
        if self.jobs is not None and self.jobs < 1:
            raise PrepError(f"--jobs {self.jobs} is no number of images at once; name 1 or more.")

    def is_there(self, folder: Path) -> bool:
        """Tell whether anything of the data set has been prepared in `folder`."""
        return (folder / sums.SUMS).exists() or bool(sizes(folder))

    def problems(self, folder: Path) -> list[str]:
        """Return a sentence for everything that is wrong in `folder`, at any size."""
        found = lists_problems(folder)
        for size in sizes(folder):
            found += array_problems(folder, size)
            if (folder / str(size) / PNGS).exists():
                found += picture_problems(folder, size)
        return found

    def prepare(self, source: Path | None, folder: Path) -> bool:
        """Make `folder` hold the verified lists and the images of this size.

        Whatever is there and verified is left; an interrupted run is taken up where it was.

        Raises
        ------
        PrepError
            If the source is not as it should be, `folder` was prepared from another one, or
            it cannot be written.
        """
        lists = not lists_problems(folder)
        array = lists and not array_problems(folder, self.size)
        pictures = self.compact_only or (array and not picture_problems(folder, self.size))
        sample = (folder / SAMPLE).is_file()
        if lists:  # a readable about.json
            _refuse_another(folder, read_about(folder).name == VOC2012.name, self.voc2012)
        if array and pictures and sample:
            return False
        affinity = getattr(os, "sched_getaffinity", None)  # not every system has it
        jobs = self.jobs or (len(affinity(0)) if affinity else os.cpu_count() or 1)
        # Pillow warns of metadata, and what it warns of is looked at here.
        with explained_writes(folder), warnings.catch_warnings(action="ignore"):
            if not (array and sample):
                with self._source(source, folder) as opened:
                    if lists:
                        _refuse_another(folder, read_about(folder).source, opened.fingerprint)
                    folder.mkdir(parents=True, exist_ok=True)
                    if not array:
                        labels = build_array(opened, self.size, folder, jobs)
                        write_lists(folder, opened, labels)
                        finish_array(folder, self.size)
                    write_sample(folder, opened)
            if not pictures:
                build_pictures(folder, self.size, tuple(read_labels(folder)), jobs)
        return True

    def summary(self, folder: Path) -> str:
        """Return a table of the prepared data: how many images show each class, in each part."""
        labels = read_labels(folder)
        splits = {part: [labels[i] for i in ids] for part, ids in read_splits(folder).items()}
        forms = [
            f"{size}x{size} (array{', PNG' if (folder / str(size) / PNGS).exists() else ''})"
            for size in sizes(folder)
        ]
        return f"{class_table(splits)}\n\nSizes: {', '.join(forms)}"

    @property
    def _layout(self) -> Layout:
        return VOC2012 if self.voc2012 else TINY_VOC

    @contextmanager
    def _source(self, source: Path | None, folder: Path) -> Iterator[Source]:
        """Open what the user named, or what can be downloaded."""
        if source is not None:
            yield open_source(source, self._layout)
        elif self.voc2012:
            with downloaded_voc2012(folder) as devkit:
                yield open_source(devkit, self._layout)
        else:
            raise PrepError(
                "Tiny-VOC has no download of its own; name its folder or zip archive with "
                "--source, or prepare PASCAL VOC 2012 in its place with --voc2012."
            )


def _refuse_another(folder: Path, there: object, wanted: object) -> None:
    """Refuse to mix what was prepared from different files."""
    if there != wanted:
        raise PrepError(
            f"{display_path(folder)} was prepared from other files than these; name another "
            "folder with --dest, or remove it."
        )
