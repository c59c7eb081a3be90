"""Every result that the original course published, beside ours: what came out again, and why not.

The published values are `helpers.claims.course`'s, the figures of our runs those that the chapters show.
How the rows are shown stands in `helpers.claims.published_view`.
"""

from dataclasses import dataclass

import numpy as np

from helpers.analysis import metrics
from helpers.analysis.activations import REMEDIES
from helpers.analysis.stats import mean_interval, prediction_interval, wilson
from helpers.analysis.summaries import difference, format_count, values
from helpers.claims.activation_rules import OFTEN, SELDOM
from helpers.claims.course import (
    PUBLISHED_MNIST,
    PUBLISHED_SIDE,
    PUBLISHED_SINGLE_LABEL,
    PUBLISHED_VISION,
    PUBLISHED_VOC,
)
from helpers.claims.finding import CLOSE
from helpers.claims.numpy_rules import separated
from helpers.claims.vision_rules import REPEATED as VISION
from helpers.claims.vision_rules import SQUARES
from helpers.claims.voc_rules import COMPARED, NEAR, OWN, always_person, best_vit, predictions
from helpers.claims.voc_rules import REPEATED as VOC
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import EXPERIMENTS, find, recorded, recorded_ensemble
from helpers.runs.records import read_arrays

AGAIN, PARTLY, UNCLEAR, ABSENT = "again", "in part", "unclear", "not recorded yet"
ACCURACY, LOSS, F1, SHARE = "test accuracy", "loss", "F1", "share of seeds that fit"


@dataclass(frozen=True)
class Measured:
    """What our runs of one recipe came to.

    Attributes
    ----------
    values : one a seed; for a share, whether the seed belongs to it.
    experiments : where the runs are.
    recipe : in words, where it is not the published one.
    share : whether it is a share.
    """

    values: tuple
    experiments: tuple
    recipe: str = ""
    share: bool = False

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
        if self.share:
            return wilson(int(sum(self.values)), self.n)
        return mean_interval(self.values) if self.n > 1 else None


@dataclass(frozen=True)
class Row:
    """A published result and ours.

    Attributes
    ----------
    model, figure : what was measured of what.
    published : its value; for practices 1 and 5, 1 if the course says that it works, else 0.
    ours : in the published settings; None while it is not recorded, or if it was not built.
    best : by our best recipe for it; None if there is none.
    outcome : `AGAIN`, "higher", "lower", `UNCLEAR`, `PARTLY` for a share, or why there is none.
    why : what explains the difference, a sentence without its point.
    """

    model: str
    figure: str
    published: float
    ours: Measured | None
    best: Measured | None
    outcome: str
    why: str = ""


def outcome(ours, published, tolerance):
    """Say whether a published value came out again.

    Parameters
    ----------
    ours : Measured or None
    published : float
    tolerance : float
        A mean that is as near as this repeats the value.

    Returns
    -------
    str
        `AGAIN`; "higher" or "lower" if the value, which is one run, lies outside the prediction
        interval for one more run of ours; `UNCLEAR` if it lies inside, or if there is but one
        run of ours; `ABSENT`.
    """
    if ours is None:
        return ABSENT
    if abs(ours.mean - published) <= tolerance:
        return AGAIN
    if ours.n == 1 or prediction_interval(ours.values).contains(published):
        return UNCLEAR
    return "higher" if ours.mean > published else "lower"


def _works(ours, published):
    """Say whether a combination works, or fails, as the course says: with (nearly) every seed."""
    share = ours.interval
    works = True if share.low >= OFTEN else False if share.high <= SELDOM else None
    return PARTLY if works is None else AGAIN if works == bool(published) else "not so"


def _measured(name, metric, recipe=""):
    """Return a figure of an experiment's runs, None if the experiment is not listed."""
    if name not in EXPERIMENTS:
        return None
    return Measured(tuple(values(recorded(name), metric)), (name,), recipe)


# ------------------------------------------------------------------------ practices 1, 2


def moons():
    """Return the rows of practice 1."""

    def of(name, recipe=""):
        there, _ = separated(recorded(name))
        return Measured(tuple(there), (name,), recipe, share=True)

    ours = of("moons-published")
    why = "the others are stuck at a straight line through both moons: luck of the first weights"
    return [
        Row("tanh network", "share of seeds that separate the moons", 1.0, ours,
            of("moons-he", find("moons-he").label), _works(ours, 1), why)
    ]  # fmt: skip


def mnist():
    """Return the rows of practice 2."""
    penalty = values(recorded("mnist-published"), "train_penalty").mean()
    gain = difference(recorded("mnist-corrected"), recorded("mnist-published"), "eval_accuracy")
    left_out = f"both leave out the λ term, which ends at {penalty:.2f}"
    relu = (
        "both have a ReLU on the scores, which can silence a class; without it the test accuracy "
        f"changes by {gain:+.4f}"
    )
    rows = []
    for figure, key, why in (
        ("training loss", "train_loss", left_out),
        ("training accuracy", "train_accuracy", relu),
        ("test loss", "test_loss", left_out),
        (ACCURACY, "test_accuracy", relu),
    ):
        published, metric = PUBLISHED_MNIST[key], key.replace("test", "eval")
        ours, best = _measured("mnist-published", metric), None
        if "accuracy" in figure:
            best = _measured("mnist-sgd", metric, find("mnist-sgd").label)
        rows.append(
            Row(
                "NumPy network", figure, published, ours, best, outcome(ours, published, CLOSE), why
            )
        )
    return rows


# ---------------------------------------------------------------------------- practice 3

#: Our better recipes, the best one last, each as long as the published one or longer.
BETTER_VISION = {
    "LeNet": ("best-lenet",),
    "VGG-11": ("best-vgg11",),
    "ResNet-18": ("best-resnet18",),
    "ViT": ("mnist-vit", "best-vit"),
    "ViT without 1/√d": ("mnist-vit-unscaled",),
}


def digits():
    """Return the rows of practice 3: the accuracies, then the losses."""
    rows = []
    for about, published in PUBLISHED_VISION.items():
        value = published["test_accuracy"]
        ours = _measured(VISION[about], "eval_accuracy")
        better = [
            name
            for name in BETTER_VISION[about]
            if name in EXPERIMENTS and find(name).config.epochs >= published["epochs"]
        ]
        best = _measured(better[-1], "eval_accuracy", _recipe(better[-1])) if better else None
        came = outcome(ours, value, CLOSE)
        why = _why_vit(came) if "ViT" in about else _restless(VISION[about])
        rows.append(Row(about, ACCURACY, value, ours, best, came, why))
    for about, published in PUBLISHED_VISION.items():
        if (value := published["loss"]) is not None:
            ours = _measured(VISION[about], "train_loss")
            why = _as_low(VISION[about], value) if ours else ""
            rows.append(Row(about, LOSS, value, ours, None, outcome(ours, value, CLOSE), why))
    return rows


def _recipe(name):
    config = find(name).config
    schedule = {"constant": "constant rate", "cosine": "annealed rate"}[config.schedule["name"]]
    words = ["true squares"] if config.model == "vit" else []
    words += [f"{config.model_kwargs['depth']} layers"] if "depth" in config.model_kwargs else []
    words += ["batch normalisation"] if "batch_norm" in config.model_kwargs else []
    words += [schedule, *(["distorted images"] if config.augment else [])]
    return ", ".join([*words, f"{config.epochs} epochs"])


def _restless(name, last=5):
    """Say how far the test accuracy moves at the end of a run with a constant rate."""
    if name not in EXPERIMENTS:
        return ""
    ends = np.array([run.history["eval_accuracy"][-last:] for run in recorded(name)])
    return (
        f"at a rate that never falls the last epoch is a draw: in the last {last}, a run of ours "
        f"moves by {np.ptp(ends, axis=1).max():.4f}"
    )


def _why_vit(came):
    unknown = f"; why ours is {came} isn't known" if came in ("higher", "lower") else ""
    return (
        "both cut strips instead of squares, read the last token and start the shortcut behind the "
        f"normalisation, which changes the accuracy by {cost_of_strips():+.4f}{unknown}"
    )


def cost_of_strips():
    """Return what the original's ways change in its ViT's accuracy on digits, an Interval."""
    original, meant = recorded(VISION["ViT"]), recorded(SQUARES["ViT, true squares"])
    return difference(original, meant, "eval_accuracy")


def _as_low(name, published):
    """Say how many parts of the last epoch have a loss as low as the published one."""
    runs = recorded(name)
    epochs = len(runs[0].history["epoch"])
    curves = [read_arrays(name, run.scale, run.seed)["curve_loss"] for run in runs]
    last = np.concatenate([curve[-(len(curve) // epochs) :] for curve in curves])
    return (
        "of which batches the published loss is isn't said; ours is the mean of the last epoch, "
        f"in which {(last <= published).mean():.0%} of the means over ten batches are as low"
    )


# ---------------------------------------------------------------------------- practice 4

#: The networks with a recipe of their own.
BETTER_VOC = {"LeNet": "best-voc-lenet", "ResNet-18": OWN}


def photographs():
    """Return the rows of practice 4, ours computed in the original's way, our best over all."""
    rows, recipes = [], BETTER_VOC | {"ViT": best_vit()}
    for about, published in PUBLISHED_VOC.items():
        ours, whole = _ways(VOC[about])
        better = recipes.get(about)
        best = _ways(better, _recipe_voc(better))[1] if better else {}
        for key, figure in metrics.DECISION_METRICS.items():
            found, value = ours.get(key), published[key]
            why = _why_photographs(about, key, found.mean - whole[key].mean) if found else ""
            result = outcome(found, value, NEAR)
            rows.append(Row(about, figure, value, found, best.get(key), result, why))
    return rows


def _why_photographs(about, key, gap):
    """Say what is odd about a published figure; `gap` is what computing it so has changed."""
    if key == "accuracy":
        person = always_person()["accuracy"]
        return (
            f"true negatives count, so that “person” alone has {person:.3f}; a mean over all "
            f"epochs is {gap:+.3f} from the finished network's"
        )
    batches = f"computed from means over batches, {gap:+.4f} from all images at once"
    if key != "f1":
        return batches
    strips = "; both cut strips instead of squares" if about == "ViT" else ""
    instead = f"{size(VOC[about])} instead of {PUBLISHED_SIDE} px and “until converged”"
    return f"{batches}; {instead}{strips}"


def _recipe_voc(name):
    config = find(name).config
    words = ["true patches"] if config.model == "vit" else []
    words += ["batch normalisation"] if "batch_norm" in config.model_kwargs else []
    words += ["annealed rate"] if config.schedule["name"] == "cosine" else []
    words += ["with the mirror image"] if config.flip_tta else []
    words += ["found on these images"] if not name.startswith("best-voc-") else []
    words += ["own threshold"] if predictions(name).thresholds != 0.5 else []
    return ", ".join([*words, size(name)])


def size(name):
    """Say how large the images of an experiment of practice 4 are, and how long it takes."""
    experiment = find(name)
    return f"{experiment.data['size']} px, {experiment.config.epochs} epochs"


def _ways(name, recipe=""):
    """Return an experiment's figures in the original's way and over all images, by their key."""
    if name not in EXPERIMENTS:
        return {}, {}
    said, targets = predictions(name), metrics.recorded_targets(name)
    ways = said.in_original_way(targets), said.summaries(targets)
    return tuple(
        {
            key: Measured(tuple(seed[key] for seed in seeds), (name,), recipe)
            for key in metrics.DECISION_METRICS
        }
        for seeds in ways
    )


def single_label():
    """Return the rows of the second public attempt: one class an image, the surest answer."""
    rows = []
    for about, value in PUBLISHED_SINGLE_LABEL.items():
        ours = None
        if COMPARED.get(about) in EXPERIMENTS:
            name = COMPARED[about]
            targets = metrics.recorded_targets(name)
            one = targets.sum(axis=1) == 1
            said = predictions(name).probabilities[:, one].argmax(axis=2)  # [S, images]
            right = targets[one][np.arange(one.sum()), said].mean(axis=1)
            ours = Measured(tuple(right), (name,), f"on {one.sum()} images with one class")
        result = "another task" if ours else ABSENT if about in COMPARED else "not built here"
        rows.append(Row(about, "top-1 accuracy", value, ours, None, result))
    return rows


# ---------------------------------------------------------------------------- practice 5


def activations():
    """Return the rows of practice 5."""
    rows = []
    for name, parts in ACTIVATION_PAIRS.items():
        if parts.published is None:
            continue
        ours = _share(name)
        best, why = None, ""
        if name in REMEDIES:
            best = max((_share(*tried) for tried in REMEDIES[name]), key=lambda share: share.mean)
            why = "a gradient that is zero, or a pole: nothing that the function's values show"
        elif not all(ours.values):
            failed = format_count(ours.n - sum(ours.values), ours.n)
            why = f"{failed} do not fit, which one run hides"
        worked = float(parts.published)
        rows.append(Row(parts.label, SHARE, worked, ours, best, _works(ours, worked), why))
    return rows


def _share(combination, setting="plain", recipe=""):
    batch = recorded_ensemble(combination, setting)
    return Measured(tuple(map(bool, batch.fits)), (batch.experiment,), recipe, share=True)


#: The rows of each practice, from 1 to 5.
PRACTICES = {1: moons, 2: mnist, 3: digits, 4: photographs, 5: activations}
