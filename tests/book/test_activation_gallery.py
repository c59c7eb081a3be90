"""The gallery's page belongs to the records and the pictures."""

from book import draw_gallery
from helpers.book import activation_gallery as gallery
from helpers.networks.ensemble import ACTIVATION_PAIRS


def test_the_page_is_what_the_records_say():
    page = draw_gallery.page()
    assert draw_gallery.PAGE.read_text(encoding="utf-8") == page
    assert page.count("<figure>") == len(ACTIVATION_PAIRS)
    sizes = {path.name: path.stat().st_size for path in gallery.PICTURES.iterdir()}
    assert set(sizes) == {
        f"{name}{end}" for name in ACTIVATION_PAIRS for end in (".gif", ".webp", "-still.webp")
    }
    assert sum(sizes.values()) < 6_500_000


def test_networks_stand_side_by_side_at_the_same_iteration():
    names = [*ACTIVATION_PAIRS]
    frames, iterations = gallery.side_by_side(names)
    assert iterations == [*gallery.ITERATIONS[::2], 1000]
    (tile,) = gallery.side_by_side(names[4:5])[0][-1:]
    height, width, _ = tile.shape
    assert len(frames) == 21 and frames[0].shape == (4 * height, 4 * width, 3)
    assert (frames[-1][height : 2 * height, :width] == tile).all()
