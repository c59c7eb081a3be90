"""What augmentation does to an image, shown: each change by itself, then all as in training.

The changes are `helpers.data.augment`'s own, by the amounts of `helpers.runs.catalogue.tiny_voc`.
"""

import numpy as np
import torch

from helpers.book import figures
from helpers.data.augment import augment
from helpers.runs.catalogue.tiny_voc import AUGMENT
from helpers.training.torch_trainer import normalise

COLUMNS = 4
DRAWS = 32  # of which the strongest is shown

#: By themselves, colours change more than in training: a fifth is hard to see.
ALONE = AUGMENT | {"brightness": 0.5, "contrast": 0.5, "saturation": 0.8}

#: A change of `AUGMENT`, and how its amount reads below its name.
AMOUNTS = {
    "flip": "one in two",
    "rotation": "up to {:g}°",
    "crop": "{:.0%} or more",
    "brightness": "±{:.0%}",
    "contrast": "±{:.0%}",
    "saturation": "±{:.0%}",
    "blur": "one in two",
}


def augmentation_figure(image, generator, alone=ALONE, together=AUGMENT):
    """Draw an image, each change of it by itself, and all changes together.

    Parameters
    ----------
    image : array of uint8, [S, S, 3]
    generator : torch.Generator
        On the CPU.
    alone, together : dict
        As for `helpers.data.augment.augment`; of a change by itself, and of all in training.

    Returns
    -------
    Figure
        Of a change by itself the strongest of `DRAWS` draws, so that it can be seen; all
        together as they were drawn, in the last row.

    Raises
    ------
    ValueError
        If the image has another form.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape != (len(image),) * 2 + (3,):
        raise ValueError(
            f"image must be uint8 [S, S, 3]; got {image.dtype} {list(image.shape)}: "
            "take one of VocData's images"
        )
    shown, titles = [image], ["as it is\n"]
    for name, amount in alone.items():
        shown.append(strongest(image, generator, **{name: amount}))
        titles.append(f"{name}\n{AMOUNTS[name].format(amount)}")
    missing = -len(shown) % COLUMNS  # all together begin a row
    shown += [np.full_like(image, 255)] * missing
    titles += ["\n"] * missing
    shown += list(changed(image, COLUMNS, generator, **together))
    titles += [f"all, as trained\ndraw {i}" for i in range(1, COLUMNS + 1)]
    return figures.photographic(figures.image_grid(shown, titles, COLUMNS))


def strongest(image, generator, **amounts):
    """Return that one of `DRAWS` changed images [S, S, 3] which differs most from the image."""
    drawn = changed(image, DRAWS, generator, **amounts)
    apart = np.abs(drawn.astype(np.int64) - image).mean(axis=(1, 2, 3))
    return drawn[apart.argmax()]


def changed(image, count, generator, **amounts):
    """Change an image by amounts drawn several times.

    Parameters
    ----------
    image : array of uint8, [S, S, 3]
    count : int
    generator : torch.Generator
    **amounts
        As for `helpers.data.augment.augment`.

    Returns
    -------
    ndarray of uint8, [count, S, S, 3]
    """
    one = normalise(torch.from_numpy(np.array(image)).permute(2, 0, 1))
    drawn = augment(one.repeat(count, 1, 1, 1), generator, **amounts)
    return ((drawn + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
