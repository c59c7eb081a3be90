"""The gallery's page belongs to the records and the pictures; frames show what a network says."""

import pytest
import torch

from helpers.book import activation_gallery as gallery
from helpers.networks.ensemble import ACTIVATION_PAIRS, MLPEnsemble


def test_the_page_is_what_the_records_say():
    page = gallery.page()
    assert gallery.PAGE.read_text(encoding="utf-8") == page
    assert page.count("<figure>") == len(ACTIVATION_PAIRS)
    sizes = {path.name: path.stat().st_size for path in gallery.PICTURES.iterdir()}
    assert set(sizes) == {
        f"{name}{end}" for name in ACTIVATION_PAIRS for end in (".gif", ".webp", "-still.webp")
    }
    assert sum(sizes.values()) < 6_000_000


def test_asking_for_help_draws_nothing(monkeypatch, capsys):
    monkeypatch.setattr(gallery, "draw", None)  # would fail
    with pytest.raises(SystemExit, match="0"):
        gallery.main(["--help"])
    assert "--page" in capsys.readouterr().out


def test_frames_show_the_boundary_and_where_there_is_no_number():
    assert gallery.ITERATIONS[0] == 0 and gallery.ITERATIONS[-1] == 1000
    assert sorted(set(gallery.ITERATIONS)) == gallery.ITERATIONS
    networks = MLPEnsemble(ACTIVATION_PAIRS["linear"], [0])
    networks.weights[0][:], networks.weights[2][:] = torch.eye(2, 10), torch.eye(10)
    networks.weights[4][:] = torch.tensor([[9.0]] + [[0.0]] * 9)
    for bias in networks.weights[1::2]:
        bias.zero_()
    left, right = gallery.frame(networks)[0, [5, -5]].astype(int)  # the logit is 9 times x_1
    assert left[2] > left[0] and right[0] > right[2]  # blue, orange
    networks.weights[5][:] = torch.nan
    assert (gallery.frame(networks)[0, 0] == 160).all()


def test_one_network_s_frames_are_of_its_training():
    frames, accuracies = gallery.training_frames(ACTIVATION_PAIRS["square"], 0, [0, 100])
    assert (frames[0] != frames[1]).any() and accuracies[0] < accuracies[1]
