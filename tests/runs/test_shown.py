"""Which images are kept to be shown, and that they come back as they were but for a little."""

import numpy as np
from helpers.runs.examples import packed, telling

from helpers.data.voc import load_tiny_voc
from helpers.runs.runner import decode_images

#                    alarm 0  alarm 1   miss 0   right     right     nearly 0
LOGITS = np.array([[9, -5], [-7, 8], [-6, 5.0], [4, -9], [8, -6], [7, -0.1]])
TARGETS = np.array([[0, 0], [0, 0], [1, 1], [1, 0], [1, 0], [1, 0]])


def test_the_most_telling_images_come_kind_by_kind_and_class_by_class():
    assert telling(LOGITS, TARGETS, each=1, doubtful=1).tolist() == [0, 1, 2, 4, 5]


def test_each_image_is_chosen_once():
    found = telling(LOGITS, TARGETS).tolist()
    assert sorted(found) == [0, 1, 2, 3, 4, 5]
    assert found[:5] == [0, 1, 2, 4, 5]  # of the right ones, the two surest


def test_one_class_does_not_take_the_places_of_another():
    logits = np.array([[9, -1], [8, -1], [7, -1], [-1, 0.5]])
    assert telling(logits, np.zeros((4, 2)), each=1, doubtful=0).tolist() == [0, 3]


def test_a_faultless_model_has_no_mistakes_to_show():
    logits = np.where(TARGETS, 3.0, -2.0)
    assert telling(logits, TARGETS, each=9, doubtful=0).tolist() == [2, 3, 4, 5]


def test_packed_images_are_small_and_come_back_nearly_as_they_were():
    images = load_tiny_voc().val_images[:12]
    picture = packed(images)
    again = decode_images(picture)
    assert picture.dtype == again.dtype == np.uint8 and again.shape == images.shape
    assert picture.nbytes < images.nbytes / 4
    assert np.abs(again.astype(int) - images).mean() < 10
    unlike = np.abs(again.astype(int) - images[::-1]).mean(axis=(1, 2, 3))
    assert unlike.min() > 20  # so the order is kept
