"""The loop in PyTorch: the steps of a plain one, its figures, its state, machines, processes."""

import copy
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.data.datasets import Dataset
from helpers.training import torch_trainer
from helpers.training.config import TrainConfig
from helpers.training.optimisers import SCHEDULES
from helpers.training.torch_trainer import TorchTrainer

ROOT = Path(__file__).resolve().parents[2]
TINY = TrainConfig(
    "lenet", epochs=3, batch_size=32, schedule={"name": "cosine", "peak_lr": 0.002, "warmup": 0.1}
)
#: All that draws at random: dropout, augmentation, the order of the batches.
SMALL_VIT = TrainConfig(
    "vit", model_kwargs={"embed_dim": 16, "heads": 2, "hidden": 32, "dropout": 0.5}, epochs=4,
    batch_size=8, augment={"shift": 1.0, "rotation": 5.0}, ema_decay=0.5,
)  # fmt: skip
#: Its steps grow with the gradient, as Adam's do not.
SGD = replace(TINY, optimiser={"name": "sgd"}, schedule={"name": "constant", "lr": 0.1})
FROZEN = {"name": "constant", "lr": 0.0}


def data(n=96):
    x = np.random.default_rng(0).integers(0, 256, (n, 28, 28)).astype(np.uint8)
    y = np.arange(n) % 10
    return Dataset(x, y, x[:20], y[:20])


def trained(config=TINY, n=96):
    trainer = TorchTrainer(config, data(n), seed=0)
    while not trainer.done:
        trainer.run_epoch()
    return trainer


# ------------------------------------------------------------------------------ the loop


def test_an_epoch_takes_the_steps_of_a_plain_loop():
    trainer = TorchTrainer(replace(TINY, label_smoothing=0.1), data(), seed=3)
    x, y = trainer.data.x, trainer.data.y
    model = torch_trainer.build(TINY, trainer.data, seed=3)
    optimiser = torch.optim.Adam(model.parameters())
    order = torch.randperm(96, generator=torch.Generator().manual_seed(3))
    for step, rows in enumerate(order.split(32)):
        for group in optimiser.param_groups:
            group["lr"] = SCHEDULES["cosine"](0.002, 0.1)(step, 9)
        logits = model(x[rows].float() / 127.5 - 1)
        loss = functional.cross_entropy(logits, y[rows], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    trainer.run_epoch()
    for ours, theirs in zip(trainer.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_the_figures_are_means_over_images_before_each_step():
    trainer = trained(replace(TINY, schedule=FROZEN, batch_size=40, epochs=1))
    logits = trainer.predict(trainer.data.x)
    right = (logits.argmax(dim=1) == trainer.data.y).float().mean()
    loss = functional.cross_entropy(logits, trainer.data.y)
    for found in (trainer.history, trainer.curve):  # three steps make one point of the curve
        assert found["loss"] == [pytest.approx(float(loss), rel=1e-5)]
        assert found["accuracy"] == [pytest.approx(float(right))]


def test_a_remainder_too_small_for_batch_normalisation_is_left_out_and_said(monkeypatch):
    config = replace(TINY, model="resnet18", model_kwargs={"width": 2}, epochs=1)
    with pytest.warns(UserWarning, match="1 of 65 images, others in each epoch, are left out"):
        trainer = TorchTrainer(config, data(65), seed=0)
    assert [len(x) for x, _, _ in trainer.batches()] == [32, 32]
    trainer.run_epoch()
    monkeypatch.setattr(torch_trainer, "processes", lambda: 2)
    with pytest.warns(UserWarning, match="3 of 35 images, .*: a batch needs 4"):
        assert torch_trainer.images_an_epoch(35, 32, trainer.model) == 32
    monkeypatch.undo()
    whole = TorchTrainer(replace(TINY, epochs=1), data(65), seed=0)  # nothing is normalised
    assert [len(x) for x, _, _ in whole.batches()] == [32, 32, 1]


def test_weight_decay_spares_biases():
    config = replace(TINY, optimiser={"name": "sgd", "weight_decay": 0.5})
    weights, others = TorchTrainer(config, data(), seed=0).optimiser.param_groups
    assert weights["weight_decay"] == 0.5 and all(p.ndim > 1 for p in weights["params"])
    assert others["weight_decay"] == 0 and all(p.ndim == 1 for p in others["params"])


def test_the_head_learns_first_and_the_body_more_slowly():
    config = replace(SGD, epochs=2, head_epochs=1, body_lr_scale=0.5)
    trainer = TorchTrainer(config, data(), seed=0)
    body, head = trainer.model.features[0].weight, trainer.model.classifier[1].weight
    before = body.detach().clone(), head.detach().clone()
    trainer.run_epoch()
    assert torch.equal(body, before[0]) and not torch.equal(head, before[1])
    trainer.run_epoch()
    assert not torch.equal(body, before[0])
    rates = {group["lr"] for group in trainer.optimiser.param_groups if body is group["params"][0]}
    assert rates == {0.05} and trainer.history["learning_rate"] == [0.1, 0.1]


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_batch_normalisation_keeps_its_statistics_and_learns_its_weights(frozen):
    config = replace(TINY, model_kwargs={"batch_norm": True}, epochs=1, freeze_batch_norm=frozen)
    norm = trained(config).model.features[1]
    assert torch.equal(norm.running_mean, torch.zeros(6)) == frozen
    assert not torch.equal(norm.weight, torch.ones(6))


def test_divergence_ends_the_run_and_is_noted():
    rate = {"name": "constant", "lr": 1e20}
    trainer = trained(replace(TINY, optimiser={"name": "sgd"}, schedule=rate, epochs=9))
    assert trainer.diverged and trainer.epoch < 9
    assert trainer.history["eval_accuracy"][-1] is None


def test_it_is_evaluated_every_so_many_epochs_and_at_the_end_which_changes_no_training():
    often, seldom = (trained(replace(SMALL_VIT, evaluate_every=n), n=20) for n in (1, 3))
    evaluated = [value is not None for value in seldom.history["eval_loss"]]
    assert evaluated == [False, False, True, True]
    assert seldom.history["loss"] == often.history["loss"]
    assert seldom.history["eval_accuracy"][-1] == pytest.approx(seldom.evaluate()["eval_accuracy"])
    assert len(seldom.history["attention_entropy"]) == 4  # a ViT is looked into every time


def test_the_training_images_are_evaluated_without_dropout_which_changes_no_training():
    config = replace(SMALL_VIT, evaluate_every=3)
    asked, plain = trained(replace(config, evaluate_train=True), n=20), trained(config, n=20)
    found = asked.history.pop("eval_train_accuracy")
    assert asked.history == plain.history
    right = asked.predict(asked.data.x).argmax(dim=1) == asked.data.y
    assert found == [None, None, found[2], pytest.approx(float(right.float().mean()))]
    assert found[2] is not None


def test_several_labels_are_learnt_and_measured_on_all_images_at_once(monkeypatch):
    monkeypatch.setattr(torch_trainer, "EVALUATION_BATCH", 12)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (32, 16, 16, 3)).astype(np.uint8)
    y = (rng.random((32, 5)) < 0.4).astype(np.uint8)
    rate = {"name": "constant", "lr": 0.003}
    config = replace(TINY, loss="binary-cross-entropy", schedule=rate, epochs=40, evaluate_every=40)
    trainer = TorchTrainer(config, Dataset(x, y, x, y), seed=0)
    while not trainer.done:
        trainer.run_epoch()
    history, scores = trainer.history, trainer.scores()
    expected = f1_score(y, scores > 0, average="micro"), average_precision_score(y, scores)
    found = [history[name] for name in ("eval_f1", "eval_mean_average_precision")]
    assert [values[-1] for values in found] == pytest.approx(expected) and min(expected) > 0.6
    assert [values[-2] for values in found] == [None, None]


def test_a_batch_is_cropped_and_mixed():
    config = replace(TINY, augment={"crop": 0.5, "size": 14}, mixup=0.5)
    targets = np.eye(10, dtype=np.float32)[data().y]
    several = replace(data(), y=targets, y_eval=targets[:20])
    x, y, _ = next(TorchTrainer(config, several, seed=0).batches())
    assert x.shape == (32, 1, 14, 14) and ((y > 0) & (y < 1)).any()


def test_the_average_of_the_weights_is_evaluated_and_kept():
    config = replace(TINY, ema_decay=0.5)
    trainer, plain = (TorchTrainer(each, data(), seed=0) for each in (config, TINY))
    expected = None
    for batch in plain.batches():
        plain.step(*batch)
        weights = plain.model.classifier[1].weight.detach()
        expected = weights.clone() if expected is None else 0.5 * expected + 0.5 * weights
    for batch in trainer.batches():
        trainer.step(*batch)
    torch.testing.assert_close(trainer.eval_model.classifier[1].weight, expected)
    assert not torch.equal(trainer.model.classifier[1].weight, expected)
    kept = trainer.weights()["model/classifier.1.weight"]
    np.testing.assert_allclose(kept, expected.numpy(), atol=1e-3)


def test_with_flips_an_answer_is_the_mean_of_two():
    trainer = TorchTrainer(replace(TINY, flip_tta=True), data(), seed=0)
    plain = TorchTrainer(TINY, data(), seed=0)
    x = plain.data.x
    both = (plain.predict(x) + plain.predict(x.flip(3))) / 2
    torch.testing.assert_close(trainer.predict(x), both)


def test_a_resumed_run_goes_on_bit_for_bit_and_needs_every_generator_for_that():
    whole = trained(SMALL_VIT, n=20)
    first = TorchTrainer(SMALL_VIT, data(20), seed=0)
    first.run_epoch()
    arrays, facts = copy.deepcopy(first.state())  # as from a file: the run may go on

    def resumed(arrays):
        trainer = TorchTrainer(SMALL_VIT, data(20), seed=0)
        trainer.restore(arrays, copy.deepcopy(facts))
        while not trainer.done:
            trainer.run_epoch()
        return trainer

    again = resumed(arrays)
    assert again.history == whole.history and again.curve == whole.curve
    assert all(np.array_equal(again.weights()[k], v) for k, v in whole.weights().items())
    elsewhere = torch.Generator().manual_seed(7).get_state().numpy()
    generators = [name for name in arrays if name.startswith("rng/")]
    assert len(generators) == 3
    for name in generators:
        assert resumed(arrays | {name: elsewhere}).history["loss"] != whole.history["loss"]


# --------------------------------------------------------------------- the machine


@pytest.mark.parametrize(
    ("cuda", "mps", "device"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_fastest_device(monkeypatch, cuda, mps, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert torch_trainer.choose_device("auto").type == device


@pytest.mark.parametrize(
    ("device", "capabilities", "gpu", "precision"),
    [
        ("cpu", {"avx512_bf16": True}, False, "bfloat16"),
        ("cpu", {"amx_bf16": True}, False, "bfloat16"),
        ("cpu", {"avx512_bf16": False, "avx2": True}, True, "float32"),
        ("cpu", {}, False, "float32"),
        ("cuda", {}, True, "bfloat16"),
        ("cuda", {"avx512_bf16": True}, False, "float32"),
        ("mps", {"avx512_bf16": True}, True, "float32"),
    ],
)
def test_auto_is_bfloat16_where_it_is_native(monkeypatch, device, capabilities, gpu, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: gpu)
    assert torch_trainer.choose_precision("auto", device) == precision
    assert torch_trainer.choose_precision("bfloat16", device) == "bfloat16"  # asked for by name


def test_half_precision_and_channels_last_change_little_and_are_noted():
    plain, quick = (
        trained(replace(TINY, epochs=1, **options))
        for options in ({}, {"precision": "bfloat16", "channels_last": True})
    )
    losses = plain.history["loss"], quick.history["loss"]
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.02)
    assert plain.hardware()["precision"] == "float32"
    assert quick.hardware()["precision"] == "bfloat16"


class NoFloat64(TorchDispatchMode):
    """A device like Apple's GPU, on which there are no float64 numbers."""

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        found = op(*args, **(kwargs or {}))
        parts = found if isinstance(found, (tuple, list)) else [found]
        if any(torch.is_tensor(part) and part.dtype == torch.float64 for part in parts):
            raise TypeError(f"{op} gives float64, which this device does not have")
        return found


def test_what_runs_on_the_device_needs_no_float64():
    with NoFloat64():
        with pytest.raises(TypeError, match="float64"):
            torch.ones(1).double()
        trainer = TorchTrainer(SMALL_VIT, data(20), seed=0)
        for batch in trainer.batches():
            trainer.step(*batch)
        trainer.predict(trainer.data.x_eval)


# -------------------------------------------------------------------- several processes

OTHER = """
from tests.training.test_torch_trainer import joined
joined()
"""


def joined():
    """Train as one of two processes; the last batch of 15 gives them unequal shares."""
    with torch_trainer.joined_processes():
        assert torch_trainer.processes() == 2
        return trained(SGD, n=47).history


def test_two_processes_train_as_one_does(monkeypatch):
    alone = trained(SGD, n=47).history
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    told = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}  # as torchrun does
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    environment = os.environ | paths | told | {"RANK": "1"}
    for name, value in (told | {"RANK": "0"}).items():
        monkeypatch.setenv(name, value)
    with subprocess.Popen([sys.executable, "-c", OTHER], env=environment) as other:
        together = joined()
    assert other.returncode == 0
    for name in ("loss", "accuracy"):
        assert together[name] == pytest.approx(alone[name], rel=1e-4)
