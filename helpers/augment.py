"""Random distortions of a whole batch of images at once, on the device they are on."""

import torch
from torch.nn import functional


def distort(images, generator, shift=0.0, rotation=0.0, scale=0.0):
    """Move, turn and stretch each image a little, by amounts of its own.

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

    Returns
    -------
    tensor [B, C, S, S]
    """
    batch, _, size, _ = images.shape
    draws = 2 * torch.rand(4, batch, generator=generator, device=images.device) - 1  # in [-1, 1]
    angle = torch.deg2rad(rotation * draws[0])
    factor = 1 / (1 + scale * draws[1])
    cos, sin = factor * torch.cos(angle), factor * torch.sin(angle)
    move = 2 * shift / size * draws[2:]  # affine_grid's unit is half an image
    rows = torch.stack([cos, -sin, move[0], sin, cos, move[1]], dim=1)
    grid = functional.affine_grid(rows.view(-1, 2, 3), images.shape, align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
