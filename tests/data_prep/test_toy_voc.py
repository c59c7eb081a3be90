import functools

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn import functional

from data_prep import toy_voc
from data_prep.toy_step import ToyVoc
from data_prep.toy_voc import LABEL_SETS, SMALLEST_AREA, draw_scene, draw_set
from data_prep.voc_files import open_files
from data_prep.voc_labels import CLASSES, classes_of
from data_prep.voc_scenes import TINY_VOC, open_source, read_scene
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


def test_the_mask_is_where_the_figure_is():
    """Drawn twice with another palette of figures, scenes differ where the mask is, only there."""
    tones = toy_voc._tones
    plain = draw_scene(0, 64, 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            toy_voc,
            "_tones",
            lambda rng, label: {tone: (0, 255, 0) for tone in tones(rng, label)},
        )
        green = draw_scene(0, 64, 64)
    assert np.array_equal(plain.mask, green.mask)
    changed = (plain.image != green.image).any(axis=2)
    inside = plain.mask > 0
    # An edge is averaged over the pixels that it crosses, so the outline may differ by one.
    near = np.zeros_like(inside)
    for rows in (-1, 0, 1):
        for columns in (-1, 0, 1):
            near |= np.roll(inside, (rows, columns), (0, 1))
    assert changed[inside].all() and changed[~near].sum() <= 2  # the tip of a sliver


# The arrays


def test_the_scenes_are_the_same_on_every_machine():
    assert load_tiny_voc().checksum == voc.TOY_CHECKSUM


def test_the_arrays_have_the_form_that_they_promise():
    data = load_tiny_voc()
    assert CLASSES == ("person", "cat", "plane", "car", "bird")
    assert (data.name, data.classes) == ("toy-voc", len(CLASSES))
    assert data.x.shape == (800, 64, 64, 3) and data.x_eval.shape == (200, 64, 64, 3)
    assert data.y.shape == (800, 5) and data.y_eval.shape == (200, 5)
    for array in (data.x, data.y, data.x_eval, data.y_eval):
        assert array.dtype == np.uint8 and not array.flags.writeable
    assert set(np.unique(data.y)) == {0, 1}
    assert load_tiny_voc("embedded", 64) is data  # drawn once


def test_the_classes_come_as_often_as_in_tiny_voc():
    targets = np.concatenate([load_tiny_voc().y, load_tiny_voc().y_eval])
    share = np.zeros(5)
    for classes, count in LABEL_SETS.items():
        share[list(classes)] += count / sum(LABEL_SETS.values())
    spread = np.sqrt(share * (1 - share) / len(targets))
    assert (np.abs(targets.mean(axis=0) - share) < 4 * spread).all()
    assert (targets.sum(axis=1) >= 1).all() and (targets.sum(axis=1) >= 2).mean() > 0.05


def test_targets_say_what_the_masks_show():
    masks = draw_set(800, 20, 64)[1]
    for row, mask in zip(load_tiny_voc().y_eval, masks, strict=False):
        assert (np.flatnonzero(row) + 1).tolist() == [value for value in np.unique(mask) if value]


# How hard they are


def mean_average_precision(scores):
    return average_precision_score(load_tiny_voc().y_eval, scores)


def test_a_linear_model_on_pixels_learns_next_to_nothing():
    data = load_tiny_voc()
    train, val = (
        images[:, ::2, ::2].reshape(len(images), -1) / 255 for images in (data.x, data.x_eval)
    )
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-5, max_iter=200))
    scores = [model.fit(train, target).decision_function(val) for target in data.y.T]
    chance = data.y_eval.mean()
    assert chance < mean_average_precision(np.stack(scores, axis=1)) < chance + 0.15


def test_a_small_convolutional_network_learns_much_in_a_few_seconds():
    """Three passes here; after twenty, in as many seconds of one core, it is beyond 0.9."""
    data = load_tiny_voc()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            *block(3, 16, nn.Identity(), stride=2),
            *block(16, 32, nn.MaxPool2d(2)),
            *block(32, 64, nn.MaxPool2d(2)),
            *block(64, 64, nn.MaxPool2d(2)),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 5),
        )
        fit(network, inputs(data.x), torch.tensor(data.y).float(), epochs=5)
        with torch.no_grad():
            scores = network.eval()(inputs(data.x_eval))
    torch.set_num_threads(threads)
    assert mean_average_precision(scores.numpy()) > data.y_eval.mean() + 0.2


def block(channels, wider, pool, stride=1):
    convolution = nn.Conv2d(channels, wider, 3, stride=stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(wider), nn.ReLU(), pool


def inputs(images):
    return torch.tensor(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def fit(network, images, targets, epochs):
    batches = len(images) // 32
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=epochs * batches)
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(32):
            loss = functional.binary_cross_entropy_with_logits(
                network(images[batch]), targets[batch]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


# The files


@pytest.fixture
def run(command):
    return functools.partial(command, {"toy-voc": ToyVoc({"train": 10, "val": 4})})


def test_the_files_are_in_tiny_voc_s_layout(tmp_path, run):
    status, out, err = run("toy-voc", "--dest", tmp_path)
    assert (status, err) == (0, "")
    assert out.splitlines()[2].split() == ["split", "images", *CLASSES]
    assert out.splitlines()[3].split()[:2] == ["train", "10"]
    source = open_source(tmp_path / "toy-voc", TINY_VOC)
    assert source.name == "toy-voc"
    assert [len(ids) for ids in source.splits.values()] == [10, 4]
    photo, mask = read_scene(open_files(source.path), TINY_VOC, "00003")
    drawn = draw_scene(3, *mask.shape)
    assert np.array_equal(mask, drawn.mask)  # a PNG keeps every pixel
    difference = np.asarray(photo).astype(int) - drawn.image
    assert 0 < np.abs(difference).mean() < 6  # a JPEG nearly


def test_the_files_are_drawn_once_and_verified(tmp_path, run):
    run("toy-voc", "--dest", tmp_path)
    assert run("toy-voc", "--dest", tmp_path)[1].startswith("toy-voc is already prepared")
    mask = tmp_path / "toy-voc" / "Annotations" / "00002.png"
    whole = mask.read_bytes()
    mask.write_bytes(whole[:-1])
    status, out, err = run("verify", "--dest", tmp_path)
    assert status == 2 and "00002.png is not what was prepared" in err
    assert "python -m data_prep toy-voc" in out
    assert run("toy-voc", "--dest", tmp_path)[1].startswith("toy-voc is verified and prepared")
    assert mask.read_bytes() == whole
