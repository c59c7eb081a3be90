"""What one run shows, or a few: the measures that the verdicts and the chapters share.

Each takes records, and knows nothing of claims.
"""

import numpy as np

from helpers.analysis.tables import values
from helpers.runs.records import read_arrays


def span(records, metric):
    """Return the lowest and the highest value of a figure over runs."""
    measured = values(records, metric)
    return float(measured.min()), float(measured.max())


def count(number, of, what="seeds"):
    """Say "3 of 10 seeds", "all 10 seeds", or "none of 10 seeds"."""
    amount = {0: "none of", of: "all"}.get(number, f"{number} of")
    return f"{amount} {of} {what}"


def silent_classes(record):
    """Count the classes that a run with kept scores never answers on its test images."""
    scores = read_arrays(record.experiment, record.scale, record.seed)["scores"]
    return scores.shape[1] - len(np.unique(scores.argmax(axis=1)))


def crippled(record):
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
    return bool((np.diff(loss) < 0).all())


def breakthrough(record, window=20, faster=2.0, share=0.1):
    """Return the epoch at which a run's loss begins a sudden fall, None if it never does.

    Suddenly means: over `window` logged epochs it falls at least `faster` times as far as over
    the `window` before, and by at least `share` of its whole fall. A loss that only slows down,
    as most do, never qualifies.
    """
    # The lowest loss so far: coming down again from a spike is not a breakthrough.
    loss = np.minimum.accumulate(np.array(record.history["loss"], dtype=float))
    fall = loss[:-window] - loss[window:]  # over the window that starts at each logged epoch
    before, after = fall[:-window], fall[window:]
    sudden = (after > faster * before) & (after > share * (loss[0] - loss[-1]))
    if not sudden.any():
        return None
    return int(record.history["epoch"][window + np.where(sudden, after, -np.inf).argmax()])


def batch_curve(record, start, stop):
    """Return by how much a run's training accuracy rises between two points of the training.

    Parameters
    ----------
    record : Record
        Of a PyTorch model, with its curve over batches kept.
    start, stop : float
        In epochs; the accuracy at a point is the mean over the 5 entries (50 steps) that
        end there, or over the first entry at the very start.

    Returns
    -------
    float
    """
    curve = read_arrays(record.experiment, record.scale, record.seed)["curve_accuracy"]
    per_epoch = len(curve) / len(record.history["epoch"])
    ends = [round(per_epoch * point) for point in (start, stop)]
    low, high = (curve[max(end - 5, 0) : end].mean() if end else curve[0] for end in ends)
    return float(high - low)
