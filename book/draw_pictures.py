"""Draw the picture of the README and the welcome page: a boundary that takes shape.

    python -m book.draw_pictures

It trains the network of practice 1 with the published settings (two seconds) and writes
book/_static/boundary.png, which is committed.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from PIL import Image
from scipy.special import softmax

from helpers.book.decision_boundary import boundary_figure
from helpers.data.datasets import Dataset, half_moons
from helpers.runs.catalogue.mlps import MOONS
from helpers.runs.records import command_line
from helpers.training.numpy_trainer import NumpyTrainer

PICTURE = Path(__file__).parent / "_static" / "boundary.png"
EPOCHS = (20, 400, MOONS.epochs)


def draw(seed=0):
    """Train on 200 points, and draw the decision boundary after some of the epochs."""
    x, labels = half_moons(200, noise=0.2, seed=seed)
    training = NumpyTrainer(MOONS, Dataset(x, labels, x, labels), seed)
    figure, panels = plt.subplots(1, len(EPOCHS), figsize=(7.2, 2.1), layout="constrained")
    for epochs, axes in zip(EPOCHS, panels, strict=True):
        while training.epoch < epochs:
            training.run_epoch()

        def probability(points):
            return softmax(training.network.forward(points), axis=1)[:, 1]

        boundary_figure(probability, x, labels, colour_bar=False, ax=axes)
        axes.get_legend().remove()
        axes.set(xlabel="", ylabel="", xticks=[], yticks=[])
        axes.set_title(f"{epochs:,} epochs", size=14)
    figure.savefig(PICTURE, dpi=180, facecolor="white")
    with Image.open(PICTURE) as drawn:
        drawn.convert("RGB").quantize(64).save(PICTURE, optimize=True)


if __name__ == "__main__":
    command_line("python -m book.draw_pictures", __doc__).parse_args()
    draw()
    print(f"The picture is {PICTURE}")
