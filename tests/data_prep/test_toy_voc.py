"""Toy-VOC: what the scenes show, and the arrays they are loaded as."""

import numpy as np
import pytest

from data_prep import voc_labels
from data_prep.errors import PrepError
from data_prep.tiny_voc import TinyVoc
from data_prep.toy_voc import LABEL_SETS, SMALLEST_AREA, draw_scene, draw_set
from data_prep.voc_labels import classes_of
from helpers.data import voc
from helpers.data.voc import load_tiny_voc

# The scenes


def test_a_scene_is_the_same_however_it_is_drawn():
    images, masks = draw_set(3, 2, 32)
    alone = draw_scene(4, 32, 32)
    assert np.array_equal(images[1], alone.image) and np.array_equal(masks[1], alone.mask)
    assert not np.array_equal(images[1], draw_scene(4, 32, 32, seed=1).image)


def test_every_class_of_a_scene_can_be_seen_and_no_other_is_there():
    for index in range(60):
        mask = draw_scene(index, 48, 48).mask
        assert classes_of(mask) in LABEL_SETS
        assert min(np.mean(mask == label + 1) for label in classes_of(mask)) >= SMALLEST_AREA


# The arrays


def test_the_scenes_are_the_same_on_every_machine():
    assert load_tiny_voc().checksum == voc.TOY_CHECKSUM


def test_the_arrays_have_the_form_that_they_promise():
    data = load_tiny_voc()
    assert data.x.shape == (800, 64, 64, 3) and data.x_eval.shape == (200, 64, 64, 3)
    for array in (data.x, data.y, data.x_eval, data.y_eval):
        assert array.dtype == np.uint8 and not array.flags.writeable
    assert load_tiny_voc("embedded", 64) is data  # drawn once


# What the functions are given


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: classes_of(np.full((2, 2), 6)), ValueError, "from 0 to 5"),
        (lambda: voc_labels.label_matrix([(0, -1)]), ValueError, "from 0 to 4"),
        (lambda: voc_labels.format_labels([("00000", ())]), PrepError, "not an id and class"),
        (lambda: voc_labels.format_labels([("0,1\n2", (0,))]), PrepError, "holds a comma"),
        (lambda: draw_scene(0, 8, 64), ValueError, "at least 16 pixels"),
        (lambda: TinyVoc(size=15), PrepError, "--size 15 is not from 16 to 512"),
        (lambda: TinyVoc(jobs=0), PrepError, "--jobs 0"),
    ],
)
def test_what_is_not_as_documented_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
