"""What must hold for every figure's text: there, on the page, large enough, nothing on top."""

from itertools import combinations

from helpers.book.figures import WIDTH, to_pixels

SMALLEST = 12  # points, in a figure of the book's width


def texts(figure):
    """List the texts that a figure shows: its own, its legends', and its axes'."""
    found = [*figure.texts]
    for part in figure.subfigs:
        found += part.texts
    for legend in figure.legends:
        found += legend.get_texts()
    for ax in figure.axes:
        found += [ax.title, *ax.texts]
        if ax.axison:
            found += [ax.xaxis.label, ax.yaxis.label]
            found += _in_range(ax.get_xticklabels(), 0, ax.get_xlim())
            found += _in_range(ax.get_yticklabels(), 1, ax.get_ylim())
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _in_range(labels, axis, limits):
    """Leave out the labels of ticks beyond the limits, which are kept but not drawn."""
    low, high = min(limits) - 1e-9, max(limits) + 1e-9
    return [label for label in labels if low <= label.get_position()[axis] <= high]


def words(figure):
    return [text.get_text() for text in texts(figure)]


def unlabelled(figure):
    """List the axes with numbers, of which no panel says what they count."""
    found = {}
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis) if ax.axison and ax.get_label() != "<colorbar>" else ():
            ticks = [tick.get_text() for tick in axis.get_ticklabels() if tick.get_visible()]
            if any(text.strip("−").replace(".", "").isdigit() for text in ticks):
                found.setdefault(axis.axis_name, []).append(axis.label.get_text())
    return [name for name, labels in found.items() if not any(labels)]


def assert_legible(figure, width=WIDTH):
    to_pixels(figure)  # places the texts
    assert not unlabelled(figure), unlabelled(figure)
    assert figure.get_figwidth() == width
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    page = figure.bbox.padded(1)
    corners = [(text, box.get_points()) for text, box in boxes]
    outside = [text for text, (a, b) in corners if not (page.contains(*a) and page.contains(*b))]
    assert not outside, outside
    small = [text.get_text() for text in texts(figure) if text.get_fontsize() < SMALLEST]
    assert not small, small
    pairs = combinations([(text, box.padded(-1)) for text, box in boxes], 2)
    overlapping = [(a, b) for (a, one), (b, other) in pairs if one.overlaps(other)]
    assert not overlapping, overlapping
