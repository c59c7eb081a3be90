"""The measurement of the data path: what competes is alike, and the table says what was found."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torchvision import transforms
from torchvision.transforms import v2

from benchmarks import augment_bench, data_paths
from benchmarks.augment_bench import Results, compare
from benchmarks.data_paths import PreparationFailed, loaders, scenes
from helpers.runs import records
from helpers.runs.catalogue.tiny_voc import AUGMENT, VOC_MODELS
from helpers.training.torch_trainer import TorchTrainer


@pytest.fixture(scope="module")
def data():
    return scenes(12, 32)


# ---------------------------------------------------------------------- what competes


def test_every_way_gives_the_same_kind_of_batches(data):
    recipe = replace(VOC_MODELS["lenet"][1], batch_size=8)
    ways = {"ours": TorchTrainer(recipe, data, 0).batches()}
    ways |= {name: iter(loader) for name, loader in loaders(data, 8).items()}
    for way in ways.values():
        batches = list(way)
        images = torch.cat([batch[0] for batch in batches])
        targets = torch.cat([batch[1] for batch in batches])
        assert images.shape == data.x.shape and images.dtype == torch.float32
        assert -1 <= images.min() < -0.5 and 0.5 < images.max() <= 1
        assert torch.equal(targets.sum(dim=0), data.y.sum(dim=0))
        assert [len(batch[0]) for batch in batches] == [8, 4]


@pytest.mark.parametrize("library", [transforms, v2])
def test_torchvision_does_what_ours_is_asked_to(library):
    crop, flip, rotation, colours, blur = data_paths.changes(library, 32)
    assert tuple(crop.scale) == (AUGMENT["crop"], 1.0) and tuple(crop.size) == (32, 32)
    assert flip.p == blur.p == 0.5
    assert tuple(rotation.degrees) == (-AUGMENT["rotation"], AUGMENT["rotation"])
    for name in data_paths.COLOURS:
        assert getattr(colours, name) == pytest.approx((1 - AUGMENT[name], 1 + AUGMENT[name]))
    assert len(AUGMENT) == 7  # flip, rotation, crop, three of colour, blur: nothing was left out


def test_both_ways_of_torchvision_change_images_alike(data):
    torch.manual_seed(0)
    means = {}
    for name, loader in loaders(data, 12).items():
        epochs = [next(iter(loader))[0] for _ in range(30)]
        means[name] = torch.stack(epochs).mean(dim=(0, 1, 3, 4))
    torch.testing.assert_close(means["pil"], means["v2"], atol=0.1, rtol=0)


def test_a_preparation_that_fails_says_why(tmp_path):
    with pytest.raises(PreparationFailed, match=r"nowhere does not exist; name a folder"):
        data_paths.prepare(tmp_path / "nowhere", tmp_path / "out", jobs=1)


# --------------------------------------------------------------------------- results


@pytest.fixture
def results():
    return Results(
        environment=records.environment() | {"load_average": 0.1, "cores": 2},
        commit="0123456789ab",
        data="toy-voc",
        size=128,
        images=320,
        rounds=2,
        prepared=400,
        pil=compare("a", "µs", [250, 350], [2500, 4200], target=10.0),
        v2=compare("b", "µs", [250, 350], [2000, 2100]),
        shares={
            "ResNet-18": compare("c", "µs", [300, 300], [30e3, 15e3], 0.05, share=True),
            "LeNet": compare("d", "µs", [300, 300], [3e3, 1.5e3], 0.05, share=True),
        },
        preparation=compare("e", "s", [2.0, 4.0], [2.8, 7.2]),
    )


def test_ratios_are_taken_round_by_round():
    row = compare("a", "µs", [1, 2, 4], [10, 30, 20], target=10.0)
    assert (row.ours, row.other, row.ratio, row.low, row.high) == (2, 20, 10, 5, 15)
    assert row.met and not replace(row, target=10.1).met
    row = compare("a", "µs", [1, 2, 4], [10, 30, 20], target=0.1, share=True)
    assert (row.ratio, row.low, row.high, row.met) == (
        pytest.approx(0.1), pytest.approx(1 / 15), pytest.approx(0.2), True,
    )  # fmt: skip


def test_the_sentence_says_what_is_reached(results):
    said = augment_bench.sentence(results)
    assert "0.30 ms of processor time in a batch, and 3.35 ms" in said
    assert "PIL: 11.0 [10.0, 12.0] times as long" in said
    assert "The goal of 10 times is reached" in said
    assert "1.5% with ResNet-18 and 15.0% with LeNet" in said
    assert "at most 5% is not reached with LeNet." in said
    assert "400 small scenes is 1.6 [1.4, 1.8] times as fast" in said
    assert "Other programs" not in said


def test_the_sentence_says_what_is_not_reached(results):
    slow = replace(results, pil=compare("a", "µs", [500, 500], [2500, 2600], target=10.0))
    assert "The goal of 10 times is not reached" in augment_bench.sentence(slow)
    fine = replace(results, shares={"ResNet-18": results.shares["ResNet-18"]})
    assert "the goal of at most 5% is reached." in augment_bench.sentence(fine)


def test_the_sentence_says_that_the_cores_were_busy(results):
    busy = replace(results, environment=results.environment | {"load_average": 2.13})
    assert "Other programs ran at the same time (a load of 2.1 on 2 cores)" in (
        augment_bench.sentence(busy)
    )
    unknown = replace(results, environment=results.environment | {"load_average": None})
    assert "Other programs" not in augment_bench.sentence(unknown)


def test_the_table_has_a_row_a_comparison(results):
    table = augment_bench.table(results)
    assert table["the first against the second"].tolist() == ["a", "b", "c", "d", "e"]
    assert table.iloc[0].tolist()[1:] == [
        "300 µs", "3,350 µs", "second: 11.0 [10.0, 12.0] times as long", "≥ 10 times", "yes"
    ]  # fmt: skip
    assert table["met"].tolist() == ["yes", "–", "yes", "no", "–"]


def test_reading_results_does_not_wait_for_torch():
    command = "import sys, benchmarks.augment_bench; sys.exit('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(records.ROOT)}
    assert subprocess.run([sys.executable, "-c", command], env=environment).returncode == 0


def test_the_book_s_results_are_of_the_whole_benchmark():
    found = augment_bench.read()
    sizes = (augment_bench.SIZE, augment_bench.IMAGES, augment_bench.ROUNDS)
    assert (found.size, found.images, found.rounds) == sizes
    assert (found.prepared, found.data) == (augment_bench.PREPARED, "toy-voc")
    assert list(found.shares) == [VOC_MODELS[name][0] for name in augment_bench.NETWORKS]
    assert (found.pil.target, found.pil.at_most) == (augment_bench.TIMES_FASTER, False)
    for row in found.shares.values():
        assert (row.target, row.at_most) == (augment_bench.SHARE, True)


# ------------------------------------------------------------------------------- run


def test_a_tiny_run_leaves_results_that_can_be_read(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(augment_bench, "NETWORKS", ("lenet",))
    path = tmp_path / "new" / "augment.json"
    threads = torch.get_num_threads()
    small = ["--images", "6", "--rounds", "2", "--size", "32", "--prepared", "5"]
    assert augment_bench.main([*small, "--output", str(path)]) == 0
    printed = capsys.readouterr().out
    found = augment_bench.read(path)
    assert augment_bench.sentence(found) in printed and str(path) in printed
    assert (found.images, found.rounds, found.size, found.prepared) == (6, 2, 32, 5)
    assert found.environment["threads"] == 1 and torch.get_num_threads() == threads
    assert list(found.shares) == ["LeNet"]
    for row in found.rows:
        assert 0 < row.low <= row.ratio <= row.high and row.ours > 0
    assert 0 < found.shares["LeNet"].ratio < 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--images", "1"],
        ["--rounds", "x"],
        ["--size", "-3"],
        ["--size", "100"],
        ["--prepared", "4"],
    ],
)
def test_impossible_settings_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        augment_bench.main(arguments)
    assert re.search(r"is not a whole number from \d+ on", capsys.readouterr().err)
