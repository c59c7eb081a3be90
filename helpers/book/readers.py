"""Several networks read one digit: their probabilities side by side, as the digit is changed.

A model is called on images float32 [B, 1, 28, 28] in [-1, 1]. Nothing is trained here.
"""

import numpy as np
import torch
from scipy import ndimage

from helpers.book import figures
from helpers.book.pictures import as_batch
from helpers.book.widgets import Playground, slider

GREY = 128  # of the square that hides a part of a digit
ANGLES = tuple(range(-90, 91, 15))
#: Inches that the digit takes, that a row of panels takes, and that the last labels take.
TOP, ROW, LABELS = 1.8, 2.7, 0.25


def change(image, angle=0, shift=0, occlusion=0):
    """Turn a digit counter-clockwise by an angle in degrees, then move it, then hide its middle.

    The image is uint8, [28, 28]; the shift counts pixels to the right, what leaves the image is
    lost and what comes in is empty; the occlusion is the side of a grey square, 0 for none.
    """
    pixels = np.asarray(image, dtype=np.float64)
    pixels = ndimage.rotate(pixels, angle, reshape=False, order=1)
    pixels = ndimage.shift(pixels, (0, shift), order=1)
    low = (len(pixels) - occlusion) // 2
    pixels[low : low + occlusion, low : low + occlusion] = GREY
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


@torch.inference_mode()
def predict(models, image):
    """Return the probabilities [K] that each model, by name, gives an image uint8 [28, 28]."""
    batch = as_batch(image)
    return {name: model.eval()(batch)[0].softmax(0).numpy() for name, model in models.items()}


def bar_panels(probabilities, image, title=""):
    """Draw a digit, and below it each model's class probabilities as bars, two panels in a row.

    The bar of the class that a model chooses is dark, and its panel's title names it.
    """
    rows = -(-len(probabilities) // 2)
    figure = figures.BookFigure(figsize=(figures.WIDTH, TOP + ROW * rows + LABELS))
    inch = 1 / figure.get_figheight()
    # Placed by hand: frames of a player must not differ in where their axes are.
    digit = figure.add_axes((0.385, 1 - 1.75 * inch, 0.23, 1.38 * inch))
    digit.imshow(image, vmin=0, vmax=255, interpolation="nearest")
    digit.set(xticks=[], yticks=[], title=title)
    digit.spines[:].set_visible(True)
    digit.grid(visible=False)
    for i, (name, values) in enumerate(probabilities.items()):
        left, bottom = 0.07 + 0.49 * (i % 2), 1 - (TOP + ROW * (i // 2 + 1) - 0.35) * inch
        ax = figure.add_axes((left, bottom, 0.42, 1.95 * inch))
        classes, chosen = np.arange(len(values)), values.argmax()
        ax.barh(classes, values, color=np.where(classes == chosen, figures.BLUE, figures.SKY))
        ax.set(xlim=(0, 1), ylim=(len(values) - 0.5, -0.5), yticks=classes)
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.tick_params(labelsize=12, length=0, pad=3)
        ax.grid(axis="y", visible=False)
        ax.set_title(f"{name}: {chosen} ({values[chosen]:.0%})")
        if i >= len(probabilities) - 2:  # nothing stands below
            ax.set_xlabel("probability")
    return figure


def reading_frames(models, image, angles=ANGLES):
    """Draw what the models read as a digit turns, for `helpers.book.output.player`.

    Returns a list of frames uint8 [height, width, 3], and one of labels: the angle, and the
    class that each model chooses.
    """
    frames, labels = [], []
    for angle in angles:
        turned = change(image, angle)
        probabilities = predict(models, turned)
        frames.append(figures.to_pixels(bar_panels(probabilities, turned, turn_text(angle))))
        answers = ", ".join(str(values.argmax()) for values in probabilities.values())
        labels.append(f"{turn_text(angle)}: {answers}")
    return frames, labels


def turn_text(angle):
    """Say how far a digit is turned, and which way."""
    side = "left" if angle > 0 else "right"
    return f"{abs(angle):g}° to the {side}" if angle else "upright"


def reading_playground(models, images, labels):
    """Let the reader change a digit, the first of its class, and see what the models make of it."""
    first = {int(label): images[np.argmax(labels == label)] for label in np.unique(labels)}
    controls = {
        "digit": slider(list(first), min(first), "digit"),
        "angle": slider(list(range(-180, 181, 15)), 0, "turned (degrees)"),
        "shift": slider(list(range(-10, 11)), 0, "moved (pixels)"),
        "occlusion": slider(list(range(0, 21, 2)), 0, "hidden (pixels)"),
    }

    def draw(digit, angle, shift, occlusion):
        image = change(first[digit], angle, shift, occlusion)
        probabilities = predict(models, image)
        done = [f"turned {turn_text(angle)}" if angle else "upright"]
        if shift:
            done.append(f"moved {abs(shift)} pixels to the {'right' if shift > 0 else 'left'}")
        if occlusion:
            done.append(f"a square of {occlusion}×{occlusion} pixels hidden")
        read = [f"{name} reads {p.argmax()} ({p.max():.0%})" for name, p in probabilities.items()]
        figure = bar_panels(probabilities, image, f"a {digit}")
        return figure, f"A {digit}, {', '.join(done)}: {'; '.join(read)}."

    return Playground(controls, draw)
