"""The claims of practices 1 and 2 put to the test: rules that turn records into verdicts."""

from helpers.analysis.stats import NO, UNCLEAR, YES, difference_interval, mean_interval, wilson
from helpers.analysis.summaries import (
    difference,
    epochs_to,
    format_count,
    format_differences,
    format_n,
    interval,
    join_words,
    lost_class,
    span,
    still_falling,
    sudden_drop,
    values,
)
from helpers.claims.course import PUBLISHED_MNIST
from helpers.claims.finding import CLOSE, FAILS, FAR, HOLDS, INCONCLUSIVE, LIMITED, LITTLE, Finding
from helpers.data.moons import bayes_accuracy
from helpers.runs.catalogue.numpy_networks import HIDDEN_SIZES, LEARNING_RATES, WEIGHT_DECAYS
from helpers.runs.experiments import recorded

# -------------------------------------------------------------------------- practice 1


def separated(runs):
    """Return which runs come near the best possible accuracy, and that accuracy.

    Returns
    -------
    ndarray of bool, [n]
    float
    """
    best = bayes_accuracy(noise=runs[0].config["data"]["noise"])
    return values(runs, "eval_accuracy") > best - FAR, best


def _c1_1():
    """Test whether the network separates the moons, and whether its boundary settles."""
    runs, longer = recorded("moons-published"), recorded("moons-long")
    accuracy = values(runs, "eval_accuracy")
    there, best = separated(runs)
    share = wilson(int(there.sum()), len(runs))
    effect = (
        f"{format_count(there.sum(), len(runs))} come near the best possible accuracy, {best:.3f} (a "
        f"share of {share:.2f})"
    )
    settled = UNCLEAR
    if there.sum() > 1:
        after = values(longer, "eval_accuracy")[there]
        gain = difference_interval(after, accuracy[there], paired=True)
        settled = gain.inside(LITTLE)
        effect += (
            f"; they end between {accuracy[there].min():.3f} and {accuracy[there].max():.3f}, and "
            f"four times as many epochs change that by {gain:+.4f}"
        )
    if not there.all():
        others = accuracy[~there].mean()
        effect += f". The others end at {others:.2f}, a straight line through both moons"
    if there.all() and settled is YES:
        answer = HOLDS
    else:
        answer = {YES: LIMITED, NO: FAILS, UNCLEAR: INCONCLUSIVE}[share.above(0.5)]
    return Finding("C1.1", "The published settings, held-out points", f"{effect}.", answer)


# -------------------------------------------------------------------------- practice 2


def _c2_1():
    """Test whether the published accuracy comes out again."""
    runs, wide = recorded("mnist-published"), recorded("tenth-output-relu-wide")
    target = PUBLISHED_MNIST["test_accuracy"]
    close = abs(values(runs, "eval_accuracy") - target) <= CLOSE
    low, high = span(runs, "eval_accuracy")
    effect = (
        f"Published {target:.4f}; {format_count(close.sum(), len(runs))} come within {CLOSE} of it, from "
        f"{low:.4f} to {high:.4f}. On a tenth of the images, "
        f"{format_count(sum(map(lost_class, wide)), len(wide))} lose a class to the ReLU on the scores."
    )
    answer = HOLDS if close.all() else LIMITED if close.any() else FAILS
    return Finding("C2.1", "The published run with its quirks, on all of MNIST", effect, answer)


def _c2_2():
    """Test whether the hinge is the best of the three losses."""
    original = {
        "cross-entropy": recorded("tenth-loss-cross-entropy-original"),
        "MSE": recorded("tenth-loss-mse-original"),
    }
    correct = {
        "cross-entropy": recorded("tenth-loss-cross-entropy-tuned"),
        "MSE": recorded("tenth-loss-mse-tuned"),
    }
    as_computed = _against(recorded("tenth-output-relu"), original)
    tuned = _against(recorded("tenth-loss-hinge-tuned"), correct)
    effect = (
        "Hinge minus the other loss, in accuracy. As the original computed them: "
        f"{format_differences(as_computed, '+.3f')}. Computed correctly, each with its own learning rate "
        f"and λ: {format_differences(tuned, '+.4f')}."
    )
    then = {gain.above(0) for gain in as_computed.values()}  # whether the hinge was best
    now = {gain.above(0) for gain in tuned.values()}
    if now == {YES}:
        answer = HOLDS
    elif NO in now | then:
        answer = FAILS
    else:
        answer = LIMITED if then == {YES} else INCONCLUSIVE
    test = "Three losses, as the original computed them and as they are meant, on a tenth of MNIST"
    return Finding("C2.2", test, effect, answer)


def _against(records, others):
    """Estimate how much more accurate some runs are than each of several others."""
    return {name: difference(records, runs, "eval_accuracy") for name, runs in others.items()}


def _c2_3():
    """Test whether ReLU converges far faster than sigmoid, and ends better."""
    relu = recorded("tenth-reference")
    sigmoid = {
        "at the same rates": recorded("tenth-sigmoid-glorot"),
        "at three times the rates": recorded("tenth-sigmoid-glorot-3"),
    }
    effect, shown = [], []
    for name, gain in _against(relu, sigmoid).items():
        speed, faster = _speed(relu, sigmoid[name])
        effect.append(f"{name}, {speed}, and ReLU ends {gain:+.4f} in accuracy ahead")
        shown.append({faster, gain.above(0)})
    effect = f"Each with its own initialisation, {format_n(gain)}: {'; '.join(effect)}."
    same, higher = shown
    if same == {YES}:
        answer = HOLDS if higher == {YES} else LIMITED
    else:
        answer = FAILS if NO in same else INCONCLUSIVE
    return Finding("C2.3", "ReLU against sigmoid on a tenth of MNIST", effect, answer)


def _speed(relu, sigmoid, level=0.9, far=1.5):
    """Say how much sooner ReLU reaches a training accuracy, and whether that is far sooner."""
    ours, theirs = ([epochs_to(run, level) for run in group] for group in (relu, sigmoid))
    reach, others = (
        format_count(len(group) - group.count(None), len(group)) for group in (ours, theirs)
    )
    if None in ours:
        later = NO if ours.count(None) > theirs.count(None) else UNCLEAR
        return f"{reach} with ReLU and {others} with sigmoid reach {level:.0%}", later
    # A run that never gets there would need more epochs than it had.
    ends = [run.history["epoch"][-1] + 1 for run in sigmoid]
    factor = mean_interval([(b or end) / a for a, b, end in zip(ours, theirs, ends, strict=True)])
    if None in theirs:
        said = f"sigmoid takes at least {factor.estimate:.1f} times as many epochs to {level:.0%}"
        return f"{said} ({others} reach it)", YES if factor.above(far) is YES else UNCLEAR
    return f"sigmoid takes {factor:.1f} times as many epochs to {level:.0%}", factor.above(far)


def _c2_4():
    """Test whether large rates fail, small ones crawl, and the loss then falls suddenly."""
    sweep = {rate: recorded(f"tenth-rate-{rate}") for rate in LEARNING_RATES}
    best, behind = rates_far_behind(sweep)
    larger, smaller = [r for r in behind if r > best], [r for r in behind if r < best]
    at = {rate: f"{rate} ({_end(runs)})" for rate, runs in sweep.items()}
    small = [run for name in SMALL_RATE_NAMES for run in recorded(name)]
    falling, sudden = map(still_falling, small), [sudden_drop(run) is not None for run in small]
    effect = (
        f"Best in accuracy, over {len(sweep[best])} seeds each, is a rate of {at[best]}. More than "
        f"{FAR} below it end, of the larger rates, {join_words(at[rate] for rate in larger)}, and, of "
        f"the smaller, {join_words(at[rate] for rate in smaller)}. At small rates the loss falls in "
        f"every one of the last 40 epochs in {format_count(sum(falling), len(small), 'runs')}; it falls "
        f"suddenly in {format_count(sum(sudden), len(small), 'runs')}."
    )
    answer = FAILS if not (larger and smaller) else HOLDS if all(sudden) else LIMITED
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


def _end(runs):
    """Say at which accuracy some runs end in the mean, or how many of them diverge."""
    if lost := sum(run.diverged for run in runs):
        return f"{lost} of {len(runs)} diverge"
    return f"{values(runs, 'eval_accuracy').mean():.2f}"


def _c2_5():
    """Test whether learning-rate decay makes little difference."""
    reference = recorded("tenth-reference")
    others = {
        "without decay": recorded("tenth-decay-off"),
        "constant 0.2": recorded("tenth-rate-0.2"),
        "one cosine to 0": recorded("tenth-decay-to-zero"),
    }
    gains = {name: difference(runs, reference, "eval_accuracy") for name, runs in others.items()}
    effect = f"Accuracy against the course's schedule: {format_differences(gains, '+.4f')}."
    little = {gain.inside(LITTLE) for gain in gains.values()}
    if YES in little:
        answer = HOLDS if little == {YES} else LIMITED
    else:
        answer = FAILS if NO in little else INCONCLUSIVE
    return Finding("C2.5", "The schedule with and without its decay", effect, answer)


def _c2_6():
    """Test whether too strong a regularisation hurts."""
    sweep = {decay: recorded(lambda_name(decay)) for decay in sorted((*WEIGHT_DECAYS, 0.01))}
    means = {decay: interval(runs, "eval_accuracy") for decay, runs in sweep.items()}
    *weaker, strongest = sweep
    best = max(weaker, key=lambda decay: means[decay].estimate)
    loss = difference(sweep[strongest], sweep[best], "eval_accuracy")
    effect = (
        f"Below λ = {strongest}, λ = {best} is best: accuracy {means[best]:.4f}. λ = {strongest} "
        f"changes that by {loss:+.3f} ({format_n(loss)}), and the training loss ends at "
        f"{values(sweep[strongest], 'train_loss').mean():.2f} instead of "
        f"{values(sweep[best], 'train_loss').mean():.2f}."
    )
    answer = {YES: FAILS, NO: HOLDS, UNCLEAR: INCONCLUSIVE}[loss.above(0)]
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
        f"Against 256 hidden units: {most:,} units change the accuracy by {gain:+.4f} and cost "
        f"{cost:.0f} times the processor time; {few} change it by {harm:+.4f} "
        f"({format_n(gain)})."
    )
    worse = {YES: FAILS, NO: HOLDS, UNCLEAR: INCONCLUSIVE}[harm.above(0)]
    answer = LIMITED if worse == HOLDS and gain.above(LITTLE) is not NO else worse
    return Finding("C2.7", "16 to 4,096 hidden units", effect, answer)


RULES = {
    "C1.1": _c1_1,
    "C2.1": _c2_1,
    "C2.2": _c2_2,
    "C2.3": _c2_3,
    "C2.4": _c2_4,
    "C2.5": _c2_5,
    "C2.6": _c2_6,
    "C2.7": _c2_7,
}
