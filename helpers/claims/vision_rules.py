"""The claims of practice 3 put to the test, by the rules that `findings.rule` describes."""

import numpy as np

from helpers.analysis.layers import encoder, influence
from helpers.analysis.stats import YES, difference_interval, mean_interval
from helpers.analysis.summaries import batch_curve, difference, same_seeds, values
from helpers.claims.findings import LITTLE, PUBLISHED_VISION, SELDOM, WIDE_DIGITS, Verdict, one_more
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
    """Test whether the published accuracies are reproduced."""
    parts, each = {}, {}
    for model, row in PUBLISHED_VISION.items():
        ours = values(recorded(REPEATED[model]), "eval_accuracy")
        parts[model] = Verdict.from_number(ours, row["test_accuracy"], WIDE_DIGITS)
        each[model] = one_more(ours, row["test_accuracy"])
    return parts, {"each": each}


def small_data_name(part, model):
    """Return the experiment of a model on "tenth" or "hundredth" of the training images."""
    return Point().name(True) if (part, model) == ("tenth", "vit") else f"{part}-{model}"


def c3_2(recorded=recorded):
    """Test the words of the comparison: costs, accuracies, and overfitting on little data."""
    runs = {m: recorded(small_data_name("hundredth", m)) for m in NAMES}
    long = {m: recorded(f"hundredth-{m}-long") for m in ("lenet", "resnet18")}
    size = {m: group[0].parameters for m, group in runs.items()}
    cost = {m: values(group, "cpu_seconds").mean() for m, group in runs.items()}
    gap = {
        m: values(group, "eval_train_accuracy") - values(group, "eval_accuracy")
        for m, group in long.items()
    }
    more = difference_interval(gap["resnet18"], gap["lenet"], paired=True)
    cheap = min(size, key=size.get) == min(cost, key=cost.get) == "lenet"
    heavy = max(size, key=size.get) == max(cost, key=cost.get) == "vgg11"
    return {
        "cheap": Verdict.from_answers(cheap),
        "heavy": Verdict.from_answers(heavy),
        "overfits": Verdict.if_above(0, more),
    }, {
        "size": {m: n / 1e6 for m, n in size.items()},
        "cost": {m: c / cost["lenet"] for m, c in cost.items()},
        "more": more,
        "ahead": difference(long["resnet18"], long["lenet"], "eval_accuracy"),
    }


#: Rates at which a ViT was trained with and without a warm-up of one epoch; the published first.
WARMED_UP = (5e-5, 3e-3)


def warm_up_gain(rate, recorded=recorded):
    """Return what a warm-up adds to a ViT's accuracy at that rate, on a tenth of MNIST."""
    warm, cold = recorded(f"tenth-vit-warm-up-rate-{rate:g}"), recorded(Point(16, rate).name(True))
    return difference(warm, same_seeds(cold, warm), "eval_accuracy")


def c3_3(recorded=recorded, curve=batch_curve):
    """Test whether a ViT's accuracy climbs late, flattens after ten epochs, needs a warm-up."""
    runs = recorded(REPEATED["ViT"])
    first, second = ([curve(run, *part) for run in runs] for part in ((0, 0.5), (0.5, 1)))
    later = difference_interval(second, first, paired=True)
    errors = [1 - np.array(run.history["eval_accuracy"])[[9, -1]] for run in runs]
    gone = mean_interval([1 - last / tenth for tenth, last in errors], high=1)
    gains = {
        f"at learning rate {np.format_float_positional(rate)}": warm_up_gain(rate, recorded)
        for rate in WARMED_UP
    }
    return {
        "climbs": Verdict.if_above(0, later),
        "flattens": Verdict.if_above(-SELDOM, -gone),
        "needs": Verdict.if_above(LITTLE, *gains.values()),
    }, {
        "first": np.mean(first),
        "second": np.mean(second),
        "n": len(runs),
        "gone": gone,
        "gains": gains,
    }


def pair(point, recorded=recorded):
    """Return the runs of a point of the sweep with and without 1/sqrt(d), of the same seeds."""
    scaled, plain = recorded(point.name(scaled=True)), recorded(point.name(scaled=False))
    return same_seeds(scaled, plain), plain


def c3_4(recorded=recorded):
    """Test whether the division by sqrt(d) ever matters, at the end or after ten epochs."""
    published = {
        about: difference(*map(recorded, names), "eval_accuracy")
        for about, names in PUBLISHED_SETTINGS.items()
    }
    others = {p.label(True): difference(*pair(p, recorded), "eval_accuracy") for p in POINTS}
    helps = {about: gain for about, gain in others.items() if gain.above(LITTLE) is YES}
    harms = {about: gain for about, gain in others.items() if (-gain).above(LITTLE) is YES}
    original, squares = published.values()
    early = [
        [run.history["eval_accuracy"][9] for run in recorded(name)]
        for name in PUBLISHED_SETTINGS["as the original computed it"]
    ]
    early = difference_interval(*early, paired=True)
    return {
        "original": Verdict.from_answers(original.inside(LITTLE)),
        "speed": Verdict.from_answers(early.inside(LITTLE)),
        "squares": Verdict.from_answers(squares.inside(LITTLE)),
        "elsewhere": Verdict.from_answers(*(gain.inside(LITTLE) for gain in others.values())),
    }, {
        "epochs": recorded(REPEATED["ViT"])[0].config["epochs"],
        "original": original,
        "early": early,
        "squares": squares,
        "others": len(others),
        "helped": len(helps),
        "helps": helps,
        "harmed": len(harms),
        "harms": harms,
    }


def c3_5(influence=influence):
    """Test what PyTorch's layer attends to."""
    told, untold = (influence(encoder(batch_first)) > 1e-5 for batch_first in (True, False))
    right = told[0, 1:].all() and not told[1:].any() and untold[1:].any()
    return {"needs": Verdict.from_answers(bool(right))}, {
        "own": told[0, 1:].sum(),
        "foreign": told[1:].sum(),
        "own_without": untold[0, 1:].sum(),
        "foreign_without": untold[1:].sum(),
        "tokens": told[0, 1:].size,
    }


def c3_6(recorded=recorded):
    """Test whether ReLU leaves far fewer units active than GELU, and whether that matters."""
    gelu, relu = recorded(Point().name(True)), recorded("tenth-vit-relu")
    gain = difference(gelu, relu, "eval_accuracy")

    def share(runs, name):
        return mean_interval([run.history[name][-1] for run in runs], low=0, high=1)

    active, dead = (
        [share(runs, name) for runs in (gelu, relu)] for name in ("active_units", "dead_units")
    )
    half = active[0].estimate / 2
    return {
        "needs": Verdict.if_above(LITTLE, gain),
        "few": Verdict.if_above(-half, -active[1]),
    }, {"gain": gain, "active": active, "dead": dead}
