"""Makes ``helpers/data/mnist_subset.npz``, the part of MNIST that the project keeps.

    python -m data_prep.kept_mnist

It holds 6,000 of the training images, the same that the recorded comparisons on a tenth of the
data learn from, and 1,000 of the test images. Both keep the share of each digit.
"""

from io import BytesIO

import numpy as np

from data_prep import sums
from data_prep.paths import PROJECT_ROOT

KEPT = PROJECT_ROOT / "helpers" / "data" / "mnist_subset.npz"
VALIDATION, TRAIN, TEST = 10_000, 6_000, 1_000


def subset() -> dict[str, np.ndarray]:
    """Choose the images from MNIST, whose checksum is compared.

    Returns
    -------
    dict of ndarray
        `x` and `x_eval`, grey values uint8 [N, 28, 28]; `y` and `y_eval`, the digits, uint8 [N].

    Raises
    ------
    DataNotPrepared
        If MNIST is not there, or is not what it should be.
    """
    from helpers.data.datasets import load_mnist, stratified_split  # here: it reads the result

    data = load_mnist("full", validation=VALIDATION, train_size=TRAIN)
    test = stratified_split(data.y_eval, TEST, seed=0)[1]
    chosen = {"x": data.x, "y": data.y, "x_eval": data.x_eval[test], "y_eval": data.y_eval[test]}
    return {name: array.astype(np.uint8) for name, array in chosen.items()}


def main() -> None:
    """Write the file and print how large it is."""
    kept = subset()
    content = BytesIO()
    np.savez_compressed(content, **kept)
    sums.write_whole(KEPT, content.getvalue())
    print(f"{KEPT.name}: {len(content.getvalue()):,} bytes")
    for name, array in kept.items():
        print(f"  {name:8} {array.dtype!s:8} {array.shape}")


if __name__ == "__main__":
    main()
