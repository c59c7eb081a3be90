"""Distillation: a network learns the labels, and what a pre-trained network sees as well.

The teacher itself is not needed: its hints, some numbers for each photograph, are computed once.
"""

from dataclasses import replace

import numpy as np
import torch

from helpers.training.losses import accuracy_per_example
from helpers.training.torch_trainer import TorchTrainer


class DistillationTrainer(TorchTrainer):
    """A `TorchTrainer` whose network answers for each label, and beside them repeats the hints.

    Its last layer has K + D outputs: the logits of the K labels, and D numbers that shall come near
    the teacher's, for any crop of the photograph. After training only the first K are used. The
    losses in `history` are those of the labels.

    Parameters
    ----------
    config, data, seed, device : as a `TorchTrainer` takes them; the data with `hints` [N, D].

    References
    ----------
    Romero et al. (2015), "FitNets: Hints for thin deep nets", ICLR. Theirs are of middle layers.
    """

    def __init__(self, config, data, seed, device="cpu"):
        self.labels = data.classes
        outputs = self.labels + data.hints.shape[1]
        config = replace(config, model_kwargs=config.model_kwargs | {"classes": outputs})
        super().__init__(config, data, seed, device)
        hints = torch.from_numpy(data.hints / np.std(data.hints)).to(self.targets)
        self.targets = torch.cat([self.targets, hints], dim=1)  # [N, K + D]

    def step(self, x, y, size):
        """Take one gradient step; return the sums of losses and right answers, and their number."""
        self.set_learning_rate()
        outputs = self.logits(x)
        y, hints = y.tensor_split([self.labels], dim=1)
        logits, repeated = outputs.tensor_split([self.labels], dim=1)
        losses = self.loss(logits, y, smoothing=self.config.label_smoothing)
        far = (repeated - hints).square().mean(dim=1)
        self.optimiser.zero_grad()
        ((losses + self.config.hint_weight * far).sum() / size).backward()
        self.optimiser.step()
        self.after_step()
        right = accuracy_per_example(logits, y)
        return torch.stack([losses.detach().sum(), right.sum(), right.new_tensor(len(y))])

    def predict(self, images):
        """Return the logits [N, K], on the CPU, of images uint8 [N, C, S, S]."""
        return super().predict(images)[:, : self.labels]
