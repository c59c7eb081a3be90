"""The benchmark: the contestants compute the same, and its table says what was measured."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from helpers import bench, contestants, records
from helpers.bench import Row
from helpers.contestants import SIZES, Disagreement

IMAGES = 300


@pytest.fixture
def data():
    rng = np.random.default_rng(1)
    x = rng.random((IMAGES, SIZES[0]), dtype=np.float32)
    x *= rng.random(x.shape) < 0.2
    return x, rng.integers(0, SIZES[-1], IMAGES)


@pytest.fixture(scope="module")
def results():
    return bench.measure(images=IMAGES, rounds=2)


# ---------------------------------------------------------------------- contestants


@pytest.mark.parametrize(
    "other",
    [
        contestants.Textbook,
        lambda x, labels: contestants.PyTorch(x, labels, chunk=128),
        lambda x, labels: contestants.PyTorch(x, labels, chunk=IMAGES),
    ],
    ids=["textbook", "PyTorch in chunks", "PyTorch whole"],
)
def test_contestants_take_the_same_epochs(data, other):
    ours, other = contestants.Ours(*data), other(*data)
    contestants.check_first_step({"ours": ours, "the other": other})
    for _ in range(3):
        contestants.check_losses({"ours": ours.epoch(), "the other": other.epoch()})
    for mine, theirs in zip(ours.weights, other.weights, strict=True):
        # A unit on its kink may be on for one of them and off for the other.
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=3e-5)


def test_an_epoch_lowers_the_loss(data):
    ours = contestants.Ours(*data)
    losses = [ours.epoch() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)


def test_contestants_that_disagree_are_found(data):
    ours, other = contestants.Ours(*data), contestants.Textbook(*data)
    with pytest.raises(Disagreement, match=r"loss of the other is .*, ours "):
        contestants.check_losses({"ours": 2.0, "the other": 2.001})
    with pytest.raises(Disagreement, match="loss of the other is nan"):
        contestants.check_losses({"ours": 2.0, "the other": float("nan")})
    other.one_hot = other.one_hot[:, ::-1]  # the same loss, another gradient
    with pytest.raises(Disagreement, match="the other takes another first step"):
        contestants.check_first_step({"ours": ours, "the other": other})


class Counted(np.ndarray):
    """An array that notes the shapes of the matrix products it has a part in."""

    seen: list = []  # noqa: RUF012

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        plain = [i.view(np.ndarray) if isinstance(i, Counted) else i for i in inputs]
        if out is not None:
            options["out"] = tuple(o.view(np.ndarray) for o in out)
        if ufunc is np.matmul:
            left, right = plain
            Counted.seen.append((left.shape, right.shape, left.dtype))
        result = getattr(ufunc, method)(*plain, **options)
        if out is not None:
            return out[0]
        return result.view(Counted) if isinstance(result, np.ndarray) else result


@pytest.mark.parametrize("chunk", [128, 2048])
def test_the_products_are_those_of_our_epoch(data, chunk, monkeypatch):
    x, labels = data
    monkeypatch.setattr(contestants, "CHUNK", chunk)
    loss_and_gradients = contestants.loss_and_gradients
    monkeypatch.setattr(
        contestants,
        "loss_and_gradients",
        lambda *arguments: loss_and_gradients(*arguments, chunk=chunk),
    )
    monkeypatch.setattr(Counted, "seen", [])
    ours = contestants.Ours(x.view(Counted), labels)
    for layer in ours.network.dense_layers:
        layer.weight = layer.weight.view(Counted)
    ours.epoch()

    products = contestants.Products(x)
    listed = [(left.shape, right.shape, left.dtype) for _, left, right, _ in products.all()]
    assert sorted(map(str, Counted.seen)) == sorted(map(str, listed))
    n, (d, h, k) = IMAGES, SIZES
    assert products.flops() == {
        "x W1": 2 * n * d * h,
        "h W2": 2 * n * h * k,
        "hᵀ δ2": 2 * n * h * k,
        "δ2 W2ᵀ": 2 * n * h * k,
        "xᵀ δ1": 2 * n * d * h,
    }
    assert products.epoch().keys() == products.flops().keys()


def test_data_without_mnist_are_as_sparse(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    name, x, labels = contestants.load(50)
    assert (name, x.shape, x.dtype, labels.shape) == (
        "synthetic images", (50, 784), np.float32, (50,),
    )  # fmt: skip
    assert 0.17 < (x > 0).mean() < 0.21 and x.max() <= 1
    assert set(labels) <= set(range(10))


# ------------------------------------------------------------------------------ run


def test_a_run_has_every_row(results):
    targets = [row.target for row in results.rows]
    assert targets == [0.9, None, 4.0, 1.0, None, None, 1.5, 1.0]
    for row in results.rows:
        assert row.ours > 0
        assert (row.ratio is None) == (row.other is None)
        if row.ratio is not None:
            assert 0 < row.low <= row.ratio <= row.high
    assert (results.images, results.rounds, results.schema) == (IMAGES, 2, bench.SCHEMA)
    assert results.pytorch_chunk == IMAGES
    assert len(results.gigaflops) == 5 and min(results.gigaflops.values()) > 0
    assert results.environment == records.environment() | {"device": "cpu"}


def test_ratios_compare_round_with_round():
    seconds = {"ours": [1.0, 2.0, 4.0], "the textbook": [4.0, 10.0, 16.0]}
    seconds |= {"PyTorch": [2.0, 2.0, 2.0], "mini-batches": [2.0] * 3, "half-moons": [0.02] * 3}
    seconds |= {"a": [0.5, 1.0, 3.0], "b": [0.25, 0.5, 0.5]}
    alone, fastest, textbook, pytorch, batches, moons = bench.time_rows(
        seconds, {"a": 100, "b": 100}, images=1000
    )
    assert (alone.ratio, alone.low, alone.high) == (0.75, 0.75, 0.875)
    assert (alone.ours, alone.other, alone.met) == (2.0, 1.5, False)
    assert (fastest.ratio, fastest.low, fastest.high) == (0.5, 0.25, 0.5)
    assert (textbook.ratio, textbook.low, textbook.high, textbook.met) == (4.0, 4.0, 5.0, True)
    assert (pytorch.ratio, pytorch.met) == (1.0, True)
    assert (batches.ours, moons.ours) == (500.0, pytest.approx(100.0))


def test_an_epoch_makes_no_copy_of_the_data():
    n = 20 * 2048
    x = np.zeros((n, SIZES[0]), np.float32)
    must, added = bench.memory_rows(contestants.Ours(x, np.arange(n) % 10))
    assert must.met and added.met
    assert added.ratio < 0.5
    assert must.other == pytest.approx((x.nbytes + 8 * n + 3 * 4 * (794 * 1024 + 1034)) / 2**20)


def test_memory_counts_what_an_epoch_allocates(data):
    ours = contestants.Ours(*data)
    step = ours.epoch
    ours.epoch = lambda: (step(), np.ones(25 * 2**20, np.uint8))
    assert bench.memory_rows(ours)[1].ours >= 25


# -------------------------------------------------------------------------- results


def test_the_table_says_it_all(results, tmp_path):
    rows = [
        Row("a", "s", 1.25, 1.5, 1.2, 1.1, 1.3, 1.0),
        Row("b", "MiB", 1200.4, 2000, 0.6, 0.6, 0.6, 0.5, at_most=True),
        Row("c", "µs", 99.7),
    ]
    frame = bench.table(replace(results, rows=rows))
    assert frame.to_numpy().tolist() == [
        ["a", "1.25 s", "1.50 s", "1.20 [1.10, 1.30]", "≥ 1.00", "yes"],
        ["b", "1,200 MiB", "2,000 MiB", "0.60", "≤ 0.50", "no"],
        ["c", "100 µs", "–", "–", "–", "–"],
    ]


def test_missed_targets_are_said(results):
    def said(*rows):
        return bench.missed(replace(results, rows=[*rows, Row("c", "µs", 99.7)]))

    slow = Row("a", "s", 1.25, 1.5, 1.2, 1.1, 1.3, 4.0)
    large = Row("b", "MiB", 1200.4, 2000, 0.6, 0.6, 0.6, 0.5, at_most=True)
    good = Row("d", "s", 1.25, 1.5, 1.2, 1.1, 1.3, 1.0)
    a = "“a” comes to 1.20 [1.10, 1.30] and was to be at least 4.00"
    b = "“b” comes to 0.60 and was to be at most 0.50"
    assert said(good) == "Every target is met."
    assert said(good, slow) == f"One of the 2 targets is missed: {a}."
    assert said(slow, good, large) == f"2 of the 3 targets are missed: {a}; {b}."


@pytest.mark.skipif(not bench.PATH.exists(), reason="no benchmark has been recorded")
def test_the_book_s_benchmark_is_whole(results):
    recorded = bench.read()
    assert (recorded.images, recorded.data) == (bench.IMAGES, "MNIST")
    assert not recorded.commit.endswith("+changes")
    kept = ("name", "unit", "target", "at_most")
    listed, measured = (
        [[getattr(row, field) for field in kept] for row in found.rows]
        for found in (recorded, results)
    )
    assert listed == measured


# --------------------------------------------------------------------- command line


def test_the_command_prints_and_writes(results, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "measure", lambda images, rounds: results)
    path = tmp_path / "new" / "cpu.json"
    assert bench.main(["--images", str(IMAGES), "--rounds", "2", "--output", str(path)]) == 0
    shown = capsys.readouterr().out
    for row in results.rows:
        assert row.name in shown
    assert "300 images of" in shown and "meant for 60,000 images" in shown
    assert bench.read(path) == results


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--images", "0"], "--images"),
        (["--images", "60001"], "from 1 to 60000"),
        (["--images", "many"], "'many' is not a whole number"),
        (["--rounds", "-1"], "--rounds"),
    ],
)
def test_bad_arguments_are_refused(arguments, named, capsys):
    with pytest.raises(SystemExit) as stopped:
        bench.main(arguments)
    assert stopped.value.code == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (Disagreement("the loss of PyTorch is 3, ours 2"), "the loss of PyTorch is 3, ours 2"),
        (OSError(28, "No space left on device", "cpu.json"), "cpu.json: No space left"),
    ],
)
def test_failures_are_one_sentence(error, named, capsys, monkeypatch):
    def fail(images, rounds):
        raise error

    monkeypatch.setattr(bench, "measure", fail)
    assert bench.main([]) == 2
    shown = capsys.readouterr()
    assert named in shown.err and shown.err.count("\n") == 1 and not shown.out


def test_reading_the_table_does_not_wait_for_torch():
    command = "import sys, helpers.bench; sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(records.ROOT)}
    assert subprocess.run([sys.executable, "-c", command], env=environment).returncode == 0
