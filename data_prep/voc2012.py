"""Downloading PASCAL VOC 2012 with torchvision, for those who want it in Tiny-VOC's place."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep.network import explained_download
from data_prep.paths import display_path

DOWNLOAD = ".voc2012-download"


@contextmanager
def downloaded(folder: Path) -> Iterator[Path]:
    """Give out the unpacked PASCAL VOC 2012, in a hidden folder of `folder`.

    The download (2 GB, and as much again unpacked) is removed when the body has succeeded. If
    it fails, what was downloaded stays, and torchvision takes it up after comparing its MD5.

    Raises
    ------
    PrepError
        If there is no torchvision, no network, or another content than published.
    """
    target = folder / DOWNLOAD
    target.mkdir(parents=True, exist_ok=True)
    download(target)
    yield target / "VOCdevkit"
    shutil.rmtree(target)


def download(target: Path) -> None:
    """Download and unpack PASCAL VOC 2012 into ``VOCdevkit`` below `target`."""
    mend = (
        "put it somewhere yourself and name its folder with --source "
        f"(what has come so far is in {display_path(target)})"
    )
    with explained_download("PASCAL VOC 2012", mend) as datasets:
        datasets.VOCSegmentation(target, year="2012", image_set="trainval", download=True)
