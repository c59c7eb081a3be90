"""The race to 99%: what runs in it is what it says, and its results are read with suspicion."""

import os
import subprocess
import sys
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import race, stopwatch, timings
from benchmarks.race_networks import ExampleNet, QuickNet
from benchmarks.stages import STAGES, Contest, Stage
from benchmarks.stopwatch import MNIST_MEAN, MNIST_SD, Clock, PerImage, Timed
from benchmarks.timings import Measured, Results, Waiting
from helpers.data.datasets import DataNotPrepared, Dataset
from helpers.runs import records
from helpers.training.config import TrainConfig
from helpers.training.schedules import SCHEDULES


def data(n=24, seed=0):
    rng = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=rng)
    labels = torch.arange(n) % 10
    return Dataset(images, labels, images[:10], labels[:10])


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Networks of a few images: a second thread would only be waited for."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# -------------------------------------------------------------------------- networks


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
    logits = fc2(torch.relu(fc1(hidden.flatten(1))))
    assert logits.shape == (3, 10)
    torch.testing.assert_close(ours(images), logits)
    assert count(ours) == 1_199_882
    dropped = [layer.p for layer in ours.modules() if isinstance(layer, nn.Dropout)]
    assert dropped == [0.25, 0.5]


@pytest.mark.parametrize("widths", [(16, 32, 64), (16, 24, 64)])
def test_the_quick_network_s_parameters_are_few(widths):
    a, b, c = widths
    by_hand = 25 * a + 2 * a + 9 * a * b + 2 * b + 9 * b * c + 2 * c + (9 * c + 1) * 10
    assert count(QuickNet(widths=widths)) == by_hand < 30_000


@pytest.mark.parametrize("network", [ExampleNet, QuickNet])
@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 20), (1, 33)])
def test_logits_are_finite_and_each_image_s_own(network, channels, size):
    torch.manual_seed(0)
    model = network(channels, size, classes=5).eval()
    images = torch.randn(3, channels, size, size)
    logits = model(images)
    assert logits.shape == (3, 5) and logits.isfinite().all()
    torch.testing.assert_close(model(images[:1]), logits[:1], rtol=1e-4, atol=1e-5)


def test_images_that_are_too_small_are_refused():
    with pytest.raises(ValueError, match="at least 20×20 pixels; got 19×19"):
        QuickNet(size=19)
    with pytest.raises(ValueError, match="at least 6×6 pixels; got 5×5"):
        ExampleNet(size=5)


# -------------------------------------------------------------------------- training


def test_images_one_by_one_are_those_of_the_batches():
    whole, single = (
        Timed(TrainConfig("quick"), data(), 0),
        PerImage(TrainConfig("quick"), data(), 0),
    )
    ((images, labels, _),) = list(whole.batches())
    ((pictures, answers, _),) = list(single.batches())
    pixels, theirs = (images + 1) / 2, pictures * MNIST_SD + MNIST_MEAN  # in [0, 1]
    order, other = pixels[:, 0, 0, 0].argsort(), theirs[:, 0, 0, 0].argsort()
    torch.testing.assert_close(pixels[order], theirs[other])
    assert torch.equal(labels[order], answers[other])
    assert not torch.equal(labels, data().y)  # both are shuffled


def test_either_way_every_image_comes_once_an_epoch():
    for kind in (Timed, PerImage):
        run = kind(TrainConfig("quick", batch_size=10), data(), 0)
        batches = list(run.batches())
        assert [(len(images), size) for images, _, size in batches] == [(10, 10)] * 2 + [(4, 4)]
        labels = torch.cat([labels for _, labels, _ in batches])
        assert torch.equal(labels.sort().values, data().y.sort().values)
        again = torch.cat([labels for _, labels, _ in run.batches()])
        assert not torch.equal(labels, again)


def test_images_are_judged_as_they_were_trained_on():
    run = PerImage(TrainConfig("quick"), data(), 0)
    pixels = data().x_eval.float() / 255
    expected = run.model.eval()((pixels - MNIST_MEAN) / MNIST_SD)
    torch.testing.assert_close(run.predict(data().x_eval), expected.detach())


def test_adadelta_and_its_stairs_are_those_of_the_example():
    recipe = replace(STAGES[1].recipe, model="quick", epochs=2, batch_size=8)
    recipe = replace(recipe, schedule=recipe.schedule | {"stairs": 2})
    run, plain = (Timed(recipe, data(), seed=1) for _ in range(2))
    model = plain.model.train()
    optimiser = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, step_size=1, gamma=0.7)
    for _ in range(2):
        for images, labels, _ in plain.batches():
            optimiser.zero_grad()
            nn.functional.nll_loss(model(images).log_softmax(1), labels).backward()
            optimiser.step()
        scheduler.step()
        run.run_epoch()
    for mine, theirs in zip(run.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_stairs_go_down_after_each_part():
    rate = SCHEDULES["step-decay"](1.0, 0.5, stairs=3)
    assert [rate(step, 6) for step in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_the_clock_leaves_evaluation_out(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(stopwatch.time, "process_time", lambda: 2 * now[0])

    class Slow(Timed):
        def step(self, *batch):
            now[0] += 3
            return super().step(*batch)

        def predict(self, images):
            now[0] += 100
            return super().predict(images)

    run = Slow(TrainConfig("quick", batch_size=12, epochs=2), data(), 0)
    now[0] += 1000
    run.train()
    assert run.seconds() == (12.0, 24.0)
    assert (run.evaluation_clock.wall, run.evaluation_clock.cpu) == (200.0, 400.0)


def test_waiting_is_the_time_until_the_batch_is_there(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])

    class Slow(Timed):
        def batches(self):
            for batch in super().batches():
                now[0] += 1
                yield batch

        def step(self, *batch):
            now[0] += 3
            return super().step(*batch)

    run = Slow(TrainConfig("quick", batch_size=10), data(), 0)
    assert run.wait_for_data(3) == (3.0, 12.0, 24)


def test_the_clock_counts_what_fails():
    clock = Clock()
    with pytest.raises(KeyError), clock.on():
        raise KeyError
    assert clock.wall > 0


@pytest.mark.parametrize(("stop_at", "epochs"), [(None, 4), (0.99, 4), (0.5, 2)])
def test_training_stops_at_the_first_epoch_that_reaches_the_goal(stop_at, epochs):
    class Certain(Timed):
        def evaluate(self):
            return {"eval_loss": 1.0, "eval_accuracy": (0.4, 0.5, 0.6, 0.7)[self.epoch - 1]}

    run = Certain(TrainConfig("quick", epochs=4), data(), 0)
    assert run.train(stop_at) == (0.4, 0.5, 0.6, 0.7)[epochs - 1]
    assert run.epoch == epochs


# ---------------------------------------------------------------------------- stages


def difference(before, after):
    """Name what differs between two stages, but for what they are called."""
    pairs = [(asdict(stage) | asdict(stage.recipe) for stage in (before, after))]
    told = {"name", "change", "seeds", "recipe"}
    return {key for a, b in pairs for key in a if key not in told and a[key] != b[key]}


def test_each_stage_makes_the_change_that_it_names():
    changes = [difference(*pair) for pair in pairwise(STAGES)]
    assert changes == [
        {"per_image"},
        {"optimiser", "schedule", "epochs", "evaluate_every", "stop_at"},
        {"model"},
        {"channels_last"},
        {"batch_size"},
        {"schedule"},
        {"epochs"},
        {"label_smoothing"},
        {"model_kwargs"},
    ]
    assert len({stage.name for stage in STAGES}) == len(STAGES)


def test_the_sentences_give_the_recipes_numbers():
    for before, after in pairwise(STAGES):
        recipe = after.recipe
        named = {
            "epochs": recipe.epochs,
            "batch_size": recipe.batch_size,
            "label_smoothing": recipe.label_smoothing,
            "schedule": recipe.schedule.get("peak_lr"),
            "model_kwargs": recipe.model_kwargs.get("widths", [None, None])[1],
        }
        for key in difference(before, after) & named.keys():
            assert str(named[key]) in after.change
    assert "24 channels instead of 32" in STAGES[-1].change
    assert STAGES[0].recipe.schedule["stairs"] == STAGES[0].recipe.epochs == 14
    assert STAGES[-1].seeds >= 20 and min(stage.seeds for stage in STAGES[3:]) >= 3
    assert min(stage.seeds for stage in STAGES) >= 2


def test_a_stage_whose_epochs_are_planned_looks_at_the_test_images_once():
    for stage in STAGES:
        assert stage.stop_at == (race.GOAL if stage in STAGES[:2] else None)
        assert stage.stop_at or stage.recipe.evaluate_every >= stage.recipe.epochs


# --------------------------------------------------------------------------- results


def made_up(seconds, accuracies=None, **options):
    accuracies = accuracies or [0.99] * len(seconds)
    lists = {
        "seconds": seconds, "cpu_seconds": [2 * s for s in seconds],
        "evaluation_seconds": [1.0] * len(seconds), "epochs": [1] * len(seconds),
        "accuracies": accuracies,
    }  # fmt: skip
    shared = {"name": "a", "change": "b", "recipe": {}, "stop_at": None, "parameters": 1234}
    return Measured(**shared | lists | options)


@pytest.fixture
def results():
    return Results(
        environment=records.environment() | {"device": "cpu"},
        commit="0123456789ab",
        data="mnist",
        data_checksum="c0ffee",
        scale="full",
        images=60_000,
        stages=[
            made_up([290.0, 310.0], [0.9901, 0.9903], name="slow", epochs=[4, 5], stop_at=0.99),
            made_up([5.0, 4.0, 6.0], [0.989, 0.99, 0.991], name="quick", change="all of it"),
        ],
        waiting=[
            Waiting("LeNet", "in memory, whole", 300, 64, [0.02, 0.03, 0.04], [7000.0, 9000.0]),
            Waiting("LeNet", "image by image", 300, 64, [0.5], [3000.4]),
        ],
    )


def test_ratios_compare_mean_seconds(results):
    slow, quick = results.stages
    assert (slow.mean_seconds, quick.mean_seconds) == (300.0, 5.0)
    assert results.speedups == [1.0, 60.0]
    assert slow.accuracy is None
    assert quick.accuracy.estimate == pytest.approx(0.99) and quick.accuracy.n == 3
    assert quick.accuracy.sd == pytest.approx(0.001)
    assert (slow.reached.estimate, quick.reached.estimate) == (1.0, pytest.approx(2 / 3))


def test_the_tables_say_it_all(results):
    rows = race.table(results).to_numpy().tolist()
    assert rows == [
        ["slow", "b", "1,234", "4–5", "300.0 [290.0, 310.0]", "1.0", "0.9902", "2 of 2"],
        ["quick", "all of it", "1,234", "1", "5.0 [4.0, 6.0]", "60.0",
         "0.9900 [0.9875, 0.9925]", "2 of 3"],
    ]  # fmt: skip
    rows = race.data_table(results).to_numpy().tolist()
    assert rows == [
        ["LeNet", "in memory, whole", "3.0% [2.0%, 4.0%]", "8,000"],
        ["LeNet", "image by image", "50.0%", "3,000"],
    ]


def test_the_figure_has_a_row_a_stage_and_a_dot_a_seed(results):
    figure = race.figure(results)
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["slow", "quick"]
    assert ax.get_xscale() == "log"
    drawn = [line.get_xdata().tolist() for line in ax.lines]
    assert drawn == [[290.0, 310.0], [300.0], [5.0, 4.0, 6.0], [5.0]]
    assert [text.get_text() for text in ax.texts] == ["300 s", "5.0 s"]


def test_the_description_says_what_came_of_it(results):
    text = race.describe(results)
    assert "60,000 images of mnist" in text
    assert "From 300.0 s to 5.0 s of training: 60.0 times faster" in text
    assert "accuracy of 0.9900 [0.9875, 0.9925]" in text


def test_reading_the_table_does_not_wait_for_torch():
    command = "import sys, benchmarks.race; sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(records.ROOT)}
    assert subprocess.run([sys.executable, "-c", command], env=environment).returncode == 0


# ------------------------------------------------------------------------------- run


def test_the_whole_race_runs_on_a_few_images(tmp_path, capsys):
    path = tmp_path / "new" / "race.json"
    assert race.main(["--scale", "embedded", "--seeds", "1", "--output", str(path)]) == 0
    found = race.read(path)
    assert (found.data, found.scale, found.images) == ("digits", "embedded", race.EMBEDDED_IMAGES)
    assert found.environment == records.environment() | {"device": "cpu"}
    for stage, measured in zip(STAGES, found.stages, strict=True):
        assert (measured.name, measured.change) == (stage.name, stage.change)
        assert measured.recipe == stage.recipe.as_json()
        assert len(measured.seconds) == len(measured.accuracies) == 1
        assert measured.seconds[0] > 0 and measured.cpu_seconds[0] > 0
        assert measured.epochs[0] <= stage.recipe.epochs
    assert [row.network for row in found.waiting] == ["LeNet"] * 2 + ["ResNet-18"] * 2
    assert all(0 < share < 1 for row in found.waiting for share in row.shares)
    shown = capsys.readouterr().out
    assert all(stage.name in shown for stage in STAGES) and "image by image" in shown


def test_seeds_are_each_stage_s_own_and_the_last_one_s_are_chosen():
    few = [Stage("a", "b", TrainConfig("quick", epochs=1), seeds=n) for n in (2, 3, 1)]
    found = race.measure_stages(data(), seeds=4, stages=few)
    assert [len(stage.seconds) for stage in found] == [2, 3, 4]
    found = race.measure_stages(data(), seeds=2, stages=few)
    assert [len(stage.accuracies) for stage in found] == [2, 2, 2]
    again = race.measure_stages(data(), seeds=2, stages=few)
    assert [stage.accuracies for stage in found] == [stage.accuracies for stage in again]


def test_a_run_that_comes_to_nothing_is_no_result():
    wild = TrainConfig(
        "quick", optimiser={"name": "sgd"}, schedule={"name": "constant", "lr": 1e30}
    )
    with pytest.raises(race.Diverged, match="the run of 'a', seed 0, diverged"):
        race.measure_stages(data(), 1, [Stage("a", "b", wild)])


def test_every_round_asks_every_network():
    found = race.measure_waiting(data(), 2, [Contest("Q", TrainConfig("quick", batch_size=10), 99)])
    assert [(row.network, row.batches) for row in found] == [
        ("Q", "in memory, whole"), ("Q", "image by image"),
    ]  # fmt: skip
    assert [(row.steps, len(row.shares), len(row.images_per_second)) for row in found] == [
        (3, 2, 2), (3, 2, 2),
    ]  # fmt: skip


@pytest.mark.skipif(not timings.PATH.exists(), reason="no race has been recorded")
def test_the_book_s_race_is_whole():
    recorded = race.read()
    assert (recorded.data, recorded.scale, recorded.images) == ("mnist", "full", 60_000)
    assert not recorded.commit.endswith("+changes")
    for stage, measured in zip(STAGES, recorded.stages, strict=True):
        assert (measured.name, measured.change) == (stage.name, stage.change)
        assert (measured.recipe, measured.stop_at) == (stage.recipe.as_json(), stage.stop_at)
        assert len(measured.seconds) == stage.seeds
        lists = (measured.cpu_seconds, measured.evaluation_seconds, measured.epochs)
        assert {len(each) for each in lists} == {len(measured.accuracies)} == {stage.seeds}
    first, last = recorded.stages[0], recorded.stages[-1]
    assert len(last.seconds) >= 20
    assert np.mean(last.accuracies) >= race.GOAL <= min(first.accuracies)
    assert recorded.speedups[-1] >= 30
    row = race.table(recorded).iloc[-1]
    assert row["times faster"] == f"{np.mean(first.seconds) / np.mean(last.seconds):.1f}"
    reached = sum(accuracy >= 0.99 for accuracy in last.accuracies)
    assert row["seeds at 99%"] == f"{reached} of {len(last.accuracies)}"
    in_memory = [row for row in recorded.waiting if row.batches == "in memory, whole"]
    assert len(in_memory) == 2 and max(np.mean(row.shares) for row in in_memory) <= 0.05


# ---------------------------------------------------------------------- command line


def test_only_the_whole_race_is_written_to_the_book(results, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(race, "measure", lambda scale, seeds: results)
    monkeypatch.setattr(race, "PATH", tmp_path / "book.json")
    assert race.main(["--seeds", "1"]) == race.main(["--scale", "embedded"]) == 0
    assert not race.PATH.exists()
    assert race.main([]) == 0
    assert race.read(race.PATH) == results
    assert "The results are in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--seeds", "0"], "'0' is not a whole number from 1 on"),
        (["--seeds", "many"], "'many' is not a whole number"),
        (["--scale", "huge"], "--scale"),
    ],
)
def test_bad_arguments_are_refused(arguments, named, capsys):
    with pytest.raises(SystemExit) as stopped:
        race.main(arguments)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (race.Diverged("the run of 'a', seed 0, diverged"), "seed 0, diverged"),
        (DataNotPrepared("MNIST is not prepared in data"), "MNIST is not prepared"),
        (OSError(28, "No space left on device", "race.json"), "race.json: No space left"),
    ],
)
def test_failures_are_one_sentence(error, named, capsys, monkeypatch):
    def fail(scale, seeds):
        raise error

    monkeypatch.setattr(race, "measure", fail)
    assert race.main([]) == 2
    shown = capsys.readouterr()
    assert named in shown.err and shown.err.count("\n") == 1 and not shown.out
