"""Which images of a run with several labels an image are kept to be shown, in what form.

A record must be small and the data stay out of the project; the images that tell most about a
model, a few of hundreds, are kept beside its scores as one compressed picture.
"""

import io

import numpy as np
from PIL import Image

EACH = 10  # images of each kind
QUALITY = 75  # of WebP, out of 100


def telling(logits, targets, each=EACH):
    """Choose the images that tell most about a model's answers.

    Parameters
    ----------
    logits : array of float, [N, K]
        Yes is above 0.
    targets : array of 0 and 1, [N, K]
    each : int
        How many of each kind, at most.

    Returns
    -------
    ndarray of int, [M]
        Places, each once: first the most confident false alarms, then the most confident misses,
        the most confident of those that are all right and hold several classes, and last those
        with an answer closest to 0.
    """
    logits, there = np.asarray(logits, dtype=np.float64), np.asarray(targets) > 0.5
    alarm = np.where(there, -np.inf, logits).max(axis=1)
    miss = np.where(there, -logits, -np.inf).max(axis=1)
    sure = np.abs(logits).min(axis=1)
    right = ((logits > 0) == there).all(axis=1) & (there.sum(axis=1) > 1)
    kinds = (
        np.where(alarm > 0, alarm, -np.inf), np.where(miss > 0, miss, -np.inf),
        np.where(right, sure, -np.inf), -sure,
    )  # fmt: skip
    chosen = []
    for worth in kinds:
        order = np.argsort(-worth, kind="stable")[:each]
        chosen += [place for place in order if np.isfinite(worth[place])]
    return np.array(list(dict.fromkeys(chosen)), dtype=int)


def packed(images):
    """Return images uint8 [M, S, S, 3] as one compressed picture, uint8 [bytes]."""
    images = np.asarray(images)
    buffer = io.BytesIO()
    tower = Image.fromarray(images.reshape(-1, *images.shape[2:]))
    tower.save(buffer, format="WEBP", quality=QUALITY, method=6)
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8)


def unpacked(picture):
    """Return the images [M, S, S, 3] of `packed`, as they look after the compression."""
    with Image.open(io.BytesIO(np.asarray(picture, dtype=np.uint8).tobytes())) as tower:
        pixels = np.asarray(tower.convert("RGB"))
    return pixels.reshape(-1, pixels.shape[1], pixels.shape[1], 3)
