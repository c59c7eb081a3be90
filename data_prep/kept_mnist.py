"""Makes ``helpers/data/mnist_subset.npz``, the part of MNIST that the project keeps.

    python -m data_prep.kept_mnist

It holds 6,000 of the training images, the same that the recorded comparisons on a tenth of the
data learn from, and 1,000 of the test images. Both keep the share of each digit.
"""

import argparse
import sys

import numpy as np
from sklearn.model_selection import train_test_split

from data_prep import sums
from data_prep.errors import PrepError, tell
from data_prep.idx import read_idx
from data_prep.mnist import Mnist
from data_prep.paths import PROJECT_ROOT, data_dir

KEPT = PROJECT_ROOT / "helpers" / "data" / "mnist_subset.npz"
VALIDATION, TRAIN, TEST = 10_000, 6_000, 1_000


def subset() -> dict[str, np.ndarray]:
    """Choose the images from MNIST, as prepared by ``python -m data_prep mnist``.

    Returns
    -------
    dict of ndarray
        `x` and `x_eval`, grey values uint8 [N, 28, 28]; `y` and `y_eval`, the digits, uint8 [N].

    Raises
    ------
    PrepError
        If MNIST is not there, or is not as published.
    """
    mnist, folder = Mnist(), data_dir() / "mnist"
    if problems := mnist.problems(folder):
        raise PrepError(" ".join(problems))
    x, y, x_eval, y_eval = (read_idx(folder / part.name) for part in mnist.parts)
    rest = np.setdiff1d(np.arange(len(y)), _stratified(y, VALIDATION))
    train, test = rest[_stratified(y[rest], TRAIN)], _stratified(y_eval, TEST)
    return {"x": x[train], "y": y[train], "x_eval": x_eval[test], "y_eval": y_eval[test]}


def _stratified(labels: np.ndarray, size: int) -> np.ndarray:
    places = np.arange(len(labels))
    chosen = train_test_split(places, test_size=size, stratify=labels, random_state=0)[1]
    return np.sort(chosen)


def main() -> None:
    """Write the file and print how large it is."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    kept = subset()
    sums.write_arrays(KEPT, kept)


if __name__ == "__main__":
    try:
        main()
    except PrepError as error:
        tell(str(error))
        sys.exit(2)
