"""Random distortions of a whole batch of images at once, on the device they are on."""

import math

import torch
from torch.nn import functional

GREY = (0.299, 0.587, 0.114)  # how bright red, green and blue are (ITU-R BT.601)
BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # binomial, a standard deviation of one pixel


def augment(images, generator, brightness=0.0, contrast=0.0, saturation=0.0, blur=0.0, **moves):
    """Distort each image a little, by amounts of its own.

    Parameters
    ----------
    images : tensor [B, C, S, S], in [-1, 1]
    generator : torch.Generator
        On the images' device.
    brightness, contrast, saturation, blur
        As in `recolour` and `blurred`; for three colours.
    **moves
        As in `distort`.

    Returns
    -------
    tensor [B, C, S, S]
        In [-1, 1].
    """
    if moves:
        images = distort(images, generator, **moves)
    if brightness or contrast or saturation:
        images = recolour(images, generator, brightness, contrast, saturation)
    return blurred(images, generator, blur) if blur else images


def distort(images, generator, shift=0.0, rotation=0.0, scale=0.0, flip=False, crop=1.0):
    """Move, turn, stretch, mirror and crop each image.

    Parameters
    ----------
    images : tensor [B, C, S, S], in [-1, 1]
        What comes in from outside has the value of the nearest edge.
    generator : torch.Generator
        On the images' device.
    shift : float
        Largest shift along either axis, in pixels.
    rotation : float
        Largest angle, in degrees.
    scale : float
        Largest stretch; 0.1 gives factors from 0.9 to 1.1, the same along both axes.
    flip : bool
        Mirror every second image, left to right.
    crop : float
        Smallest share of an image's area that is cut out and enlarged to the whole; its sides
        stand in a proportion of 3:4 to 4:3.

    Returns
    -------
    tensor [B, C, S, S]

    References
    ----------
    The random crop: Szegedy et al. (2015), "Going deeper with convolutions", CVPR, section 6.
    """
    batch, _, size, _ = images.shape
    draws = 2 * torch.rand(4, batch, generator=generator, device=images.device) - 1  # in [-1, 1]
    angle = torch.deg2rad(rotation * draws[0])
    factor = 1 / (1 + scale * draws[1])
    cos, sin = factor * torch.cos(angle), factor * torch.sin(angle)
    move = 2 * shift / size * draws[2:]  # affine_grid's unit is half an image
    wide, high = torch.ones(2, batch, device=images.device)  # of what is cut out
    if flip or crop < 1:
        draws = torch.rand(5, batch, generator=generator, device=images.device)
        area, ratio = crop + (1 - crop) * draws[0], math.log(4 / 3) * (2 * draws[1] - 1)
        wide = (area * ratio.exp()).sqrt().clamp(max=1) if crop < 1 else wide
        high = (area / ratio.exp()).sqrt().clamp(max=1) if crop < 1 else high
        move = move + (2 * draws[2:4] - 1) * (1 - torch.stack([wide, high]))
        wide = torch.where(draws[4] < 0.5, -wide, wide) if flip else wide
    # Where each pixel of the result lies in the image: a product and a sum for each row and for
    # each column, then one sum for each pixel. `affine_grid` takes a matrix product for each.
    at = (2 * torch.arange(size, device=images.device) + 1) / size - 1  # [S], pixels' centres
    grid = images.new_empty(batch, size, size, 2)
    for axis, (across, down) in enumerate(((cos * wide, -sin * high), (sin * wide, cos * high))):
        columns = across[:, None] * at + move[axis][:, None]  # [B, S]
        rows = down[:, None] * at  # [B, S]
        torch.add(columns[:, None, :], rows[:, :, None], out=grid[..., axis])
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def recolour(images, generator, brightness=0.0, contrast=0.0, saturation=0.0):
    """Change each image's brightness, contrast and saturation.

    Parameters
    ----------
    images : tensor [B, 3, S, S], in [-1, 1]
    generator : torch.Generator
    brightness, contrast, saturation : float
        Largest change; 0.4 gives factors from 0.6 to 1.4. Each is relative to a grey image:
        a black one, one of the image's mean, and the image without its colours.

    Returns
    -------
    tensor [B, 3, S, S]
        What would be brighter than white or darker than black is cut off.
    """
    draws = 2 * torch.rand(3, len(images), generator=generator, device=images.device) - 1
    light, spread, colour = (
        (1 + largest * draw)[:, None, None, None]
        for largest, draw in zip((brightness, contrast, saturation), draws, strict=True)
    )
    red, green, blue = (share * images[:, [c]] for c, share in enumerate(GREY))
    grey = red + green + blue  # [B, 1, S, S]
    middle = grey.mean(dim=(2, 3), keepdim=True)
    # Each step mixes the image with a grey one, so all three together are one linear map:
    # light * (spread * (colour * images + (1 - colour) * grey) + (1 - spread) * middle),
    # and light - 1 because black is -1.
    added = light * (spread * (1 - colour) * grey + (1 - spread) * middle) + light - 1
    return (light * spread * colour * images).add_(added).clamp_(-1, 1)


def blurred(images, generator, blur):
    """Mix every second image with a blurred copy of itself.

    Parameters
    ----------
    images : tensor [B, C, S, S]
    generator : torch.Generator
    blur : float
        Largest share of the copy, up to 1.

    Returns
    -------
    tensor [B, C, S, S]
    """
    draws = torch.rand(2, len(images), generator=generator, device=images.device)
    chosen = (draws[0] < 0.5).nonzero()[:, 0]
    sharp = images.index_select(0, chosen)
    share = blur * draws[1, chosen][:, None, None, None]
    return images.index_copy(0, chosen, torch.lerp(sharp, _soft(_soft(sharp, 2), 3), share))


def _soft(images, axis):
    """Blur along one axis; a sum of shifted images is quicker than a convolution."""
    first, last = images.narrow(axis, 0, 1), images.narrow(axis, -1, 1)
    padded = torch.cat([first, first, images, last, last], dim=axis)
    length = images.shape[axis]
    soft = BLUR[0] * padded.narrow(axis, 0, length)
    for i, share in enumerate(BLUR[1:], start=1):
        soft.add_(padded.narrow(axis, i, length), alpha=share)
    return soft
