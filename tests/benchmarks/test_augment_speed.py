"""The measurement of the data path: what is compared does the same, and a run keeps all rows."""

import pytest
import torch
from torchvision import transforms
from torchvision.transforms import v2

from benchmarks import augment
from benchmarks.augment import loaders, scenes
from helpers.runs.catalogue.tiny_voc import AUGMENT, VOC_MODELS


@pytest.fixture(scope="module")
def data():
    return scenes(12, 32)


def test_both_ways_of_torchvision_give_the_same_kind_of_batches(data):
    torch.manual_seed(0)
    means = []
    for loader in loaders(data, 8).values():
        epochs = [list(loader) for _ in range(8)]
        assert [len(images) for images, _ in epochs[0]] == [8, 4]
        images = torch.cat([images for epoch in epochs for images, _ in epoch])
        assert images.dtype == torch.float32 and -1 <= images.min() < -0.5 < images.max() <= 1
        targets = torch.cat([targets for _, targets in epochs[0]])
        assert torch.equal(targets.sum(dim=0), data.y.sum(dim=0))
        means.append(images.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(*means, atol=0.1, rtol=0)


@pytest.mark.parametrize("library", [transforms, v2])
def test_torchvision_does_what_ours_is_asked_to(library):
    crop, flip, rotation, colours, blur = augment.changes(library, 32)
    assert tuple(crop.scale) == (AUGMENT["crop"], 1.0) and tuple(crop.size) == (32, 32)
    assert flip.p == blur.p == 0.5
    assert tuple(rotation.degrees) == (-AUGMENT["rotation"], AUGMENT["rotation"])
    for name in augment.COLOURS:
        assert getattr(colours, name) == pytest.approx((1 - AUGMENT[name], 1 + AUGMENT[name]))
    assert len(AUGMENT) == 7  # flip, rotation, crop, three of colour, blur: nothing was left out


def test_a_run_has_every_row():
    threads = torch.get_num_threads()
    found = augment.measure(images=6, rounds=2, size=32, networks=("lenet",))
    assert found.environment["threads"] == 1 and torch.get_num_threads() == threads
    assert list(found.shares) == ["LeNet"] and 0 < found.shares["LeNet"].ratio < 1
    for row in found.rows:
        assert 0 < row.low <= row.ratio <= row.high and row.ours > 0
    assert augment.table(found).iloc[:, 0].tolist() == [row.name for row in found.rows]


def test_the_book_s_results_are_of_the_whole_benchmark():
    found = augment.read()
    assert found.size == augment.SIZE
    for name in ("images", "rounds"):
        assert getattr(found, name) == augment.OPTIONS[name]["default"]
    assert list(found.shares) == [VOC_MODELS[name][0] for name in augment.NETWORKS]
    goals = [(row.target, row.at_most) for row in (found.pil, *found.shares.values())]
    assert goals == [(augment.TIMES_FASTER, False)] + 3 * [(augment.SHARE, True)]
