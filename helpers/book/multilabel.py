"""Practice 4's own tables, and its figures over epochs and of calibration.

Everything comes from `Answers`: what a model said about the evaluation images, with the records
of the runs that it comes from. Precision and recall have figures of their own in
`helpers.book.pr_figures`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from helpers.analysis import metrics, summaries
from helpers.analysis.uncertainty import (
    RESAMPLES,
    bootstrap,
    reliability_curve,
)
from helpers.book import figures

#: The figures of a decision: key in `helpers.analysis.metrics.summarise` -> title of the column.
DECIDED = {"accuracy": "accuracy", "precision": "precision", "recall": "recall", "f1": "F1"}
RANKED = {"mean_average_precision": "mAP"}
NONE = "–"


@dataclass(frozen=True)
class Answers:
    """What a model said about the evaluation images.

    Attributes
    ----------
    probabilities : ndarray of float, [S, N, K]
        Of each of S runs, which differ in their seed.
    records : tuple of Record, [S]
        Empty for an answer that no run gave, such as a constant one.
    thresholds : float or ndarray [K]
        From which probability on it says yes.
    """

    probabilities: np.ndarray
    records: tuple = ()
    thresholds: float | np.ndarray = 0.5

    @classmethod
    def of_runs(cls, records, logits, thresholds=0.5):
        """Take the answers from recorded runs and their kept scores.

        Parameters
        ----------
        records : sequence of Record, [S]
        logits : sequence of array [N, K], one for each run
        thresholds : float or array [K]
            Probabilities.
        """
        return cls(expit(np.array(logits, dtype=np.float64)), tuple(records), thresholds)

    @classmethod
    def constant(cls, probabilities):
        """Take the answers [N, K] of `helpers.analysis.metrics.constant_baselines`."""
        return cls(np.asarray(probabilities)[None])


# ------------------------------------------------------------------------------ tables


def results_table(answers, targets, rng, resamples=RESAMPLES):
    """Tabulate how good each model's answers are, and what the model is.

    Parameters
    ----------
    answers : dict name -> Answers
        From top to bottom; the baselines among them.
    targets : array of 0 and 1, [N, K]
    rng : numpy.random.Generator
        For the intervals.
    resamples : int
        As for `helpers.analysis.uncertainty.bootstrap`.

    Returns
    -------
    DataFrame of str
        Each figure is computed over all images and averaged over the seeds; F1 and mAP have
        95% intervals over images. A precision where a seed predicts nothing is left open. A
        checkpoint is every parameter in float32.
    """
    rows = []
    seed = rng.integers(2**32)  # all rows are of the same resampled images
    for name, said in answers.items():
        row = {"model": name, **_size(said.records)}
        images = np.random.default_rng(seed)
        found = bootstrap(said.probabilities, targets, said.thresholds, images, resamples)
        for key, title in (DECIDED | RANKED).items():
            interval = found[key]
            wide = key in ("f1", "mean_average_precision") and interval.low < interval.high
            row[title] = f"{interval:.3f}" if wide else f"{interval.estimate:.3f}"
        if not all(metrics.decide(p, said.thresholds).any() for p in said.probabilities):
            row["precision"] = NONE
        rows.append(row)
    return pd.DataFrame(rows)


def _size(records):
    """Return the columns that say what was trained, and how long."""
    if not records:
        return {"trained": NONE, "parameters (checkpoint)": NONE}
    first = records[0]
    side, epochs = first.config["data"]["size"], first.config["epochs"]
    size = f"{first.parameters:,} ({first.parameters * 4 / 2**20:.1f} MiB)"
    return {
        "trained": f"{side} px, {epochs} epochs, {summaries.format_seeds(records)}",
        "parameters (checkpoint)": size,
    }


def published_table(answers, targets, published, batch_size):
    """Tabulate the published figures beside ours, in the original's way and in the right one.

    Parameters
    ----------
    answers : dict name -> sequence of Answers
        Of recorded runs whose history has `eval_accuracy` after each epoch.
    targets : array of 0 and 1, [N, K]
    published : dict name -> dict
        `accuracy`, `precision`, `recall` and `f1`; a model that is not in it has none.
    batch_size : int
        Images in a batch of the original's evaluation.

    Returns
    -------
    DataFrame of str
        For each model a row as published, and for each of its answers ours in the original's
        way, and ours. Means over seeds.
    """
    rows = []
    for name, groups in answers.items():
        ways = {("as published", NONE): [published[name]] if name in published else []}
        for said in groups:
            trained = _size(said.records)["trained"]
            ways["ours, in the original's way", trained] = [
                original_figures(record, p, targets, said.thresholds, batch_size)
                for record, p in zip(said.records, said.probabilities, strict=True)
            ]
            ways["ours, over all images", trained] = [
                metrics.summarise(p, targets, said.thresholds) for p in said.probabilities
            ]
        for (way, trained), seeds in ways.items():
            row = {"model": name, "figures": way, "trained": trained}
            for key, title in DECIDED.items():
                row[title] = f"{np.mean([s[key] for s in seeds]):.4f}" if seeds else NONE
            rows.append(row)
    return pd.DataFrame(rows)


def original_figures(record, probabilities, targets, thresholds, batch_size):
    """Compute a run's figures as the original course did.

    Parameters
    ----------
    record : Record
        Its history has `eval_accuracy`, over all images, after each epoch. Unless the last batch
        is smaller than the others, that is the mean over the batches, too.
    probabilities, targets : array [N, K]
        After the last epoch.
    thresholds : float or array [K]
    batch_size : int

    Returns
    -------
    dict of float
        As from `helpers.analysis.metrics.original_way`.
    """
    last = metrics.batch_means(probabilities, targets, thresholds, batch_size)
    before = [value for value in record.history["eval_accuracy"][:-1] if value is not None]
    return metrics.original_way([*({"accuracy": value} for value in before), last])


# ----------------------------------------------------------------------------- figures


def gap_figure(settings):
    """Draw the validation loss over the epochs, and how far it lies above the training loss.

    Parameters
    ----------
    settings : dict name -> sequence of Record
        Whose history has "loss" and "eval_loss".

    Returns
    -------
    Figure
        Means over seeds, with bands from the lowest to the highest. The training loss is
        measured during the epoch, with augmentation and dropout, so the gap may begin below 0.
    """
    epochs, judged, gaps = {}, {}, {}
    for name, records in settings.items():
        steps, train = summaries.history(records, "loss")
        judged[name] = summaries.history(records, "eval_loss")[1]
        gaps[name] = judged[name] - train
        epochs[name] = steps + 1
    figure, (above, below) = figures.new_figure(2, 1, height=6.6, sharex=True)
    figures.curves(epochs, judged, ylabel="validation loss", xlabel="", ax=above)
    figures.curves(epochs, gaps, ylabel="gap to training", ax=below)
    below.axhline(0, color=figures.BLACK, linewidth=1, linestyle=":")
    below.get_legend().remove()
    figures.legend_above(above, ncols=2)
    return figure


def reliability_figure(probabilities, targets, bins=10):
    """Draw how often a class is there against the probability that a model gives it.

    Parameters
    ----------
    probabilities : dict name -> array [N, K]
        What each model says.
    targets : array of 0 and 1, [N, K]
    bins : int

    Returns
    -------
    Figure
        A point for each group of pairs of image and class, with Wilson's interval.
    """
    ax = figures.axes_or_new(None, height=5.6)
    ax.plot([0, 1], [0, 1], color=figures.BLACK, linestyle=":", label="perfectly calibrated")
    for i, (name, said) in enumerate(probabilities.items()):
        stated, true = reliability_curve(said, targets, bins)
        figures.sweep(
            stated, true, "probability that the model states", "share in which the class is there",
            log_x=False, label=name, index=i, ax=ax,
        )  # fmt: skip
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return ax.figure
