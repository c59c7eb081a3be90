"""What torchvision's downloads need around them: a time limit, and one sentence if they fail."""

import http.client
import socket
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager

from data_prep.errors import PrepError

NETWORK_TIMEOUT = 30.0  # seconds without an answer


@contextmanager
def explained_download(name: str, mend: str) -> Iterator[None]:
    """Let the body import torchvision and download with it.

    Parameters
    ----------
    name : str
        Of the data set, as the sentence has it.
    mend : str
        What to do without torchvision or without a network.

    Raises
    ------
    PrepError
        If torchvision is not installed, or none of its mirrors answers as it should.
    """
    # Here because only a download needs it, and torch is slow to import.
    import helpers  # noqa: F401  (lets torchvision be imported beside a CPU build of torch)

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT)
    try:
        yield
    except ImportError as error:
        raise PrepError(f"{name} cannot be downloaded without torchvision; {mend}.") from error
    except (
        RuntimeError,  # torchvision: every mirror failed, or a checksum did not match
        urllib.error.URLError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
    ) as error:
        raise PrepError(
            f"{name} could not be downloaded: is there a network? If not, {mend}."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
