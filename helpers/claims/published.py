"""Every result that the original course published, beside ours: what is reproduced, and why not.

The published values and the sentences are `published.toml`'s, the verdicts those of the claims'
rules, and of `helpers.claims.findings.Verdict.from_number` for what no claim is about.
"""

from dataclasses import dataclass

import numpy as np

from helpers.analysis import metrics
from helpers.analysis.activations import REMEDIES
from helpers.analysis.stats import mean_interval, wilson
from helpers.analysis.summaries import bounds, difference, values
from helpers.claims.findings import (
    PUBLISHED,
    PUBLISHED_MNIST,
    PUBLISHED_SIDE,
    PUBLISHED_VISION,
    PUBLISHED_VOC,
    WIDE_PHOTOS,
    Verdict,
    rule,
)
from helpers.claims.mlp_rules import PARTS, separated
from helpers.claims.vision_rules import REPEATED as VISION
from helpers.claims.vision_rules import SQUARES
from helpers.claims.voc_rules import OWN, always_person, as_published, predictions
from helpers.claims.voc_rules import REPEATED as VOC
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import find, recorded, recorded_ensemble
from helpers.runs.records import read_arrays

ACCURACY, LOSS, F1, SHARE = "test accuracy", "loss", "F1", "share of seeds that fit"


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
    verdict : None where the two can't be compared.
    why : what explains the difference, a sentence without its point.
    """

    model: str
    figure: str
    published: float
    ours: Measured | None
    best: Measured | None
    verdict: Verdict | None
    why: str = ""


def _why(name, **values):
    return PUBLISHED["why"][name].format(**values)


def _measured(name, metric, recipe=""):
    return Measured(tuple(values(recorded(name), metric)), name, metric, recipe)


# ------------------------------------------------------------------------ practices 1, 2


def moons():
    """Return the rows of practice 1."""

    def of(name, recipe=""):
        return Measured(tuple(separated(recorded(name))[0]), name, SHARE, recipe)

    ours, best = of("moons-published"), of("moons-he", find("moons-he").label)
    figure = "share of seeds that separate the moons"
    separates = rule("C1.1")()[0]["separates"]
    return [Row("tanh network", figure, True, ours, best, separates, _why("moons"))]


def mnist():
    """Return the rows of practice 2."""
    penalty = values(recorded("mnist-published"), "train_penalty").mean()
    gain = difference(recorded("mnist-corrected"), recorded("mnist-published"), "eval_accuracy")
    rows = []
    for figure, verdict in rule("C2.1")()[0].items():
        key, metric = PARTS[figure]
        published = PUBLISHED_MNIST[key]
        ours = _measured("mnist-published", metric)
        best, why = None, _why("penalty", penalty=penalty)
        if "accuracy" in key:
            best = _measured("mnist-sgd", metric, find("mnist-sgd").label)
            why = _why("relu", gain=gain)
        rows.append(Row("NumPy network", figure, published, ours, best, verdict, why))
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
    accuracies, losses, verdicts = [], [], rule("C3.1")()[0]
    for model, published in PUBLISHED_VISION.items():
        name, better = VISION[model], BEST_VISION[model]
        ours = _measured(name, "eval_accuracy")
        best = _measured(better, "eval_accuracy", recipe(better))
        value = published["test_accuracy"]
        ends = np.array([run.history["eval_accuracy"][-5:] for run in recorded(name)])
        why = _why("last_epoch", last=5, moved=np.ptp(ends, axis=1).max())
        why = _why("strips", cost=cost_of_strips()) if "ViT" in model else why
        accuracies.append(Row(model, ACCURACY, value, ours, best, verdicts[model], why))
        if value := published.get("loss"):
            ours = _measured(name, "train_loss")
            why = _why("loss", share=_as_low(name, value))
            losses.append(Row(model, LOSS, value, ours, None, None, why))
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
    size = [f"{experiment.data['size']} px"] if "size" in experiment.data else []
    return ", ".join([PUBLISHED["recipe"][name], *size, f"{experiment.config.epochs} epochs"])


# ---------------------------------------------------------------------------- practice 4


def photographs():
    """Return the rows of practice 4, ours computed in the original's way, our best over all."""
    rows = []
    person = always_person()["accuracy"]
    for model, published in PUBLISHED_VOC.items():
        (ours, whole), experiment = _ways(VOC[model]), find(VOC[model])
        size = f"{experiment.data['size']} px, {experiment.config.epochs} epochs"
        best = _ways(OWN[model], recipe(OWN[model]))[1] if model in OWN else {}
        for key, figure in metrics.DECISION_METRICS.items():
            why = {"accuracy": "true_negatives", "f1": "smaller"}.get(key, "batches")
            why += "_strips" if (model, key) == ("ViT", "f1") else ""
            gap = ours[key].mean - whole[key].mean
            why = _why(why, person=person, gap=gap, size=size, side=PUBLISHED_SIDE)
            verdict = Verdict.from_number(ours[key].values, published[key], WIDE_PHOTOS)
            rows.append(Row(model, figure, published[key], ours[key], best.get(key), verdict, why))
    return rows


def _ways(name, recipe=""):
    """Return an experiment's figures in the original's way and over all images, by their key."""
    whole = predictions(name).summaries(metrics.recorded_targets(name))
    return [
        {
            key: Measured(tuple(seed[key] for seed in seeds), name, key, recipe)
            for key in metrics.DECISION_METRICS
        }
        for seeds in (as_published(name), whole)
    ]


# ---------------------------------------------------------------------------- practice 5


def activations():
    """Return the rows of practice 5."""
    rows, verdicts = [], rule("C5.1")()[0] | rule("C5.2")()[0]
    for name, parts in ACTIVATION_PAIRS.items():
        if parts.published is None:
            continue
        ours, best, why = _share(name), None, ""
        if name in REMEDIES:
            best = max((_share(*tried) for tried in REMEDIES[name]), key=lambda share: share.mean)
            why = _why("no_gradient" if name == "sgn" else "pole")
        elif failed := ours.n - sum(ours.values):
            why = _why("some_seeds", failed=failed, n=ours.n)
        says, verdict = parts.published, verdicts[parts.label]
        rows.append(Row(parts.label, SHARE, says, ours, best, verdict, why))
    return rows


def _share(pair, setting="plain", recipe=""):
    batch = recorded_ensemble(pair, setting)
    return Measured(tuple(batch.fits), batch.experiment, SHARE, recipe)


#: The rows of each practice, from 1 to 5.
PRACTICES = {1: moons, 2: mnist, 3: digits, 4: photographs, 5: activations}
