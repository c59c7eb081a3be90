"""The claims of practice 3 put to the test: rules that turn records into verdicts."""

import numpy as np

from helpers.analysis.batch_first import encoder, influence
from helpers.analysis.stats import NO, UNCLEAR, YES, mean_interval
from helpers.analysis.summaries import (
    batch_curve,
    cell,
    difference,
    format_differences,
    format_n,
    format_seeds,
    join_words,
    same_seeds,
    values,
)
from helpers.claims.course import PUBLISHED_VISION
from helpers.claims.finding import (
    CLOSE,
    FAILS,
    HOLDS,
    INCONCLUSIVE,
    LIMITED,
    LITTLE,
    Finding,
    not_repeated,
)
from helpers.runs.catalogue.vision import POINTS, Point
from helpers.runs.experiments import EXPERIMENTS, recorded

#: The experiment that repeats each published row as the original computed it.
REPEATED = {
    "LeNet": "mnist-lenet",
    "VGG-11": "mnist-vgg11",
    "ResNet-18": "mnist-resnet18",
    "ViT": "mnist-vit-original",
    "ViT without 1/√d": "mnist-vit-original-unscaled",
}

#: The ViT as it is meant, which was not published.
SQUARES = {
    "ViT, true squares": "mnist-vit",
    "ViT, true squares, without 1/√d": "mnist-vit-unscaled",
}


def _c3_1():
    """Test whether the published accuracies come out again."""
    effect, close, missing = [], {}, []
    for name, published in PUBLISHED_VISION.items():
        if REPEATED[name] not in EXPERIMENTS:
            missing.append(name)
            continue
        runs = recorded(REPEATED[name])
        found, target = values(runs, "eval_accuracy"), published["test_accuracy"]
        epochs, one = runs[0].config["epochs"], len(runs) == 1
        said = f"{name} {cell(found, '.4f')} (n = {format_seeds(runs)}; "
        said += "published "
        if epochs < published["epochs"]:
            effect.append(
                f"{said}{target:.4f} after {published['epochs']} epochs, ours after {epochs})"
            )
        else:
            effect.append(f"{said}{target:.4f})")
            close |= (
                {} if one else {name: YES if found.mean() >= target - CLOSE else NO}
            )  # one decides nothing
    effect = f"Test accuracy: {'; '.join(effect)}.{not_repeated(close)}"
    if missing:
        effect += f" Not recorded yet: {join_words(missing)}."
    if not close:
        answer = INCONCLUSIVE
    elif set(close.values()) == {YES}:
        answer = HOLDS if len(close) == len(PUBLISHED_VISION) else LIMITED
    else:
        answer = LIMITED if YES in close.values() else FAILS
    test = f"The published settings; a mean at most {CLOSE} below the published value repeats it"
    return Finding("C3.1", test, effect, answer)


def _c3_3():
    """Test whether a ViT's accuracy climbs late and flattens after ten epochs."""
    runs = recorded(REPEATED["ViT"])
    first, second = (
        mean_interval([batch_curve(run, *part) for run in runs]) for part in ((0, 0.5), (0.5, 1))
    )
    later = [np.diff(run.history["eval_accuracy"])[9:].max() for run in runs]
    flat = mean_interval(later)
    effect = (
        f"Training accuracy rises by {first:.2f} in the first half epoch and by {second:.2f} in "
        f"the second (n = {first.n} seeds); from the tenth epoch on no epoch adds more than "
        f"{max(later):.3f} to the test accuracy."
    )
    late = second.low > first.high
    flattens = flat.above(0.01) is NO
    answer = {2: HOLDS, 1: LIMITED, 0: FAILS}[late + flattens]
    return Finding("C3.3", "Accuracy batch by batch, on all of MNIST", effect, answer)


def pair(point):
    """Return the runs of a point of the sweep with and without 1/sqrt(d), of the same seeds."""
    scaled, plain = recorded(point.name(scaled=True)), recorded(point.name(scaled=False))
    return same_seeds(scaled, plain), plain


#: All of MNIST with and without 1/sqrt(d), in the published setting.
PUBLISHED_SETTINGS = {
    "as the original computed it": (REPEATED["ViT"], REPEATED["ViT without 1/√d"]),
    "with true squares": tuple(SQUARES.values()),
}


def _c3_4():
    """Test whether the division by sqrt(d) ever matters."""
    homes = {
        about: difference(*map(recorded, names), "eval_accuracy")
        for about, names in PUBLISHED_SETTINGS.items()
    }
    epochs = recorded(REPEATED["ViT"])[0].config["epochs"]
    gains = {point: difference(*pair(point), "eval_accuracy") for point in POINTS}
    helps = {point.label(True): gain for point, gain in gains.items() if gain.above(LITTLE) is YES}
    harms = {
        point.label(True): gain for point, gain in gains.items() if (-gain).above(LITTLE) is YES
    }
    effect = (
        f"With minus without, test accuracy after {epochs} epochs in the published setting: "
        f"{format_differences(homes, '+.4f')}. In "
        f"{len(gains)} other settings on a tenth of MNIST it is clearly more than {LITTLE} in "
        f"{len(helps)}"
    )
    effect += f": {format_differences(helps, '+.3f')}" if helps else ""
    effect += f"; clearly less than -{LITTLE} in {len(harms)}"
    effect += f": {format_differences(harms, '+.3f')}." if harms else "."
    at_home, elsewhere = (
        [gain.inside(LITTLE) for gain in found.values()] for found in (homes, gains)
    )
    if NO in at_home:
        answer = FAILS
    elif helps or harms:
        answer = LIMITED if YES in (*at_home, *elsewhere) else FAILS
    else:
        answer = HOLDS if set(at_home) == {YES} else INCONCLUSIVE
    return Finding("C3.4", "Attention with and without 1/√d, everything else alike", effect, answer)


def _c3_5():
    """Test what PyTorch's layer attends to."""
    own, foreign = {}, {}
    for batch_first in (True, False):
        change = influence(encoder(batch_first)) > 1e-5
        own[batch_first] = int(change[0, 1:].sum())
        foreign[batch_first] = int(change[1:].sum())
    places = change[0, 1:].size
    effect = (
        f"With batch_first=True the first token of an image depends on {own[True]} of the image's "
        f"{places} other tokens and on {foreign[True]} tokens of other images; without it on "
        f"{own[False]} and {foreign[False]}."
    )
    right = own[True] == places and foreign[True] == 0
    wrong = foreign[False] > 0
    answer = HOLDS if right and wrong else FAILS
    test = "Replacing one token at a time in a batch of 4 images of 5 tokens"
    return Finding("C3.5", test, effect, answer)


def _c3_6():
    """Test whether GELU keeps more units active than ReLU, and whether that matters."""
    gelu, relu = recorded(Point().name(True)), recorded("tenth-vit-relu")
    gain = difference(gelu, relu, "eval_accuracy")
    share = {
        name: [mean_interval([run.history[sign][-1] for run in runs]) for runs in (gelu, relu)]
        for name, sign in (("active", "active_units"), ("silent", "dead_units"))
    }
    effect = (
        f"GELU minus ReLU in accuracy: {gain:+.4f} ({format_n(gain)}). Of the token network's "
        f"units, {share['active'][0]:.1%} are above zero with GELU and {share['active'][1]:.1%} "
        f"with ReLU; never above zero on 500 images are {share['silent'][0]:.1%} and "
        f"{share['silent'][1]:.1%}."
    )
    better = gain.above(LITTLE)
    fewer = share["active"][1].high < share["active"][0].low
    if better is YES:
        answer = HOLDS if fewer else LIMITED
    elif better is UNCLEAR:
        answer = INCONCLUSIVE
    else:
        answer = FAILS
    return Finding("C3.6", "GELU and ReLU in the ViT's layer, a tenth of MNIST", effect, answer)


NAMES = {"lenet": "LeNet", "vgg11": "VGG-11", "resnet18": "ResNet-18", "vit": "ViT"}


def small_data_name(part, model):
    """Return the experiment of a model on "tenth" or "hundredth" of the training images."""
    return Point().name(True) if (part, model) == ("tenth", "vit") else f"{part}-{model}"


def _c3_2():
    """Test the words of the comparison: costs, accuracies, and overfitting on little data."""
    runs = {m: recorded(small_data_name("hundredth", m)) for m in NAMES}
    size = {m: group[0].parameters for m, group in runs.items()}
    cost = {m: values(group, "cpu_seconds").mean() for m, group in runs.items()}
    gap = {
        m: mean_interval(values(runs[m], "train_accuracy") - values(runs[m], "eval_accuracy"))
        for m in ("lenet", "resnet18")
    }
    cheap = min(size, key=size.get) == min(cost, key=cost.get) == "lenet"
    heavy = max(size, key=size.get) == max(cost, key=cost.get) == "vgg11"
    ahead = difference(runs["resnet18"], runs["lenet"], "eval_accuracy")
    overfits = gap["resnet18"].low > gap["lenet"].high
    relative = "; ".join(
        f"{about} {size[m] / 1e6:.2f} M parameters"
        + (f", {cost[m] / cost['lenet']:.0f} × LeNet's time" if m != "lenet" else "")
        for m, about in NAMES.items()
    )
    seeds = " and ".join(map(str, sorted({len(group) for group in runs.values()}, reverse=True)))
    effect = (
        f"{relative}, all in these short runs (n = {seeds} seeds). With 600 images: ResNet-18 "
        f"minus LeNet in accuracy {ahead:+.3f} ({format_n(ahead)}); training minus validation "
        f"accuracy {gap['lenet']:.3f} for LeNet, {gap['resnet18']:.3f} for ResNet-18."
    )
    parts = {
        "that LeNet is the smallest and the fastest": cheap,
        "that VGG-11 is the largest and the slowest": heavy,
        "that ResNet-18 overfits more than LeNet": overfits,
    }
    open_ = [about for about, shown in parts.items() if not shown]
    effect += f" These runs do not show {join_words(open_)}." if open_ else ""
    answer = HOLDS if not open_ else LIMITED if any(parts.values()) else FAILS
    return Finding("C3.2", "Costs and accuracies with 1% of the training images", effect, answer)


RULES = {
    "C3.1": _c3_1,
    "C3.2": _c3_2,
    "C3.3": _c3_3,
    "C3.4": _c3_4,
    "C3.5": _c3_5,
    "C3.6": _c3_6,
}
