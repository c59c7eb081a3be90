"""Distortions of a batch: what they move, what they colour, what they leave alone."""

import pytest
import torch
from torch.nn import functional

from helpers.data.augment import GREY, augment, blurred, color_jitter, random_affine


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def photographs(n=200, size=16):
    return 1.6 * torch.rand(n, 3, size, size, generator=rng(9)) - 0.8


def test_distortion_by_nothing_is_nothing():
    images = torch.rand(3, 2, 28, 28)
    torch.testing.assert_close(random_affine(images, torch.Generator()), images, rtol=0, atol=1e-5)


def test_distortion_moves_by_no_more_than_asked():
    images = torch.full((200, 1, 29, 29), -1.0)
    images[:, 0, 14, 14] = 1
    moved = random_affine(images, torch.Generator().manual_seed(0), shift=2.0)[:, 0] + 1
    rows = torch.arange(29.0)
    row = (moved.sum(dim=2) * rows).sum(dim=1) / moved.sum(dim=(1, 2)) - 14
    column = (moved.sum(dim=1) * rows).sum(dim=1) / moved.sum(dim=(1, 2)) - 14
    for offset in (row, column):
        assert offset.abs().max() <= 2.01
        assert offset.min() < -1.8 and offset.max() > 1.8
    assert torch.corrcoef(torch.stack([row, column]))[0, 1].abs() < 0.2


def test_distortion_turns_and_stretches():
    images = torch.zeros(1, 1, 28, 28)
    images[..., 14, 4:24] = 1  # a level bar
    turned = random_affine(
        images.repeat(50, 1, 1, 1), torch.Generator().manual_seed(0), rotation=30
    )
    assert turned[:, 0, [8, 9, 18, 19]].amax(dim=(1, 2)).max() > 0.5
    bigger = random_affine(images.repeat(50, 1, 1, 1), torch.Generator().manual_seed(0), scale=0.3)
    lengths = (bigger[:, 0].amax(dim=1) > 0.3).sum(dim=1)
    assert lengths.min() < 17 and lengths.max() > 23


def test_half_of_the_images_are_mirrored():
    images = photographs()
    flipped = random_affine(images, rng(), flip=True)
    same = torch.isclose(flipped, images, atol=1e-4).flatten(1).all(dim=1)
    mirrored = torch.isclose(flipped, images.flip(3), atol=1e-4).flatten(1).all(dim=1)
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


def test_a_crop_is_a_part_of_the_image_enlarged():
    at = torch.linspace(-1, 1, 33)  # a pixel's value is its place
    across, down = at.expand(33, 33), at[:, None].expand(33, 33)
    images = torch.stack([across, down, across]).repeat(400, 1, 1, 1)
    cut = random_affine(images, rng(), crop=0.25)
    left, right = cut[:, 0, 16, 1], cut[:, 0, 16, -2]
    top, bottom = cut[:, 1, 1, 16], cut[:, 1, -2, 16]
    wide, high = (right - left) / 1.875, (bottom - top) / 1.875  # shares of the sides
    assert wide.min() > 0.4 and wide.max() <= 1.001
    area = wide * high
    assert area.min() > 0.24 and area.min() < 0.32 and area.max() > 0.9
    ratio = wide / high
    assert ratio.max() < 1.34 and ratio.min() > 0.74 and ratio.std() > 0.1
    assert left.min() < -0.9 and right.max() > 0.9  # the cut-outs reach every edge
    assert torch.corrcoef(torch.stack([left + right, top + bottom]))[0, 1].abs() < 0.2


def test_brightness_scales_the_light():
    images = 0.9 * photographs() - 0.1
    lighter = color_jitter(images, rng(), brightness=0.1)
    factors = (lighter + 1) / (images + 1)
    torch.testing.assert_close(factors.amin((1, 2, 3)), factors.amax((1, 2, 3)))
    assert 0.89 < factors.min() < 0.92 and 1.08 < factors.max() < 1.11


def test_contrast_keeps_the_mean_and_saturation_the_grey():
    images = 0.3 * photographs()
    grey = torch.tensor(GREY)[:, None, None]
    spread = color_jitter(images, rng(), contrast=0.5)
    torch.testing.assert_close(
        (spread * grey).sum(1).mean((1, 2)), (images * grey).sum(1).mean((1, 2))
    )
    assert (spread.std((1, 2, 3)) / images.std((1, 2, 3))).std() > 0.1
    coloured = color_jitter(images, rng(), saturation=0.5)
    torch.testing.assert_close((coloured * grey).sum(1), (images * grey).sum(1))
    assert not torch.allclose(coloured, images, atol=0.01)


def test_the_changes_of_colour_follow_one_another():
    images = 0.3 * photographs(50)
    grey = torch.tensor(GREY)[:, None, None]
    changed = color_jitter(images, rng(4), brightness=0.2, contrast=0.3, saturation=0.4)
    draws = 2 * torch.rand(3, 50, generator=rng(4)) - 1
    most = torch.tensor([0.2, 0.3, 0.4])[:, None]
    light, spread, colour = (1 + most * draws)[..., None, None, None]
    luminance = (images * grey).sum(1, keepdim=True)
    expected = luminance + colour * (images - luminance)
    middle = (expected * grey).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    expected = middle + spread * (expected - middle)
    torch.testing.assert_close(changed, light * (expected + 1) - 1)


def test_what_is_brighter_than_white_is_cut_off():
    bright = color_jitter(torch.full((50, 3, 4, 4), 0.9), rng(), brightness=0.5)
    assert bright.max() == 1 and bright.min() >= -1


def test_blur_takes_from_the_edges_and_leaves_a_plain_image():
    plain = torch.full((20, 3, 8, 8), 0.3)
    torch.testing.assert_close(blurred(plain, rng(), 1.0), plain)
    images = photographs()
    soft = blurred(images, rng(), 1.0)
    roughness = soft.diff(dim=3).abs().mean((1, 2, 3)) / images.diff(dim=3).abs().mean((1, 2, 3))
    assert 70 < (roughness == 1).sum() < 130 and roughness.min() < 0.6


def test_a_blurred_image_is_mixed_with_its_soft_copy():
    images = photographs(40)
    padded = functional.pad(images, (2, 2, 2, 2), mode="replicate")
    line = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    rows = sum(share * padded[:, :, i : i + 16] for i, share in enumerate(line))
    soft = sum(share * rows[..., i : i + 16] for i, share in enumerate(line))
    draws = torch.rand(2, 40, generator=rng(2))
    share = (0.7 * draws[1] * (draws[0] < 0.5))[:, None, None, None]
    expected = torch.lerp(images, soft, share)
    torch.testing.assert_close(blurred(images, rng(2), 0.7), expected)


def test_a_batch_of_which_no_image_is_blurred_stays_as_it_is():
    image = photographs(1)
    results = [blurred(image, rng(seed), 1.0) for seed in range(20)]
    assert {torch.equal(result, image) for result in results} == {True, False}


@pytest.mark.parametrize("options", [{}, {"brightness": 0.2, "blur": 1.0, "flip": True}])
def test_the_generator_decides(options):
    images = photographs(8)
    once, again = (augment(images, rng(3), **options) for _ in range(2))
    assert torch.equal(once, again)
    assert torch.equal(once, images) == (not options)
