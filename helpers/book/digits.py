"""Practice 2's own tables and figures, made from its recorded runs."""

import numpy as np
import pandas as pd

from helpers.analysis import summaries
from helpers.analysis.summaries import epochs_to, format_count, never_predicted, sudden_drop
from helpers.book import figures
from helpers.claims.course import PUBLISHED_MNIST
from helpers.claims.numpy_rules import SMALL_RATE_NAMES
from helpers.runs.catalogue.numpy_networks import (
    ACTIVATION_NAMES,
    LEARNING_RATES,
    MINI_BATCH_TRIALS,
)
from helpers.runs.experiments import find, recorded


def beside_published():
    """Tabulate the published run beside each of ours, and the corrected network's.

    Returns
    -------
    DataFrame of str
        Losses without the λ term, as the original reported them.
    """
    metrics = {
        "training loss": "train_loss",
        "training accuracy": "train_accuracy",
        "test loss": "eval_loss",
        "test accuracy": "eval_accuracy",
    }
    rows = [
        {"run": "published"}
        | {
            label: f"{PUBLISHED_MNIST[metric.replace('eval', 'test')]:.4f}"
            for label, metric in metrics.items()
        }
        | {"classes never answered": "not said"}
    ]
    for about, name in (("ours", "mnist-published"), ("linear scores", "mnist-corrected")):
        for record in recorded(name):
            rows.append(
                {"run": f"{about}, seed {record.seed}"}
                | {label: f"{record.metrics[metric]:.4f}" for label, metric in metrics.items()}
                | {"classes never answered": str(never_predicted(record))}
            )
    return pd.DataFrame(rows)


def activations():
    """Return the records of the comparison of activations, by what is tried."""
    names = {name: find(name).label for name in ACTIVATION_NAMES}
    names["tenth-reference"] = "ReLU, He"  # it goes by other settings elsewhere
    return {about: recorded(name) for name, about in names.items()}


def activation_table(settings, level=0.9):
    """Tabulate how fast and how well each activation trains.

    Parameters
    ----------
    settings : dict name -> list of Record
    level : float
        The training accuracy whose epoch is noted.

    Returns
    -------
    DataFrame of str
    """
    table = summaries.summary(
        settings,
        {"eval_accuracy": ("validation accuracy", ".4f")},
        head="activation, initialisation",
    )
    epochs = [_reached([epochs_to(run, level) for run in runs]) for runs in settings.values()]
    table.insert(2, f"epochs to {level:.0%} training accuracy", epochs)
    return table


def _reached(epochs):
    """List the epochs of the runs that reached a level, and how many did if not all."""
    known = sorted(epoch for epoch in epochs if epoch is not None)
    if not known:
        return "never"
    some = "" if len(known) == len(epochs) else f" ({format_count(len(known), len(epochs))})"
    return ", ".join(map(str, known)) + some


def emergence_figure():
    """Draw the training loss of the small learning rates, one panel for each kind of network."""
    kinds = {
        "linear scores, ReLU hidden": "tenth-rate-",
        "ReLU on the scores too": "tenth-output-relu-rate-",
        "sigmoid hidden": "tenth-sigmoid-glorot-rate-",
    }
    figure, axes = figures.new_figure(3, 1, height=9, sharex=True, sharey=True)
    for ax, (kind, prefix) in zip(axes, kinds.items(), strict=True):
        names = [name for name in SMALL_RATE_NAMES if name.startswith(prefix)]
        for i, name in enumerate(names):
            for record in recorded(name):
                ax.plot(
                    record.history["epoch"], record.history["loss"],
                    color=figures.PALETTE[i], linestyle=figures.LINES[i], linewidth=1.5,
                    label=f"rate {name.removeprefix(prefix)}" if record.seed == 0 else None,
                )  # fmt: skip
                if (epoch := sudden_drop(record)) is not None:
                    loss = record.history["loss"][record.history["epoch"].index(epoch)]
                    ax.plot(epoch, loss, "o", color=figures.BLACK)
        ax.set(title=kind, ylabel="hinge loss", ylim=(0, 11))
        ax.legend()
    axes[-1].set_xlabel("epoch")
    return figure


def emergence_table():
    """Tabulate in how many runs with a small learning rate the loss suddenly falls."""
    rows = []
    for name in SMALL_RATE_NAMES:
        runs = recorded(name)
        epochs = [epoch for run in runs if (epoch := sudden_drop(run)) is not None]
        rows.append(
            {
                "network and rate": find(name).label,
                "falls suddenly": format_count(len(epochs), len(runs)),
                "at epoch": ", ".join(map(str, sorted(epochs))) or "–",
                "validation accuracy at the end": f"{summaries.interval(runs, 'eval_accuracy'):.3f}",
            }
        )
    return pd.DataFrame(rows)


def mini_batch_trials():
    """Return the records of the mini-batch trials, by what each one changes."""
    return {
        find(name).label: recorded(name) for name in map("mnist-sgd-{}".format, MINI_BATCH_TRIALS)
    }


def rate_frames():
    """Draw training at each constant learning rate, for a player.

    Returns
    -------
    frames : list of ndarray of uint8, [height, width, 3]
    labels : list of str
    """
    frames = []
    for rate in LEARNING_RATES:
        runs = recorded(f"tenth-rate-{rate}")
        figure, (left, right) = figures.new_figure(2, 1, height=6, sharex=True)
        for record in runs:
            epochs, history = np.array(record.history["epoch"]), record.history
            left.plot(
                epochs,
                np.array(history["loss"], float),
                color=figures.BLUE,
                linestyle="-",
                linewidth=1.5,
            )
            known = [i for i, value in enumerate(history["eval_accuracy"]) if value is not None]
            right.plot(
                epochs[known], [history["eval_accuracy"][i] for i in known], "o-",
                color=figures.VERMILLION, markersize=4, linewidth=1.5,
            )  # fmt: skip
        left.set(ylabel="training loss", ylim=(0, 12), title=f"learning rate {rate}")
        right.set(ylabel="validation accuracy", ylim=(0, 1), xlim=(0, 400), xlabel="epoch")
        frames.append(figures.to_pixels(figure))
    return frames, [f"learning rate {rate}" for rate in LEARNING_RATES]
