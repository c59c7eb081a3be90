"""Downloads with torchvision: with a time limit, and one sentence if they fail.

MNIST, and PASCAL VOC 2012 for those who want it in Tiny-VOC's place.
"""

import shutil
import socket
import textwrap
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from ssl import SSLError
from types import ModuleType

from data_prep.errors import PrepError
from data_prep.paths import display_path

NETWORK_TIMEOUT = 30.0  # seconds without an answer
NETWORK_ERRORS = (urllib.error.URLError, ConnectionError, TimeoutError, socket.gaierror, SSLError)
VOC2012 = ".voc2012-download"


@contextmanager
def explained_download(name: str, mend: str) -> Iterator[ModuleType]:
    """Give out ``torchvision.datasets`` for the body to download the data set `name` with.

    Raises
    ------
    PrepError
        If torchvision cannot be imported, or none of its mirrors answers as it should; `mend`
        says what to do then.
    OSError
        If what comes cannot be written.
    """
    # Here because only a download needs it, and torch is slow to import.
    import helpers  # noqa: F401  (lets torchvision be imported beside a CPU build of torch)

    try:
        from torchvision import datasets
    except Exception as error:
        raise PrepError(f"{name} cannot be downloaded without torchvision; {mend}.") from error
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT)
    try:
        yield datasets
    except Exception as error:  # of many kinds, from a proxy that is none to a damaged archive
        written = isinstance(error, OSError) and not isinstance(error, NETWORK_ERRORS)
        if written or isinstance(error, MemoryError):
            raise
        why = textwrap.shorten(str(error), 120)
        raise PrepError(
            f"{name} could not be downloaded ({why}): is there a network? If not, {mend}."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)


def download_mnist(folder: Path) -> None:
    """Download the four files into ``MNIST/raw`` below `folder`; see `explained_download`."""
    mend = "put MNIST's four files into a folder and name it with --source"
    with explained_download("MNIST", mend) as datasets:
        datasets.MNIST(folder, download=True)  # leaves the archives and their content in MNIST/raw


@contextmanager
def downloaded_voc2012(folder: Path) -> Iterator[Path]:
    """Give out the unpacked PASCAL VOC 2012, in a hidden folder of `folder`.

    The download (2 GB, and as much again unpacked) is removed when the body has succeeded. If
    it fails, what was downloaded stays, and torchvision takes it up after comparing its MD5.

    Raises
    ------
    PrepError
        If there is no torchvision, no network, or another content than published.
    """
    target = folder / VOC2012
    target.mkdir(parents=True, exist_ok=True)
    mend = (
        "put it somewhere yourself and name its folder with --source "
        f"(what has come so far is in {display_path(target)})"
    )
    with explained_download("PASCAL VOC 2012", mend) as datasets:
        datasets.VOCSegmentation(target, year="2012", image_set="trainval", download=True)
    yield target / "VOCdevkit"
    shutil.rmtree(target)
