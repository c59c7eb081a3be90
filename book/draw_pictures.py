"""Draw the pictures of the README and the welcome page.

    python -m book.draw_pictures

It trains the network of practice 1 with the published settings (two seconds) for the boundary
that takes shape, and draws one small picture for each practice. They go into book/_static and are
committed.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageSequence
from scipy.special import softmax

from helpers.book.decision_boundary import boundary_figure
from helpers.data.datasets import Dataset, half_moons, load_mnist
from helpers.data.features import decoded, photographs
from helpers.runs.catalogue.mlps import MOONS
from helpers.runs.records import command_line
from helpers.training.numpy_trainer import NumpyTrainer

STATIC = Path(__file__).parent / "_static"
EPOCHS = (20, 400, MOONS.epochs)
SIZE = 480, 270  # of a practice's picture, in pixels
PLOTS = 1, 5  # practices whose picture is no photograph: a PNG, which is dark where the page is
BLUE, ORANGE = np.array((0, 114, 178)), np.array((213, 94, 0))


def boundaries(seed=0):
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
    path = STATIC / "boundary.png"
    figure.savefig(path, dpi=180, facecolor="white")
    with Image.open(path) as drawn:
        drawn.convert("RGB").quantize(64).save(path, optimize=True)
        return drawn.convert("RGB").crop((876, 78, 1288, 310))


def montage(images, columns):
    """Return equal images [N, H, W, 3] side by side, in rows of so many."""
    images = np.asarray(images)
    _, height, width, channels = images.shape
    rows = images.reshape(-1, columns, height, width, channels).swapaxes(1, 2)
    return Image.fromarray(rows.reshape(-1, columns * width, channels))


def digits():
    """Forty digits, white on black."""
    images = load_mnist("embedded").x[:40]
    return montage(np.repeat(images[..., None], 3, axis=3), columns=8)


def squares_and_strips(row=7):
    """One digit cut into sixteen squares, and into sixteen runs of 49 pixels."""
    ink = load_mnist("embedded").x[row][..., None] / 255
    y, x = np.indices((28, 28))
    halves = [
        np.where(part[..., None] % 2, BLUE, ORANGE)
        for part in (y // 7 + x // 7, (28 * y + x) // 49)
    ]
    tinted = [(255 * ink + (1 - ink) * (0.35 * tint)).astype(np.uint8) for tint in halves]
    paper = np.zeros((32, 60, 3), np.uint8)
    paper[2:30, 1:29], paper[2:30, 31:59] = tinted
    return Image.fromarray(paper)


def photos():
    """Fifteen of the kept photographs."""
    files = list(photographs().values())[:15]
    return montage([Image.fromarray(decoded(file)).resize((90, 90)) for file in files], columns=5)


def gallery():
    """Twelve networks with different activation functions, at the end of their training."""
    ends = []
    for path in sorted((STATIC / "activations").glob("*.gif"))[:12]:
        with Image.open(path) as frames:
            for frame in ImageSequence.Iterator(frames):
                last = frame.convert("RGB")
        ends.append(last.crop((0, 31, 312, 252)).resize((120, 90)))
    return montage(ends, columns=4)


if __name__ == "__main__":
    command_line("python -m book.draw_pictures", __doc__).parse_args()
    drawn = (boundaries(), digits(), squares_and_strips(), photos(), gallery())
    for number, picture in enumerate(drawn, start=1):
        nearest = Image.Resampling.NEAREST if picture.width < SIZE[0] else Image.Resampling.LANCZOS
        fitted = picture.resize(SIZE, nearest)
        if number in PLOTS:
            fitted.quantize(64).save(STATIC / f"practice-{number}.png", optimize=True)
        else:
            fitted.save(STATIC / f"practice-{number}.jpg", quality=82, optimize=True)
    print(f"The pictures are in {STATIC}")
