"""The claims of practice 4 put to the test: rules that turn records into verdicts.

A comparison whose runs are not listed yet, or have fewer than three seeds, decides nothing: it
is named, and leaves its part of the verdict open.
"""

import numpy as np
from scipy.ndimage import median_filter

from helpers.analysis import metrics
from helpers.analysis.stats import NO, UNCLEAR, YES, difference_interval, mean_interval
from helpers.analysis.summaries import (
    cell,
    difference,
    format_differences,
    format_n,
    format_seeds,
    history,
    join_words,
    values,
)
from helpers.claims.course import PUBLISHED_VOC
from helpers.claims.finding import FAILS, HOLDS, INCONCLUSIVE, LIMITED, Finding, not_repeated
from helpers.runs.catalogue.tiny_voc import VOC_CHOSEN
from helpers.runs.experiments import EXPERIMENTS, recorded
from helpers.runs.records import read_arrays

F1, MAP = "eval_f1", "eval_mean_average_precision"
NEAR = 0.01  # F1: near enough to a published value to say that it came out again
LITTLE_RISE = 0.01  # of a loss: nobody would call it overfitting
RISING = 0.005  # mAP between two neighbouring spans of five epochs: has not arrived yet

#: The models of the published table at the size and length of the comparisons.
COMPARED = {
    "LeNet": "voc96-lenet",
    "VGG": "voc96-course-vgg",
    "ResNet-18": "voc96-resnet18",
    "ViT": "voc96-vit",
    "ViT with strips": "voc96-vit-strips",
}

#: Runs on larger images.
LARGER = (
    "voc128-lenet", "voc128-course-vgg", "voc128-vgg11", "voc128-resnet18", "voc128-vit",
    "voc128-vit-strips", "voc224-resnet18",
)  # fmt: skip

#: The experiment that repeats each published row: that of the largest images with three seeds.
#: The published ViT was fed strips.
REPEATED = {
    "LeNet": "voc128-lenet",
    "VGG": COMPARED["VGG"],
    "ResNet-18": "voc128-resnet18",
    "ViT": "voc128-vit-strips",
}

#: One run each, on images that are larger still.
LARGEST = {"VGG": "voc128-course-vgg", "ResNet-18": "voc224-resnet18"}

#: Two networks without augmentation.
PLAIN = {"LeNet": "voc96-lenet-plain", "ResNet-18": "voc96-resnet18-plain"}

#: What is said to help against overfitting: with it, and without. On LeNet, the cheapest that shows
#: it.
REMEDIES = {
    "augmentation": (COMPARED["LeNet"], PLAIN["LeNet"]),
    "batch normalisation": ("voc96-lenet-norm", PLAIN["LeNet"]),
    "dropout": ("voc96-lenet-dropout", PLAIN["LeNet"]),
}

#: The run that goes on long after it has overfitted.
LONG = "voc96-lenet-long"

#: Models of the comparison with a learning rate that falls to zero.
ANNEALED = {"ResNet-18": "voc96-resnet18-annealed", "ViT": "voc96-vit-annealed"}

#: What may have kept the ViT from converging: with the cause taken away, and with it. Only the
#: first is none of the course's suspicions.
PATCHES = "true patches instead of strips"
CAUSES = {
    PATCHES: ("voc96-vit", "voc96-vit-strips"),
    "all images instead of 10%": ("voc96-vit", "voc96-vit-data-10"),
    "all images instead of 30%": ("voc96-vit", "voc96-vit-data-30"),
    "three times as many epochs": ("voc96-vit-long", "voc96-vit"),
    "six times the learning rate": ("voc96-vit-rate", "voc96-vit"),
    "twice as many layers": ("voc96-vit-deep", "voc96-vit"),
    "twice the width": ("voc96-vit-wide", "voc96-vit"),
}


#: ResNet-18 and the ViT, and the ViT with true patches and with strips, on larger images.
NETWORKS_LARGER = ("voc128-resnet18", "voc128-vit")
PATCHES_LARGER = ("voc128-vit", "voc128-vit-strips")

#: ResNet-18 with a recipe of its own.
OWN = "best-voc-resnet18"


def always_person():
    """Return the metrics of predicting a person, and nothing else, for every photograph."""
    targets = metrics.recorded_targets(COMPARED["ResNet-18"])
    (found,) = metrics.constant_baselines(targets)["person"].summaries(targets)
    return found


def own_threshold(model):
    """Return the threshold of a network's own recipe: that of the best F1 on held-out images.

    Parameters
    ----------
    model : a key of `helpers.runs.catalogue.tiny_voc.CHOSEN`
    """
    name = f"tune-voc-{model}-{VOC_CHOSEN[model]}"
    (probabilities,) = metrics.recorded_predictions(name).probabilities
    return metrics.choose_thresholds(probabilities, metrics.recorded_targets(name))


def predictions(name):
    """Return an experiment's predictions, those of an own recipe at its own threshold."""
    model = name.removeprefix("best-voc-")
    return metrics.recorded_predictions(name, own_threshold(model) if model in VOC_CHOSEN else 0.5)


def several(*names):
    """Whether experiments are listed with at least three seeds each."""
    return all(name in EXPERIMENTS and len(EXPERIMENTS[name].seeds) > 2 for name in names)


def gains(pairs, metric):
    """Return what each change brings (name -> Interval), and the changes that nothing decides."""
    found, open_ = {}, []
    for about, pair in pairs.items():
        if several(*pair):
            found[about] = difference(*map(recorded, pair), metric)
        else:
            open_.append(about)
    return found, open_


def _not_decided(open_):
    return f" Not recorded yet with three seeds: {join_words(open_)}." if open_ else ""


def _of_parts(parts, open_=()):
    """Return the verdict of a claim with several parts, an Answer each."""
    parts = {*parts, *(UNCLEAR for _ in open_)}
    if YES in parts:
        return HOLDS if parts == {YES} else LIMITED
    return FAILS if parts == {NO} else INCONCLUSIVE


def _c4_1():
    """Test how many classes the images hold."""
    name = COMPARED["LeNet"]
    labels = read_arrays(name, "full", EXPERIMENTS[name].seeds[0])["labels"]
    there = labels.sum(axis=0)
    effect = (
        f"All {len(there)} classes occur in the {len(labels)} validation images, the rarest in "
        f"{there.min()} of them; a mask with any further class would have been refused. What else "
        "a photograph shows, such as a bus or a sheep, no mask marks."
    )
    answer = HOLDS if there.min() > 0 else FAILS
    return Finding(
        "C4.1", "Every mask was read by data_prep, which knows five classes", effect, answer
    )


def rises(runs):
    """Return by how much the validation loss of each run ends above its lowest."""
    return [run.history["eval_loss"][-1] - min(run.history["eval_loss"]) for run in runs]


def _c4_2():
    """Test whether networks overfit, and whether the three remedies help."""
    found, open_ = gains(REMEDIES, MAP)
    plain = {about: recorded(name) for about, name in PLAIN.items()}
    losses = "; ".join(
        f"{about} {cell(values(runs, 'eval_loss'), '.2f')}, which is "
        f"{cell(np.array(rises(runs)), '.2f')} above its lowest, with a training loss of "
        f"{values(runs, 'train_loss').mean():.3f} (n = {format_seeds(runs)})"
        for about, runs in plain.items()
    )
    effect = f"Validation loss at the end, without augmentation: {losses}."
    turned = {about: pair[::-1] for about, pair in REMEDIES.items()}
    saved, _ = gains(turned, "eval_loss")
    if found:
        effect += f" A remedy lowers LeNet's by: {format_differences(saved, '+.2f')}."
        effect += f" It raises LeNet's mAP by: {format_differences(found, '+.3f')}."
    overfits = [
        mean_interval(rises(runs)).above(LITTLE_RISE) for runs in plain.values() if len(runs) > 2
    ]
    helps = [gain.above(0) for gain in (*saved.values(), *found.values())]
    parts = [*(overfits or [UNCLEAR]), *helps]
    test = "LeNet and ResNet-18 without augmentation; LeNet with one remedy at a time"
    return Finding("C4.2", test, effect + _not_decided(open_), _of_parts(parts, open_))


def _f1_of(runs):
    """Give the F1 of runs, and what they are; the bracket is left open."""
    config = runs[0].config
    return (
        f"{cell(values(runs, F1), '.3f')} at {config['data']['size']} px after "
        f"{config['epochs']} epochs (n = {format_seeds(runs)}"
    )


def _c4_3():
    """Test whether the published F1 values come out again."""
    said, close, open_ = [], {}, []
    for about, name in REPEATED.items():
        if name not in EXPERIMENTS:
            open_.append(about)
            continue
        runs, target = recorded(name), PUBLISHED_VOC[about]["f1"]
        said.append(f"{about} {_f1_of(runs)}; published {target:.3f})")
        level = values(runs, F1).mean()
        close[about] = UNCLEAR if len(runs) < 3 else YES if level >= target - NEAR else NO
    effect = f"F1 over all validation images: {'; '.join(said)}.{not_repeated(close)}"
    single = {about: recorded(name) for about, name in LARGEST.items() if name in EXPERIMENTS}
    if single:
        rows = (f"{about} {_f1_of(runs)})" for about, runs in single.items())
        effect += f" On larger images: {'; '.join(rows)}."
    effect += _not_decided(open_)
    test = f"The published settings, smaller images; a mean at most {NEAR} below repeats a value"
    return Finding("C4.3", test, effect, _of_parts(close.values(), open_))


def _c4_4():
    """Test whether only ResNet-18 is good, and whether the others have not arrived."""
    others = {about: name for about, name in COMPARED.items() if about != "ResNet-18"}
    pairs = {about: (COMPARED["ResNet-18"], name) for about, name in others.items()}
    ahead, open_ = gains(pairs, MAP)
    rising = {}
    for about in ahead:
        curves = history(recorded(others[about]), MAP)[1]  # [S, epochs]
        rising[about] = mean_interval(curves[:, -5:].mean(axis=1) - curves[:, -10:-5].mean(axis=1))
    level = cell(values(recorded(COMPARED["ResNet-18"]), MAP), ".3f")
    growth = "; ".join(f"{about} {rise:+.3f}" for about, rise in rising.items())
    effect = (
        f"ResNet-18's mAP is {level}. Its lead over the others: {format_differences(ahead, '+.3f')}; "
        f"clearly ahead of {join_words(about for about, gain in ahead.items() if gain.above(0) is YES)}. The "
        f"others' last five epochs add in the mean to the five before: {growth}; clearly more "
        f"than {RISING}, the least that we call a rise: "
        f"{join_words(about for about, rise in rising.items() if rise.above(RISING) is YES)}."
    )
    parts = [
        *(gain.above(0) for gain in ahead.values()),
        *(rise.above(RISING) for rise in rising.values()),
    ]
    test = "mAP of the models at 96 px, and whether it still rises"
    return Finding("C4.4", test, effect + _not_decided(open_), _of_parts(parts, open_))


def _c4_5():
    """Test whether ResNet-18 beats the ViT, given true patches."""
    best = "with a recipe of its own, against the best ViT of C4.6 ({epochs} epochs), which was "
    best += "found on these images,"
    pairs = [
        ("at {size} px", (COMPARED["ResNet-18"], COMPARED["ViT"])),
        ("at {size} px", NETWORKS_LARGER),
        (best, (OWN, best_vit())),
    ]
    said, parts = [], []
    for what, names in pairs:
        if not several(*names):
            continue
        resnet, vit = pair = [recorded(name) for name in names]
        gain, f1 = (difference(*pair, metric) for metric in (MAP, F1))
        size, epochs = resnet[0].config["data"]["size"], vit[0].config["epochs"]
        said.append(
            f"{what.format(size=size, epochs=epochs)} {gain:+.3f} in mAP and {f1:+.3f} in F1 "
            f"({format_n(gain)})"
        )
        parts.append(gain.above(0))
    effect = f"ResNet-18 minus ViT with true patches: {'; '.join(said)}."
    test = "Both from scratch, 20 epochs each at the published rate; then the best of each"
    return Finding("C4.5", test, effect, _of_parts(parts))


def best_vit():
    """Return the ViT with true patches of the highest mean mAP in `CAUSES`, or an empty name."""
    _, strips = CAUSES[PATCHES]
    names = dict.fromkeys(name for pair in CAUSES.values() for name in pair)
    names = [name for name in names if name != strips and several(name)]
    return max(names, key=lambda name: values(recorded(name), MAP).mean(), default="")


def _c4_6():
    """Test what kept the ViT from converging."""
    found, open_ = gains(CAUSES, MAP)
    effect = f"Gain in mAP: {format_differences(found, '+.3f')}.{_not_decided(open_)}"
    if several(*PATCHES_LARGER):
        gain = difference(*map(recorded, PATCHES_LARGER), MAP)
        effect += f" On larger images {PATCHES}: {gain:+.3f} ({format_n(gain)})."
    suspected = {about: gain for about, gain in found.items() if about != PATCHES}
    parts = [gain.above(0) for gain in suspected.values()]
    answer = _of_parts(parts, set(open_) - {PATCHES})
    test = "The ViT at 96 px, one suspected cause taken away at a time"
    return Finding("C4.6", test, effect, answer)


def regained(losses, window=9):
    """Return which share of its rise after overfitting a loss has lost again.

    Parameters
    ----------
    losses : sequence of float
        After each epoch.
    window : int
        Epochs of the running median that is looked at instead: a spike is no rise.

    Returns
    -------
    float
        1: it got as low as it was before it rose, or lower; 0: it never fell again.
    """
    losses = median_filter(np.asarray(losses, dtype=float), window, mode="nearest")
    first = losses[: (len(losses) + 1) // 2].argmin()  # from here on it rises, if it does
    peak = first + losses[first:].argmax()
    rise = losses[peak] - losses[first]
    return float((losses[peak] - losses[peak:].min()) / rise) if rise > 0 else 0.0


def _c4_7():
    """Test whether the validation loss falls again in a long run that overfits."""
    test = "A long run of LeNet without augmentation, its validation loss epoch by epoch"
    if not several(LONG):
        return Finding("C4.7", test, "No long run is recorded with three seeds yet.", INCONCLUSIVE)
    runs = recorded(LONG)
    shares = [regained(run.history["eval_loss"]) for run in runs]
    effect = (
        f"After {runs[0].config['epochs']} epochs (n = {len(runs)} seeds) LeNet's loss has lost "
        f"again {join_words(f'{share:.0%}' for share in shares)} of its rise. A large network, of "
        "which the claim speaks, was not tried."
    )
    falls = [share >= 0.5 for share in shares]
    answer = HOLDS if all(falls) else LIMITED if any(falls) else INCONCLUSIVE
    return Finding("C4.7", test, effect, answer)


def loss_oscillation(run, epochs=10):
    """Return by how much the validation loss changes from epoch to epoch at the end of a run."""
    return float(np.abs(np.diff(run.history["eval_loss"][-epochs - 1 :])).mean())


def _c4_8():
    """Test whether the loss oscillates because of the learning rate."""
    said, parts, open_ = [], [], []
    for about, name in ANNEALED.items():
        if not several(name):
            open_.append(about)
            continue
        before, after = recorded(COMPARED[about]), recorded(name)
        sizes = [[loss_oscillation(run) for run in runs] for runs in (before, after)]
        paired = [run.seed for run in before] == [run.seed for run in after]
        calmed = difference_interval(*sizes, paired)
        whose = "The ViT's" if about == "ViT" else f"{about}'s"
        said.append(
            f"{whose} validation loss changes by {mean_interval(sizes[0]):.3f} from one of the "
            f"last epochs to the next at the constant rate, and by {mean_interval(sizes[1]):.3f} "
            f"with one that falls to zero; that is {calmed:.4f} less ({format_n(calmed)}). By its "
            f"end the falling rate has changed the mAP by {difference(after, before, MAP):+.3f}."
        )
        parts.append(calmed.above(0))
    test = f"{join_words(ANNEALED)} at 96 px, with a constant rate and with one that falls to zero"
    effect = (" ".join(said) + _not_decided(open_)).strip()
    return Finding("C4.8", test, effect, _of_parts(parts, open_))


RULES = {
    "C4.1": _c4_1,
    "C4.2": _c4_2,
    "C4.3": _c4_3,
    "C4.4": _c4_4,
    "C4.5": _c4_5,
    "C4.6": _c4_6,
    "C4.7": _c4_7,
    "C4.8": _c4_8,
}
