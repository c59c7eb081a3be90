"""Practice 3's own tables and figures, made from its recorded runs."""

import numpy as np
import pandas as pd
import torch

from helpers.analysis import summaries
from helpers.book import figures
from helpers.claims.course import PUBLISHED_VISION
from helpers.claims.vision_rules import NAMES, REPEATED, SQUARES, pair, small_data_name
from helpers.runs.catalogue.vision import ORIGINAL_VARIANTS, POINTS, Point
from helpers.runs.experiments import EXPERIMENTS, find, recorded
from helpers.runs.records import read_arrays
from helpers.training.torch_trainer import CURVE_STEPS, MODELS

# ------------------------------------------------------------------------- the table


def table_rows():
    """Return the experiments of C3.1's table that are listed: name in the table -> experiment."""
    rows = REPEATED | SQUARES
    return {about: name for about, name in rows.items() if name in EXPERIMENTS}


def published_table():
    """Tabulate the published results beside ours.

    Returns
    -------
    DataFrame of str
        Accuracies after the last epoch; a checkpoint is every parameter in float32.
    """
    rows = []
    for about, name in table_rows().items():
        runs = recorded(name)
        published = PUBLISHED_VISION.get(about)
        accuracy = summaries.values(runs, "eval_accuracy")
        rows.append(
            {
                "model": about,
                "published": _published(published),
                "ours: test accuracy": summaries.cell(accuracy, ".4f"),
                "sd": f"{accuracy.std(ddof=1):.4f}" if len(runs) > 1 else "–",
                "seeds": str(len(runs)),
                "epochs": str(runs[0].config["epochs"]),
            }
        )
    return pd.DataFrame(rows)


def _published(row):
    return f"{row['test_accuracy']:.4f} ({row['epochs']} epochs)" if row else "–"


def cost_table(level=0.97):
    """Tabulate what each model of C3.1's table costs.

    Parameters
    ----------
    level : float
        The test accuracy whose time is noted.

    Returns
    -------
    DataFrame of str
        Processor seconds are those of training and of the look at the test images after each
        epoch, on one core, in the quickest run: other programs disturbed it least.
    """
    rows = []
    for about, name in table_rows().items():
        runs = recorded(name)
        epochs = runs[0].config["epochs"]
        seconds = summaries.values(runs, "cpu_seconds").min() / epochs
        reached = [_first_at(run.history["eval_accuracy"], level) for run in runs]
        minutes = "not reached"
        if None not in reached:
            minutes = f"{np.mean(reached) * seconds / 60:.1f}"
        rows.append(
            {
                "model": about,
                "parameters": f"{runs[0].parameters:,}",
                "checkpoint, MiB": f"{runs[0].parameters * 4 / 2**20:.1f}",
                "processor seconds an epoch": f"{seconds:.0f}",
                f"processor minutes to {level:.0%}": minutes,
            }
        )
    return pd.DataFrame(rows)


def _first_at(accuracies, level):
    """Return after how many epochs a level is first reached, None if never."""
    above = np.flatnonzero(np.array(accuracies, float) >= level)
    return int(above[0]) + 1 if len(above) else None


def small_data_table():
    """Tabulate every model's accuracy with 1% and 10% of the training images."""
    rows = []
    for model, about in NAMES.items():
        row = {"model": about}
        for part, images in (("hundredth", 600), ("tenth", 6_000)):
            name = small_data_name(part, model)
            if name not in EXPERIMENTS:
                row |= {f"{images:,} images": "not recorded", f"gap at {images:,}": "–"}
                continue
            runs = recorded(name)
            gap = summaries.values(runs, "train_accuracy") - summaries.values(runs, "eval_accuracy")
            accuracy = summaries.cell(summaries.values(runs, "eval_accuracy"), ".3f")
            row[f"{images:,} images"] = accuracy if len(runs) > 1 else f"{accuracy} (one run)"
            row[f"gap at {images:,}"] = f"{gap.mean():.3f}"
        rows.append(row)
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------- the curves


def learning_curves(name):
    """Draw a run's training loss and accuracy batch by batch, and the test's after each epoch.

    Parameters
    ----------
    name : str
        An experiment whose arrays are kept; the curve over batches is seed 0's, smoothed over
        ten entries, the points are every seed's.

    Returns
    -------
    Figure
    """
    runs = recorded(name)
    arrays = read_arrays(name, "full", runs[0].seed)
    epochs = len(runs[0].history["epoch"])
    figure, axes = figures.new_figure(2, 1, height=6.4, sharex=True)
    for ax, kind in zip(axes, ("loss", "accuracy"), strict=True):
        curve = arrays[f"curve_{kind}"]
        at = (np.arange(len(curve)) + 1) * epochs / len(curve)
        smooth = pd.Series(curve).rolling(10, min_periods=1).mean()
        ax.plot(at, smooth, linewidth=1, color=figures.BLUE, label="training, batch by batch")
        for run in runs:
            ax.plot(
                np.arange(epochs) + 1, run.history[f"eval_{kind}"], "o--", linewidth=1,
                markersize=4, color=figures.VERMILLION,
                label="test, each seed" if run is runs[0] else None,
            )  # fmt: skip
        ax.set(ylabel=kind)
    low = min(min(run.history["eval_accuracy"]) for run in runs)
    axes[0].set(ylim=(0, 3 * max(runs[0].history["eval_loss"])))
    axes[1].set(xlabel="epoch", ylim=(max(0, 1 - 3 * (1 - low)), 1.002))
    axes[0].legend()
    return figure


def accuracy_against_time():
    """Draw test accuracy against processor minutes, one line for each model of C3.1's table.

    The minutes are the quickest run's, as in `cost_table`.
    """
    minutes, courses = {}, {}
    for about, name in table_rows().items():
        if "without" in about:
            continue
        runs = recorded(name)
        epochs, courses[about] = summaries.history(runs, "eval_accuracy")
        seconds = summaries.values(runs, "cpu_seconds").min() / len(epochs)
        minutes[about] = (epochs + 1) * seconds / 60
    figure = figures.curves(minutes, courses, "processor minutes on one core", "test accuracy")
    ax = figure.axes[0]
    ax.set(xscale="log", ylim=(0.9, 1))
    ax.get_legend().remove()  # its place is below the axes, where no band runs into it
    figure.legend(loc="outside lower center", ncols=3)
    low, high = ax.get_xlim()
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low <= tick <= high]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    return figure


def warm_up():
    """Draw a ViT's training accuracy over the first two epochs, batch by batch, each seed."""
    name = REPEATED["ViT"]
    runs = recorded(name)
    curves = [read_arrays(name, "full", run.seed)["curve_accuracy"] for run in runs]
    per_epoch = len(curves[0]) / len(runs[0].history["epoch"])
    shown = round(2 * per_epoch)
    smooth = [pd.Series(c[:shown]).rolling(5, min_periods=1).mean() for c in curves]
    at = (np.arange(shown) + 1) / per_epoch
    figure = figures.curves(at, {"each seed": smooth}, ylabel="training accuracy", each=True)
    figure.axes[0].set(ylim=(0, 1), xlim=(0, 2))
    figure.axes[0].set_title(f"means over {5 * CURVE_STEPS} batches of 64", loc="left")
    return figure


# ------------------------------------------------------------------ the answer to C3.4


def quirks():
    """Return what each of the original's ways changes: about -> Interval of the difference."""
    base, changes = recorded(Point().name(scaled=True)), {}
    for name, (about, _) in ORIGINAL_VARIANTS.items():
        runs = recorded(f"tenth-vit-{name}")
        changes[about] = summaries.difference(
            runs, summaries.same_seeds(base, runs), "eval_accuracy"
        )
    return changes


def sweep_table():
    """Tabulate the sweep: accuracy, spread of the scores and entropy with and without 1/sqrt(d).

    Returns
    -------
    DataFrame of str
    """
    rows = []
    for point in POINTS:
        scaled, plain = pair(point)
        row = {"setting": point.label(True)}
        for about, runs in (("with", scaled), ("without", plain)):
            row[f"accuracy {about}"] = f"{summaries.values(runs, 'eval_accuracy').mean():.3f}"
        row["difference"] = f"{summaries.difference(scaled, plain, 'eval_accuracy'):+.3f}"
        for sign, label in (("score_std", "spread"), ("attention_entropy", "entropy")):
            ends = [np.mean([run.history[sign][-1] for run in runs]) for runs in (scaled, plain)]
            row[f"{label}, with / without"] = " / ".join(f"{end:.2f}" for end in ends)
        rows.append(row)
    return pd.DataFrame(rows)


def sweep_figure():
    """Draw what 1/sqrt(d) gains against how far apart the scores lie without it."""
    figure, ax = figures.new_figure(height=4.6)
    kinds = {
        "one layer": [p for p in POINTS if p.depth == 1 and p.score_scale == 1],
        "larger scores at the start": [p for p in POINTS if p.score_scale != 1],
        "four layers": [p for p in POINTS if p.depth == 4],
    }
    for i, (kind, points) in enumerate(kinds.items()):
        for point in points:
            scaled, plain = pair(point)
            gain = summaries.difference(scaled, plain, "eval_accuracy")
            spread = np.mean([run.history["score_std"][-1] for run in plain])
            ax.errorbar(
                spread, gain.estimate, capsize=3, color=figures.PALETTE[i],
                yerr=[[gain.estimate - gain.low], [gain.high - gain.estimate]],
                marker=figures.MARKERS[i], linestyle="none",
                label=kind if point is points[0] else None,
            )  # fmt: skip
    ax.axhline(0, color=figures.BLACK, linewidth=1)
    ax.set(
        xscale="log", xlabel="spread of the scores without 1/√d, after training",
        ylabel="accuracy gained by 1/√d",
    )  # fmt: skip
    figure.legend(loc="outside upper center", ncols=3)
    return figure


# -------------------------------------------------------------------- the kept models


def kept_model(name, seed=0):
    """Rebuild a model whose weights were kept with its record.

    Parameters
    ----------
    name : str
        An experiment on 28×28 images with this seed among its `keep_model`.
    seed : int

    Returns
    -------
    model : torch.nn.Module
        In evaluation mode.
    images : ndarray of uint8 [20, 28, 28]
        Test images, the first two of each class.
    labels : ndarray of uint8 [20]
    """
    recipe, arrays = find(name).config, read_arrays(name, "full", seed)
    model = MODELS[recipe.model](**recipe.model_kwargs)
    weights = {
        key.removeprefix("model/"): torch.from_numpy(value.astype(np.float32))
        for key, value in arrays.items()
        if key.startswith("model/")
    }
    model.load_state_dict(weights)
    return model.eval(), arrays["sample_images"], arrays["sample_labels"]


def common_mistakes():
    """Find the test images that every model of the table gets wrong, seed 0 of each.

    Returns
    -------
    indices : ndarray of int [M]
        In the test set.
    answers : dict model -> ndarray of int [M]
    labels : ndarray of int [M]
    wrong : dict model -> int
        How many images each gets wrong.
    """
    kept = _kept_arrays()
    labels = next(iter(kept.values()))["labels"]
    said = {about: arrays["scores"].argmax(axis=1) for about, arrays in kept.items()}
    wrong = {about: answers != labels for about, answers in said.items()}
    indices = np.flatnonzero(np.all(list(wrong.values()), axis=0))
    answers = {about: values[indices] for about, values in said.items()}
    return indices, answers, labels[indices], {about: int(w.sum()) for about, w in wrong.items()}


def _kept_arrays():
    """Return the arrays kept with seed 0 of each model of the table, but for those without √d."""
    names = {about: name for about, name in table_rows().items() if "√" not in about}
    return {about: read_arrays(name, "full", 0) for about, name in names.items()}


def common_mistakes_figure(most=15):
    """Draw the common mistakes whose images are kept, with their labels and answers.

    Returns
    -------
    Figure
        At most `most` images; above each, its label and the answers of all models.
    """
    images = {}
    for arrays in _kept_arrays().values():
        images |= dict(zip(arrays["mistake_indices"], arrays["mistake_images"], strict=True))
    indices, answers, labels, _ = common_mistakes()
    shown = [place for place, index in enumerate(indices) if index in images][:most]
    titles = [
        f"{labels[place]}: "
        + ", ".join(map(str, sorted({int(a[place]) for a in answers.values()})))
        for place in shown
    ]
    pictures = np.array([images[indices[place]] for place in shown])
    return figures.image_grid(pictures, titles, columns=5)
