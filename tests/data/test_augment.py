"""Augmentation: what each change does, and that it does no more."""

import pytest
import torch
from torch.nn import functional

from helpers.data.augment import LUMINANCE, augment, blurred, color_jitter, mixup, random_affine


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def photographs(n=200, size=16):
    return 1.6 * torch.rand(n, 3, size, size, generator=rng(9)) - 0.8


def test_images_move_by_no_more_than_asked():
    images = torch.full((200, 1, 29, 29), -1.0)
    images[:, 0, 14, 14] = 1
    torch.testing.assert_close(random_affine(images, rng()), images, rtol=0, atol=1e-5)
    moved = random_affine(images, rng(), shift=2.0)[:, 0] + 1
    light = moved.sum(dim=(1, 2))
    places = [(moved.sum(dim=axis) * torch.arange(29.0)).sum(dim=1) / light for axis in (2, 1)]
    for place in places:
        assert (place - 14).abs().max() <= 2.01
        assert place.min() < 12.2 and place.max() > 15.8
    assert torch.corrcoef(torch.stack(places))[0, 1].abs() < 0.2


def test_images_turn_and_stretch():
    images = torch.zeros(50, 1, 28, 28)
    images[..., 14, 4:24] = 1  # a level bar
    turned = random_affine(images, rng(), rotation=30)
    assert turned[:, 0, [8, 9, 18, 19]].amax(dim=(1, 2)).max() > 0.5
    bigger = random_affine(images, rng(), scale=0.3)
    lengths = (bigger[:, 0].amax(dim=1) > 0.3).sum(dim=1)
    assert lengths.min() < 17 and lengths.max() > 23


def test_half_of_the_images_are_flipped():
    images = photographs()
    flipped = random_affine(images, rng(), flip=True)
    same, other = (
        torch.isclose(flipped, like, atol=1e-4).flatten(1).all(dim=1)
        for like in (images, images.flip(3))
    )
    assert (same ^ other).all() and 70 < other.sum() < 130


def test_a_crop_is_a_part_of_the_image_enlarged():
    at = torch.linspace(-1, 1, 33)  # a pixel's value is its place
    across, down = at.expand(33, 33), at[:, None].expand(33, 33)
    images = torch.stack([across, down, across]).repeat(400, 1, 1, 1)
    cut = random_affine(images, rng(), crop=0.25)
    left, right, top, bottom = (
        cut[:, 0, 16, 1], cut[:, 0, 16, -2], cut[:, 1, 1, 16], cut[:, 1, -2, 16]
    )  # fmt: skip
    wide, high = (right - left) / 1.875, (bottom - top) / 1.875  # shares of the sides
    assert 0.24 < (wide * high).min() < 0.32 and (wide * high).max() > 0.9
    assert (wide / high).max() < 1.34 and (wide / high).min() > 0.74
    assert (wide / high).std() > 0.1 and wide.max() <= 1.001
    assert left.min() < -0.9 and right.max() > 0.9  # the cut-outs reach every edge


def test_the_results_have_the_size_that_is_asked_for():
    at = torch.linspace(-1, 1, 33).expand(3, 3, 33, 33)  # a pixel's value is its place
    small = random_affine(at, rng(), size=11)
    torch.testing.assert_close(small, at[:, :, 1::3, 1::3], rtol=0, atol=1e-5)


def test_images_are_mixed_as_their_targets_are():
    images, targets = photographs(200, 4), torch.eye(200)
    both, shares = mixup(images, targets, rng(), 0.5)
    other = 1 - shares.diagonal()
    assert 0 <= other.min() and 0.4 < other.max() <= 0.5
    torch.testing.assert_close(shares.sum(1), torch.ones(200))
    torch.testing.assert_close(both, torch.einsum("ij,jchw->ichw", shares, images))


def test_the_changes_of_colour_follow_one_another():
    images, grey = 0.3 * photographs(50), torch.tensor(LUMINANCE)[:, None, None]
    changed = color_jitter(images, rng(4), brightness=0.2, contrast=0.3, saturation=0.4)
    draws = 2 * torch.rand(3, 50, generator=rng(4)) - 1
    most = torch.tensor([0.2, 0.3, 0.4])[:, None]
    light, spread, colour = (1 + most * draws)[..., None, None, None]
    luminance = (images * grey).sum(1, keepdim=True)
    expected = luminance + colour * (images - luminance)
    middle = (expected * grey).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    expected = middle + spread * (expected - middle)
    torch.testing.assert_close(changed, light * (expected + 1) - 1)
    bright = color_jitter(torch.full((50, 3, 4, 4), 0.9), rng(), brightness=0.5)
    assert bright.max() == 1  # what would be brighter than white is cut off


def test_half_of_the_images_are_softened_by_as_much_as_is_drawn():
    images, line = torch.zeros(200, 1, 9, 9), torch.tensor([1.0, 4, 6, 4, 1]) / 16
    images[..., 4, 4] = 1
    soft = functional.pad(line[:, None] * line, (2, 2, 2, 2))
    share = (1 - blurred(images, rng(), 0.7)[:, 0, 4, 4]) / (1 - 36 / 256)
    expected = torch.lerp(images, soft, share[:, None, None, None])
    torch.testing.assert_close(blurred(images, rng(), 0.7), expected)
    assert 70 < (share > 0).sum() < 130 and 0.6 < share.max() <= 0.7


@pytest.mark.parametrize("options", [{}, {"brightness": 0.2, "blur": 1.0, "flip": True}])
def test_the_generator_decides(options):
    images = photographs(8)
    once, again = (augment(images, rng(3), **options) for _ in range(2))
    assert torch.equal(once, again)
    assert torch.equal(once, images) == (not options)
