"""Which images of a run with several labels an image are kept to be shown, in what form.

A record must be small and the data stay out of the project; the images that tell most about a
model, a few of hundreds, are kept beside its scores as one compressed picture.
"""

import io

import numpy as np
from PIL import Image

EACH = 2  # images of each kind and class
DOUBTFUL = 10  # images
QUALITY = 75  # of WebP, out of 100


def telling(logits, targets, each=EACH, doubtful=DOUBTFUL):
    """Choose the images that tell most about a model's answers.

    Parameters
    ----------
    logits : array of float, [N, K]
        Yes is above 0.
    targets : array of 0 and 1, [N, K]
    each : int
        How many of each kind and class, at most. Class by class, since otherwise the class that
        a model says most often would take every place.
    doubtful : int
        How many of the last kind.

    Returns
    -------
    ndarray of int, [M]
        Places, each once: first the most confident false alarms, then the most confident misses,
        then the surest yes on images that are all right, and last those with an answer closest
        to 0.
    """
    logits, there = np.asarray(logits, dtype=np.float64), np.asarray(targets) > 0.5
    right = ((logits > 0) == there).all(axis=1, keepdims=True)
    kinds = (
        np.where(~there & (logits > 0), logits, -np.inf),
        np.where(there & (logits <= 0), -logits, -np.inf),
        np.where(there & right, logits, -np.inf),
    )
    chosen = [place for worth in kinds for column in worth.T for place in first(column, each)]
    chosen += first(-np.abs(logits).min(axis=1), doubtful)
    return np.array(list(dict.fromkeys(chosen)), dtype=int)


def first(worth, most):
    """Return the places of the largest values [N], at most `most`, without those of -inf."""
    order = np.argsort(-np.asarray(worth), kind="stable")[:most]
    return [int(place) for place in order if np.isfinite(worth[place])]


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
