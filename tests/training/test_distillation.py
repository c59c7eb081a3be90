"""Distillation: a student repeats the teacher's hints, and answers for the labels alone."""

from dataclasses import replace

import numpy as np
import torch

from helpers.data.datasets import Dataset
from helpers.training.config import TrainConfig
from helpers.training.distillation import DistillationTrainer
from helpers.training.torch_trainer import TorchTrainer

CONFIG = TrainConfig("lenet", loss="binary-cross-entropy", epochs=15, batch_size=8, hint_weight=1.0)


def data(n=64):
    """Grey squares: labels and hints both tell how bright they are."""
    grey = np.linspace(0, 255, n).astype(np.uint8)
    x = np.tile(grey[:, None, None], (1, 28, 28))
    y = (grey[:, None] > [64, 192]).astype(np.uint8)
    hints = np.stack([grey / 50 - 2.5, 2.5 - grey / 50], axis=1)
    return Dataset(x, y, x, y, hints=hints)


def trained(config, trainer):
    training = trainer(config, data(), seed=0)
    while not training.done:
        training.run_epoch()
    return training


def test_a_student_learns_labels_and_hints_at_once():
    student = trained(CONFIG, DistillationTrainer)
    assert student.scores().shape == (64, 2)
    assert student.history["eval_accuracy"][-1] > 0.95
    repeated = TorchTrainer.predict(student, student.data.x)[:, 2:].numpy()
    hints = data().hints / data().hints.std()
    assert np.square(repeated - hints).mean() < 0.1


def test_without_weight_the_hints_change_nothing_of_the_first_step():
    plain = TorchTrainer(replace(CONFIG, model_kwargs={"classes": 4}), data(), seed=0)
    config = replace(CONFIG, hint_weight=0.0, label_smoothing=0.2)
    student = DistillationTrainer(config, data(), seed=0)
    x, y, size = next(student.batches())
    loss = plain.loss(plain.logits(x)[:, :2], y[:, :2], smoothing=0.2)
    loss.mean().backward()
    student.step(x, y, size)
    for ours, theirs in zip(student.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
