"""The claims of practice 4 put to the test, by the rules that `findings.rule` describes."""

import numpy as np
from scipy.ndimage import median_filter

from helpers.analysis import metrics
from helpers.analysis.stats import UNCLEAR, difference_interval, mean_interval
from helpers.analysis.summaries import difference, history, interval, loss_oscillation, values
from helpers.claims.findings import PUBLISHED_VOC, WIDE_PHOTOS, Verdict, one_more
from helpers.runs.catalogue.tiny_voc import VOC_CHOSEN
from helpers.runs.experiments import recorded

F1, MAP = "eval_f1", "eval_mean_average_precision"
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

#: What is said to help against overfitting: with it, and without, on the cheapest network.
REMEDIES = {
    "augmentation": (COMPARED["LeNet"], PLAIN["LeNet"]),
    "batch normalisation": ("voc96-lenet-norm", PLAIN["LeNet"]),
    "dropout": ("voc96-lenet-dropout", PLAIN["LeNet"]),
}

#: The run that goes on long after it has overfitted.
LONG = "voc96-lenet-long"

#: Models of the comparison with a learning rate that falls to zero.
ANNEALED = {"ResNet-18": "voc96-resnet18-annealed", "ViT": "voc96-vit-annealed"}

#: What may have kept the ViT from converging: without it, and with it. The course suspected all
#: but the first.
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

#: What the course suspected, and the changes that test it.
SUSPECTED = {
    "data": ("all images instead of 10%", "all images instead of 30%"),
    "epochs": ("three times as many epochs",),
    "rate": ("six times the learning rate",),
    "size": ("twice as many layers", "twice the width"),
}

#: ResNet-18 and the ViT, and the ViT with true patches and with strips, on larger images.
NETWORKS_LARGER = ("voc128-resnet18", "voc128-vit")
PATCHES_LARGER = ("voc128-vit", "voc128-vit-strips")

#: The networks with a recipe of their own: the last one of each.
OWN = {"LeNet": "best-voc-lenet", "ResNet-18": "best-voc-resnet18-long", "ViT": "best-voc-vit"}

#: Recipes of a network's own, and the same on held-out images, on which a threshold is chosen.
CHOSEN_ON = {f"best-voc-{model}": f"tune-voc-{model}-{step}" for model, step in VOC_CHOSEN.items()}
CHOSEN_ON |= {OWN["ResNet-18"]: "tune-voc-resnet18-cropped", OWN["ViT"]: "tune-voc-vit-whole"}


def always_person():
    """Return the metrics of predicting a person, and nothing else, for every photograph."""
    targets = metrics.recorded_targets(COMPARED["ResNet-18"])
    (found,) = metrics.constant_baselines(targets)["person"].summaries(targets)
    return found


def own_threshold(name):
    """Return the threshold of a recipe in `CHOSEN_ON`: that of the best F1 on held-out images."""
    (probabilities,) = metrics.recorded_predictions(CHOSEN_ON[name]).probabilities
    return metrics.choose_thresholds(probabilities, metrics.recorded_targets(CHOSEN_ON[name]))


def predictions(name):
    """Return an experiment's predictions, those of an own recipe at its own threshold."""
    return metrics.recorded_predictions(name, own_threshold(name) if name in CHOSEN_ON else 0.5)


def gains(pairs, metric, recorded=recorded):
    """Return what each change brings: name -> Interval."""
    return {about: difference(*map(recorded, pair), metric) for about, pair in pairs.items()}


# ------------------------------------------------------------------------------ rules


def c4_1(targets=metrics.recorded_targets):
    """Test how many classes the images hold."""
    there = targets(COMPARED["LeNet"]).sum(axis=0)
    return {"five": Verdict.from_answers(there.min() > 0)}, {
        "classes": len(there),
        "images": len(targets(COMPARED["LeNet"])),
        "rarest": there.min(),
    }


def c4_2(recorded=recorded):
    """Test whether networks overfit, and whether the three remedies help."""
    plain = {model: recorded(name) for model, name in PLAIN.items()}
    losses = {model: history(runs, "eval_loss")[1] for model, runs in plain.items()}  # [S, epochs]
    rise = {model: mean_interval(ys[:, -1] - ys.min(axis=1), 0) for model, ys in losses.items()}
    raises = gains(REMEDIES, MAP, recorded)
    lowers = {about: -gain for about, gain in gains(REMEDIES, "eval_loss", recorded).items()}
    overfit = Verdict.if_above(LITTLE_RISE, *rise.values())
    return {"overfit": overfit} | {
        about: Verdict.overall(Verdict.if_above(0, by[about]) for by in (lowers, raises))
        for about in REMEDIES
    }, {
        "rises": rise,
        "train_loss": {model: values(runs, "train_loss").mean() for model, runs in plain.items()},
        "n": len(plain["LeNet"]),
        "lowers": lowers,
        "raises": raises,
    }


def as_published(name):
    """Return an experiment's figures as the original computed them, a dict for each seed."""
    return predictions(name).in_original_way(metrics.recorded_targets(name))


def c4_3(recorded=recorded, as_published=as_published):
    """Test whether the published F1 values are reproduced."""
    parts, each = {}, {}
    for model, name in REPEATED.items():
        ours, published = [seed["f1"] for seed in as_published(name)], PUBLISHED_VOC[model]["f1"]
        parts[model] = Verdict.from_number(ours, published, WIDE_PHOTOS)
        config = recorded(name)[0].config
        each[model] = one_more(ours, published)
        each[model] |= {"size": config["data"]["size"], "epochs": config["epochs"]}
    (vgg,), (resnet,) = (recorded(name) for name in LARGEST.values())
    return parts, {
        "each": each,
        "vgg_larger": vgg.metrics[F1],
        "vgg_size": vgg.config["data"]["size"],
        "resnet_larger": resnet.metrics[F1],
        "resnet_size": resnet.config["data"]["size"],
    }


def c4_4(recorded=recorded):
    """Test whether only ResNet-18 is good, and whether the others have not arrived."""
    resnet = COMPARED["ResNet-18"]
    others = {model: name for model, name in COMPARED.items() if name != resnet}
    leads = gains({model: (resnet, name) for model, name in others.items()}, MAP, recorded)
    rising = {}
    for model, name in others.items():
        curves = history(recorded(name), MAP)[1]  # [S, epochs]
        rising[model] = mean_interval(curves[:, -5:].mean(axis=1) - curves[:, -10:-5].mean(axis=1))
    return {
        "convolutional": Verdict.if_above(0, leads["LeNet"], leads["VGG"]),
        "vit": Verdict.if_above(0, leads["ViT"], leads["ViT with strips"]),
        "rising": Verdict.if_above(RISING, *rising.values()),
    }, {
        "level": interval(recorded(resnet), MAP),
        "leads": leads,
        "rises": rising,
        "rising": RISING,
    }


def c4_5(recorded=recorded):
    """Test whether ResNet-18 beats the ViT, given true patches."""
    pairs = {
        "at_96": (COMPARED["ResNet-18"], COMPARED["ViT"]),
        "at_128": NETWORKS_LARGER,
        "own": (OWN["ResNet-18"], OWN["ViT"]),
    }
    gained = {metric: gains(pairs, metric, recorded) for metric in (MAP, F1)}
    found = {where: {"mAP": gained[MAP][where], "F1": gained[F1][where]} for where in pairs}
    parts = {where: Verdict.if_above(0, gain) for where, gain in gained[MAP].items()}
    return parts, found | {"epochs": recorded(OWN["ViT"])[0].config["epochs"]}


def c4_6(recorded=recorded):
    """Test what kept the ViT from converging."""
    found = gains(CAUSES, MAP, recorded)
    says = {about: Verdict.if_above(0, gain) for about, gain in found.items()}
    parts = {part: Verdict.overall(says[about] for about in SUSPECTED[part]) for part in SUSPECTED}
    larger = difference(*map(recorded, PATCHES_LARGER), MAP)
    return parts, {"gains": found, "larger": larger}


def regained(losses, window=9):
    """Return which share of its rise after overfitting a loss [epochs] has lost again.

    1: it got as low as it was before it rose, or lower; 0: it never fell again. A running median
    over `window` epochs is looked at instead of the loss: a spike is no rise.
    """
    losses = median_filter(np.asarray(losses, dtype=float), window, mode="nearest")
    first = losses[: (len(losses) + 1) // 2].argmin()  # from here on it rises, if it does
    peak = first + losses[first:].argmax()
    rise = losses[peak] - losses[first]
    return float((losses[peak] - losses[peak:].min()) / rise) if rise > 0 else 0.0


def c4_7(recorded=recorded):
    """Test whether the test loss falls again in a long run that overfits."""
    runs = recorded(LONG)
    shares = [regained(run.history["eval_loss"]) for run in runs]
    # If the loss of a network as small as this one does not fall again, that of a large one may.
    falls = Verdict.overall(Verdict.from_answers(s >= 0.5 or UNCLEAR) for s in shares)
    return {"falls": falls, "shrink": Verdict.INCONCLUSIVE}, {
        "epochs": runs[0].config["epochs"],
        "n": len(runs),
        "regained": shares,
    }


def c4_8(recorded=recorded):
    """Test whether the loss oscillates because of the learning rate."""
    found = {}
    for model, name in ANNEALED.items():
        before, after = recorded(COMPARED[model]), recorded(name)
        sizes = [[loss_oscillation(run) for run in runs] for runs in (before, after)]
        found[model] = {
            "constant": mean_interval(sizes[0], low=0),
            "annealed": mean_interval(sizes[1], low=0),
            "calmed": difference_interval(*sizes, paired=True),
            "gain": difference(after, before, MAP),
        }
    return {about: Verdict.if_above(0, one["calmed"]) for about, one in found.items()}, found
