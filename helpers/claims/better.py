"""Beyond the published accuracies on digits: each network's own recipe, and all of them together.

How the recipes were chosen, step by step, stands in `helpers.runs.catalogue.vision`; those for
photographs stand in practice 4's notebook.
"""

import numpy as np
import pandas as pd
from scipy.special import softmax

from helpers.analysis import summaries
from helpers.analysis.stats import YES, mean_interval
from helpers.analysis.summaries import format_n, join_words
from helpers.claims.course import PUBLISHED_VISION
from helpers.claims.vision_rules import NAMES
from helpers.runs.catalogue.vision import VISION_STEPS
from helpers.runs.experiments import EXPERIMENTS, recorded
from helpers.runs.records import read_arrays

#: The experiment with the published settings, the ViT's with true squares.
PLAIN = {model: f"mnist-{model}" for model in NAMES}
ALL, THREE_LENETS = "all of these together", "three LeNets together"


def best():
    """Return the experiment of each network's own recipe: model -> name, those listed."""
    names = {model: f"best-{model}" for model in NAMES}
    return {model: name for model, name in names.items() if name in EXPERIMENTS}


def steps_table(*models):
    """Tabulate the steps to some networks' own recipes by their accuracy on validation images.

    Parameters
    ----------
    *models : str
        Keys of `VISION_STEPS`, from top to bottom.

    Returns
    -------
    DataFrame of str
        One run each; each change stands on top of those before.
    """
    judged = {"validation accuracy": ("eval_accuracy", ".4f")}
    return tried({NAMES[m]: (VISION_STEPS[m], f"tune-{m}-") for m in models}, judged)


def tried(networks, judged):
    """Tabulate the steps to some networks' own recipes.

    Parameters
    ----------
    networks : dict name -> (steps, prefix)
        From top to bottom; steps as from `helpers.training.config.one_after_the_other`, and what the names
        of their experiments begin with. One run each.
    judged : dict title -> (metric, format)
        The figures, of images that are for choosing.

    Returns
    -------
    DataFrame of str
    """
    rows = []
    for network, (steps, prefix) in networks.items():
        for name, (about, recipe) in steps.items():
            (run,) = recorded(prefix + name)
            row = {"network": network, "one change at a time": about, "epochs": str(recipe.epochs)}
            found = {title: f"{run.metrics[key]:{spec}}" for title, (key, spec) in judged.items()}
            rows.append(row | found)
    table = pd.DataFrame(rows)
    return table if len(networks) > 1 else table.drop(columns="network")


def best_table():
    """Tabulate what each network reaches with its own recipe on the test images.

    Returns
    -------
    DataFrame of str
        The last rows are `ensembles`.
    """
    rows = []
    for model, name in best().items():
        accuracies = summaries.values(recorded(name), "eval_accuracy")
        plain = summaries.values(recorded(PLAIN[model]), "eval_accuracy")
        published = f"{PUBLISHED_VISION[NAMES[model]]['test_accuracy']:.4f}"
        epochs = str(EXPERIMENTS[name].config.epochs)
        rows.append(_row(NAMES[model], published, summaries.cell(plain, ".4f"), accuracies, epochs))
    for about, accuracies in ensembles().items():
        rows.append(_row(about, "–", "–", accuracies, "–"))
    return pd.DataFrame(rows)


def _row(about, published, plain, accuracies, epochs):
    return {
        "network": about,
        "published": published,
        "published settings, ours": plain,
        "own recipe": summaries.cell(accuracies, ".4f"),
        "seeds": str(len(accuracies)),
        "epochs": epochs,
        "wrong of 10,000": f"{(1 - accuracies.mean()) * 10_000:.0f}",
    }


def ensembles():
    """Return what networks reach together, by the mean of their probabilities.

    Returns
    -------
    dict of ndarray
        Test accuracies: of the three LeNets, one; of one network of each kind, one for each
        seed that all kinds have.
    """
    names = best()
    together = {}
    if "lenet" in names:
        seeds = EXPERIMENTS[names["lenet"]].seeds
        together[THREE_LENETS] = np.array([_together([(names["lenet"], s) for s in seeds])])
    if len(names) > 1:
        shared = sorted(set.intersection(*(set(EXPERIMENTS[n].seeds) for n in names.values())))
        teams = [[(name, seed) for name in names.values()] for seed in shared]
        together[ALL] = np.array([_together(team) for team in teams])
    return together


def _together(members):
    """Return the accuracy of some (experiment, seed) that answer with their mean probability."""
    kept = [read_arrays(name, "full", seed) for name, seed in members]
    mean = np.mean([softmax(k["scores"].astype(np.float64), axis=1) for k in kept], axis=0)
    return float((mean.argmax(axis=1) == kept[0]["labels"]).mean())


def about_lenet():
    """Say what the chosen recipe brings LeNet on the test images, beside the published one."""
    chosen, plain = recorded("best-lenet"), recorded(PLAIN["lenet"])
    accuracy = summaries.interval(chosen, "eval_accuracy")
    gain = summaries.difference(chosen, plain, "eval_accuracy")
    wrong = [
        (1 - summaries.values(runs, "eval_accuracy").mean()) * 10_000 for runs in (plain, chosen)
    ]
    return (
        f"Trained so on all 60,000 images, LeNet reaches a test accuracy of **{accuracy:.4f}** "
        f"(n = {accuracy.n} seeds), {gain:+.4f} more than in the published settings "
        f"({format_n(gain)}): {wrong[1]:.0f} wrong images instead of {wrong[0]:.0f}, with the same "
        f"{chosen[0].parameters:,} parameters. The test images were looked at only then."
    )


def about_best():
    """Say which networks beat the published value with their own recipe, and what remains."""
    beaten, open_ = [], []
    for model, name in best().items():
        accuracies = summaries.values(recorded(name), "eval_accuracy")
        published = PUBLISHED_VISION[NAMES[model]]["test_accuracy"]
        clear = len(accuracies) > 1 and mean_interval(accuracies).above(published) is YES
        said = f"{NAMES[model]} ({accuracies.mean() - published:+.4f})"
        (beaten if clear else open_).append(said)
    verb = "lies" if len(beaten) == 1 else "lie"
    text = f"{join_words(beaten)} {verb} above the published accuracy with the whole interval."
    if not beaten:
        text = "No network lies above the published accuracy with its whole interval."
    if open_:
        text += f" For {join_words(open_)} the runs are too few, or too unlike, to tell."
    team = ensembles()[ALL]
    return (
        f"{text} An ensemble of one network of each kind, which answers with the mean of their "
        f"probabilities, reaches {summaries.cell(team, '.4f')} (n = {len(team)}). On "
        f"{_shared_mistakes()} test images all of its members are wrong."
    )


def _shared_mistakes():
    """Count the test images that seed 0 of every kind gets wrong."""
    kept = [read_arrays(name, "full", EXPERIMENTS[name].seeds[0]) for name in best().values()]
    return int(np.all([k["scores"].argmax(axis=1) != k["labels"] for k in kept], axis=0).sum())
