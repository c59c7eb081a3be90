"""Practice 4's sentences with numbers, each computed from its recorded runs."""

import numpy as np
import torch

from data_prep.voc_labels import CLASSES
from helpers.analysis import metrics, summaries
from helpers.analysis.layers import multiply_adds
from helpers.analysis.stats import YES, difference_interval, mean_interval
from helpers.analysis.summaries import format_n, format_seeds, join_words
from helpers.analysis.uncertainty import expected_calibration_error
from helpers.book import multilabel
from helpers.book.voc_chapter import (
    BATCH,
    BEST,
    CALIBRATED,
    FALSE_ALARM,
    answers,
    chosen,
    compared,
    constant_figures,
    grown_images,
    judged,
    larger,
    one_run,
    shown,
    targets,
    vits,
)
from helpers.claims.course import PUBLISHED_SIDE, PUBLISHED_VOC
from helpers.claims.voc_rules import CAUSES, COMPARED, F1, MAP, OWN, PLAIN, REPEATED, gains
from helpers.runs.agreement import prediction_interval
from helpers.runs.catalogue.tiny_voc import WEIGHTED
from helpers.runs.experiments import find, recorded
from helpers.runs.registry import EXPERIMENTS
from helpers.training.torch_trainer import MODELS


def about_trap():
    """Say what the constant answer "person" is worth, beside the published ViT."""
    person, nothing = constant_figures("person"), constant_figures("nothing")
    published = PUBLISHED_VOC["ViT"]
    count = targets().sum(axis=0)
    return (
        f"A person is in {count[0]} of the {len(targets())} validation images. So the answer "
        f"“person, and nothing else”, whatever the image, has an accuracy of "
        f"**{person['accuracy']:.4f}** and an F1, explained below, of {person['f1']:.4f}; even "
        f"“nothing at all” is right in {nothing['accuracy']:.1%} of the cases. The course's "
        f"ViT has an accuracy of {published['accuracy']:.4f} (a mean over its epochs, as we shall "
        "see), which is "
        f"{published['accuracy'] - person['accuracy']:.3f} more than not looking at the image, "
        f"and an F1 of {published['f1']:.4f}, which is "
        f"{published['f1'] - person['f1']:.3f} more. From the accuracy, which the course put "
        "first, nobody could see whether its network had learned anything. (The class priors "
        "decide as “person” does: only a person's share is above one half.)"
    )


def runs_made():
    """Say how long, on what and how often the compared models were trained, and what is missing."""
    config, vit = find(BEST).config, find(COMPARED["ViT"]).config
    missing = [about for about, name in COMPARED.items() if name not in EXPERIMENTS]
    seeds = sorted({len(find(n).seeds) for n in COMPARED.values() if n in EXPERIMENTS})
    rows = [_made(find(name), usual=config.epochs) for name in larger().values()]
    said = (
        f"The course's settings: Adam at a constant rate of {config.schedule['rate']:g}, and of "
        f"{vit.schedule['rate']:.5f} for the ViT; its weighted loss; its list of augmentations. "
        "Not published, and ours, are how strongly the images are changed, how long is trained, "
        f"and the size of the ViT: {vit.model_kwargs['depth']} layers of width "
        f"{vit.model_kwargs['embed_dim']}. The networks are trained on images of "
        f"{find(BEST).data['size']} pixels a side instead of {PUBLISHED_SIDE}, for "
        f"{config.epochs} epochs, with {join_words(map(str, seeds))} seeds each, and some on larger "
        f"ones: {join_words(rows)}. Numbers are means over the seeds, after the last epoch, over all "
        f"{len(targets())} validation images. No setting was chosen on them; a class is said to be "
        "there from a probability of 0.5 on."
    )
    if missing:
        said += f" Not recorded yet: {join_words(missing)}."
    return said


def _made(experiment, usual):
    """Name an experiment's model, its images' size and its seeds, and epochs that are not usual."""
    after = "" if experiment.config.epochs == usual else f"{experiment.config.epochs} epochs, "
    runs = format_seeds(recorded(experiment.name))
    return f"{experiment.about} at {experiment.data['size']} px ({after}{runs})"


def about_ways():
    """Say how far the original's way of computing lies from the right one, with its reason."""
    name = REPEATED["ResNet-18"]
    gaps = []
    for record, said in zip(recorded(name), answers(name).probabilities, strict=True):
        theirs = multilabel.original_figures(record, said, targets(), 0.5, BATCH)["accuracy"]
        gaps.append(theirs - metrics.summarise(said, targets(), 0.5)["accuracy"])
    side = "above" if np.mean(gaps) > 0 else "below"
    return (
        "The original's accuracy is the mean over *all epochs so far*, from a list that was never "
        f"emptied: for ResNet-18 that is {abs(np.mean(gaps)):.3f} {side} the accuracy of the "
        "network that comes out of the training. Its precision and recall are means over batches "
        f"(we take {BATCH} images a batch), in which a batch with few positives counts as much as "
        "one with many. And what it calls parameters is the size of the checkpoint in MiB."
    )


def about_size():
    """Say what larger images change, after as many epochs, with all else alike.

    Returns
    -------
    tuple of str
        What `helpers.book.voc_chapter.sizes_table` shows; what the single runs say.
    """
    intervals, clear, alone = 0, [], []
    for about, name, grown in grown_images():
        size = find(name).data["size"]
        if len(find(name).seeds) > 1:
            intervals += len(grown)
            changes = {title: difference_interval(*both) for title, both in grown.items()}
            clear += [
                f"{about} in {title}" for title, gain in changes.items() if gain.above(0) is YES
            ]
        else:
            alone.append(_alone(about, size, grown))
    lie = "lies" if len(clear) == 1 else "lie"
    which = f": {join_words(clear)}" if clear else ""
    return (
        "How much of what is missing is the size of the images? The table says what larger ones "
        f"change, after the first {find(BEST).config.epochs} epochs of each, with 95% intervals "
        f"over seeds. Of its {intervals} intervals, {len(clear)} {lie} wholly above zero{which}.",
        " ".join(alone),
    )


def _alone(about, size, reached):
    """Say what one run on larger images reaches, beside one more run on smaller ones."""
    expected = {title: prediction_interval(others) for title, (_, others) in reached.items()}
    above = [title for title, (one, _) in reached.items() if one[0] > expected[title].high]
    published = ", the published size," if size == PUBLISHED_SIDE else ""
    return (
        f"One run of {about} at {size} pixels{published} ends after as many epochs at "
        f"{join_words(f'{title} {one[0]:.3f}' for title, (one, _) in reached.items())}. One more "
        f"run at {find(BEST).data['size']} pixels should have "
        f"{join_words(f'{e.low:.3f} to {e.high:.3f}' for e in expected.values())} (prediction "
        "intervals): "
        + (
            f"in {join_words(above)} the larger images are ahead of that."
            if above
            else "a single run cannot show that the larger images help."
        )
    )


def about_depth():
    """Say what VGG-11 reaches beside the VGG that the course built, after as many epochs."""
    flat, deep, small = (
        recorded(name) for name in ("voc128-course-vgg", "voc128-vgg11", COMPARED["VGG"])
    )
    epochs = deep[0].config["epochs"]
    said, apart = [], []
    for title, metric in (("F1", F1), ("mAP", MAP)):
        theirs, ours, seeds = (
            summaries.history(runs, metric)[1][:, epochs - 1] for runs in (flat, deep, small)
        )
        said.append(f"{title} {ours[0]:.3f} against {theirs[0]:.3f}")
        apart.append(f"{np.ptp(seeds):.3f} in {title}")
    sizes = (f"{runs[0].parameters:,}" for runs in (flat, deep))
    work = np.divide(*(_multiply_adds(runs[0].config) for runs in (deep, flat)))
    return (
        "The course's VGG has five convolutions; VGG-11, the smallest of the paper's, has eight. "
        f"At {deep[0].config['data']['size']} pixels they have {' and '.join(sizes)} parameters. "
        f"VGG-11 needs {work:.1f} times as many multiply-adds for an image. It was trained for "
        f"{epochs} epochs, with {format_seeds(deep)}. Beside the course's VGG after as many: "
        f"{join_words(said)}. At {small[0].config['data']['size']} pixels the seeds of one and the "
        f"same VGG then lie {join_words(apart)} apart; one run of each does not rank the two."
    )


def _multiply_adds(config):
    """Return what an image costs the network of a record's configuration."""
    size = config["data"]["size"]
    build = MODELS[config["model"]]
    with torch.device("meta"):  # counts, and draws no weights
        network = build(channels=3, size=size, classes=len(CLASSES), **config["model_kwargs"])
    return multiply_adds(network, channels=3, size=size)


def about_models():
    """Say which model is ahead of which, by intervals over seeds."""
    lenet, vgg, best, vit, strips = (recorded(name) for name in COMPARED.values())
    person = constant_figures("person")
    gaps = {
        "ResNet-18 minus VGG": summaries.difference(best, vgg, MAP),
        "ResNet-18 minus the ViT with true patches": summaries.difference(best, vit, MAP),
        "that ViT minus LeNet": summaries.difference(vit, lenet, MAP),
        "true patches minus strips": summaries.difference(vit, strips, MAP),
    }
    f1 = mean_interval(summaries.values(vit, F1) - person["f1"])
    return (
        f"In mAP: {summaries.format_differences(gaps, '+.3f')}. In F1 the ViT minus the constant answer "
        f"“person” is {f1:+.3f}; in mAP, {summaries.interval(vit, MAP):.3f} "
        f"against {person['mean_average_precision']:.3f}, it has learned a good deal more than "
        "that: one threshold, at which that answer is good, shows little of it."
    )


def about_overfitting():
    """Say what augmentation changes in the losses of LeNet and ResNet-18."""
    said = []
    for about, name in PLAIN.items():
        plain, with_it = recorded(name), recorded(COMPARED[about])
        lowest = sorted({int(np.argmin(run.history["eval_loss"])) + 1 for run in plain})
        after = f"epoch {' or '.join(map(str, lowest))}"
        after += ", depending on the seed" if len(lowest) > 1 else ""
        said.append(
            f"**{about}** without augmentation: the training loss falls to "
            f"{summaries.values(plain, 'train_loss').mean():.3f}, and the validation loss, lowest "
            f"after {after}, climbs to {summaries.cell(summaries.values(plain, 'eval_loss'), '.2f')} "
            f"({format_seeds(plain)}). With augmentation they end at "
            f"{summaries.values(with_it, 'train_loss').mean():.3f} and "
            f"{summaries.cell(summaries.values(with_it, 'eval_loss'), '.2f')} ({format_seeds(with_it)}), and "
            f"the mAP is {summaries.cell(summaries.values(with_it, MAP), '.3f')} instead of "
            f"{summaries.cell(summaries.values(plain, MAP), '.3f')}."
        )
    return said


def about_causes():
    """Say how far the ViT gets with the best single change, and how far that is from ResNet-18."""
    variants = vits()
    best = max(variants, key=lambda about: summaries.values(variants[about], MAP).mean())
    found, f1 = (summaries.interval(variants[best], metric) for metric in (MAP, F1))
    left = summaries.difference(recorded(COMPARED["ResNet-18"]), variants[best], MAP)
    return (
        f"The best of these ViTs is “{best}”: its mAP is {found:.3f} and its F1 {f1:.3f}. "
        f"ResNet-18 is {left:+.3f} ahead of it ({format_n(left)}). That it is the best was found "
        "on these very images, which flatters it a little."
    )


def about_calibration():
    """Say how far stated probabilities lie from the truth."""
    errors = {
        about: np.mean([expected_calibration_error(p, targets()) for p in said.probabilities])
        for about, said in compared().items()
        if about in CALIBRATED
    }
    said, share = answers(BEST).probabilities, targets().mean(axis=0)
    stated, weights = said.mean(axis=1), WEIGHTED["positive_weights"]  # [S, K] and [K]
    most, heaviest = int((stated.mean(axis=0) - share).argmax()), int(np.argmax(weights))
    classes = [
        f"of “{CLASSES[k]}” it states {mean_interval(stated[:, k]):.3f} in the mean, where "
        f"{share[k]:.3f} of the images have one"
        for k in dict.fromkeys((most, heaviest))
    ]
    return (
        "The expected calibration error, the mean distance from the diagonal with each point "
        "weighted by its number of answers, is "
        f"{join_words(f'{error:.3f} for {about}' for about, error in errors.items())} (means over "
        f"seeds). It is so small because {(said < 0.1).mean():.0%} of ResNet-18's answers lie in "
        "the first point, near zero, where nearly all are a safe no. The figure pools the "
        f"classes; one by one, what ResNet-18 states of “{CLASSES[most]}” lies furthest above its "
        f"share, while a present {CLASSES[heaviest]} counts most in the loss: "
        f"{'; '.join(classes)} (intervals over seeds). Where an interval includes the share, these "
        "seeds do not show that a class is overstated at all."
    )


def about_mistakes():
    """Say what becomes of the most confident false alarms when a person looks at the images."""
    rows, classes = chosen(BEST, FALSE_ALARM, 2)
    places, _, probabilities, _, _ = shown(BEST)
    judgements = judged()
    alarmed = zip(places[rows].tolist(), (CLASSES[k] for k in classes), strict=True)
    said = [judgements[alarm] for alarm in alarmed]
    sure = probabilities[rows, classes]
    alarms = ((one_run(BEST) >= 0.5) & (targets() == 0)).sum(axis=0)
    few = [CLASSES[k] for k in sorted(set(classes)) if alarms[k] <= 2]
    all_of_them = f"; for {join_words(few)} there are no more" if few else ""
    noise = (
        "A part of what is counted against a model is thus noise in the labels, and no model that "
        "is right will ever score 1."
        if "there" in said
        else "But for what one may argue about, these are the network's own mistakes."
        if "unclear" in said
        else "These are the network's own mistakes, not the labels'."
    )
    return (
        f"These are the most confident false alarms, two of each class{all_of_them}. To classes "
        f"that the mask does not have, the network gives probabilities from {sure.min():.2f} to "
        f"{sure.max():.2f}. We looked at all {len(rows)}. The class is there, and the mask misses "
        f"it: {said.count('there')}. One may argue: {said.count('unclear')}. The network is wrong: "
        f"{said.count('not there')}. {noise}"
    )


def about_classes():
    """Say which classes are easiest and hardest, by average precision, means over seeds."""
    found = {
        about: np.mean([metrics.average_precisions(p, targets()) for p in said.probabilities], 0)
        for about, said in compared().items()
    }
    best = found["ResNet-18"]
    easy, hard = CLASSES[best.argmax()], CLASSES[best.argmin()]
    agree = [
        sum(CLASSES[pick(ap)] == name for ap in found.values())
        for pick, name in ((np.argmax, easy), (np.argmin, hard))
    ]
    ahead = {True: [], False: []}
    for about, (_, cat, _, _, bird) in found.items():
        ahead[cat > bird].append(about)
    return (
        f"By means over seeds, the easiest class is {easy} for {agree[0]} of {len(found)} "
        f"networks, and the hardest {hard} for {agree[1]}; for ResNet-18 their APs are "
        f"{best.max():.3f} and {best.min():.3f}. Cats are ahead of birds for "
        f"{join_words(ahead[True])}, and behind them for {join_words(ahead[False])}. An AP must be read "
        "beside the class's share of the images, which is what guessing would reach: "
        f"{join_words(f'{n} {s:.2f}' for n, s in zip(CLASSES, targets().mean(axis=0), strict=True))}."
    )


def summary():
    """Return the chapter's summary, with its numbers."""
    person = constant_figures("person")
    best, vit, own = recorded(BEST), recorded(COMPARED["ViT"]), recorded(OWN)
    found, _ = gains(CAUSES, MAP)
    clear = [about for about, gain in found.items() if gain.above(0) is YES]
    helped = sorted(clear, key=lambda about: -found[about].estimate)
    return (
        "Where most answers are no, accuracy flatters everyone: always saying “person” reaches "
        f"{person['accuracy']:.3f}. Precision, recall and their curve say what a model is worth, "
        "class by class and threshold by threshold, if they are computed over all images at once. "
        f"At {find(BEST).data['size']} pixels and {find(BEST).config.epochs} epochs ResNet-18 "
        f"reaches a mAP of {summaries.values(best, MAP).mean():.3f} and an F1 of "
        f"{summaries.values(best, F1).mean():.3f}, the ViT {summaries.values(vit, MAP).mean():.3f} and "
        f"{summaries.values(vit, F1).mean():.3f}; with a recipe of its own ResNet-18 comes, at "
        f"the same threshold, to {summaries.values(own, MAP).mean():.3f} and "
        f"{summaries.values(own, F1).mean():.3f}. What "
        "clearly changed the ViT's mAP: "
        f"{join_words(f'{about} ({found[about]:+.3f})' for about in helped)}. Without "
        "augmentation, the networks learn their images by heart. And before a label is blamed for "
        "a confident mistake, someone has to look."
    )
