"""Downloading PASCAL VOC 2012 with torchvision, for those who want it in Tiny-VOC's place."""

import http.client
import shutil
import socket
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_prep.errors import PrepError
from data_prep.paths import display_path

NETWORK_TIMEOUT = 30.0  # seconds without an answer
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
    mend = "put it somewhere yourself and name its folder with --source"
    # Imported here because only a download needs them, and torch is slow to import.
    import helpers  # noqa: F401  (lets torchvision be imported beside a CPU build of torch)

    try:
        from torchvision.datasets import VOCSegmentation
    except ImportError as error:
        raise PrepError(
            f"PASCAL VOC 2012 cannot be downloaded without torchvision; {mend}."
        ) from error
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT)
    try:
        VOCSegmentation(target, year="2012", image_set="trainval", download=True)
    except (
        RuntimeError,  # torchvision: the file is corrupted
        urllib.error.URLError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    ) as error:
        raise PrepError(
            "PASCAL VOC 2012 could not be downloaded: is there a network? If not, "
            f"{mend} (what has come so far is in {display_path(target)})."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
