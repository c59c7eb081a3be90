"""Every result that the original course published, beside ours: what came out again, and why not.

The published values and the sentences are `published.toml`'s, the figures of our runs those that
the chapters show.
"""

from dataclasses import dataclass

import numpy as np

from helpers.analysis import metrics
from helpers.analysis.activations import REMEDIES
from helpers.analysis.stats import NO, YES, mean_interval, wilson
from helpers.analysis.summaries import bounds, difference, values
from helpers.claims.findings import (
    AGAIN,
    CLOSE,
    NEAR,
    PUBLISHED,
    PUBLISHED_MNIST,
    PUBLISHED_SIDE,
    PUBLISHED_VISION,
    PUBLISHED_VOC,
    fits,
    outcome,
)
from helpers.claims.numpy_rules import separated
from helpers.claims.vision_rules import REPEATED as VISION
from helpers.claims.vision_rules import SQUARES
from helpers.claims.voc_rules import COMPARED, OWN, always_person, best_vit, predictions
from helpers.claims.voc_rules import REPEATED as VOC
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import find, recorded, recorded_ensemble
from helpers.runs.records import read_arrays

ACCURACY, LOSS, F1, SHARE = "test accuracy", "loss", "F1", "share of seeds that fit"
PARTLY, REFUTED, OTHER_TASK, NOT_BUILT = "in part", "not so", "another task", "not built here"


@dataclass(frozen=True)
class Measured:
    """What our runs of one recipe came to.

    Attributes
    ----------
    values : one a seed; for a share, whether the seed belongs to it.
    experiment : where the runs are.
    metric : what was measured, or `SHARE`.
    recipe : in words, where it is not the published one.
    """

    values: tuple
    experiment: str
    metric: str
    recipe: str = ""

    @property
    def n(self):
        """How many runs it rests on."""
        return len(self.values)

    @property
    def mean(self):
        """The mean over the runs."""
        return float(np.mean(self.values))

    @property
    def interval(self):
        """The mean with its interval, None for one run."""
        if self.metric == SHARE:
            return wilson(sum(self.values), self.n)
        return mean_interval(self.values, *bounds(self.metric)) if self.n > 1 else None


@dataclass(frozen=True)
class Row:
    """A published result and ours.

    Attributes
    ----------
    model, figure : what was measured of what.
    published : its value; for practices 1 and 5, whether the course says that it works.
    ours : in the published settings; None if the model was not built here.
    best : by our best recipe for it; None if there is none.
    outcome : as from `helpers.claims.findings.outcome`; for a share `AGAIN`, `PARTLY` or `REFUTED`.
    why : what explains the difference, a sentence without its point.
    """

    model: str
    figure: str
    published: float
    ours: Measured | None
    best: Measured | None
    outcome: str
    why: str = ""


def _why(name, **values):
    return PUBLISHED["why"][name].format(**values)


def works(ours, published):
    """Say whether a combination works, or fails, as the course says: with (nearly) every seed."""
    says = {YES: True, NO: False}.get(fits(ours.interval))
    return PARTLY if says is None else AGAIN if says == published else REFUTED


def _measured(name, metric, recipe=""):
    return Measured(tuple(values(recorded(name), metric)), name, metric, recipe)


# ------------------------------------------------------------------------ practices 1, 2


def moons():
    """Return the rows of practice 1."""

    def of(name, recipe=""):
        return Measured(tuple(separated(recorded(name))[0]), name, SHARE, recipe)

    ours, best = of("moons-published"), of("moons-he", find("moons-he").label)
    figure = "share of seeds that separate the moons"
    return [Row("tanh network", figure, True, ours, best, works(ours, True), _why("moons"))]


def mnist():
    """Return the rows of practice 2."""
    penalty = values(recorded("mnist-published"), "train_penalty").mean()
    gain = difference(recorded("mnist-corrected"), recorded("mnist-published"), "eval_accuracy")
    rows = []
    for key, figure in (
        ("train_loss", "training loss"),
        ("train_accuracy", "training accuracy"),
        ("test_loss", "test loss"),
        ("test_accuracy", ACCURACY),
    ):
        published, metric = PUBLISHED_MNIST[key], key.replace("test", "eval")
        ours = _measured("mnist-published", metric)
        best, why = None, _why("penalty", penalty=penalty)
        if "accuracy" in key:
            best = _measured("mnist-sgd", metric, find("mnist-sgd").label)
            why = _why("relu", gain=gain)
        came = outcome(ours.values, published, CLOSE)
        rows.append(Row("NumPy network", figure, published, ours, best, came, why))
    return rows


# ---------------------------------------------------------------------------- practice 3

BEST_VISION = {
    "LeNet": "best-lenet",
    "VGG-11": "best-vgg11",
    "ResNet-18": "best-resnet18",
    "ViT": "best-vit",
    "ViT without 1/√d": "mnist-vit-unscaled",
}


def digits():
    """Return the rows of practice 3: the accuracies, then the losses."""
    accuracies, losses = [], []
    for model, published in PUBLISHED_VISION.items():
        name, better = VISION[model], BEST_VISION[model]
        ours = _measured(name, "eval_accuracy")
        best = _measured(better, "eval_accuracy", recipe(better))
        value = published["test_accuracy"]
        ends = np.array([run.history["eval_accuracy"][-5:] for run in recorded(name)])
        why = _why("last_epoch", last=5, moved=np.ptp(ends, axis=1).max())
        why = _why("strips", cost=cost_of_strips()) if "ViT" in model else why
        came = outcome(ours.values, value, CLOSE)
        accuracies.append(Row(model, ACCURACY, value, ours, best, came, why))
        if value := published.get("loss"):
            ours = _measured(name, "train_loss")
            why = _why("loss", share=_as_low(name, value))
            came = outcome(ours.values, value, CLOSE)
            losses.append(Row(model, LOSS, value, ours, None, came, why))
    return accuracies + losses


def cost_of_strips():
    """Return what the original's ways change in its ViT's accuracy on digits, an Interval."""
    original, meant = recorded(VISION["ViT"]), recorded(SQUARES["ViT, true squares"])
    return difference(original, meant, "eval_accuracy")


def _as_low(name, published):
    """Return the share of the last epoch's parts whose loss is as low as the published one."""
    runs = recorded(name)
    epochs = len(runs[0].history["epoch"])
    curves = [read_arrays(name, run.scale, run.seed)["curve_loss"] for run in runs]
    last = np.concatenate([curve[-(len(curve) // epochs) :] for curve in curves])
    return (last <= published).mean()


def recipe(name):
    """Say in a few words what sets an experiment's recipe apart from the published settings."""
    experiment = find(name)
    config, side = experiment.config, experiment.data.get("size")  # of photographs, in pixels
    depth, annealed = config.model_kwargs.get("depth"), config.schedule["name"] == "cosine"
    words = [
        ("true patches" if side else "true squares", config.model.startswith("vit")),
        (f"{depth} layers", depth and not side),
        ("batch normalisation", "batch_norm" in config.model_kwargs),
        ("annealed rate", annealed),
        ("constant rate", not annealed and not side),
        ("distorted images", config.augment and not side),
        ("with the mirror image", config.flip_tta),
        ("found on these images", side and not name.startswith("best-")),
        ("own threshold", side and name.startswith("best-")),
        (f"{side} px", side),
    ]
    return ", ".join([*(word for word, holds in words if holds), f"{config.epochs} epochs"])


# ---------------------------------------------------------------------------- practice 4

#: The networks with a recipe of their own.
BEST_VOC = {"LeNet": "best-voc-lenet", "ResNet-18": OWN}


def photographs():
    """Return the rows of practice 4, ours computed in the original's way, our best over all."""
    rows, recipes = [], BEST_VOC | {"ViT": best_vit()}
    person = always_person()["accuracy"]
    for model, published in PUBLISHED_VOC.items():
        (ours, whole), experiment = _ways(VOC[model]), find(VOC[model])
        size = f"{experiment.data['size']} px, {experiment.config.epochs} epochs"
        best = _ways(recipes[model], recipe(recipes[model]))[1] if model in recipes else {}
        for key, figure in metrics.DECISION_METRICS.items():
            why = {"accuracy": "true_negatives", "f1": "smaller"}.get(key, "batches")
            why += "_strips" if (model, key) == ("ViT", "f1") else ""
            gap = ours[key].mean - whole[key].mean
            why = _why(why, person=person, gap=gap, size=size, side=PUBLISHED_SIDE)
            came = outcome(ours[key].values, published[key], NEAR)
            rows.append(Row(model, figure, published[key], ours[key], best.get(key), came, why))
    return rows


def _ways(name, recipe=""):
    """Return an experiment's figures in the original's way and over all images, by their key."""
    said, targets = predictions(name), metrics.recorded_targets(name)
    return [
        {
            key: Measured(tuple(seed[key] for seed in seeds), name, key, recipe)
            for key in metrics.DECISION_METRICS
        }
        for seeds in (said.in_original_way(targets), said.summaries(targets))
    ]


def single_label():
    """Return the rows of the second public attempt: one class an image, the surest answer."""
    rows = []
    for model, value in PUBLISHED["single_label"].items():
        ours = None
        if name := COMPARED.get(model):
            targets = metrics.recorded_targets(name)
            one = targets.sum(axis=1) == 1
            said = predictions(name).probabilities[:, one].argmax(axis=2)  # [S, images]
            right = targets[one][np.arange(one.sum()), said].mean(axis=1)
            about = f"on {one.sum()} images with one class"
            ours = Measured(tuple(right), name, "accuracy", about)
        came = OTHER_TASK if ours else NOT_BUILT
        rows.append(Row(model, "top-1 accuracy", value, ours, None, came))
    return rows


# ---------------------------------------------------------------------------- practice 5


def activations():
    """Return the rows of practice 5."""
    rows = []
    for name, parts in ACTIVATION_PAIRS.items():
        if parts.published is None:
            continue
        ours, best, why = _share(name), None, ""
        if name in REMEDIES:
            best = max((_share(*tried) for tried in REMEDIES[name]), key=lambda share: share.mean)
            why = _why("no_gradient")
        elif failed := ours.n - sum(ours.values):
            why = _why("some_seeds", failed=failed, n=ours.n)
        came = works(ours, parts.published)
        rows.append(Row(parts.label, SHARE, parts.published, ours, best, came, why))
    return rows


def _share(pair, setting="plain", recipe=""):
    batch = recorded_ensemble(pair, setting)
    return Measured(tuple(batch.fits), batch.experiment, SHARE, recipe)


#: The rows of each practice, from 1 to 5.
PRACTICES = {1: moons, 2: mnist, 3: digits, 4: photographs, 5: activations}
