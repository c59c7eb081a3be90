"""The race to 99%: what runs in it is what it says, and its clock counts training alone."""

from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import race, stopwatch
from benchmarks.race import STEPS
from benchmarks.steps import Step
from benchmarks.stopwatch import MNIST_MEAN, MNIST_SD, ExampleNet, PerImage, Timed
from helpers.data.datasets import Dataset
from helpers.training.config import TrainConfig

stopwatch.register()


def data(n=24, seed=0):
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=rng)
    labels = torch.arange(n) % 10
    return Dataset(images, labels, images[:10], labels[:10])


def test_the_example_is_pytorch_s_own():
    torch.manual_seed(0)
    ours = ExampleNet().eval()
    conv1, conv2 = nn.Conv2d(1, 32, 3, 1), nn.Conv2d(32, 64, 3, 1)
    fc1, fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)
    plain = [parameter for layer in (conv1, conv2, fc1, fc2) for parameter in layer.parameters()]
    for theirs, mine in zip(plain, ours.parameters(), strict=True):
        theirs.data.copy_(mine.data)
    images = torch.randn(3, 1, 28, 28)
    hidden = torch.max_pool2d(torch.relu(conv2(torch.relu(conv1(images)))), 2)
    torch.testing.assert_close(ours(images), fc2(torch.relu(fc1(hidden.flatten(1)))))
    dropped = [layer.p for layer in ours.modules() if isinstance(layer, nn.Dropout)]
    assert dropped == [0.25, 0.5]


# -------------------------------------------------------------------------- training


def test_images_one_by_one_are_those_of_the_batches():
    whole, single = (kind(TrainConfig("quick"), data(), 0) for kind in (Timed, PerImage))
    ((images, labels, _),) = list(whole.batches())
    ((pictures, answers, _),) = list(single.batches())
    pixels, theirs = (images + 1) / 2, pictures * MNIST_SD + MNIST_MEAN  # in [0, 1]
    order, other = pixels[:, 0, 0, 0].argsort(), theirs[:, 0, 0, 0].argsort()
    torch.testing.assert_close(pixels[order], theirs[other])
    assert torch.equal(labels[order], answers[other])
    assert not torch.equal(answers, data().y)  # shuffled
    expected = single.model.eval()((data().x_eval / 255 - MNIST_MEAN) / MNIST_SD)
    torch.testing.assert_close(single.predict(data().x_eval), expected.detach())


def test_the_clock_leaves_evaluation_out_and_tells_waiting(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(stopwatch.time, "process_time", lambda: 2 * now[0])

    class Slow(Timed):
        def batches(self):
            for batch in super().batches():
                now[0] += 1
                yield batch

        def step(self, *batch):
            now[0] += 3
            return super().step(*batch)

        def predict(self, images):
            now[0] += 100
            return super().predict(images)

    run = Slow(TrainConfig("quick", batch_size=12, epochs=2), data(), 0)
    run.train()
    assert run.seconds() == (16.0, 32.0)  # two epochs of two steps
    assert (run.evaluation_clock.wall, run.evaluation_clock.cpu) == (200.0, 400.0)
    assert run.wait_for_data(2) == (2.0, 8.0, 24)


@pytest.mark.parametrize(("stop_at", "epochs"), [(None, 4), (0.99, 4), (0.5, 2)])
def test_training_stops_at_the_first_epoch_that_reaches_the_goal(stop_at, epochs):
    class Certain(Timed):
        def evaluate(self):
            return {"eval_loss": 1.0, "eval_accuracy": (0.4, 0.5, 0.6, 0.7)[self.epoch - 1]}

    run = Certain(TrainConfig("quick", epochs=4), data(), 0)
    assert run.train(stop_at) == (0.4, 0.5, 0.6, 0.7)[epochs - 1]
    assert run.epoch == epochs


# ---------------------------------------------------------------------------- the steps


def test_each_step_makes_the_change_that_it_names():
    changes = []
    for pair in pairwise(STEPS):
        before, after = (asdict(step) | asdict(step.config) for step in pair)
        told = {"name", "change", "seeds", "config"}
        changes.append({key for key in before.keys() - told if before[key] != after[key]})
    assert changes == [
        {"per_image"},
        {"optimiser", "schedule", "epochs", "evaluate_every", "stop_at"},
        {"model"}, {"channels_last"}, {"batch_size"}, {"schedule"}, {"epochs"},
        {"label_smoothing"}, {"model_kwargs"},
    ]  # fmt: skip
    assert STEPS[-1].seeds >= 20 and min(step.seeds for step in STEPS[3:]) >= 3
    for step in STEPS:  # whose epochs are planned looks at the test images once
        assert step.stop_at == (race.GOAL if step in STEPS[:2] else None)
        assert step.stop_at or step.config.evaluate_every >= step.config.epochs


def test_a_run_that_comes_to_nothing_is_no_result():
    wild = TrainConfig(
        "quick", optimiser={"name": "sgd"}, schedule={"name": "constant", "lr": 1e30}
    )
    with pytest.raises(race.Diverged, match="the run of 'a', seed 0, diverged"):
        race.measure_steps(data(), 1, [Step("a", "b", wild)])


def test_the_book_s_race_is_whole():
    found = race.read()
    assert (found.data, found.scale, found.images) == ("mnist", "full", 60_000)
    for step, measured in zip(STEPS, found.steps, strict=True):
        assert (measured.name, measured.change) == (step.name, step.change)
        assert (measured.config, measured.stop_at) == (step.config.as_json(), step.stop_at)
        lists = (measured.seconds, measured.cpu_seconds, measured.epochs, measured.accuracies)
        assert {len(each) for each in lists} == {step.seeds}
    first, last = found.steps[0], found.steps[-1]
    assert np.mean(last.accuracies) >= race.GOAL <= min(first.accuracies)
    row = race.table(found).iloc[-1]
    assert row["times faster"] == f"{np.mean(first.seconds) / np.mean(last.seconds):.1f}"
    reached = sum(accuracy >= 0.99 for accuracy in last.accuracies)
    assert row["seeds at 99%"] == f"{reached} of {len(last.accuracies)}"
    (ax,) = race.figure(found).axes
    dots = [line.get_xdata().tolist() for line in ax.lines[::2]]
    assert dots == [step.seconds for step in found.steps]
