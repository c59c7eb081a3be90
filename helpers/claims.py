"""The course's claims, each put to the test: what was measured, and the verdict that follows.

Each function takes the recorded runs of one claim and applies a rule that is fixed in code,
so that new records change the verdict and nobody's wish does. Chapters and the findings page
show the same `Finding`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.course import CLAIMS, PUBLISHED_MNIST
from helpers.experiments import recorded
from helpers.moons import best_accuracy
from helpers.prose import verdict
from helpers.records import read_arrays
from helpers.registry import HIDDEN_SIZES, LAMBDAS, RATES
from helpers.stats import difference_interval, mean_interval, wilson
from helpers.tables import difference, interval, values

CLOSE = 0.003  # accuracy: near enough to a published value to say that it came out again
LITTLE = 0.005  # accuracy: a difference inside ±0.005 changes nobody's choice
FAR = 0.05  # accuracy: who ends this far behind the best has not arrived

HOLDS, LIMITED, FAILS = "holds", "holds with limits", "does not hold"


@dataclass(frozen=True)
class Finding:
    """A claim's test.

    Attributes
    ----------
    claim : its number.
    test : what was compared, in a few words.
    effect : what was measured, with intervals and numbers of runs.
    answer : one of `helpers.course.VERDICTS`.
    """

    claim: str
    test: str
    effect: str
    answer: str


# ------------------------------------------------------------------- what a run shows


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
    return record.metrics["train_accuracy"] < 0.92


def epochs_to(record, accuracy):
    """Return how many epochs a run took to a training accuracy; None if it never got there."""
    for epoch, value in zip(record.history["epoch"], record.history["accuracy"], strict=True):
        if value is not None and value >= accuracy:
            return epoch + 1
    return None


def breakthrough(record, window=20, faster=2.0, share=0.1):
    """Return the epoch at which a run's loss begins a sudden fall, None if it never does.

    Suddenly means: over `window` epochs it falls at least `faster` times as far as over the
    `window` epochs before, and by at least `share` of its whole fall. A loss that only slows
    down, as most do, never qualifies.
    """
    # The lowest loss so far: coming down again from a spike is not a breakthrough.
    loss = np.minimum.accumulate(np.array(record.history["loss"], dtype=float))
    fall = loss[:-window] - loss[window:]  # over the window that starts at each epoch
    before, after = fall[:-window], fall[window:]
    sudden = (after > faster * np.maximum(before, 0)) & (after > share * (loss[0] - loss[-1]))
    return int(np.where(sudden, after, -np.inf).argmax()) + window if sudden.any() else None


# -------------------------------------------------------------------------- practice 1


def _c1_1():
    """Test whether the network separates the moons, and whether its boundary settles."""
    runs, longer = recorded("moons-published"), recorded("moons-long")
    best = best_accuracy(noise=runs[0].config["data"]["noise"])
    accuracy = values(runs, "eval_accuracy")
    there = accuracy > best - FAR
    share = wilson(int(there.sum()), len(runs))
    gain = difference_interval(values(longer, "eval_accuracy")[there], accuracy[there], paired=True)
    effect = (
        f"{count(there.sum(), len(runs))} come near the best possible accuracy, {best:.3f} (a "
        f"share of {share:.2f}); they end between {accuracy[there].min():.3f} and "
        f"{accuracy[there].max():.3f}, and four times as many epochs change that by {gain:+.4f}. "
        f"The others end at {accuracy[~there].mean():.2f}, a straight line through both moons."
    )
    settled = max(abs(gain.low), abs(gain.high)) <= LITTLE
    answer = HOLDS if there.all() and settled else LIMITED if share.low > 0.5 else FAILS
    return Finding("C1.1", "The published settings, held-out points", effect, answer)


# -------------------------------------------------------------------------- practice 2


def _c2_1():
    """Test whether the published accuracy comes out again."""
    runs, wide = recorded("mnist-published"), recorded("tenth-output-relu-wide")
    target = PUBLISHED_MNIST["test_accuracy"]
    close = [run for run in runs if abs(run.metrics["eval_accuracy"] - target) <= CLOSE]
    low, high = span(runs, "eval_accuracy")
    effect = (
        f"Published {target:.4f}; {count(len(close), len(runs))} come within {CLOSE} of it, from "
        f"{low:.4f} to {high:.4f}. On a tenth of the images, "
        f"{count(sum(map(crippled, wide)), len(wide))} lose a class to the ReLU on the scores."
    )
    answer = HOLDS if len(close) == len(runs) else LIMITED if close else FAILS
    return Finding("C2.1", "The published run with its quirks, on all of MNIST", effect, answer)


TUNED = ("hinge", "cross-entropy", "mse")


def _c2_2():
    """Test whether the hinge is the best of the three losses."""
    original = {
        "cross-entropy": recorded("tenth-loss-cross-entropy-original"),
        "MSE": recorded("tenth-loss-mse-original"),
    }
    hinge_original = recorded("tenth-output-relu")
    hinge, *others = (recorded(f"tenth-loss-{loss}-tuned") for loss in TUNED)
    as_computed = [difference(hinge_original, runs, "eval_accuracy") for runs in original.values()]
    tuned = [difference(hinge, runs, "eval_accuracy") for runs in others]
    effect = (
        "Hinge minus the other loss, in accuracy. As the original computed them: "
        + "; ".join(f"{name} {d:+.3f}" for name, d in zip(original, as_computed, strict=True))
        + ". Computed correctly, each with its own learning rate and λ: "
        + "; ".join(f"{name} {d:+.4f}" for name, d in zip(original, tuned, strict=True))
        + f" (n = {len(hinge)} seeds)."
    )
    if all(d.low > 0 for d in tuned):
        answer = HOLDS
    elif any(d.high < 0 for d in tuned) or not all(d.low > 0 for d in as_computed):
        answer = FAILS
    else:
        answer = LIMITED
    test = "Three losses, as the original computed them and as they are meant, on a tenth of MNIST"
    return Finding("C2.2", test, effect, answer)


def _c2_3():
    """Test whether ReLU converges far faster than sigmoid, and ends better."""
    relu = recorded("tenth-reference")
    same = recorded("tenth-sigmoid-glorot")
    faster = recorded("tenth-sigmoid-glorot-3")
    level = 0.9
    effect, wins = [], []
    for name, runs in (("at the same rates", same), ("at three times the rates", faster)):
        gain = difference(relu, runs, "eval_accuracy")
        ours, theirs = ([epochs_to(run, level) for run in group] for group in (relu, runs))
        if None in theirs:
            speed = f"sigmoid never reaches {level:.0%} training accuracy"
            factor = np.inf
        else:
            factor = mean_interval(np.array(theirs) / np.array(ours))
            speed = f"sigmoid takes {factor:.1f} times as many epochs to {level:.0%}"
            factor = factor.low
        effect.append(f"{name}, {speed}, and ReLU ends {gain:+.4f} in accuracy ahead")
        wins.append((factor > 1.5, gain.low > 0))
    effect = f"Each with its own initialisation, n = {len(relu)}: " + "; ".join(effect) + "."
    flat = [won for pair in wins for won in pair]
    answer = HOLDS if all(flat) else LIMITED if all(wins[0]) else FAILS
    return Finding("C2.3", "ReLU against sigmoid on a tenth of MNIST", effect, answer)


def _c2_4():
    """Test whether large rates fail, small ones crawl, and the loss then falls suddenly."""
    sweep = {rate: recorded(f"tenth-rate-{rate}") for rate in RATES}
    best, behind = rates_far_behind(sweep)
    small = {name: recorded(name) for name in SMALL_RATE_NAMES}
    sudden = [breakthrough(run) is not None for runs in small.values() for run in runs]
    effect = (
        f"Best is a rate of {best}. More than {FAR} below its accuracy after 400 epochs: rates of "
        f"{_listed([rate for rate in behind if rate > best])}, which never settle, and "
        f"of {_listed([rate for rate in behind if rate < best])}, which crawl. The loss falls "
        f"suddenly in {sum(sudden)} of {len(sudden)} runs at small rates."
    )
    both_ends = any(rate > best for rate in behind) and any(rate < best for rate in behind)
    answer = FAILS if not both_ends else HOLDS if all(sudden) else LIMITED
    return Finding("C2.4", "Constant learning rates from 0.0001 to 2", effect, answer)


def rates_far_behind(sweep):
    """Find the best learning rate and those that end far behind it.

    Parameters
    ----------
    sweep : dict rate -> list of Record

    Returns
    -------
    float, list of float
        The rate with the highest mean accuracy, and those whose mean is more than `FAR`
        below it or of which a run diverged.
    """
    means = {
        rate: np.mean([0 if run.diverged else run.metrics["eval_accuracy"] for run in runs])
        for rate, runs in sweep.items()
    }
    best = max(means, key=means.get)
    return best, [rate for rate, mean in means.items() if mean < means[best] - FAR]


SMALL_RATE_NAMES = (
    "tenth-rate-0.0001", "tenth-rate-0.001", "tenth-rate-0.01",
    "tenth-output-relu-rate-0.001", "tenth-output-relu-rate-0.01",
    "tenth-sigmoid-glorot-rate-0.01", "tenth-sigmoid-glorot-rate-0.1",
)  # fmt: skip


def _listed(numbers):
    *first, last = map(str, numbers) if numbers else ["(none)"]
    return f"{', '.join(first)} and {last}" if first else last


def _c2_5():
    """Test whether learning-rate decay makes little difference."""
    reference = recorded("tenth-reference")
    others = {
        "without decay": recorded("tenth-decay-off"),
        "constant 0.2": recorded("tenth-rate-0.2"),
        "one cosine to 0": recorded("tenth-decay-to-zero"),
    }
    gains = {name: difference(runs, reference, "eval_accuracy") for name, runs in others.items()}
    effect = (
        "Accuracy against the course's schedule: "
        + "; ".join(f"{name} {gain:+.4f}" for name, gain in gains.items())
        + f" (n = {len(reference)} seeds, paired)."
    )
    inside = [max(abs(gain.low), abs(gain.high)) <= LITTLE for gain in gains.values()]
    answer = HOLDS if all(inside) else LIMITED if any(inside) else FAILS
    return Finding("C2.5", "The schedule with and without its decay", effect, answer)


def _c2_6():
    """Test whether too strong a regularisation hurts."""
    sweep = {decay: recorded(lambda_name(decay)) for decay in sorted((*LAMBDAS, 0.01))}
    means = {decay: interval(runs, "eval_accuracy") for decay, runs in sweep.items()}
    best = max(means, key=lambda decay: means[decay].estimate)
    strongest = max(means)
    loss = difference(sweep[strongest], sweep[best], "eval_accuracy")
    effect = (
        f"Best at λ = {best}: accuracy {means[best]:.4f}. At λ = {strongest} it is {loss:+.3f} "
        f"(n = {loss.n} seeds, paired), and the training loss ends at "
        f"{interval(sweep[strongest], 'train_loss').estimate:.2f} instead of "
        f"{interval(sweep[best], 'train_loss').estimate:.2f}."
    )
    answer = HOLDS if loss.high < 0 and best < strongest else FAILS
    return Finding("C2.6", "λ from 0 to 1", effect, answer)


def lambda_name(weight_decay):
    """Return the experiment with that λ."""
    return "tenth-reference" if weight_decay == 0.01 else f"tenth-lambda-{weight_decay}"


def hidden_name(units):
    """Return the experiment with that many hidden units."""
    return "tenth-reference" if units == 256 else f"tenth-hidden-{units}"


def _c2_7():
    """Test whether more hidden units bring nothing, and too few harm."""
    sizes = sorted((*HIDDEN_SIZES, 256))
    sweep = {units: recorded(hidden_name(units)) for units in sizes}
    few, most = sizes[0], sizes[-1]
    gain = difference(sweep[most], sweep[256], "eval_accuracy")
    harm = difference(sweep[few], sweep[256], "eval_accuracy")
    cost = values(sweep[most], "cpu_seconds").mean() / values(sweep[256], "cpu_seconds").mean()
    effect = (
        f"Against 256 hidden units: {most:,} change the accuracy by {gain:+.4f} and cost "
        f"{cost:.0f} times the processor time; {few} change it by {harm:+.4f} "
        f"(n = {len(sweep[most])} seeds, paired)."
    )
    answer = FAILS
    if harm.high < 0:
        answer = HOLDS if gain.high <= LITTLE else LIMITED
    return Finding("C2.7", "16 to 4,096 hidden units", effect, answer)


# -------------------------------------------------------------------------- all of them

TESTS = {
    "C1.1": _c1_1,
    "C2.1": _c2_1,
    "C2.2": _c2_2,
    "C2.3": _c2_3,
    "C2.4": _c2_4,
    "C2.5": _c2_5,
    "C2.6": _c2_6,
    "C2.7": _c2_7,
}


def finding(claim):
    """Test one claim.

    Parameters
    ----------
    claim : str
        Its number, a key of `helpers.course.CLAIMS`.

    Returns
    -------
    Finding

    Raises
    ------
    KeyError
        If there is no such claim.
    """
    if claim not in CLAIMS:
        raise KeyError(f"unknown claim {claim!r}: choose one of {', '.join(CLAIMS)}")
    return TESTS[claim]()


def show(claim):
    """Show a claim's verdict in a box, for a chapter."""
    found = finding(claim)
    return verdict(claim, found.answer, f"{found.test}. {found.effect}")


def overview():
    """Tabulate every claim that has a test, with its verdict.

    Returns
    -------
    DataFrame of str
    """
    return pd.DataFrame(
        [
            {
                "what the course says": f"{claim} {CLAIMS[claim]}",
                "verdict": finding(claim).answer,
            }
            for claim in TESTS
        ]
    )


def details():
    """Say what was tested and measured for each claim, one paragraph of Markdown each."""
    return [
        f"**{found.claim}: {found.answer}.** {found.test}. {found.effect}"
        for found in map(finding, TESTS)
    ]
