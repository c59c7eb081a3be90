"""Widgets for readers with a running kernel: move a slider, and a small network trains anew.

The built book cannot run them; it shows `helpers.book.output`'s players instead.
"""

import ast
import html
import io
import operator
from functools import partial

import ipywidgets
import numpy as np
from matplotlib.ticker import MaxNLocator
from scipy import ndimage

from helpers.book import decision_boundary, figures
from helpers.book.output import data_uri
from helpers.data.datasets import Dataset, half_moons
from helpers.training.numpy_trainer import NumpyConfig, train


class Playground(ipywidgets.VBox):
    """Controls above a picture that is drawn anew whenever one of them changes.

    Parameters
    ----------
    controls : dict name -> ipywidgets widget with a `value`
    draw : takes the controls' values by name; returns a Figure and a sentence that says what the
        figure shows. Both stand in `picture` and `sentence`.
    """

    def __init__(self, controls, draw):
        self.controls, self.draw = controls, draw
        self.sentence, self.picture = ipywidgets.HTML(), ipywidgets.HTML()
        for control in controls.values():
            control.observe(lambda change: self.update(), names="value")
        self.update()
        super().__init__([*controls.values(), self.sentence, self.picture])

    def update(self):
        """Draw for the controls' present values."""
        figure, sentence = self.draw(**{name: c.value for name, c in self.controls.items()})
        png = io.BytesIO()
        figure.savefig(png, format="png")
        source, alt = data_uri(png.getvalue(), "image/png"), html.escape(sentence)
        self.sentence.value = f'<p aria-live="polite">{alt}</p>'
        self.picture.value = f'<img src="{source}" alt="{alt}" style="max-width: 100%">'


#: Of every control; it acts when it is let go.
LOOK = {
    "continuous_update": False,
    "style": {"description_width": "9em"},
    "layout": {"width": "min(100%, 32em)"},
}


def slider(values, start, label):
    """Make a slider over listed values, which stands at one of them at first."""
    return ipywidgets.SelectionSlider(options=values, value=start, description=label, **LOOK)


# -------------------------------------------------- practice 1: a network in NumPy

MOONS_EPOCHS = 1000  # a fifth of the published run, for an answer in less than half a second


def moons_playground():
    """Train a 2-H-2 network on half-moons, with the reader's settings."""
    controls = {
        "hidden": slider([1, 2, 3, 4, 5, 10, 20, 50], 10, "hidden units"),
        "weight_decay": slider([0, 0.0001, 0.001, 0.01, 0.1], 0.001, "λ"),
        "learning_rate": slider([0.01, 0.03, 0.1, 0.3, 1, 3, 10], 0.3, "learning rate"),
        "noise": slider([0, 0.1, 0.2, 0.3, 0.4], 0.2, "noise"),
        "seed": slider(list(range(10)), 0, "seed"),
    }
    return Playground(controls, moons_trial)


def moons_trial(hidden, weight_decay, learning_rate, noise, seed):
    """Train on 200 points; draw the decision boundary, and the loss over the epochs."""
    x, labels = half_moons(200, noise, seed)
    data = Dataset(x, labels, *half_moons(2000, noise, 1_000_000 + seed))
    config = NumpyConfig(
        (2, hidden, 2), activation="tanh", init="glorot", dtype="float64",
        weight_decay=weight_decay, schedule={"name": "constant", "lr": learning_rate},
        epochs=MOONS_EPOCHS, log_every=10, evaluate_every=MOONS_EPOCHS,
    )  # fmt: skip
    training = train(config, data, seed)
    figure, (plane, curve) = figures.new_figure(1, 2, width=9.5, height=4)
    figure.set_layout_engine(None)  # measuring the texts would take longer than training
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.15, top=0.92, wspace=0.25)
    history = training.history
    probability = decision_boundary.class_1_probability(training.network)
    decision_boundary.boundary_figure(probability, x, labels, colour_bar=False, ax=plane)
    figures.curves(history["epoch"], {"": history["loss"]}, ylabel="training loss", ax=curve)
    curve.set_ylim(bottom=0)
    curve.xaxis.set_major_locator(MaxNLocator(4))
    if training.diverged:
        return figure, f"The loss stopped being finite after {training.epoch} epochs."
    ends = {name: values[-1] for name, values in history.items()}
    return figure, (
        f"After {training.epoch:,} epochs: loss {ends['loss']:.3f}, training accuracy "
        f"{ends['accuracy']:.1%}, accuracy on 2,000 fresh points {ends['eval_accuracy']:.1%}."
    )


# -------------------------------------------------- practice 3: networks read a digit

GREY = 128  # of the square that hides a part of a digit
#: Inches that the digit takes, that a row of panels takes, and that the last labels take.
TOP, ROW, LABELS = 1.8, 2.7, 0.25


def change(image, angle=0, shift=0, occlusion=0):
    """Turn a digit counter-clockwise by an angle in degrees, then move it, then hide its middle.

    The image is uint8, [28, 28]; the shift counts pixels to the right, what leaves the image is
    lost and what comes in is empty; the occlusion is the side of a grey square, 0 for none.
    """
    pixels = ndimage.rotate(image.astype(float), angle, reshape=False, order=1)
    pixels = ndimage.shift(pixels, (0, shift), order=1)
    low = max(0, (len(pixels) - occlusion) // 2)
    pixels[low : low + occlusion, low : low + occlusion] = GREY
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def read(models, image):
    """Return the probabilities [K] that each model, by name, gives an image uint8 [28, 28].

    A model is called on images float32 [B, 1, 28, 28] in [-1, 1].
    """
    from helpers.book.pictures import as_batch  # torch, for practices 3 and 5 alone

    logits = {name: model.eval()(as_batch(image))[0] for name, model in models.items()}
    return {name: found.detach().softmax(0).numpy() for name, found in logits.items()}


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
        if i % 2 == 0:
            ax.set_ylabel("class")
    return figure


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
        probabilities = read(models, image)
        side = "left" if angle > 0 else "right"
        done = [f"turned {abs(angle)}° to the {side}" if angle else "upright"]
        if shift:
            done.append(f"moved {abs(shift)} pixels to the {'right' if shift > 0 else 'left'}")
        if occlusion:
            done.append(f"a square of {occlusion}×{occlusion} pixels hidden")
        said = [f"{name} reads {p.argmax()} ({p.max():.0%})" for name, p in probabilities.items()]
        figure = bar_panels(probabilities, image, f"a {digit}")
        return figure, f"A {digit}, {', '.join(done)}: {'; '.join(said)}."

    return Playground(controls, draw)


# -------------------------------------------------- practice 5: activation functions

MOMENTS = (0, 10, 30, 100, 300, 1000)  # the iterations that are shown
LONGEST = 60  # characters of an expression
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
#: How many arguments each function of an expression takes; they are methods of tensors.
FUNCTIONS = dict.fromkeys(
    ("sin", "cos", "tan", "exp", "log", "abs", "sign", "tanh", "sigmoid", "relu", "sqrt"), 1
) | {"maximum": 2, "minimum": 2}


def parse(text):
    """Turn an expression in z into a function of a tensor, without evaluating it as Python.

    It is made of z, numbers, + - * / ** and `FUNCTIONS`, such as "sin(z) + 0.1 * z". Of anything
    else, a ValueError says which part is not understood.
    """
    if len(text) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST} characters: shorten it")
    try:
        return _function(ast.parse(text, mode="eval").body)
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no expression such as sin(z) + 0.1 * z") from error


def _call(name, first, *others):
    return getattr(first, name)(*others)


def _function(node):
    """Return a function of z for a part of an expression; refuse whatever is not listed here."""
    match node:
        case ast.Name(id="z"):
            return lambda z: z
        case ast.Constant(value=number) if type(number) in (int, float):
            return lambda z: z.new_full(z.shape, float(number))
        case ast.UnaryOp(op=kind, operand=part) if type(kind) in OPERATORS:
            operation, parts = OPERATORS[type(kind)], [part]
        case ast.BinOp(op=kind, left=left, right=right) if type(kind) in OPERATORS:
            operation, parts = OPERATORS[type(kind)], [left, right]
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if len(
            parts
        ) == FUNCTIONS.get(name):
            operation = partial(_call, name)
        case _:
            takes = ", ".join(f"{name}({', '.join('z' * n)})" for name, n in FUNCTIONS.items())
            raise ValueError(
                f"{ast.unparse(node)!r} is not understood: take z, numbers, + - * / **, {takes}"
            )
    functions = [_function(part) for part in parts]
    return lambda z: operation(*(function(z) for function in functions))


def activation_playground():
    """Let the reader choose what follows the layers, the width, the noise and the seed."""
    from helpers.networks.ensemble import ACTIVATIONS  # torch, for practice 5 alone

    def choice(examples, label):
        names = [*ACTIVATIONS, *examples]
        return ipywidgets.Combobox(options=names, value="ReLU", description=label, **LOOK)

    controls = {
        "first": choice(["sin(z) + 0.1 * z"], "after layer 1"),
        "second": choice(["permute", "maximum(z, 0.1 * z)"], "after layer 2"),
        "width": slider([2, 3, 5, 10, 20, 50], 10, "units a layer"),
        "noise": slider([0.0, 0.1, 0.2, 0.3, 0.4], 0.1, "noise"),
        "seed": slider(list(range(10)), 0, "seed"),
    }
    return Playground(controls, activation_trial)


def activation_trial(first, second, width, noise, seed):
    """Train one network of practice 5 and show it at `MOMENTS`.

    What follows the layers is a key of `helpers.networks.ensemble.ACTIVATIONS`, or an expression
    that `parse` takes; `second` may be "permute". The sentence says what came of it, or what of
    the text is not understood.
    """
    from helpers.book.activation_gallery import training_frames
    from helpers.networks.ensemble import ACTIVATIONS, ActivationPair

    known = ACTIVATIONS.keys() | {"permute"}
    try:
        functions = [first if first in ACTIVATIONS else parse(first)]
        functions.append(second if second in known else parse(second))
    except ValueError as error:
        return figures.BookFigure(figsize=(figures.WIDTH, 0.1)), str(error)
    typed = ActivationPair("typed", "typed", *functions, None)
    frames, accuracies = training_frames(typed, seed, MOMENTS, width, noise)
    titles = [f"{at}: {share:.0%}" for at, share in zip(MOMENTS, accuracies, strict=True)]
    return figures.image_grid(frames, titles, columns=3), (
        f"{first} after the first layer, {second} after the second: after {MOMENTS[-1]} iterations "
        f"{accuracies[-1]:.0%} of the training points are right."
    )
