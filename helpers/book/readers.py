"""Several networks read one digit: their probabilities side by side, as the digit is distorted.

A model is called on images float32 [B, 1, 28, 28] in [-1, 1]. Nothing is trained here.
"""

import numpy as np
import torch
from scipy import ndimage

from helpers.book import figures
from helpers.book.widgets import Playground, slider
from helpers.training.torch_trainer import normalise

GREY = 128  # of the square that hides a part of a digit
ANGLES = tuple(range(-90, 91, 15))
#: Inches that the digit takes, that a row of panels takes, and that the last labels take.
TOP, ROW, LABELS = 1.8, 2.7, 0.25


def distort(image, angle=0.0, shift=0.0, occlusion=0):
    """Turn a digit, then move it, then hide its middle.

    Parameters
    ----------
    image : array of uint8, [28, 28]
    angle : float
        Degrees, counter-clockwise.
    shift : float
        Pixels to the right; what leaves the image is lost.
    occlusion : int
        Side in pixels of a grey square in the middle of the image; 0 for none.

    Returns
    -------
    ndarray of uint8, [28, 28]
        What comes in from outside is empty.
    """
    pixels = np.asarray(image, dtype=np.float64)
    pixels = ndimage.rotate(pixels, angle, reshape=False, order=1)
    pixels = ndimage.shift(pixels, (0, shift), order=1)
    low = (len(pixels) - occlusion) // 2
    pixels[low : low + occlusion, low : low + occlusion] = GREY
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


@torch.inference_mode()
def read(models, image):
    """Let several models read one image.

    Parameters
    ----------
    models : dict name -> torch.nn.Module
        Left in evaluation mode.
    image : array of uint8, [28, 28]

    Returns
    -------
    dict name -> ndarray of float32, [K]
        The probability of each class.
    """
    batch = normalise(torch.tensor(np.array(image))[None, None])  # [1, 1, 28, 28]
    return {name: model.eval()(batch)[0].softmax(0).numpy() for name, model in models.items()}


def sentence(probabilities):
    """Say what each model reads: "LeNet reads 7 (98%)".

    Parameters
    ----------
    probabilities : dict name -> array [K]

    Returns
    -------
    str
    """
    said = [f"{name} reads {p.argmax()} ({p.max():.0%})" for name, p in probabilities.items()]
    return "; ".join(said) + "."


def bar_panels(probabilities, image, title=""):
    """Draw a digit, and below it each model's class probabilities as bars.

    Parameters
    ----------
    probabilities : dict name -> array [K]
    image : array of uint8, [28, 28]
    title : str
        What was done to the digit.

    Returns
    -------
    Figure
        Two panels in a row. The bar of the class that a model chooses is dark, and its
        panel's title names it.
    """
    rows = -(-len(probabilities) // 2)
    figure = figures.BookFigure(figsize=(figures.WIDTH, TOP + ROW * rows + LABELS))
    inch = 1 / figure.get_figheight()
    # Placed by hand: frames of a player must not differ in where their axes are.
    digit = figure.add_axes((0.385, 1 - 1.75 * inch, 0.23, 1.38 * inch))
    digit.imshow(image, vmin=0, vmax=255, interpolation="nearest")
    digit.set(xticks=[], yticks=[])
    digit.spines[:].set_visible(True)
    digit.grid(visible=False)
    digit.set_title(title)
    for i, (name, values) in enumerate(probabilities.items()):
        left, bottom = 0.07 + 0.49 * (i % 2), 1 - (TOP + ROW * (i // 2 + 1) - 0.35) * inch
        ax = figure.add_axes((left, bottom, 0.42, 1.95 * inch))
        _bars(ax, name, np.asarray(values))
        if i >= len(probabilities) - 2:  # nothing stands below
            ax.set_xlabel("probability")
    return figure


def _bars(ax, name, values):
    """Draw probabilities [K], class 0 on top, in an axes."""
    classes, chosen = np.arange(len(values)), values.argmax()
    ax.barh(classes, values, color=np.where(classes == chosen, figures.BLUE, figures.SKY))
    ax.set(xlim=(0, 1), ylim=(len(values) - 0.5, -0.5), yticks=classes)
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.tick_params(labelsize=12, length=0, pad=3)
    ax.grid(axis="y", visible=False)
    ax.set_title(f"{name}: {chosen} ({values[chosen]:.0%})")


def reading_frames(models, image, angles=ANGLES):
    """Draw what the models read as a digit turns, for `helpers.book.output.player`.

    Parameters
    ----------
    models : dict name -> torch.nn.Module
    image : array of uint8, [28, 28]
    angles : sequence of float
        Degrees, counter-clockwise.

    Returns
    -------
    frames : list of ndarray of uint8, [height, width, 3]
    labels : list of str
        The angle, and what each model reads.
    """
    frames, labels = [], []
    for angle in angles:
        turned = distort(image, angle)
        probabilities = read(models, turned)
        frames.append(figures.to_pixels(bar_panels(probabilities, turned, angle_text(angle))))
        answers = ", ".join(str(values.argmax()) for values in probabilities.values())
        labels.append(f"{angle_text(angle)}: {answers}")
    return frames, labels


def angle_text(angle):
    """Say how far a digit is turned, and which way."""
    if not angle:
        return "upright"
    return f"{abs(angle):g}° to the {'left' if angle > 0 else 'right'}"


def reading_playground(models, images, labels):
    """Let the reader distort a digit and see what the models make of it.

    Parameters
    ----------
    models : dict name -> torch.nn.Module
    images : array of uint8, [N, 28, 28]
    labels : array of int, [N]
        What the digits are; the first image of each class can be chosen.

    Returns
    -------
    Playground
        Sliders for the digit, the angle, the shift and the side of a grey square.
    """
    labels = np.asarray(labels)
    first = {int(label): images[np.argmax(labels == label)] for label in np.unique(labels)}
    controls = {
        "digit": slider(list(first), min(first), "digit"),
        "angle": slider(list(range(-180, 181, 15)), 0, "turned (degrees)"),
        "shift": slider(list(range(-10, 11)), 0, "moved (pixels)"),
        "occlusion": slider(list(range(0, 21, 2)), 0, "hidden (pixels)"),
    }

    def draw(digit, angle, shift, occlusion):
        image = distort(first[digit], angle, shift, occlusion)
        probabilities = read(models, image)
        return bar_panels(probabilities, image, f"a {digit}"), (
            f"A {digit}, {_done(angle, shift, occlusion)}: {sentence(probabilities)}"
        )

    return Playground(controls, draw)


def _done(angle, shift, occlusion):
    """Say what was done to a digit."""
    words = [angle_text(angle) if not angle else f"turned {angle_text(angle)}"]
    if shift:
        words.append(f"moved {abs(shift)} pixels to the {'right' if shift > 0 else 'left'}")
    if occlusion:
        words.append(f"a square of {occlusion}×{occlusion} pixels hidden")
    return ", ".join(words)
