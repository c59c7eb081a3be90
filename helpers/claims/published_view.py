"""The page that puts every published result beside ours: its tables, its figure, its sentences."""

import numpy as np
import pandas as pd
import torch

from helpers.analysis import metrics, summaries
from helpers.analysis.stats import YES
from helpers.analysis.summaries import format_count, format_n, join_words, lost_class
from helpers.book import figures
from helpers.book.output import HTMLOutput
from helpers.claims.activation_rules import OFTEN, SELDOM
from helpers.claims.course import PUBLISHED_SIDE, PUBLISHED_SIZES, PUBLISHED_VOC
from helpers.claims.evidence import records_link, section_with
from helpers.claims.finding import CLOSE
from helpers.claims.published import (
    ABSENT,
    ACCURACY,
    AGAIN,
    F1,
    PRACTICES,
    UNCLEAR,
    cost_of_strips,
    size,
)
from helpers.claims.vision_rules import REPEATED as VISION
from helpers.claims.voc_rules import (
    CAUSES,
    MAP,
    NEAR,
    PATCHES,
    REPEATED,
    always_person,
    predictions,
)
from helpers.runs.experiments import EXPERIMENTS, recorded
from helpers.training.torch_trainer import MODELS

MIB = 2**20
#: The cell of each practice's notebook in which the chapter shows its published results.
SHOWN_BY = {
    1: 'show_verdict("C1.1")',
    2: "digits.beside_published()",
    3: "vision.published_table()",
    4: "in_original_way(test_targets)",
    5: 'show_verdict("C5.1")',
}
#: What is said of the results with each outcome.
WORDS = {
    AGAIN: "came out again",
    "higher": "came out higher",
    "lower": "came out lower",
    UNCLEAR: "can't be told",
    ABSENT: "not recorded yet",
}
#: And what is added where the words alone don't say why.
BECAUSE = {UNCLEAR: "One more run of ours might end there, or we have only one."}

# ------------------------------------------------------------------------------- tables


def table(rows):
    """Tabulate published results beside ours.

    Parameters
    ----------
    rows : sequence of helpers.claims.published.Row

    Returns
    -------
    DataFrame of str and helpers.analysis.summaries.Marked
        Each result of ours is its mean with its interval and the number of seeds, and leads to
        its records.
    """
    return pd.DataFrame(
        {
            "what": f"{row.model}, {row.figure}",
            "published": _published(row),
            "ours, in the published settings": _cell(row.ours, row.published),
            "came out": row.outcome,
            "ours, best recipe": _cell(row.best, row.published),
            "what lies behind it": row.why,
        }
        for row in rows
    )


def _published(row):
    if "share" in row.figure:
        return "yes" if row.published else "no"
    return f"{row.published:.4f}"


def _cell(found, target):
    """Write what our runs came to, with the way to them."""
    if found is None:
        return "–"
    if found.share:
        said = f"{found.interval:.1%}"
    else:
        said = f"{found.interval:.4f}" if found.interval else f"{found.mean:.4f}"
    cell = records_link(f"{said}, n\u00a0=\u00a0{found.n}", found.experiments)
    return summaries.joined([cell, f"({found.recipe})"]) if found.recipe else cell


def way(practice):
    """Show the way to where a chapter has its published results, with all that belongs to them."""
    where = section_with(SHOWN_BY[practice]).link
    return HTMLOutput(f"<p>In the chapter: {where.markup}.</p>", f"In the chapter: {where}.")


def sizes():
    """Tabulate what practice 4's column "Parameters" is.

    Returns
    -------
    DataFrame of str
        Ours, with every parameter in float32, at the published size of the images.
    """
    rows = []
    for about, millions in PUBLISHED_SIZES.items():
        row = {"model": about, "published": " / ".join(f"{number}M" for number in millions)}
        count = _parameters(about)
        row["our parameters"] = f"{count:,}" if count else "–"
        row["our checkpoint, MiB"] = f"{count * 4 / MIB:.1f}" if count else "–"
        rows.append(row)
    return pd.DataFrame(rows)


def _parameters(about):
    """Count a model's parameters for photographs; None for the ViTs, whose sizes aren't known."""
    name = {"LeNet": "lenet", "VGG": "course-vgg", "ResNet-18": "resnet18"}.get(about)
    if name is None:
        return None
    with torch.device("meta"):  # counts, and takes no memory
        model = MODELS[name](channels=3, size=PUBLISHED_SIDE, classes=5)
    return sum(part.numel() for part in model.parameters())


# ------------------------------------------------------------------------------- figure


def headlines():
    """Return the rows that the figure shows: the test accuracies on digits, F1 on photographs."""
    digits = [row for k in (2, 3) for row in PRACTICES[k]() if row.figure == ACCURACY]
    return digits, [row for row in PRACTICES[4]() if row.figure == F1]


def chart():
    """Draw the published accuracies and F1 values as marks, ours as dots with intervals."""
    groups = headlines()
    heights = [len(rows) + 0.8 for rows in groups]
    figure, axes = figures.new_figure(
        2, 1, height=1.9 + 0.62 * sum(heights), gridspec_kw={"height_ratios": heights}
    )
    titles = "digits (practices 2 and 3)", "photographs (practice 4)"
    for ax, rows, title in zip(axes, groups, titles, strict=True):
        _panel(ax, rows)
        ax.set_title(title, loc="left")
    axes[0].set_xlabel("test accuracy")
    person = always_person()["f1"]
    axes[1].axvline(person, color=figures.BLACK, linestyle=":", label="always “person”")
    axes[1].set_xlabel("F1")
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    return figure


def _panel(ax, rows):
    """Draw one row for each result: published above, ours in the middle, our best below."""
    places = range(len(rows))
    ax.plot(
        [row.published for row in rows], [at - 0.22 for at in places], "D", markersize=9,
        color=figures.VERMILLION, label="published",
    )  # fmt: skip
    looks = {
        "ours": (0.0, "o", figures.BLUE, "ours, the same settings"),
        "best": (0.22, "s", figures.GREEN, "ours, best recipe"),
    }
    for kind, (shift, marker, colour, label) in looks.items():
        found = [(at + shift, part) for at in places if (part := getattr(rows[at], kind))]
        for at, part in found:
            ends = (part.interval.low, part.interval.high) if part.interval else (part.mean,) * 2
            ax.plot(ends, (at, at), "-", color=colour, linewidth=2.5)
        ax.plot(
            [part.mean for _, part in found], [at for at, _ in found], marker, markersize=8,
            color=colour, label=label, linestyle="none",
        )  # fmt: skip
    ax.set_yticks(places, [row.model for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.6)
    ax.grid(axis="y", visible=False)


# ---------------------------------------------------------------------------- sentences


def in_a_minute():
    """Say how many of the published accuracies and F1 values came out again, and were beaten.

    Returns
    -------
    tuple of str
        A sentence's beginning, a point for each outcome, and a sentence on our better recipes.
    """
    places = dict(zip(("digits", "photographs"), headlines(), strict=True))
    points = []
    for result, words in WORDS.items():
        found = {
            place: [row.model for row in rows if row.outcome == result]
            for place, rows in places.items()
        }
        if number := sum(map(len, found.values())):
            where = "; ".join(
                f"on {place} {join_words(names)}" for place, names in found.items() if names
            )
            points.append(f"- **{number} {words}**: {where}. {BECAUSE.get(result, '')}".rstrip())
    rows = {f"{row.model} on {place}": row for place, rows in places.items() for row in rows}
    tried = {name: row for name, row in rows.items() if row.best}
    beaten = [
        f"{name} ({row.best.mean - row.published:+.4f})"
        for name, row in tried.items()
        if row.best.interval and row.best.interval.above(row.published) is YES
    ]
    return (
        f"Of {len(rows)} published test accuracies and F1 values,",
        *points,
        f"A better recipe of ours is recorded for {len(tried)} of them. With its whole interval it "
        f"is above the published value for {join_words(beaten)}.",
    )


def how_to_read():
    """Say what the columns of the tables mean."""
    return (
        "*Came out* says whether the published value came out again. It did if the mean of our "
        f"seeds is near it: within {CLOSE} of an accuracy or loss on digits, within {NEAR} of a "
        "figure on photographs. Otherwise ours is *higher* or *lower* if the published value, "
        "which is one run, lies outside the 95% prediction interval for one more run of ours, and "
        "*unclear* if it lies inside or we have only one run. What is said to work has come out "
        f"again if it does with at least {OFTEN:.0%} of the seeds, what is said to fail with at "
        f"most {SELDOM:.0%}, each with its whole interval; between the two it is *in part*. Every "
        "result of ours leads to its records. *Ours, best recipe* is a recipe of this book that "
        "is meant to be better, for the network of the same name. The verdicts on C3.1 and C4.3 "
        "judge by the mean alone: what is *unclear* here may be called not repeated there."
    )


def about_photographs():
    """Say how our runs on photographs differ from the published ones, and how they are judged."""
    name = REPEATED["ResNet-18"]
    targets, answers = metrics.recorded_targets(name), predictions(name)
    ways = answers.in_original_way(targets), answers.summaries(targets)
    gap = np.subtract(*(np.mean([seed["accuracy"] for seed in way]) for way in ways))
    return (
        f"The course's settings, but {_sizes()} instead of {PUBLISHED_SIDE} px and “until "
        "converged”. Ours in the published settings are computed in the original's way, our best "
        f"recipe over all {len(targets)} validation images at once. The original's "
        "way is this. The original's accuracy is the mean over *all epochs so far*, from a list "
        f"that was never emptied: for ResNet-18 that is {abs(gap):.3f} "
        f"{'above' if gap > 0 else 'below'} the accuracy of the network that comes out of the "
        "training. Its precision and recall are means over batches (we take "
        f"{metrics.ORIGINAL_BATCH} images a batch), in which a batch with few positives counts as "
        "much as one with many. And what it calls parameters is the size of the checkpoint in MiB."
    )


def _sizes():
    """Say how large our photographs are, and how long the networks were trained on them."""
    networks = {}
    for about, name in REPEATED.items():
        if name in EXPERIMENTS:
            networks.setdefault(size(name).replace(", ", " for "), []).append(about)
    return join_words(f"{each} ({', '.join(names)})" for each, names in networks.items())


def mistakes():
    """Say which of the original's ways explain the rest, and what each is worth."""
    patches = summaries.difference(*map(recorded, CAUSES[PATCHES]), MAP)
    strips = cost_of_strips()
    wide, whole = recorded("tenth-output-relu-wide"), recorded("mnist-published")
    person = always_person()
    accuracies = summaries.values(recorded(VISION["ResNet-18"]), "eval_accuracy")
    return (
        "- **Strips for patches.** The original's ViTs were given runs of consecutive pixels. True "
        f"patches bring {patches:+.3f} in mAP on the photographs ({format_n(patches)}); on the "
        "digits the strips, the last token and the shortcut from behind the normalisation change "
        f"the accuracy by {strips:+.4f} ({format_n(strips)}).",
        "- **An accuracy that counts true negatives.** On the photographs, “person” said of every "
        f"image has {person['accuracy']:.4f}, the published ViT "
        f"{PUBLISHED_VOC['ViT']['accuracy']:.4f}. The dotted line is what “person” has in F1, "
        f"{person['f1']:.4f}.",
        "- **Means of means.** The published accuracy on photographs is averaged over all epochs "
        "so far, precision and recall over batches.",
        "- **A ReLU on the scores.** It silences a class in "
        f"{format_count(sum(map(lost_class, wide)), len(wide))} of the same network on a tenth of the "
        f"digits, and in {format_count(sum(map(lost_class, whole)), len(whole))} on all of them; the "
        "published run escaped.",
        f"- **Smaller photographs here.** Ours have {_sizes()} instead of {PUBLISHED_SIDE} px and "
        "“until converged”. This is our doing, not the original's.",
        "- **One run.** Every published value is one run. Our ResNet-18, with "
        f"{len(accuracies)} seeds on the digits, ends between {accuracies.min():.4f} and "
        f"{accuracies.max():.4f}.",
    )
