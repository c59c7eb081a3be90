"""Training with the clock on, and the data path that most tutorials take, to compare with.

What is timed, and the table of it, stands in `benchmarks.race`. There is no second loop here:
`Timed` and `PerImage` are a `TorchTrainer` with a clock and with other batches.
"""

import contextlib
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.race_networks import ExampleNet, QuickNet
from helpers.training.schedules import SCHEDULES
from helpers.training.torch_trainer import (
    EVALUATION_BATCH,
    MODELS,
    OPTIMISERS,
    TorchTrainer,
)

MNIST_MEAN, MNIST_SD = 0.1307, 0.3081  # of the training images' pixels, in [0, 1]

# ------------------------------------------------------------ the race's words in a recipe


def adadelta(groups, lr, fused, **options):
    """Return PyTorch's Adadelta, of which there is no fused version.

    Source: Zeiler (2012), "ADADELTA: an adaptive learning rate method".
    """
    return torch.optim.Adadelta(groups, lr=lr, **options)


def step_decay(lr, factor, stairs):
    """Return a rate that is multiplied by `factor` after each of `stairs` equal parts."""
    return lambda step, steps: lr * factor ** (step * stairs // steps)


MODELS.update(example=ExampleNet, quick=QuickNet)
OPTIMISERS.update(adadelta=adadelta)
SCHEDULES.update({"step-decay": step_decay})


# -------------------------------------------------------------------------------- timing


class Clock:
    """Adds up the wall and processor seconds of what runs inside it."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    @contextlib.contextmanager
    def on(self):
        """Count the seconds while the context lasts."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu


class Timed(TorchTrainer):
    """A training run that knows how long it trained, without its evaluations."""

    def __init__(self, recipe, data, seed):
        super().__init__(recipe, data, seed)
        self.epochs_clock, self.evaluation_clock = Clock(), Clock()

    def run_epoch(self):
        """Train one epoch and log it, the clock running."""
        with self.epochs_clock.on():
            super().run_epoch()

    def evaluate(self):
        """Return the figures on the evaluation data, whose time counts by itself."""
        with self.evaluation_clock.on():
            return super().evaluate()

    def seconds(self):
        """Return the wall seconds and the processor seconds of training alone."""
        epochs, evaluation = self.epochs_clock, self.evaluation_clock
        return epochs.wall - evaluation.wall, epochs.cpu - evaluation.cpu

    def train(self, stop_at=None):
        """Train to the end, or to the first epoch whose accuracy is at least `stop_at`.

        Returns
        -------
        float
            The evaluation accuracy after the last epoch.
        """
        while not self.done:
            self.run_epoch()
            accuracy = self.history["eval_accuracy"][-1]
            if stop_at is not None and accuracy is not None and accuracy >= stop_at:
                break
        return accuracy

    def wait_for_data(self, steps):
        """Take the first steps of an epoch.

        Returns
        -------
        waited, whole : float
            Seconds until the batches were there, and all seconds.
        images : int
            How many were trained on.
        """
        self.model.train()
        waiting, whole, images = Clock(), Clock(), 0
        with whole.on():
            batches = self.batches()
            for _ in range(steps):
                with waiting.on():
                    batch = next(batches)
                self.step(*batch)
                images += len(batch[0])
        return waiting.wall, whole.wall, images


# ------------------------------------------------------------------- an image at a time


class Pictures(Dataset):
    """Images and labels one by one, prepared as torchvision's MNIST and its example do."""

    transform = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((MNIST_MEAN,), (MNIST_SD,))]
    )

    def __init__(self, images, labels):
        self.images, self.labels = images, labels  # uint8 [N, 1, S, S], int64 [N]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        picture = Image.fromarray(self.images[i, 0].numpy())
        return self.transform(picture), int(self.labels[i])


class PerImage(Timed):
    """The same training, its batches collected from single images by a plain `DataLoader`."""

    def batches(self):
        """Yield (images, labels, size of the batch) for each step of an epoch."""
        pictures = Pictures(self.data.x, self.data.y)
        loader = DataLoader(
            pictures, self.config.batch_size, shuffle=True, generator=self.order_rng
        )
        for images, labels in loader:
            yield images, labels, len(images)

    @torch.inference_mode()
    def predict(self, images):
        """Return the logits [N, K] of images uint8 [N, 1, S, S], normalised as in training."""
        self.model.eval()
        pictures = Pictures(images, torch.zeros(len(images), dtype=torch.int64))
        loader = DataLoader(pictures, EVALUATION_BATCH)
        return torch.cat([self.logits(part) for part, _ in loader])
