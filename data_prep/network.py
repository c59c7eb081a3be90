"""What torchvision's downloads need around them: a time limit, and one sentence if they fail."""

import socket
import textwrap
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from ssl import SSLError
from types import ModuleType

from data_prep.errors import PrepError

NETWORK_TIMEOUT = 30.0  # seconds without an answer
NETWORK_ERRORS = (urllib.error.URLError, ConnectionError, TimeoutError, socket.gaierror, SSLError)


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
