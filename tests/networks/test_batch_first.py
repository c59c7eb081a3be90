"""PyTorch's Transformer layers with and without batch_first=True."""

import numpy as np
import pytest

from helpers.analysis.batch_first import encoder, influence


@pytest.mark.parametrize("seed", range(3))
def test_with_batch_first_an_image_attends_to_itself(seed):
    change = influence(encoder(batch_first=True), seed=seed)
    assert (change[0] > 1e-3).all()
    assert (change[1:] < 1e-5).all()


@pytest.mark.parametrize("seed", range(3))
def test_without_it_an_image_attends_to_the_other_images_and_not_to_itself(seed):
    change = influence(encoder(batch_first=False), seed=seed)
    assert (change[:, 0] > 1e-3).all()
    assert (change[0, 1:] < 1e-5).all()


def test_both_have_the_same_weights_and_shapes():
    right, wrong = encoder(True), encoder(False)
    for ours, theirs in zip(right.parameters(), wrong.parameters(), strict=True):
        assert np.array_equal(ours.detach(), theirs.detach())
