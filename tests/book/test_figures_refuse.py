"""What is not as documented is refused in a sentence, before anything wrong is shown."""

import numpy as np
import pytest
import torch

from helpers.book import (
    decision_boundary,
    figures,
    multilabel,
    output,
    pictures,
    widgets,
)
from helpers.book.activation_gallery import training_frames
from helpers.networks.ensemble import ACTIVATION_PAIRS

RNG = np.random.default_rng(0)
TARGETS = np.ones((4, 7), int)
SCORES = RNG.random((4, 7))
POINTS, LABELS = RNG.normal(size=(4, 2)), np.arange(4) % 2
PHOTOS = RNG.integers(256, size=(2, 8, 8, 3), dtype=np.uint8)
PIXELS = "must be uint8, from 0 to 255; got float64"
FRAMES = [PHOTOS[0], PHOTOS[1, :4]]


def boundary(probability=lambda x: x[:, 0] > 0, labels=LABELS):
    return decision_boundary.boundary_figure(probability, POINTS, labels)


def saliency(images):
    return multilabel.saliency_figure(RNG.random((2, 8, 8)), images, "ab", signed=False)


@pytest.mark.parametrize(
    ("show", "arguments", "message"),
    [
        (output.gif_bytes, ([],), "at least one frame"),
        (output.gif_bytes, (FRAMES,), "of one size"),
        (output.gif_bytes, (PHOTOS / 255,), PIXELS),
        (output.player, (PHOTOS, ["one"], "a", "b"), "got 1 for 2"),
        (figures.confusion_matrix, ([[1, 2]],), r"got int64 \(1, 2\)"),
        (figures.reliability, (SCORES[0] * 9, TARGETS[0]), "between"),
        (boundary, (lambda x: 9 * x[:, 0],), "between 0 and 1"),
        (boundary, (lambda x: x,), "as many numbers"),
        (boundary, (lambda x: x[:, 0] > 0, LABELS + 1), "labels must be 0 or 1"),
        (decision_boundary.plane_pixels, (lambda x: 9 * x[:, 0],), "between 0 and 1"),
        (training_frames, (ACTIVATION_PAIRS["relu"], 0, [2, 1]), r"increase; got \[2, 1\]"),
        (saliency, (PHOTOS / 255,), PIXELS),
        (pictures.as_batch, (PHOTOS[0] / 255,), PIXELS),
        (pictures.attention_figure, (torch.ones(4, 5, 5), PHOTOS[0, :, :, 0] / 255), PIXELS),
        (widgets.change, (PHOTOS[0, :, :, 0] / 255,), PIXELS),
    ],
)
def test_it_is_refused(show, arguments, message):
    with pytest.raises(ValueError, match=message):
        show(*arguments)
