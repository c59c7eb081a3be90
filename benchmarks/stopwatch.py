"""Training with the clock on, and what the race to 99% adds to it: two networks, an optimiser.

There is no second loop here: `Timed` and `PerImage` are a `TorchTrainer` with a clock and with
other batches, those of most tutorials.
"""

import contextlib
import time

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from helpers.training.optimisers import OPTIMISERS, SCHEDULES
from helpers.training.torch_trainer import EVALUATION_BATCH, MODELS, TorchTrainer

MNIST_MEAN, MNIST_SD = 0.1307, 0.3081  # of the training images' pixels, in [0, 1]

# ------------------------------------------- what the race names in a configuration


class ExampleNet(nn.Module):
    """The network of PyTorch's MNIST example, up to its log-softmax, which is the loss's here.

    Images of 28×28 pixels give its 1,199,882 parameters; 6×6 are the fewest.

    References
    ----------
    https://github.com/pytorch/examples/blob/main/mnist/main.py
    """

    def __init__(self, channels=1, size=28, classes=10):
        super().__init__()
        side = (size - 4) // 2  # after two 3×3 convolutions and a pooling
        self.features = nn.Sequential(  # [B, C, S, S]
            nn.Conv2d(channels, 32, kernel_size=3),  # [B, 32, S - 2, S - 2]
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3),  # [B, 64, S - 4, S - 4]: nine tenths of the work
            nn.ReLU(),
            nn.MaxPool2d(2),  # [B, 64, s, s]
            nn.Dropout(0.25),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),  # [B, 64 s²]
            nn.Linear(64 * side**2, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.features(images))


class QuickNet(nn.Module):
    """Three convolutions that make the image small first, and wide only then.

    The first one's stride leaves a quarter of the places to compute at; batch normalisation
    lets it learn at a large rate, and there is nothing to slow it down again: no dropout, and
    no hidden layer behind the convolutions. `widths` are the channels of the three convolutions;
    multiples of 8 fill a processor's registers. Images have 20×20 pixels at least.
    """

    def __init__(self, channels=1, size=28, classes=10, widths=(16, 32, 64)):
        super().__init__()
        side = ((size - 5) // 2 - 1) // 2 - 2
        first, second, third = widths
        self.features = nn.Sequential(  # [B, C, 28, 28]
            *_block(channels, first, kernel_size=5, stride=2),  # [B, 16, 12, 12]
            *_block(first, second, kernel_size=3),  # [B, 32, 10, 10]
            nn.MaxPool2d(2),  # [B, 32, 5, 5]
            *_block(second, third, kernel_size=3),  # [B, 64, 3, 3]
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(third * side**2, classes))

    def forward(self, images):
        """Map images [B, C, S, S] to logits [B, K]."""
        return self.classifier(self.features(images))


def _block(channels, width, **options):
    return (
        nn.Conv2d(channels, width, bias=False, **options),  # the normalisation has a bias
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


def adadelta(groups, lr, fused, **options):
    """Return PyTorch's Adadelta, of which there is no fused version.

    Source: Zeiler (2012), "ADADELTA: an adaptive learning rate method".
    """
    return torch.optim.Adadelta(groups, lr=lr, **options)


def step_decay(lr, factor, stairs):
    """Return a rate that is multiplied by `factor` after each of `stairs` equal parts."""
    return lambda step, steps: lr * factor ** (step * stairs // steps)


def one_cycle(peak_lr, rise=0.3, start=25.0):
    """Return a linear rise from `peak_lr / start`, then a linear fall to nearly 0.

    Source: Smith and Topin (2019), "Super-convergence".
    """

    def lr(step, steps):
        at = (step + 0.5) / steps
        if at < rise:
            return peak_lr * (1 / start + (1 - 1 / start) * at / rise)
        return peak_lr * (1 - at) / (1 - rise)

    return lr


def register():
    """Let a configuration name the race's networks, its optimiser and its schedules."""
    MODELS.update(example=ExampleNet, quick=QuickNet)
    OPTIMISERS.update(adadelta=adadelta)
    SCHEDULES.update({"step-decay": step_decay, "one-cycle": one_cycle})


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

    def __init__(self, config, data, seed):
        super().__init__(config, data, seed)
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
        """Train until an epoch's accuracy is at least `stop_at`, or to the end; return the last."""
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


class Pictures:
    """Images and targets one by one, as a `DataLoader` collects them."""

    def __init__(self, images, targets, transform):
        self.images, self.targets, self.transform = images, targets, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.targets[i]


class PerImage(Timed):
    """The same training, its batches collected from single images by a plain `DataLoader`."""

    @staticmethod
    def loader(images, labels, batch_size, **options):
        """Return a loader of images uint8 [N, 1, S, S], prepared as PyTorch's example does."""
        from torchvision.transforms import Compose, Normalize, ToTensor

        one = [lambda image: Image.fromarray(image[0].numpy()), ToTensor()]
        steps = Compose([*one, Normalize((MNIST_MEAN,), (MNIST_SD,))])
        return DataLoader(Pictures(images, labels, steps), batch_size, **options)

    def batches(self):
        """Yield (images, labels, size of the batch) for each step of an epoch."""
        options = {"shuffle": True, "generator": self.order_rng}
        loader = self.loader(self.data.x, self.data.y, self.config.batch_size, **options)
        for images, labels in loader:
            yield images, labels, len(images)

    @torch.inference_mode()
    def predict(self, images):
        """Return the logits [N, K] of images uint8 [N, 1, S, S], normalised as in training."""
        self.model.eval()
        loader = self.loader(images, torch.zeros(len(images)), EVALUATION_BATCH)
        return torch.cat([self.logits(part) for part, _ in loader])
