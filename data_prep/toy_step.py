"""The step `toy-voc`: Toy-VOC as files, in the layout in which Tiny-VOC is published."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from data_prep import sums
from data_prep.folders import whole_folder
from data_prep.paths import display_path
from data_prep.toy_voc import SEED, SPLIT_SIZES, Scene, draw_scene
from data_prep.voc_files import PHOTOS, open_files
from data_prep.voc_labels import class_table, classes_of
from data_prep.voc_scenes import TINY_VOC, open_source, read_mask
from data_prep.voc_sheet import choose, contact_sheet, mask_picture
from data_prep.voc_store import ABOUT, SAMPLE, About, read_about

SIDES = ((96, 128), (128, 96), (112, 128), (128, 128))  # height and width, by turns
QUALITY = 95  # of a JPEG, 1 to 100


@dataclass(frozen=True)
class ToyVoc:
    """Draw and verify Toy-VOC; see `data_prep.steps.Step`.

    Attributes
    ----------
    split_sizes : mapping of str to int
        How many scenes each part has.
    seed : int
        Seed of the whole set.
    """

    split_sizes: Mapping[str, int] = field(default_factory=lambda: dict(SPLIT_SIZES))
    seed: int = SEED

    name = usage = "toy-voc"
    title = "Toy-VOC, drawn scenes that stand in for Tiny-VOC, in its layout"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add nothing: the scenes come from a fixed seed."""

    def with_options(self, options: argparse.Namespace) -> "ToyVoc":
        """Return the step itself: nothing can be chosen."""
        return self

    def is_there(self, folder: Path) -> bool:
        """Tell whether Toy-VOC has been drawn in `folder`."""
        return (folder / PHOTOS).exists()

    def problems(self, folder: Path) -> list[str]:
        """Return a sentence for each file that is missing or was altered."""
        ids = [f"{index:05d}" for index in range(sum(self.split_sizes.values()))]
        photos = [f"{PHOTOS}/{identifier}.jpg" for identifier in ids]
        masks = [f"{TINY_VOC.masks}/{identifier}.png" for identifier in ids]
        lists = [f"{TINY_VOC.lists}/{split}.txt" for split in self.split_sizes]
        found = sums.problems(folder, [ABOUT, SAMPLE, *lists, *photos, *masks])
        if not found and read_about(folder) != self._about:
            found = [f"{display_path(folder)} was drawn otherwise; prepare the data anew."]
        return found

    def prepare(self, source: Path | None, folder: Path) -> bool:
        """Draw the scenes into `folder`; False if they were there already.

        Raises
        ------
        PrepError
            If the folder cannot be written; it is then as it was before.
        """
        if self.is_there(folder) and not self.problems(folder):
            return False
        with whole_folder(folder) as new:
            for name in (PHOTOS, TINY_VOC.masks, TINY_VOC.lists):
                (new / name).mkdir()
            labels, scenes = {}, {}
            for index in tqdm(range(sum(self.split_sizes.values())), self.name, disable=None):
                identifier = f"{index:05d}"
                scenes[identifier] = draw_scene(index, *SIDES[index % len(SIDES)], self.seed)
                labels[identifier] = classes_of(scenes[identifier].mask)
                _write_scene(new, identifier, scenes[identifier])
            self._write_lists(new, list(labels))
            sheet = contact_sheet(
                [(i, Image.fromarray(scenes[i].image), scenes[i].mask) for i in choose(labels)]
            )
            (new / SAMPLE).write_bytes(_encoded(sheet, "PNG"))
            files = sorted(path for path in new.rglob("*") if path.is_file())
            sums.write_sums(new, {p.relative_to(new).as_posix(): sums.sha256(p) for p in files})
        return True

    def summary(self, folder: Path) -> str:
        """Return a table of what was drawn: how many images show each class, in each part."""
        files, parts = open_files(folder), open_source(folder, TINY_VOC).splits
        return class_table(
            {part: [classes_of(read_mask(files, TINY_VOC, i)) for i in ids]
             for part, ids in parts.items()}
        )  # fmt: skip

    def sample(self, folder: Path) -> Path:
        """Return the path of the sample picture."""
        return folder / SAMPLE

    def _write_lists(self, folder: Path, ids: list[str]) -> None:
        """Write the split files, and that this is no photograph's data set."""
        first = 0
        for split, size in self.split_sizes.items():
            text = "".join(f"{identifier}\n" for identifier in ids[first : first + size])
            (folder / TINY_VOC.lists / f"{split}.txt").write_bytes(text.encode())
            first += size
        (folder / ABOUT).write_bytes(self._about.to_json().encode())

    @property
    def _about(self) -> About:
        return About(self.name, f"seed {self.seed}, colours of {TINY_VOC.name}")


def _write_scene(folder: Path, identifier: str, scene: Scene) -> None:
    photo, mask = Image.fromarray(scene.image), mask_picture(scene.mask, TINY_VOC.colours)
    (folder / PHOTOS / f"{identifier}.jpg").write_bytes(_encoded(photo, "JPEG", quality=QUALITY))
    (folder / TINY_VOC.masks / f"{identifier}.png").write_bytes(_encoded(mask, "PNG"))


def _encoded(image: Image.Image, form: str, **options: int) -> bytes:
    content = BytesIO()
    image.save(content, format=form, **options)
    return content.getvalue()
