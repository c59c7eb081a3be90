"""The claims of practice 3 put to the test, by the rules that `findings.rule` describes."""

import numpy as np

from helpers.analysis.layers import encoder, influence
from helpers.analysis.stats import NO, UNCLEAR, YES, mean_interval
from helpers.analysis.summaries import batch_curve, difference, interval, same_seeds, values
from helpers.claims.findings import (
    CLOSE,
    FAILS,
    HOLDS,
    INCONCLUSIVE,
    LIMITED,
    LITTLE,
    PUBLISHED_VISION,
    judged,
    outcome,
)
from helpers.runs.catalogue.vision import POINTS, Point
from helpers.runs.experiments import recorded

NAMES = {"lenet": "LeNet", "vgg11": "VGG-11", "resnet18": "ResNet-18", "vit": "ViT"}

#: The experiment that repeats each published row as the original computed it.
REPEATED = {
    "LeNet": "mnist-lenet",
    "VGG-11": "mnist-vgg11",
    "ResNet-18": "mnist-resnet18",
    "ViT": "mnist-vit-original",
    "ViT without 1/√d": "mnist-vit-original-unscaled",
}

#: The ViT as it is meant.
SQUARES = {
    "ViT, true squares": "mnist-vit",
    "ViT, true squares, without 1/√d": "mnist-vit-unscaled",
}

#: All of MNIST with and without 1/sqrt(d), in the published setting.
PUBLISHED_SETTINGS = {
    "as the original computed it": (REPEATED["ViT"], REPEATED["ViT without 1/√d"]),
    "with true squares": tuple(SQUARES.values()),
}


def c3_1(recorded=recorded):
    """Test whether the published accuracies come out again."""
    rows, outcomes = [], {}
    for model, row in PUBLISHED_VISION.items():
        runs, published = recorded(REPEATED[model]), row["test_accuracy"]
        accuracy = interval(runs, "eval_accuracy")
        rows.append({"model": model, "accuracy": accuracy, "n": accuracy.n, "published": published})
        outcomes[model] = outcome(values(runs, "eval_accuracy"), published, CLOSE)
    verdict, sorts = judged(outcomes)
    return verdict, {"rows": rows} | sorts


def small_data_name(part, model):
    """Return the experiment of a model on "tenth" or "hundredth" of the training images."""
    return Point().name(True) if (part, model) == ("tenth", "vit") else f"{part}-{model}"


def c3_2(recorded=recorded):
    """Test the words of the comparison: costs, accuracies, and overfitting on little data."""
    runs = {m: recorded(small_data_name("hundredth", m)) for m in NAMES}
    size = {m: group[0].parameters for m, group in runs.items()}
    cost = {m: values(group, "cpu_seconds").mean() for m, group in runs.items()}
    gap = {
        m: mean_interval(values(runs[m], "train_accuracy") - values(runs[m], "eval_accuracy"))
        for m in ("lenet", "resnet18")
    }
    parts = {
        "cheap": min(size, key=size.get) == min(cost, key=cost.get) == "lenet",
        "heavy": max(size, key=size.get) == max(cost, key=cost.get) == "vgg11",
        "overfits": gap["resnet18"].low > gap["lenet"].high,
    }
    verdict = HOLDS if all(parts.values()) else LIMITED if any(parts.values()) else FAILS
    return verdict, {
        "rows": [
            {"model": about, "size": size[m] / 1e6, "cost": cost[m] / cost["lenet"]}
            for m, about in NAMES.items()
            if m != "lenet"
        ],
        "lenet": size["lenet"] / 1e6,
        "n": len(runs["lenet"]),
        "ahead": difference(runs["resnet18"], runs["lenet"], "eval_accuracy"),
        "gap_lenet": gap["lenet"],
        "gap_resnet18": gap["resnet18"],
    } | {part: "shown" if shown else "not shown" for part, shown in parts.items()}


def c3_3(recorded=recorded, curve=batch_curve):
    """Test whether a ViT's accuracy climbs late and flattens after ten epochs."""
    runs = recorded(REPEATED["ViT"])
    first, second = (
        mean_interval([curve(run, *part) for run in runs]) for part in ((0, 0.5), (0.5, 1))
    )
    later = [np.diff(run.history["eval_accuracy"])[9:].max() for run in runs]
    late = second.low > first.high
    flattens = mean_interval(later).above(0.01) is NO
    verdict = {2: HOLDS, 1: LIMITED, 0: FAILS}[late + flattens]
    return verdict, {"first": first, "second": second, "n": first.n, "later": max(later)}


def pair(point, recorded=recorded):
    """Return the runs of a point of the sweep with and without 1/sqrt(d), of the same seeds."""
    scaled, plain = recorded(point.name(scaled=True)), recorded(point.name(scaled=False))
    return same_seeds(scaled, plain), plain


def c3_4(recorded=recorded):
    """Test whether the division by sqrt(d) ever matters."""
    published = {
        about: difference(*map(recorded, names), "eval_accuracy")
        for about, names in PUBLISHED_SETTINGS.items()
    }
    others = {p.label(True): difference(*pair(p, recorded), "eval_accuracy") for p in POINTS}
    helps = {about: gain for about, gain in others.items() if gain.above(LITTLE) is YES}
    harms = {about: gain for about, gain in others.items() if (-gain).above(LITTLE) is YES}
    there, elsewhere = ({g.inside(LITTLE) for g in found.values()} for found in (published, others))
    if NO in there:
        verdict = FAILS
    elif helps or harms:
        verdict = LIMITED if YES in there | elsewhere else FAILS
    else:
        verdict = HOLDS if there == {YES} else INCONCLUSIVE
    return verdict, {
        "epochs": recorded(REPEATED["ViT"])[0].config["epochs"],
        "published": published,
        "others": len(others),
        "helped": len(helps),
        "helps": helps,
        "harmed": len(harms),
        "harms": harms,
    }


def c3_5(influence=influence):
    """Test what PyTorch's layer attends to."""
    own, foreign = {}, {}
    for batch_first in (True, False):
        change = influence(encoder(batch_first)) > 1e-5
        own[batch_first] = int(change[0, 1:].sum())
        foreign[batch_first] = int(change[1:].sum())
    tokens = change[0, 1:].size
    right = own[True] == tokens and foreign[True] == 0
    wrong = foreign[False] > 0
    return HOLDS if right and wrong else FAILS, {
        "own": own[True],
        "foreign": foreign[True],
        "own_without": own[False],
        "foreign_without": foreign[False],
        "tokens": tokens,
    }


def c3_6(recorded=recorded):
    """Test whether GELU keeps more units active than ReLU, and whether that matters."""
    gelu, relu = recorded(Point().name(True)), recorded("tenth-vit-relu")
    gain = difference(gelu, relu, "eval_accuracy")

    def share(name):
        ends = ([run.history[name][-1] for run in runs] for runs in (gelu, relu))
        return [mean_interval(end, low=0, high=1) for end in ends]

    active = share("active_units")
    better = gain.above(LITTLE)
    if better is YES:
        verdict = HOLDS if active[1].high < active[0].low else LIMITED
    else:
        verdict = INCONCLUSIVE if better is UNCLEAR else FAILS
    return verdict, {"gain": gain, "active": active, "dead": share("dead_units")}
