"""The gallery's page belongs to the records and the pictures."""

import numpy as np
import pytest

from helpers.book import activation_gallery as gallery
from helpers.book.decision_boundary import plane_pixels
from helpers.networks.ensemble import ACTIVATION_PAIRS


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


def test_the_plane_is_painted_by_class_and_grey_where_there_is_no_number():
    pixels = plane_pixels(lambda at: np.where(at[:, 1] > 2, np.nan, at[:, 0] > 0))
    left, right = pixels[-1, [5, -5]].astype(int)
    assert left[2] > left[0] and right[0] > right[2]  # blue, orange
    assert (pixels[0] == 160).all()
    assert (pixels[-1] == 0).all(axis=1).sum() == 2  # the boundary
