"""Random distortions of a whole batch of images at once, on the device they are on."""

import math

import torch
from torch.nn import functional

LUMINANCE = (0.299, 0.587, 0.114)  # how bright red, green and blue are (ITU-R BT.601)
BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # binomial, a standard deviation of one pixel


def augment(images, generator, brightness=0.0, contrast=0.0, saturation=0.0, blur=0.0, **moves):
    """Distort each image a little, by amounts of its own.

    The images and the result are tensors [B, C, S, S] in [-1, 1]; the generator is a CPU's, so that
    every device gets the same draws. The amounts are those of `color_jitter` (for three colours),
    `blurred` and `random_affine`.
    """
    if moves:
        images = random_affine(images, generator, **moves)
    if brightness or contrast or saturation:
        images = color_jitter(images, generator, brightness, contrast, saturation)
    return blurred(images, generator, blur) if blur else images


def _check(images, **amounts):
    """Refuse images that are no floats, and amounts, (value, lowest, highest), out of range."""
    if not images.is_floating_point():
        raise ValueError(f"images must be numbers from -1 to 1; got {images.dtype}")
    for name, (value, lowest, highest) in amounts.items():
        if not lowest <= value <= highest:
            raise ValueError(f"{name} must be from {lowest} to {highest}; got {value}")


def _uniform(rows, batch, generator):
    """Draw numbers from 0 to 1 [rows, batch] on the CPU: every device gets the same."""
    return torch.rand(rows, batch, generator=generator)


def random_affine(
    images, generator, shift=0.0, rotation=0.0, scale=0.0, flip=False, crop=1.0, size=None
):
    """Move, turn, stretch, mirror and crop each of some images [B, C, S, S] in [-1, 1].

    What comes in from outside has the value of the nearest edge.

    Parameters
    ----------
    shift : largest shift along either axis, in pixels.
    rotation : largest angle, in degrees.
    scale : largest stretch, up to 0.99; 0.1 gives factors from 0.9 to 1.1, the same along both axes.
    flip : mirror each image, left to right, with a probability of one half.
    crop : smallest share of an image's area, from 0.01 on, that is cut out and enlarged to the whole;
        its sides stand in a proportion of 3:4 to 4:3. Above 0.75 less may be left, since a cut
        that is wider or higher than the image is narrowed to it.
    size : side of the results in pixels; that of the images if None.

    References
    ----------
    The random crop: Szegedy et al. (2015), "Going deeper with convolutions", CVPR, section 6.
    """
    _check(
        images, shift=(shift, 0, math.inf), rotation=(rotation, 0, math.inf),
        scale=(scale, 0, 0.99), crop=(crop, 0.01, 1),
    )  # fmt: skip
    if images.shape[2] != images.shape[3]:
        raise ValueError(f"images must be square, [B, C, S, S]; got {list(images.shape)}")
    batch = len(images)
    draws = 2 * _uniform(4, batch, generator).to(images.device) - 1  # in [-1, 1]
    angle = torch.deg2rad(rotation * draws[0])
    factor = 1 / (1 + scale * draws[1])
    cos, sin = factor * torch.cos(angle), factor * torch.sin(angle)
    move = 2 * shift / images.shape[2] * draws[2:]  # affine_grid's unit is half an image
    wide, high = torch.ones(2, batch, device=images.device)  # of what is cut out
    if flip or crop < 1:
        draws = _uniform(5, batch, generator).to(images.device)
        area, ratio = crop + (1 - crop) * draws[0], math.log(4 / 3) * (2 * draws[1] - 1)
        wide = (area * ratio.exp()).sqrt().clamp(max=1) if crop < 1 else wide
        high = (area / ratio.exp()).sqrt().clamp(max=1) if crop < 1 else high
        move = move + (2 * draws[2:4] - 1) * (1 - torch.stack([wide, high]))
        wide = torch.where(draws[4] < 0.5, -wide, wide) if flip else wide
    # Where each pixel of the result lies in the image is a sum of what its column and its row add:
    # one matrix product for a whole image, where `affine_grid` takes one for each pixel.
    size = size or images.shape[2]
    at = (2 * torch.arange(size, device=images.device) + 1) / size - 1  # [S], pixels' centres
    across = torch.stack([cos * wide, sin * wide], dim=1)[:, None]  # [B, 1, 2]
    down = torch.stack([-sin * high, cos * high], dim=1)[:, None]
    columns = at[:, None] * across + move.T[:, None]  # [B, S, 2]
    terms = torch.stack([columns, down.expand_as(columns)], dim=1).flatten(2)  # [B, 2, 2S]
    rows = torch.stack([torch.ones_like(at), at], dim=1).expand(batch, -1, -1)  # [B, S, 2]
    grid = torch.bmm(rows, terms).view(batch, size, size, 2)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def color_jitter(images, generator, brightness=0.0, contrast=0.0, saturation=0.0):
    """Change the brightness, contrast and saturation of each of some images [B, 3, H, W] in [-1, 1].

    The amounts are the largest changes; 0.4 gives factors from 0.6 to 1.4. Each is relative to a
    grey image: a black one, one of the image's mean, and the image without its colours. What would
    be brighter than white or darker than black is cut off.
    """
    amounts = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
    _check(images, **{name: (amount, 0, 1) for name, amount in amounts.items()})
    if images.shape[1] != 3:
        raise ValueError(f"only three colours can change; got images {list(images.shape)}")
    draws = 2 * _uniform(3, len(images), generator).to(images.device) - 1
    light, spread, colour = (
        (1 + largest * draw)[:, None, None]
        for largest, draw in zip((brightness, contrast, saturation), draws, strict=True)
    )
    # Each step mixes the image with a grey one, so all three together are one linear map of a
    # pixel's colours x, with black at -1:
    # light * (spread * (colour * x + (1 - colour) * grey) + (1 - spread) * middle) + light - 1.
    grey = images.new_tensor(LUMINANCE).expand(3, 3)  # @ x: x without its colours
    middle = grey @ images.mean(dim=(2, 3))[:, :, None]  # [B, 3, 1]
    own = torch.eye(3, device=images.device)
    mixed = light * spread * (colour * own + (1 - colour) * grey)  # [B, 3, 3]
    added = light * (1 - spread) * middle + light - 1
    return torch.baddbmm(added, mixed, images.flatten(2)).clamp_(-1, 1).view_as(images)


def blurred(images, generator, blur):
    """Mix each image [B, C, H, W], with a probability of one half, with a blurred copy of itself.

    The copy's share is `blur`, from 0 to 1, at most.
    """
    _check(images, blur=(blur, 0, 1))
    draws = _uniform(2, len(images), generator).to(images.device)
    chosen = (draws[0] < 0.5).nonzero()[:, 0]  # n of them
    if not len(chosen):  # possible in a small batch
        return images
    share = blur * draws[1, chosen][:, None, None]
    line = images.new_tensor(BLUR)
    wide = line[:, None] * line  # [5, 5]
    sharp = torch.zeros_like(wide)
    sharp[2, 2] = 1
    kernels = torch.lerp(sharp, wide, share)  # [n, 5, 5]
    # One convolution for all, as if their colours were the channels of a single image.
    padded = functional.pad(images.index_select(0, chosen), (2, 2, 2, 2), mode="replicate")
    kernels = kernels.repeat_interleave(images.shape[1], dim=0)[:, None]  # [n * C, 1, 5, 5]
    soft = functional.conv2d(padded.flatten(0, 1)[None], kernels, groups=len(kernels))
    return images.index_copy(0, chosen, soft.view(-1, *images.shape[1:]))


def mixup(images, targets, generator, mix):
    """Lay over each image [B, C, H, W] the one before it, and mix their targets [B, K] alike.

    The other's share is `mix`, from 0 to 0.5, at most. Targets are a 0 or 1 for each class, and
    shares of a class afterwards.

    References
    ----------
    Zhang, Cisse, Dauphin and Lopez-Paz (2018), "mixup: Beyond empirical risk minimization", ICLR;
    their shares are drawn from a beta distribution, ours are uniform.
    """
    _check(images, mix=(mix, 0, 0.5))
    if targets.ndim != 2:
        raise ValueError(f"targets must be a 0 or 1 for each class; got {list(targets.shape)}")
    share = mix * _uniform(1, len(images), generator)[0].to(images.device)
    both = torch.lerp(images, images.roll(1, 0), share[:, None, None, None])
    return both, torch.lerp(targets, targets.roll(1, 0), share[:, None])
