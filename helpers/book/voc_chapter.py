"""Practice 4's recorded answers, and its tables and figures made from them.

How a table or a figure is made stands in `helpers.book.multilabel`, `pr_figures` and `looking`; this
module says of which runs.
"""

import json
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit

from data_prep.voc_labels import CLASSES
from helpers.analysis import metrics, summaries
from helpers.analysis.stats import Interval, difference_interval, mean_interval
from helpers.book import figures, looking, multilabel, pr_figures
from helpers.book.multilabel import Answers
from helpers.book.threshold_panel import threshold_panel
from helpers.book.thresholds import threshold_playground
from helpers.claims.course import PUBLISHED_VOC
from helpers.claims.voc_rules import (
    ANNEALED,
    CAUSES,
    COMPARED,
    F1,
    LARGER,
    LARGEST,
    LONG,
    MAP,
    PLAIN,
    REMEDIES,
    REPEATED,
)
from helpers.runs.examples import first, unpacked
from helpers.runs.experiments import find, recorded
from helpers.runs.records import ROOT, read_arrays
from helpers.runs.registry import EXPERIMENTS

BEST = COMPARED["ResNet-18"]  # whose answers are looked at closely
CALIBRATED = ("LeNet", "ResNet-18", "ViT")  # whose probabilities are compared with the truth
BATCH = 64  # images, of the original's evaluation
FALSE_ALARM, RIGHT = "false alarms", "right"
JUDGED = ROOT / "benchmarks" / "false_alarms.json"  # by eye, not by a program


# ---------------------------------------------------------------------------- answers


def targets(name=BEST):
    """Return what is on the validation images, uint8 [N, K], as a run has kept it."""
    return read_arrays(name, "full", find(name).seeds[0])["labels"]


@cache
def answers(name, threshold=0.5):
    """Return the `helpers.book.multilabel.Answers` of an experiment's recorded seeds."""
    runs = recorded(name)
    scores = [read_arrays(name, "full", run.seed)["scores"] for run in runs]
    return Answers.of_runs(runs, scores, threshold)


def compared():
    """Return the answers of the compared models that are listed: name -> Answers."""
    return {about: answers(name) for about, name in COMPARED.items() if name in EXPERIMENTS}


def larger():
    """Return the experiments on larger images that are listed: "model, size" -> name."""
    listed = [find(name) for name in LARGER if name in EXPERIMENTS]
    return {f"{e.about}, {e.data['size']} px": e.name for e in listed}


def ends(name, metric):
    """Return a figure of each seed, [S], after as many epochs as the compared models have."""
    return summaries.history(recorded(name), metric)[1][:, find(BEST).config.epochs - 1]


def grown_images():
    """Return what the compared models reach on larger images, and on those of the comparison.

    Returns
    -------
    list of (model, name of the experiment on larger images, dict)
        The dict holds, for "F1" and "mAP", the `ends` of both, the larger images' first.
    """
    found = []
    for name in larger().values():
        about = find(name).about
        if about in COMPARED:
            pair = name, COMPARED[about]
            reached = {"F1": [ends(n, F1) for n in pair], "mAP": [ends(n, MAP) for n in pair]}
            found.append((about, name, reached))
    return found


def one_run(name):
    """Return the probabilities [N, K] of the seed whose photographs an experiment keeps.

    What shows a single run, shows this one, so that its curves and its photographs go together.
    """
    experiment = find(name)
    return answers(name).probabilities[experiment.seeds.index(experiment.keep_images[0])]


def one_run_of_each():
    """Return `one_run` of the compared models that are listed: name -> probabilities."""
    return {about: one_run(name) for about, name in COMPARED.items() if name in EXPERIMENTS}


def baselines():
    """Return the answers of three models that never look at an image: name -> Answers.

    The class priors are those of the validation images themselves, which can only flatter them.
    """
    truth = targets()
    constant = metrics.constant_baselines(truth.mean(axis=0), CLASSES, len(truth))
    return {f"always: {name}": Answers.constant(rows) for name, rows in constant.items()}


def constant_figures(said):
    """Return `helpers.analysis.metrics.summarise` of a constant answer: "person", "nothing", ..."""
    return metrics.summarise(baselines()[f"always: {said}"].probabilities[0], targets(), 0.5)


# ----------------------------------------------------------------------------- tables


def trap_table():
    """Tabulate what answers that never look at an image are worth."""
    columns = ["model", "accuracy", "precision", "recall", "F1", "mAP"]
    return multilabel.results_table(baselines(), targets(), np.random.default_rng(0))[columns]


@cache
def results_table():
    """Tabulate the constant answers and every model, smaller images first."""
    rows = baselines() | compared() | {about: answers(name) for about, name in larger().items()}
    return multilabel.results_table(rows, targets(), np.random.default_rng(0))


def sizes_table():
    """Tabulate what larger images change, with all else alike; a single run has no interval."""
    rows = []
    for about, name, grown in grown_images():
        row = {"network": about, "images": f"{find(name).data['size']} px"}
        for title, (after, before) in grown.items():
            several = len(after) > 1
            change = difference_interval(after, before) if several else after[0] - before.mean()
            row[f"change in {title}"] = f"{change:+.3f}"
        small, large = (summaries.format_seeds(recorded(n)) for n in (COMPARED[about], name))
        rows.append(row | {"runs": f"{large} against {small}"})
    return pd.DataFrame(rows)


def published_table():
    """Tabulate the published figures beside ours, in the original's way and over all images."""
    ours = {}
    for about, name in REPEATED.items():
        listed = [n for n in (name, LARGEST.get(about)) if n in EXPERIMENTS]
        ours[about] = [answers(n) for n in listed]
    return multilabel.published_table(ours, targets(), PUBLISHED_VOC, BATCH)


# ---------------------------------------------------------------------------- figures


def class_curves(about):
    """Draw the precision-recall curve of each class, for one run of a compared model."""
    return pr_figures.class_curves_figure(one_run(COMPARED[about]), targets(), CLASSES, about)


def model_curves():
    """Draw the micro curves of all compared models, one run each, and the constant answers."""
    constant = {about: said.probabilities[0] for about, said in baselines().items()}
    return pr_figures.models_figure(one_run_of_each(), targets(), constant)


def moved_threshold(about="cat"):
    """Show how a curve comes about from the scores that ResNet-18 gives one class."""
    column = CLASSES.index(about)
    scores, truth = one_run(BEST)[:, column], targets()[:, column]
    return pr_figures.threshold_figure(scores, truth)


def image_sizes():
    """Draw the mAP of the compared models against the size of their images.

    A single run has no interval.
    """
    ax = figures.axes_or_new(None, height=5.2)
    sides = set()
    for i, (about, name) in enumerate(COMPARED.items()):
        names = [name, *(n for n in larger().values() if find(n).about == about)]
        levels = [ends(n, MAP) for n in names]
        levels = [mean_interval(v) if len(v) > 1 else Interval(v[0], v[0], v[0], 1) for v in levels]
        at = np.array([find(n).data["size"] for n in names])
        sides |= set(at.tolist())
        apart = at * 1.012 ** (i - 2)  # so that no interval hides another
        figures.sweep(apart, levels, "side of the images in pixels", "mAP", True, about, i, ax)
    ax.set_xticks(sorted(sides), sorted(sides))
    ax.minorticks_off()
    ax.margins(x=0.06)
    figures.legend_above(ax, ncols=3)
    return ax.figure


def overfitting():
    """Draw LeNet's validation loss and its gap over the epochs, with no remedy and with each."""
    names = {"no remedy": PLAIN["LeNet"]}
    names |= {about: with_it for about, (with_it, _) in REMEDIES.items() if with_it in EXPERIMENTS}
    return multilabel.gap_figure({about: recorded(name) for about, name in names.items()})


def vits():
    """Return the records of the ViT's variants, each with one change: about -> records."""
    names = dict.fromkeys(name for pair in CAUSES.values() for name in pair)
    return {find(name).about: recorded(name) for name in names if name in EXPERIMENTS}


def causes():
    """Draw the mAP of every variant of the ViT, and ResNet-18's."""
    levels = {about: summaries.interval(runs, MAP) for about, runs in vits().items()}
    levels = dict(sorted(levels.items(), key=lambda row: row[1].estimate))
    best = summaries.values(recorded(COMPARED["ResNet-18"]), MAP).mean()
    return figures.interval_plot(levels, "mAP", best, "ResNet-18")


def long_run():
    """Draw the losses of the run that goes on after it has overfitted."""
    steps, losses = summaries.history(recorded(LONG), "eval_loss")
    learnt = summaries.history(recorded(LONG), "loss")[1]
    return figures.curves(
        steps + 1, {"validation": losses, "training": learnt}, ylabel="loss", log=True
    )


def learning():
    """Draw the mAP of every compared model after each epoch, means over seeds."""
    epochs, courses = {}, {}
    for about, name in COMPARED.items():
        if name in EXPERIMENTS:
            steps, courses[about] = summaries.history(recorded(name), MAP)
            epochs[about] = steps + 1
    figure = figures.curves(epochs, courses, ylabel="mAP on the validation images")
    figures.legend_above(figure.axes[0], ncols=3)
    return figure


def restless():
    """Draw the validation loss after each epoch, at a constant rate and at one that falls."""
    figure, axes = figures.new_figure(2, 1, height=6.4, sharex=True)
    for ax, about in zip(axes, ("ResNet-18", "ViT"), strict=True):
        names = {"constant rate": COMPARED[about], "falling rate": ANNEALED.get(about)}
        runs = {
            way: summaries.history(recorded(name), "eval_loss")
            for way, name in names.items()
            if name in EXPERIMENTS
        }
        figures.curves(
            {way: steps + 1 for way, (steps, _) in runs.items()},
            {way: losses for way, (_, losses) in runs.items()},
            ylabel="validation loss", xlabel="epoch" if ax is axes[-1] else "", each=True, ax=ax,
        )  # fmt: skip
        ax.set_title(f"{about}, each seed", loc="left")
    return figure


def calibration():
    """Draw how often a class is there against the probability that a model gives it."""
    chosen = {about: one_run(COMPARED[about]) for about in CALIBRATED}
    return multilabel.reliability_figure(chosen, targets())


# ------------------------------------------------------------------- images and maps


@cache
def shown(name):
    """Return (places, images, probabilities, truth, views) of a run that keeps its images.

    Returns
    -------
    places : ndarray of int, [M]
        In the validation images.
    images : ndarray of uint8, [M, S, S, 3]
    probabilities, truth : ndarray [M, K]
    views : ndarray or None
        As from `helpers.networks.probes.views`.
    """
    arrays = read_arrays(name, "full", find(name).keep_images[0])
    places = arrays["shown"]
    probabilities = expit(arrays["scores"][places].astype(np.float64))
    views = arrays.get("shown_saliency")
    return places, unpacked(arrays["shown_images"]), probabilities, arrays["labels"][places], views


def chosen(name, kind, each):
    """Return rows of `shown` that are most confidently of a kind, and the class of each.

    Returns
    -------
    rows, classes : list of int
        The first of every class, then the second of every class, and so on up to `each`.
    """
    _, _, probabilities, truth, _ = shown(name)
    said = probabilities >= 0.5
    right = (said == (truth == 1)).all(axis=1, keepdims=True)
    which = said & ((truth == 0) if kind == FALSE_ALARM else (truth == 1) & right)
    ranks = [first(column, each) for column in np.where(which, probabilities, -np.inf).T]
    pairs = [(rows[i], k) for i in range(each) for k, rows in enumerate(ranks) if i < len(rows)]
    return [row for row, _ in pairs], [k for _, k in pairs]


def judged():
    """Return how a person judged ResNet-18's most confident false alarms.

    Returns
    -------
    dict (int, str) -> str
        Place and class -> "there" where the class is in the image after all, "not there", or
        "unclear".
    """
    text = JUDGED.read_text(encoding="utf-8")
    entries = json.loads(text)["false alarms"]
    return {(entry["place"], entry["said"]): entry["judgement"] for entry in entries}


def mistakes(name=BEST):
    """Draw the two most confident false alarms of each class, and all that is said of them."""
    rows, _ = chosen(name, FALSE_ALARM, 2)
    _, images, probabilities, truth, _ = shown(name)
    decisions = probabilities[rows] >= 0.5
    return pr_figures.contact_sheet(images[rows], truth[rows], decisions, CLASSES, columns=5)


def looks(name):
    """Draw where a model looks on an image of each class, right and wrongly said."""
    places = [chosen(name, kind, 1) for kind in (RIGHT, FALSE_ALARM)]
    rows, classes = ([*right, *wrong] for right, wrong in zip(*places, strict=True))
    _, images, probabilities, truth, views = shown(name)
    titles = [
        f"{'✓' if truth[row, k] else '✗'} {CLASSES[k]}\n{probabilities[row, k]:.2f}"
        for row, k in zip(rows, classes, strict=True)
    ]
    patching = find(name).config.model_kwargs.get("patching", "squares")
    found = looking.enlarged(views[rows], classes, images.shape[1], patching)
    return looking.looking_figure(found, images[rows], titles, views.ndim == 4, columns=5)


# ------------------------------------------------------------------------------- play


def _pictures(most):
    """Return the last `most` of the kept pictures, the least sure at the end: place -> image."""
    places, images, *_ = shown(BEST)
    return dict(zip(places[-most:].tolist(), images[-most:], strict=True))


def panel(caption):
    """Return the thresholds of ResNet-18's answers to move in the built page."""
    return threshold_panel(one_run(BEST), targets(), CLASSES, caption, _pictures(8))


def playground():
    """Return the widget that moves the thresholds of ResNet-18's answers."""
    return threshold_playground(one_run(BEST), targets(), CLASSES, _pictures(40))
