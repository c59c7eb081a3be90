"""Which images are kept to be shown, and that they come back as they were but for a little."""

import numpy as np

from helpers.shown import packed, telling, unpacked
from helpers.voc import load_tiny_voc

#                    sure alarm  sure miss  both right  nearly 0   one right  weak alarm
LOGITS = np.array([[9, 5], [-7, 8], [6, 5], [0.1, 9], [8, -6], [7, 1.0]])
TARGETS = np.array([[0, 1], [1, 1], [1, 1], [1, 1], [1, 0], [1, 0]])


def test_the_most_telling_images_of_each_kind_come_first():
    assert telling(LOGITS, TARGETS, each=1).tolist() == [0, 1, 2, 3]


def test_each_image_is_chosen_once_and_only_for_what_it_is():
    found = telling(LOGITS, TARGETS).tolist()
    assert sorted(found) == [0, 1, 2, 3, 4, 5]
    assert found[:3] == [0, 5, 1]  # both alarms, then the one miss


def test_a_faultless_model_has_no_mistakes_to_show():
    found = telling(np.where(TARGETS, 3.0, -2.0), TARGETS, each=2).tolist()
    assert found == [1, 2, 0, 4]  # all right with several classes, then the least sure


def test_packed_images_are_small_and_come_back_nearly_as_they_were():
    images = load_tiny_voc().val_images[:12]
    picture = packed(images)
    again = unpacked(picture)
    assert picture.dtype == again.dtype == np.uint8 and again.shape == images.shape
    assert picture.nbytes < images.nbytes / 4
    assert np.abs(again.astype(int) - images).mean() < 10
    unlike = np.abs(again.astype(int) - images[::-1]).mean(axis=(1, 2, 3))
    assert unlike.min() > 20  # so the order is kept
