"""The PyTorch loop: schedules, the same steps as by hand, resuming, several processes."""

import copy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import records, runner, training
from helpers.recipe import NoSuchDevice, Recipe
from helpers.registry import Experiment
from helpers.schedules import SCHEDULES
from helpers.training import ImageTensors, Training

ROOT = Path(__file__).resolve().parent.parent
TINY = Recipe(
    "lenet", epochs=3, batch_size=32, schedule={"name": "cosine", "peak": 0.002, "warmup": 0.1}
)
SMALL_VIT = Recipe(
    "vit", arguments={"width": 16, "heads": 2, "hidden": 32, "dropout": 0.5}, epochs=4,
    batch_size=8, evaluate_every=3,
)  # fmt: skip


def data(n=96, seed=0):
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=rng)
    labels = torch.arange(n) % 10
    return ImageTensors(images, labels, images[:20], labels[:20])


def trained(recipe=TINY, seed=0, **options):
    run = Training(recipe, data(**options), seed)
    while not run.done:
        run.run_epoch()
    return run


# ------------------------------------------------------------------------- schedules


def test_schedules():
    constant = SCHEDULES["constant"](0.3)
    assert [constant(step, 100) for step in (0, 99)] == [0.3, 0.3]
    cosine = SCHEDULES["cosine"](peak=2.0, warmup=0.1)
    assert [cosine(step, 100) for step in (0, 4, 9)] == pytest.approx([0.2, 1.0, 2.0])
    assert cosine(10, 100) == pytest.approx(2.0)
    assert cosine(55, 100) == pytest.approx(1.0)
    assert 0 < cosine(99, 100) < 0.002
    cycle = SCHEDULES["one-cycle"](peak=1.0, rise=0.5, start=10)
    rates = [cycle(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, abs=0.01)
    assert max(rates) == pytest.approx(1.0, abs=0.02) and rates.index(max(rates)) in (49, 50)
    assert 0 < rates[-1] < 0.02


# ------------------------------------------------------------------------------ steps


def test_an_epoch_takes_the_steps_of_a_plain_loop():
    run = Training(replace(TINY, label_smoothing=0.1), data(), seed=3)
    model = training.build(TINY, data(), seed=3)
    optimiser = torch.optim.Adam(model.parameters())
    order = torch.randperm(96, generator=torch.Generator().manual_seed(3))
    for step, rows in enumerate(order.split(32)):
        for group in optimiser.param_groups:
            group["lr"] = SCHEDULES["cosine"](0.002, 0.1)(step, 9)
        images = data().images[rows].float() / 127.5 - 1
        loss = torch.nn.functional.cross_entropy(
            model(images), data().targets[rows], label_smoothing=0.1
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    run.run_epoch()
    for ours, theirs in zip(run.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_the_figures_are_means_over_images_before_each_step():
    frozen = replace(TINY, schedule={"name": "constant", "rate": 0.0}, batch_size=40)
    run = Training(frozen, data(), seed=0)
    run.run_epoch()
    logits = run.predict(data().images)
    loss = torch.nn.functional.cross_entropy(logits, data().targets)
    assert run.history["loss"] == [pytest.approx(float(loss), rel=1e-5)]
    right = (logits.argmax(dim=1) == data().targets).float().mean()
    assert run.history["accuracy"] == [pytest.approx(float(right))]
    assert run.curve["loss"] == run.history["loss"]  # three steps make one point


def test_weight_decay_spares_biases():
    run = Training(replace(TINY, optimiser={"name": "sgd", "weight_decay": 0.5}), data(), seed=0)
    weights, others = run.optimiser.param_groups
    assert weights["weight_decay"] == 0.5 and all(p.ndim > 1 for p in weights["params"])
    assert others["weight_decay"] == 0 and all(p.ndim == 1 for p in others["params"])


def test_half_precision_and_channels_last_change_little():
    plain, quick = (
        trained(replace(TINY, epochs=1, **options)).history["loss"][0]
        for options in ({}, {"precision": "bfloat16", "channels_last": True})
    )
    assert plain != quick and plain == pytest.approx(quick, rel=0.02)


def test_a_silent_units_averages_end_at_zero():
    weight = torch.nn.Parameter(torch.ones(64))
    optimiser = torch.optim.Adam([weight], fused=True)
    weight.grad = torch.full_like(weight, 1e-3)
    for _ in range(1000):  # 0.9^1000 of it would be 1e-49
        optimiser.step()
        weight.grad.zero_()
    assert torch.equal(optimiser.state[weight]["exp_avg"], torch.zeros(64))


def test_divergence_ends_the_run_and_is_noted():
    wild = replace(
        TINY, optimiser={"name": "sgd"}, schedule={"name": "constant", "rate": 1e20}, epochs=9
    )
    run = trained(wild)
    assert run.diverged and run.epoch < 9
    assert run.history["eval_accuracy"][-1] is None


@pytest.mark.parametrize(
    ("every", "evaluated"),
    [(1, [0, 1, 2, 3, 4]), (2, [1, 3, 4]), (5, [4]), (9, [4])],
)
def test_the_last_epoch_is_always_evaluated(every, evaluated):
    run = trained(replace(TINY, epochs=5, evaluate_every=every), n=20)
    for name in ("eval_loss", "eval_accuracy"):
        measured = [i for i, value in enumerate(run.history[name]) if value is not None]
        assert measured == evaluated
    assert run.history["eval_accuracy"][-1] == pytest.approx(run.evaluate()["eval_accuracy"])


def test_how_often_it_is_evaluated_changes_no_training():
    often, seldom = (
        trained(replace(SMALL_VIT, evaluate_every=every), n=20).history for every in (1, 3)
    )
    assert often["loss"] == seldom["loss"]
    assert often["score_spread"] == seldom["score_spread"]


def test_a_vit_is_looked_into_after_each_epoch():
    names = {"score_spread", "attention_entropy", "active_units", "silent_units"}
    run = trained(SMALL_VIT, n=20)
    assert names <= run.history.keys()
    assert all(len(run.history[name]) == 4 for name in names)
    now = training.signs(run.model, training.normalise(run.data.images_eval))
    assert {name: run.history[name][-1] for name in names} == pytest.approx(now)
    assert not names & trained(n=20).history.keys()


def test_an_unknown_device_is_refused():
    with pytest.raises(NoSuchDevice, match="no device 'abacus': take cpu or auto"):
        training.choose_device("abacus")
    assert training.choose_device("auto").type in ("cpu", "cuda")


# ------------------------------------------------------------------- runs and resuming


def experiment(**changes):
    recipe = Recipe(
        "vit", arguments={"width": 16, "heads": 2, "hidden": 32}, epochs=4, batch_size=128,
        schedule={"name": "one-cycle", "peak": 0.003}, augment={"shift": 1.0, "rotation": 5.0},
    )  # fmt: skip
    data = {"name": "mnist", "evaluate_on": "test"}
    return Experiment("small-vit", "", replace(recipe, **changes), data, keep=True)


def test_an_interrupted_run_resumes_to_the_bit_identical_history(tmp_path):
    whole = runner.run(
        experiment(), "embedded", 0, device="cpu", runs=tmp_path / "whole",
        checkpoints=tmp_path / "checkpoints",
    )  # fmt: skip
    folders = {"runs": tmp_path / "broken", "checkpoints": tmp_path / "checkpoints"}

    def stop(run):
        if run.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(
            experiment(), "embedded", 0, after_epoch=stop, checkpoint_seconds=0, device="cpu",
            **folders,
        )  # fmt: skip
    resumed = runner.run(experiment(), "embedded", 0, resume=True, device="cpu", **folders)
    assert resumed.history == whole.history
    assert resumed.metrics == whole.metrics
    assert whole.environment["device"] == "cpu"
    kept = [
        records.read_arrays("small-vit", "embedded", 0, tmp_path / name)
        for name in ("whole", "broken")
    ]
    assert kept[0]["curve_loss"].shape == (8,)  # eleven steps an epoch make two points
    for name, array in kept[0].items():
        np.testing.assert_array_equal(array, kept[1][name])


def test_the_average_of_the_weights_is_judged_kept_and_resumed():
    recipe = replace(TINY, average=0.5)
    run, plain = Training(recipe, data(), seed=0), Training(TINY, data(), seed=0)
    expected = None
    for images, targets, whole in plain.batches():
        plain.step(images, targets, whole)
        weights = plain.model.classifier[1].weight.detach()
        expected = weights.clone() if expected is None else 0.5 * expected + 0.5 * weights
    run.run_epoch()
    torch.testing.assert_close(run.judge.classifier[1].weight, expected)
    assert not torch.equal(run.model.classifier[1].weight, expected)
    kept = run.weights()["model/classifier.1.weight"]
    np.testing.assert_allclose(kept, expected.numpy(), atol=1e-3)
    resumed = Training(recipe, data(), seed=0)
    resumed.restore(*run.state())
    for training_run in (run, resumed):
        while not training_run.done:
            training_run.run_epoch()
    assert run.history == resumed.history


def test_a_mirrored_look_is_the_mean_of_both():
    run = Training(replace(TINY, mirror=True), data(), seed=0)
    plain = Training(TINY, data(), seed=0)
    images = data().images
    both = (plain.predict(images) + plain.predict(images.flip(3))) / 2
    torch.testing.assert_close(run.predict(images), both)


def test_several_labels_an_image_are_learnt_and_measured():
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8, generator=rng)
    targets = (torch.rand(64, 5, generator=rng) < 0.4).float()
    recipe = Recipe("lenet", loss="multi-label", epochs=60, batch_size=32, evaluate_every=30)
    run = Training(recipe, ImageTensors(images, targets, images, targets, classes=5), seed=0)
    while not run.done:
        run.run_epoch()
    for name in ("eval_mean_average_precision", "eval_f1"):
        assert [v is not None for v in run.history[name]] == [False] * 29 + [True] + [
            False
        ] * 29 + [True]
        assert run.history[name][-1] > 0.9
    assert run.history["eval_loss"][-1] < run.history["loss"][0]


def test_dropout_goes_on_where_it_stopped():
    whole = trained(SMALL_VIT, n=20)
    first = Training(SMALL_VIT, data(n=20), seed=0)
    first.run_epoch()
    arrays, facts = first.state()
    torch.manual_seed(7)
    elsewhere = arrays | {"dropout_rng": torch.get_rng_state().numpy()}
    losses = []
    for kept in (arrays, elsewhere):
        resumed = Training(SMALL_VIT, data(n=20), seed=0)
        resumed.restore(kept, copy.deepcopy(facts))
        while not resumed.done:
            resumed.run_epoch()
        losses.append(resumed.history["loss"])
    assert losses[0] == whole.history["loss"]
    assert losses[1][0] == losses[0][0] and losses[1][1:] != losses[0][1:]


TWO = """
import sys
sys.path.insert(0, {root!r})
import torch
from torch import distributed
from helpers import runner, training
from helpers.recipe import Recipe
from helpers.registry import Experiment

torch.set_num_threads(1)
with training.joined_processes():
    recipe = Recipe("lenet", epochs=2, batch_size=64)
    experiment = Experiment("two", "", recipe, {{"name": "mnist", "evaluate_on": "test"}})
    run, _ = runner.prepare(experiment, "embedded", 0, "cpu")
    while not run.done:
        run.run_epoch()
    if training.rank() == 0:
        print("result", run.history["loss"][-1], run.history["eval_accuracy"][-1])
"""


def test_two_processes_train_as_one_does(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO.format(root=str(ROOT)))
    results = []
    for command in ([], ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]):
        done = subprocess.run(
            [sys.executable, *command, str(script)], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        [line] = [line for line in done.stdout.splitlines() if line.startswith("result")]
        results.append([float(value) for value in line.split()[1:]])
    (loss, accuracy), (loss_of_two, accuracy_of_two) = results
    assert loss_of_two == pytest.approx(loss, rel=5e-3)
    assert accuracy_of_two == pytest.approx(accuracy, abs=0.01)
