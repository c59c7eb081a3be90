"""The claims of practices 1 and 2 put to the test, by the rules that `findings.rule` describes."""

import numpy as np

from helpers.analysis.stats import NO, UNCLEAR, YES, difference_interval, mean_interval, wilson
from helpers.analysis.summaries import (
    difference,
    epochs_to,
    interval,
    lost_class,
    still_falling,
    sudden_drop,
    values,
)
from helpers.claims.findings import (
    COSTLY,
    FAR,
    FASTER,
    LITTLE,
    PUBLISHED_MNIST,
    WIDE_DIGITS,
    WIDE_LOSS,
    Verdict,
    one_more,
)
from helpers.data.datasets import bayes_accuracy
from helpers.runs.catalogue.mlps import HIDDEN_SIZES, LEARNING_RATES, WEIGHT_DECAYS
from helpers.runs.experiments import recorded

# -------------------------------------------------------------------------- practice 1


def separated(runs):
    """Return which runs come near the Bayes-optimal accuracy, bool [n], and that accuracy."""
    best = bayes_accuracy(noise=runs[0].config["data"]["noise"])
    return values(runs, "eval_accuracy") > best - FAR, best


def c1_1(recorded=recorded):
    """Test whether the network separates the moons, and whether its boundary settles."""
    runs = recorded("moons-published")
    accuracy = values(runs, "eval_accuracy")
    longer = values(recorded("moons-long"), "eval_accuracy")
    there, best = separated(runs)
    share = wilson(int(there.sum()), len(runs))
    gain, settles = [], Verdict.INCONCLUSIVE  # one run has no interval
    if there.sum() > 1:
        gain = difference_interval(longer[there], accuracy[there], paired=True)
        settles = Verdict.from_answers(gain.inside(LITTLE))
    return {"separates": Verdict.from_share(share), "settles": settles}, {
        "separated": (there.sum(), len(runs)),
        "best": best,
        "share": share,
        "low": accuracy[there].min(initial=1),
        "high": accuracy[there].max(initial=0),
        "gain": gain,
        "others": [] if there.all() else [accuracy[~there].mean()],
    }


# -------------------------------------------------------------------------- practice 2


#: What the course published on MNIST: our name -> its key in `published.toml`, and in a record.
PARTS = {
    f"{name} {figure}": (f"{key}_{figure}", f"{ours}_{figure}")
    for name, key, ours in (("training", "train", "train"), ("test", "test", "eval"))
    for figure in ("loss", "accuracy")
}


def c2_1(recorded=recorded):
    """Test whether the published losses and accuracies are reproduced."""
    runs, wide = recorded("mnist-published"), recorded("tenth-output-relu-wide")
    parts, each = {}, {}
    for part, (key, metric) in PARTS.items():
        ours, published = values(runs, metric), PUBLISHED_MNIST[key]
        limit = WIDE_LOSS * published if "loss" in key else WIDE_DIGITS
        parts[part] = Verdict.from_number(ours, published, limit)
        each[part] = one_more(ours, published)
    return parts, {"each": each, "lost": (sum(map(lost_class, wide)), len(wide))}


def c2_2(recorded=recorded):
    """Test whether the hinge is the best of the three losses."""

    def gains(hinge, name):
        others = {"cross-entropy": "cross-entropy", "MSE": "mse"}
        return {
            about: difference(recorded(hinge), recorded(name.format(loss)), "eval_accuracy")
            for about, loss in others.items()
        }

    original = gains("tenth-output-relu", "tenth-loss-{}-original")
    tuned = gains("tenth-loss-hinge-tuned", "tenth-loss-{}-tuned")
    return {
        "original": Verdict.if_above(0, *original.values()),
        "mse": Verdict.if_above(0, tuned["MSE"]),
        "cross_entropy": Verdict.if_above(0, tuned["cross-entropy"]),
    }, {"original": original, "tuned": tuned}


def c2_3(recorded=recorded):
    """Test whether ReLU converges far faster than sigmoid, trains faster, and ends better."""
    pairs = {
        "own": ("tenth-loss-hinge-tuned", "tenth-sigmoid-tuned"),
        "same": ("tenth-reference", "tenth-sigmoid-glorot"),
    }
    found = {}
    for settings, names in pairs.items():
        relu, sigmoid = map(recorded, names)
        factor, faster = speed(relu, sigmoid)
        cost, cheaper = speed(relu, sigmoid, seconds=True)
        gain = difference(relu, sigmoid, "eval_accuracy")
        found[settings] = {"factor": factor, "cost": cost, "gain": gain}
        if settings == "own":
            answers = {"converges": faster, "trains": cheaper, "ends": gain.above(0)}
    return {part: Verdict.from_answers(answer) for part, answer in answers.items()}, found


LEVEL = 0.9  # of the training accuracy, to which both are timed


def speed(relu, sigmoid, seconds=False):
    """Return how many times as long sigmoid takes to a training accuracy, and if far longer.

    In epochs, or in seconds of processor time. In the `Interval`, a run that never gets there
    counts as if it had with its last epoch. The `Answer` is NO if more ReLU than sigmoid networks
    never do, and never YES if a ReLU does not.
    """
    ours, theirs = ([epochs_to(run, LEVEL) for run in group] for group in (relu, sigmoid))
    ends = [run.history["epoch"][-1] + 1 for run in sigmoid]
    factors = [(b or end) / (a or end) for a, b, end in zip(ours, theirs, ends, strict=True)]
    if seconds:
        factors *= values(sigmoid, "cpu_seconds") / values(relu, "cpu_seconds")
    factor = mean_interval(factors, low=0)
    if None in ours:
        return factor, NO if ours.count(None) > theirs.count(None) else UNCLEAR
    if None in theirs:  # the factor is only the least that it can be
        return factor, YES if factor.above(FASTER) is YES else UNCLEAR
    return factor, factor.above(FASTER)


def c2_4(recorded=recorded):
    """Test whether large rates fail, small ones crawl, and the loss then falls suddenly."""
    sweep = {rate: recorded(f"tenth-rate-{rate}") for rate in LEARNING_RATES}
    best, behind = rates_far_behind(sweep)
    at = {rate: f"{rate} ({values(r, 'eval_accuracy').mean():.2f})" for rate, r in sweep.items()}
    larger, smaller = [r for r in behind if r > best], [r for r in behind if r < best]
    small = [run for name in SMALL_RATE_NAMES for run in recorded(name)]
    sudden = [sudden_drop(run) is not None for run in small]
    return {
        "too_large": Verdict.from_answers(bool(larger)),
        "too_small": Verdict.from_answers(bool(smaller)),
        "emergence": Verdict.overall(map(Verdict.from_answers, sudden)),
    }, {
        "n": len(sweep[best]),
        "best": at[best],
        "larger": [at[rate] for rate in larger],
        "smaller": [at[rate] for rate in smaller],
        "falling": (sum(map(still_falling, small)), len(small), "runs"),
        "sudden": (sum(sudden), len(small), "runs"),
    }


def rates_far_behind(sweep):
    """Return the learning rate of the highest mean accuracy, and those that end far behind it.

    Of dict rate -> list of Record those are far behind whose mean is more than `FAR` below, or
    of which a run diverged.
    """
    means = {
        rate: values(runs, "eval_accuracy").mean()
        for rate, runs in sweep.items()
        if not any(run.diverged for run in runs)
    }
    best = max(means, key=means.get)
    near = [rate for rate, mean in means.items() if mean >= means[best] - FAR]
    return best, [rate for rate in sweep if rate not in near]


SMALL_RATE_NAMES = (
    "tenth-rate-0.0001", "tenth-rate-0.001", "tenth-rate-0.01",
    "tenth-output-relu-rate-0.001", "tenth-output-relu-rate-0.01",
    "tenth-sigmoid-glorot-rate-0.01", "tenth-sigmoid-glorot-rate-0.1",
)  # fmt: skip


def c2_5(recorded=recorded):
    """Test whether learning-rate decay makes little difference."""
    reference = recorded("tenth-reference")
    others = {
        "without": "tenth-decay-off",
        "constant": "tenth-rate-0.2",
        "cosine": "tenth-decay-to-zero",
    }
    gains = {
        part: difference(recorded(name), reference, "eval_accuracy")
        for part, name in others.items()
    }
    return {part: Verdict.from_answers(gain.inside(LITTLE)) for part, gain in gains.items()}, gains


def c2_6(recorded=recorded):
    """Test whether too strong a regularisation hurts."""
    sweep = {decay: recorded(lambda_name(decay)) for decay in sorted((*WEIGHT_DECAYS, 0.01))}
    *weaker, strongest = sweep
    best = max(weaker, key=lambda decay: values(sweep[decay], "eval_accuracy").mean())
    change = difference(sweep[strongest], sweep[best], "eval_accuracy")
    return {"hurts": Verdict.if_above(0, -change)}, {
        "strongest": strongest,
        "best": best,
        "accuracy": interval(sweep[best], "eval_accuracy"),
        "change": change,
        "strongest_loss": values(sweep[strongest], "train_loss").mean(),
        "best_loss": values(sweep[best], "train_loss").mean(),
    }


def lambda_name(weight_decay):
    """Return the experiment with that λ."""
    return "tenth-reference" if weight_decay == 0.01 else f"tenth-lambda-{weight_decay}"


def hidden_name(units):
    """Return the experiment with that many hidden units."""
    return "tenth-reference" if units == 256 else f"tenth-hidden-{units}"


def c2_7(recorded=recorded):
    """Test whether more hidden units bring nothing, and too few harm."""
    few, most = min(HIDDEN_SIZES), max(HIDDEN_SIZES)
    least, middle, largest = (recorded(hidden_name(units)) for units in (few, 256, most))
    gain = difference(largest, middle, "eval_accuracy")
    harm = difference(least, middle, "eval_accuracy")
    cost = np.divide(*(values(runs, "cpu_seconds").mean() for runs in (largest, middle)))
    return {
        "more": Verdict.if_above(-LITTLE, -gain),
        "cost": Verdict.from_answers(cost > COSTLY),
        "few": Verdict.if_above(0, -harm),
    }, {"few": few, "most": most, "gain": gain, "harm": harm, "cost": cost}
