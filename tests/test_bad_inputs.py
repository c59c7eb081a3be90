"""What is not as documented is refused in a sentence, and nothing is computed from it."""

import numpy as np
import pytest
import torch

from helpers.analysis import metrics, stats
from helpers.book import multilabel
from helpers.book.decision_boundary import plane_pixels
from helpers.data.augment import augment
from helpers.data.datasets import Dataset, bayes_predict, load_mnist, pixels
from helpers.data.voc import load_tiny_voc
from helpers.networks import mlp
from helpers.networks.efficientnet import EfficientNetLite0
from helpers.networks.ensemble import ACTIVATION_PAIRS, EnsembleTrainer, MLPEnsemble
from helpers.networks.lenet import LeNet
from helpers.networks.resnet import ResNet18
from helpers.networks.vgg import CourseVGG
from helpers.networks.vit import ViT
from helpers.runs import experiments, runner
from helpers.training import losses, torch_trainer
from helpers.training.config import TrainConfig, chosen
from helpers.training.numpy_trainer import NumpyConfig
from helpers.training.optimisers import SCHEDULES

X, ONES = np.ones((3, 4)), np.ones(3)
NETWORK, LOSS = mlp.mlp((4, 2), "relu", np.random.default_rng(0)), mlp.SoftmaxCrossEntropy()
COLOURS = torch.zeros(2, 3, 8, 8)
TANH = MLPEnsemble(ACTIVATION_PAIRS["tanh"], [0])
SCORES = np.array([[0.9, 0.1], [0.8, 0.3], [0.6, 0.7], [0.2, 0.2]])
TARGETS = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])


def labelled(*labels):
    return Dataset(X, np.array(labels), X, np.array([0, 1, 0]))


def objective(labels, measure=mlp.loss_and_gradients):
    return measure(NETWORK, LOSS, X, np.array(labels))


def changed(images=COLOURS, **amounts):
    return augment(images, torch.Generator(), **amounts)


def schedule(**named):
    return chosen(SCHEDULES, named, "schedule")


def bootstrap(scores, targets):
    return metrics.bootstrap([scores], targets, 0.5, np.random.default_rng(0), 2)


CASES = [
    # networks
    (mlp.choose, mlp.ACTIVATIONS, "swish", "activation", "unknown activation 'swish': choose"),
    (mlp.numerical_gradient, sum, ONES.astype("f"), "needs an array of float64; got float32"),
    (mlp.gradient_error, ONES[:, None], ONES, "must have the same shape"),
    (objective, [[0], [1], [0]], "labels must be 3 whole numbers from 0 on"),
    (objective, [0.0, 1.0, 0.0], mlp.evaluate, "labels must be 3 whole numbers"),
    (EnsembleTrainer, TANH, torch.zeros(3, 2), torch.tensor([-1, 1, 1]), "y must be 0 or 1"),
    (lambda: EfficientNetLite0(weights="imagenette"), "None or 'imagenet'; got 'imagenette'"),
    (lambda: mlp.mlp((4, 2), "relu", None, dtype=np.int64), "dtype must be float32 or float64"),
    (LeNet, 1, 11, "at least 12×12"),
    (LeNet(), torch.zeros(2, 1, 29, 28), r"must be square, .* got \[2, 1, 29, 28\]"),
    (CourseVGG, 3, 31, "at least 32×32"),
    (ResNet18, 1, 7, "at least 8×8"),
    (ViT(patch=14), torch.zeros(2, 1, 14, 56), r"must be \[B, \(1, 28, 28\)\]; got \[2, 1, 14, 56"),
    (ViT, 1, 28, 10, 5, "patches of 5 pixels do not divide a side of 28"),
    (lambda: ViT(heads=3), "3 heads do not divide an embedding of 128"),
    # data
    (labelled, [0], [1], [0.5], "a class from 0 on, or a 0 or 1 for each class"),
    (labelled, 0, 1, -1, "a class from 0 on"),
    (labelled, 0, 1, "a class from 0 on"),
    (pixels, X, "must be uint8, from 0 to 255; got float64"),
    (load_mnist, "tiny", 'scale must be "embedded" or "full", not "tiny"'),
    (load_tiny_voc, "embedded", 15, "at least 16 pixels, not 15"),
    (load_tiny_voc, "embedded", 64, "held-out", 'evaluate_on must be "validation", not "held-out"'),
    (load_tiny_voc, "embedded", 64, "held-out", 800, "too few to hold out 800"),
    (bayes_predict, X[:, :2], 0.0, "noise must be positive"),
    (lambda: changed(torch.zeros(2, 1, 8, 12), shift=1.0), r"must be square, .*\[2, 1, 8, 12\]"),
    (lambda: changed(COLOURS.byte(), blur=1.0), "numbers from -1 to 1; got torch.uint8"),
    (lambda: changed(COLOURS[:, :1], contrast=0.5), "only three colours can change"),
    (lambda: changed(brightness=1.5), "brightness must be from 0 to 1; got 1.5"),
    (lambda: changed(crop=0.0), "crop must be from 0.01 to 1; got 0.0"),
    # training
    (TrainConfig, "lenet", {}, "cross-entropy", 1.5, "label_smoothing and ema_decay"),
    (lambda: TrainConfig("lenet", epochs=0), "epochs must be a whole number from 1 on; got 0"),
    (lambda: TrainConfig("lenet", batch_size=None), "batch_size must be a whole number"),
    (lambda: NumpyConfig((2, 2), log_every=2.5), "log_every must be a whole number"),
    (lambda: NumpyConfig((2, 2), momentum=1.0), "momentum must be from 0 to below 1"),
    (lambda: schedule(name="cosine", peak_lr=1.0, warmup=5), "warmup must be a share"),
    (lambda: schedule(name="warmup-cosine", peak_lr=1.0, warmup=0.1), "a number of steps"),
    (losses.accuracy_per_example, torch.zeros(3, 2), torch.zeros(3, 1), "do not fit logits"),
    (torch_trainer.normalise, torch.zeros(2, 3), "must be uint8, from 0 to 255; got torch.float32"),
    (torch_trainer.choose_device, "abacus", "no device 'abacus': take cpu or auto"),
    (torch_trainer.images_an_epoch, 9, 1, ResNet18(width=1), "1 images a batch are too few"),
    # analysis
    (stats.mean_interval, [1.0], "at least 2 observations"),
    (stats.mean_interval, [1.0, np.nan], "values must be finite"),
    (stats.reliability_curve, SCORES * 9, TARGETS, "take the sigmoid"),
    (metrics.Predictions, SCORES[None] * 9, "take the sigmoid"),
    (metrics.decide, SCORES, [0.5] * 3, "one for each class"),
    (metrics.decide, SCORES * np.nan, 0.5, "no nan"),
    (metrics.pr_curve, SCORES, TARGETS.T, r"\(4, 2\) for targets \(2, 4\)"),
    (metrics.pr_curve, SCORES, TARGETS * 0, "must hold a 1"),
    (metrics.summarise, SCORES[:, :1], TARGETS[:, :1], 0.5, "at least 2 classes"),
    (bootstrap, SCORES[:3], TARGETS, r"got \[3, 2\] and \[4, 2\]"),
    (metrics.average_precisions, SCORES, 2 * TARGETS, "0 or 1"),
    # runs
    (experiments.recorded, "small-lenet", "embed", 'scale must be "embedded" or "full"'),
    (runner.train, "activation-relu/plain", "is an ensemble"),
    # book
    (multilabel.most_confident, SCORES, TARGETS, multilabel.MISSED, 1, "FOUND or FALSE_ALARM"),
    (multilabel.threshold_panel, SCORES, TARGETS * 0, ["a", "b"], "", {}, "some image must show"),
    (multilabel.saliency_on_images, torch.ones(2, 3, 4, 4), [0, -1], 8, r"got \[0, -1\]"),
    (plane_pixels, lambda x: 9 * x[:, 0], "between 0 and 1"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__class__.__name__}-{case[-1]}")
def test_it_is_refused(case):
    compute, *arguments, message = case
    with pytest.raises(ValueError, match=message):
        compute(*arguments)
