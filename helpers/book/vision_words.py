"""Practice 3's sentences with numbers, each computed from its recorded runs."""

from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from benchmarks import race
from helpers.analysis import summaries
from helpers.analysis.stats import NO, UNCLEAR, YES
from helpers.analysis.summaries import format_count, format_differences, format_n, join_words
from helpers.book.vision import common_mistakes, quirks
from helpers.claims.course import LITTLE, PUBLISHED_VISION
from helpers.claims.vision_rules import REPEATED, SQUARES, pair
from helpers.networks.probes import attention_maps
from helpers.runs.catalogue.vision import POINTS, Point
from helpers.runs.experiments import EXPERIMENTS, recorded
from helpers.training.torch_trainer import normalise


def runs_made():
    """Say which rows of C3.1's table are shorter than the published ones, or not there."""
    shorter, missing = [], []
    for about, name in (REPEATED | SQUARES).items():
        published = PUBLISHED_VISION.get(about, PUBLISHED_VISION["ViT"])["epochs"]
        if name not in EXPERIMENTS:
            missing.append(about)
        elif (epochs := EXPERIMENTS[name].config.epochs) < published:
            shorter.append(f"{about} ({epochs} epochs instead of {published})")
    said = [
        "Our accuracies are means after the last epoch, with 95% intervals over seeds; the "
        "training images are all 60,000, and nothing was chosen on the test images."
    ]
    if shorter:
        said.append(f"Shorter than published, for want of time: {join_words(shorter)}.")
    if missing:
        said.append(
            f"Not recorded at this length yet: {join_words(missing)}; the sections below have them "
            "on fewer images."
        )
    return " ".join(said)


def about_precision():
    """Say whether bfloat16, in which some networks were trained, changes the result."""
    gain = summaries.difference(
        recorded("tenth-resnet18"), recorded("tenth-resnet18-float32"), "eval_accuracy"
    )
    means = [
        summaries.values(recorded(REPEATED[about]), "eval_accuracy").mean()
        for about in ("LeNet", "VGG-11", "ResNet-18")
    ]
    verdict = "a clear difference"
    if gain.above(0) is UNCLEAR:
        verdict = "no clear difference"
        if gain.high - gain.low > max(means) - min(means):
            verdict += (
                ", but the interval is wider than all that lies between LeNet, VGG-11 and "
                "ResNet-18 in the table, so that it can't rule out a difference of that size"
            )
    return (
        "VGG-11, ResNet-18 and the ViTs were trained with bfloat16 in their products and "
        "convolutions, which saves time on a processor that has it. ResNet-18 "
        f"on a tenth of the images, so trained, ends at {gain:+.4f} of accuracy from itself in "
        f"float32 ({format_n(gain)}): {verdict}."
    )


def about_squares():
    """Say what the ViT as it is meant gains over the original's, at the original's length."""
    meant, original = recorded("mnist-vit"), recorded(REPEATED["ViT"])
    gain = summaries.difference(meant, original, "eval_accuracy")
    ahead = gain.above(0)
    verdict = {YES: "the mistakes cost accuracy", NO: "the mistakes did not even cost accuracy"}
    return (
        f"On all of MNIST, after {meant[0].config['epochs']} epochs in the published settings, the "
        f"ViT as it is meant reaches {summaries.interval(meant, 'eval_accuracy'):.4f}, the original's "
        f"{summaries.interval(original, 'eval_accuracy'):.4f}: a difference of {gain:+.4f} "
        f"({format_n(gain)}), and so {verdict.get(ahead, 'whether the mistakes cost is open')}."
    )


def about_quirks():
    """Say what each of the original's ways costs, and what they cost together."""
    effects = quirks()
    clear = {about: gain for about, gain in effects.items() if gain.above(0) is not UNCLEAR}
    if not clear:
        said = "None of these four makes a difference that these seeds could tell from none."
    else:
        lead = "Only this makes" if len(clear) == 1 else "These make"
        said = f"{lead} a clear difference: {format_differences(clear, '+.3f')}."
        if len(clear) < len(effects):
            rest = "the others, each alone," if len(clear) == 1 else "the rest"
            said += f" Whether {rest} would cost anything, these seeds can't tell."
    return (
        f"{said} A network that is given strips can still learn them, since a dense layer takes "
        "its 49 numbers in any order, as long as it is always the same order. What it loses is "
        "that a stroke's piece stays in one token, and that the same piece looks the same one "
        "token further to the side. (Downwards nothing is lost: a row of squares has as many "
        "pixels as four whole strips, so a piece one row of squares lower is cut alike.)"
    )


def about_sweep():
    """Say where the division by sqrt(d) matters, and whether the spread of scores foretells it."""
    gains, spreads = [], []
    for point in POINTS:
        scaled, plain = pair(point)
        gains.append(summaries.difference(scaled, plain, "eval_accuracy"))
        spreads.append(np.mean([run.history["score_std"][-1] for run in plain]))
    order = np.argsort(spreads)
    half = len(order) // 2
    calm, wide = (
        np.mean([gains[i].estimate for i in part]) for part in (order[:half], order[half:])
    )
    largest = max(range(len(gains)), key=lambda i: gains[i].estimate)
    clear = sum(gain.above(LITTLE) is YES for gain in gains)
    many, one = (
        summaries.interval(recorded(Point(d).name(scaled=True)), "eval_accuracy") for d in (4, 128)
    )
    smallest = min(range(len(gains)), key=lambda i: gains[i].estimate)
    costs = ""
    if (-gains[smallest]).above(LITTLE) is YES:
        costs = (
            f" It can also cost a little: at {POINTS[smallest].label(True)} it brings "
            f"{gains[smallest]:+.3f}. There, early in training, a start that looks around unevenly "
            "is ahead of one that looks everywhere alike."
        )
    return (
        f"The division brings clearly more than {LITTLE} of accuracy in "
        f"{format_count(clear, len(gains), 'settings')}; the most at {POINTS[largest].label(True)}: "
        f"{gains[largest]:+.3f}. In the {half} settings whose scores lie closest together "
        f"without it, it brings {calm:+.3f} in the mean, in the other {len(order) - half} "
        f"{wide:+.3f}.{costs} "
        "(That the "
        f"accuracy with the division falls too, from {many:.3f} with 32 heads of 4 to {one:.3f} "
        "with one head of 128, has another cause, presumably that fewer heads are fewer places "
        "to look at.)"
    )


def about_race():
    """Say how long the first and the last step of the race take, and which changes matter."""
    results = race.read()
    first, *_, last = results.steps
    machine = results.environment
    gains = [a.mean_seconds / b.mean_seconds for a, b in pairwise(results.steps)]
    largest = int(np.argmax(gains))
    hits = round(last.reached.estimate * last.reached.n)
    return (
        f"On two threads ({machine['cpu']}), PyTorch's example needs {first.mean_seconds:.0f} "
        f"seconds of training to its first epoch at 99%, and the last step "
        f"**{last.mean_seconds:.1f} seconds: {results.speedups[-1]:.0f} times less**, with a test "
        f"accuracy of {last.accuracy:.4f} over {len(last.accuracies)} seeds, "
        f"{'all' if hits == last.reached.n else hits} of which reach 99%. The largest "
        f"gain, by a factor of {gains[largest]:.1f}, is “{results.steps[largest + 1].name}”. "
        "(The first two steps stop at the first epoch that reaches 99% on the test images, "
        "which can only flatter them; the others have a fixed number of epochs.)"
    )


def about_positions(model):
    """Say whether a ViT's learned positions are alike where patches are near each other.

    Parameters
    ----------
    model : helpers.networks.vit.ViT
        Trained, with 4×4 patches.
    """
    places = functional.normalize(model.positions[0, 1:].detach(), dim=1)
    alike = places @ places.T  # [16, 16]
    row, column = torch.arange(16) // 4, torch.arange(16) % 4
    rows, columns = (row[:, None] - row).abs(), (column[:, None] - column).abs()
    beside = alike[(rows == 0) & (columns == 1)].mean()
    above = alike[(rows == 1) & (columns == 0)].mean()
    far = alike[rows + columns >= 4].mean()
    said = (
        "Large ViTs learn positions that are the more alike the nearer the patches are. Here the "
        f"mean cosine similarity is {beside:+.2f} for patches beside each other, {above:+.2f} for "
        f"patches one above the other, and {far:+.2f} for patches four or more steps apart. "
    )
    if min(beside, above) - far > 0.1:
        return said + "So does this one, though nobody told it that an image has two dimensions."
    return said + (
        "This small one has not drawn such a map: it tells the places apart, and for sixteen of "
        "them that is enough."
    )


def about_attention(model, images):
    """Say how sharply the class token of a ViT looks, beside all other tokens.

    Parameters
    ----------
    model : helpers.networks.vit.ViT
    images : array of uint8, [N, 28, 28]
    """
    weights = attention_maps(model, normalise(torch.tensor(images)[:, None]))  # [N, L, h, T, T]
    entropy = torch.special.entr(weights).sum(-1) / np.log(weights.shape[-1])  # [N, L, h, T]
    return (
        f"On {len(images)} test digits, the class token's attention has a mean entropy of "
        f"{entropy[..., 0].mean():.2f}, that of the patches {entropy[..., 1:].mean():.2f}: it "
        "looks for something, while they look nearly everywhere. In a network of one layer they "
        "might as well, for the answer is read from the class token alone, and where the others "
        "look changes nothing. (The means in the tables of C3.4 are over all tokens.)"
    )


def about_common_mistakes():
    """Say how many images each model of the table gets wrong, and how many they share."""
    indices, _, _, wrong = common_mistakes()
    each = "; ".join(f"{about} {number}" for about, number in wrong.items())
    return (
        f"Of the 10,000 test images, wrong are: {each}. All of these models together fail on "
        f"{len(indices)}. Several of these digits could be read either way by a person too, and "
        "no architecture will mend that."
    )


def summary():
    """Return the chapter's summary, with its numbers."""
    lenet = summaries.interval(recorded("mnist-lenet"), "eval_accuracy")
    vit = recorded(REPEATED["ViT"])
    reached = summaries.interval(vit, "eval_accuracy")
    plain = Point(128, 3e-3)
    gain = summaries.difference(*pair(plain), "eval_accuracy")
    return (
        "Each of the four networks is an answer to a question that the one before it raised: what "
        "to share, how to see far, how to let the signal pass, how to look anywhere. On small "
        f"digits the oldest is the cheapest way to a good answer: LeNet reaches {lenet:.4f} in "
        f"ten epochs, the ViT as the course computed it {reached:.4f} in "
        f"{vit[0].config['epochs']}. The division by √d starts the attention's scores at "
        f"one spread whatever the head's dimension; at {plain.label(True)} it is worth "
        f"{gain:+.3f} in accuracy. And the mistakes worth fearing are those that run: a reshape "
        "in place of patches, a batch in place of a sequence. A test of two lines finds each."
    )
