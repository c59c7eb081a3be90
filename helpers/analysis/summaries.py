"""From recorded runs to numbers, and from numbers to text.

Everything is turned into text here, in one way, so that a table looks the same on every machine.
The statistics are those of `helpers.analysis.stats`.
"""

import numpy as np
import pandas as pd

from helpers.analysis.stats import difference_interval, mean_interval
from helpers.runs.records import read_arrays


def values(records, metric):
    """Return one number per run, float64 [n], nan where a run has none because it diverged.

    The metric is a key of the records' `metrics`, or a numeric attribute such as `wall_seconds`;
    another is an AttributeError.
    """
    found = [r.metrics[metric] if metric in r.metrics else getattr(r, metric) for r in records]
    return np.array(found, dtype=np.float64)


SHARES = ("accuracy", "exact_match", "precision", "recall", "f1", "average_precision", "_units")


def bounds(metric):
    """Return the range of a figure: shares end at 1, and nothing that is recorded is below 0."""
    return 0.0, 1.0 if metric.endswith(SHARES) else np.inf


def interval(records, metric):
    """Return the mean of a figure over its runs with Student's interval, None if one diverged."""
    measured = values(records, metric)
    return mean_interval(measured, *bounds(metric)) if np.isfinite(measured).all() else None


def difference(records, baseline, metric):
    """Estimate how much larger a figure, as for `values`, is in some runs than in the baseline's.

    Runs of the same seeds on the same data are compared pair by pair, others by Welch's interval.
    """
    shared = [(record.seed, record.data_checksum) for record in records]
    paired = shared == [(record.seed, record.data_checksum) for record in baseline]
    return difference_interval(values(records, metric), values(baseline, metric), paired)


def same_seeds(records, others):
    """Return those records whose seed is among the others', so that both can be paired."""
    seeds = {record.seed for record in others}
    return [record for record in records if record.seed in seeds]


def history(records, name):
    """Return the course of a figure of the records' `history` over the epochs.

    Returns
    -------
    epochs : ndarray of int, [T]
        Of all runs; a ValueError says if they were logged at different ones.
    values : ndarray [n, T]
        nan where not measured.
    """
    epochs = records[0].history["epoch"]
    for record in records:
        if record.history["epoch"] != epochs:
            raise ValueError(
                f"{record.experiment}, seed {record.seed}, was logged at other epochs than "
                f"{records[0].experiment}, seed {records[0].seed}: draw them separately."
            )
    courses = [record.history[name] for record in records]
    return np.array(epochs, dtype=np.int64), np.array(courses, dtype=np.float64)


def summary(settings, metrics, head="setting"):
    """Tabulate settings: one row each, with mean and interval of every figure.

    Parameters
    ----------
    settings : dict name -> sequence of Record
        From top to bottom; the name is what the reader sees.
    metrics : dict metric -> (label, format)
        The columns, for example `{"eval_accuracy": ("test accuracy", ".4f")}`.
    head : str
        Title of the first column.

    Returns
    -------
    DataFrame of str, as `cell` writes it
    """
    rows = []
    for name, records in settings.items():
        row = {head: name, "seeds": str(len(records))}
        for metric, (label, spec) in metrics.items():
            row[label] = cell(values(records, metric), spec, metric)
        rows.append(row)
    return pd.DataFrame(rows)


def cell(measured, spec, metric=""):
    """Write the mean of some runs' figures [n] with its interval, or one run's alone.

    Where a run diverged, its figure is nan, and it is said how many did. The interval is within
    the `bounds` of the metric.
    """
    lost = int((~np.isfinite(measured)).sum())
    if lost:
        return f"{lost} of {len(measured)} diverged"
    if len(measured) == 1:
        return f"{measured[0]:{spec}}"
    return f"{mean_interval(measured, *bounds(metric)):{spec}}"


def format_count(number, of, what="seeds"):
    """Write "3 of 10 seeds", "all 10 seeds", or "none of 10 seeds"."""
    amount = {0: "none of", of: "all"}.get(number, f"{number} of")
    return f"{amount} {of} {what}"


def format_seeds(records):
    """Write on how many seeds a figure rests."""
    return "1 seed" if len(records) == 1 else f"{len(records)} seeds"


def format_n(difference):
    """Write on how many seeds a difference rests."""
    if isinstance(difference.n, int):
        return f"n = {difference.n} seeds, paired"
    return "n = {} and {} seeds".format(*difference.n)


def join_words(words):
    """Write "a, b and c", or "none"."""
    *first, last = [*words] or ["none"]
    return f"{', '.join(first)} and {last}" if first else last


# ------------------------------------------------------------ what a run shows


def span(records, metric):
    """Return the lowest and the highest value of a figure over runs."""
    measured = values(records, metric)
    return float(measured.min()), float(measured.max())


def never_predicted(record):
    """Count the classes that a run with kept scores never predicts on its test images."""
    scores = read_arrays(record.experiment, record.scale, record.seed)["scores"]
    return scores.shape[1] - len(np.unique(scores.argmax(axis=1)))


def lost_class(record):
    """Whether a run ends without one of ten digits, or nearly so.

    Without one of them no network is right on more than about 0.91 of the training images;
    with all of them, the networks of practice 2 get further.
    """
    return bool(values([record], "train_accuracy")[0] < 0.92)


def epochs_to(record, accuracy):
    """Return how many epochs a run took to a training accuracy; None if it never got there."""
    for epoch, value in zip(record.history["epoch"], record.history["accuracy"], strict=True):
        if value is not None and value >= accuracy:
            return int(epoch) + 1
    return None


def still_falling(record, window=40):
    """Whether a run's loss fell from each to the next of its last `window` logged epochs."""
    loss = np.array(record.history["loss"][-window - 1 :], dtype=float)
    return len(loss) > window and bool((np.diff(loss) < 0).all())


def sudden_drop(record, window=20, faster=2.0, share=0.1):
    """Return the epoch at which a run's loss begins a sudden fall, None if it never does.

    Suddenly means: over `window` logged epochs it falls at least `faster` times as far as over
    the `window` before, and by at least `share` of its whole fall. A loss that only slows down,
    as most do, never qualifies.
    """
    # The lowest loss so far: coming down again from a spike is not a sudden drop.
    loss = np.fmin.accumulate(np.array(record.history["loss"], dtype=float))
    fall = loss[:-window] - loss[window:]  # over the window that starts at each logged epoch
    before, after = fall[:-window], fall[window:]
    sudden = (after > faster * before) & (after > share * (loss[0] - loss[-1]))
    if not sudden.any():
        return None
    return int(record.history["epoch"][window + np.where(sudden, after, -np.inf).argmax()])


def batch_curve(record, start, stop):
    """Return by how much a PyTorch model's training accuracy rises from one epoch to another.

    Epochs may be fractions; the accuracy there is the mean over the 5 entries (50 steps) of the
    kept curve that end there, or the first entry at the very start.
    """
    curve = read_arrays(record.experiment, record.scale, record.seed)["curve_accuracy"]
    per_epoch = len(curve) / len(record.history["epoch"])
    ends = [round(per_epoch * point) for point in (start, stop)]
    low, high = (curve[max(end - 5, 0) : end].mean() if end else curve[0] for end in ends)
    return float(high - low)


def loss_oscillation(record, epochs=10):
    """Return by how much the evaluation loss changes from epoch to epoch at the end of a run."""
    return float(np.abs(np.diff(record.history["eval_loss"][-epochs - 1 :])).mean())
