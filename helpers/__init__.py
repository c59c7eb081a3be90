"""Small, tested modules that the notebooks import.

Importing this package does one thing: it arranges that a later `import torchvision` works
beside a CPU build of torch. Nothing is imported before that, so that the NumPy chapters
do not wait for torch.
"""

import importlib.abc
import importlib.util
import sys
from pathlib import Path

_kept_alive = []  # a torch.library.Library withdraws its operators when it is collected


def _declare_missing_operators(torchvision_folder):
    """Declare torchvision's compiled operators where its extension cannot be loaded.

    The torchvision wheel that pip finds for Linux is compiled against CUDA. Beside a CPU
    build of torch its extension does not load, and `import torchvision` then fails on
    "operator torchvision::nms does not exist", although nothing in this book needs that
    operator. Where the extension loads, nothing is declared: declaring an operator twice
    would crash.
    """
    import torch

    for extension in [*torchvision_folder.glob("_C*.so"), *torchvision_folder.glob("_C*.pyd")]:
        try:
            torch.ops.load_library(str(extension))
        except OSError:
            continue
    if hasattr(torch.ops.torchvision, "nms"):
        return
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _kept_alive.append(library)


class _BeforeTorchvision(importlib.abc.MetaPathFinder):
    """Runs `_declare_missing_operators` once, when torchvision is first imported."""

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            if spec is not None and importlib.util.find_spec("torch") is not None:
                _declare_missing_operators(Path(spec.origin).parent)
        return None


if "torchvision" not in sys.modules:
    sys.meta_path.insert(0, _BeforeTorchvision())
