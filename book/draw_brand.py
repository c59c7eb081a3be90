"""Draw the book's logo, icons and social preview: two half-moons and the curve between them.

    python book/draw_brand.py

Everything is written to book/_static. Nothing else in the project runs this script; the
pictures are committed. The social preview needs a font with Chinese characters.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import font_manager
from matplotlib.patches import FancyBboxPatch
from PIL import Image
from scipy.interpolate import CubicSpline

STATIC = Path(__file__).parent / "_static"
BLUE, BLUE_FIELD = "#0b5394", "#cfe2f3"
ORANGE, ORANGE_FIELD = "#c55a11", "#fbe0c8"
INK, PAPER = "#1f2933", "#f4f6f8"
CENTRE = np.array([0.5, 0.25])  # the two moons are one another turned about this point
STRETCH = np.array([1.0, 1.3])  # a little taller than scikit-learn's, to fill a square


def upper_moon():
    """Return the upper half-moon as points [N, 2] about the centre of the pair."""
    t = np.linspace(0, np.pi, 80)
    return (np.column_stack([np.cos(t), np.sin(t)]) - CENTRE) * STRETCH


def boundary():
    """Return the curve between the moons as points [N, 2], from left to right."""
    x = np.array([-2.6, -1.6, -1.05, -0.5, 0.0, 0.5, 1.05, 1.6, 2.6])
    y = np.array([-1.5, -0.95, -0.1, 0.56, 0.0, -0.56, 0.1, 0.95, 1.5])
    dense = np.linspace(x[0], x[-1], 160)
    return np.column_stack([dense, CubicSpline(x, y)(dense)])


def svg_path(points, scale, offset):
    """Return an SVG path through points, with the y axis turned downwards."""
    moved = points * [scale, -scale] + offset
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in moved)


def svg_icon(size=64):
    """Return the icon's SVG elements: a tile parted by the boundary, a moon on each side."""
    scale, middle = size * 0.245, np.array([size / 2, size / 2])
    curve = boundary()
    below = np.vstack([curve, [[2.6, -2.6], [-2.6, -2.6]]])
    stroke = f'fill="none" stroke-width="{size * 0.11:g}" stroke-linecap="round"'
    return "\n".join(
        [
            f'<clipPath id="tile"><rect width="{size}" height="{size}" rx="{size * 0.2:g}"/>'
            "</clipPath>",
            '<g clip-path="url(#tile)">',
            f'<rect width="{size}" height="{size}" fill="{BLUE_FIELD}"/>',
            f'<path d="{svg_path(below, scale, middle)} Z" fill="{ORANGE_FIELD}"/>',
            f'<path d="{svg_path(curve, scale, middle)}" fill="none" stroke="{INK}" '
            f'stroke-width="{size * 0.035:g}"/>',
            f'<path d="{svg_path(upper_moon(), scale, middle)}" {stroke} stroke="{BLUE}"/>',
            f'<path d="{svg_path(-upper_moon(), scale, middle)}" {stroke} stroke="{ORANGE}"/>',
            "</g>",
        ]
    )


def write_svgs():
    """Write the icon and the two logos (icon and name, for light and for dark pages)."""
    icon = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img">\n'
        f"<title>Two half-moons and the curve between them</title>\n{svg_icon()}\n</svg>\n"
    )
    (STATIC / "favicon.svg").write_text(icon, encoding="utf-8", newline="\n")
    family = "font-family=\"-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif\""
    chinese = "font-family=\"'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif\""
    for name, ink in [("light", INK), ("dark", "#f0f3f6")]:
        logo = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 64" role="img">\n'
            "<title>Deep Learning in Practice 深度学习实战</title>\n"
            f"{svg_icon()}\n"
            f'<g fill="{ink}"><text x="78" y="19" {family} font-size="19" font-weight="650">'
            "Deep Learning</text>\n"
            f'<text x="78" y="40" {family} font-size="19" font-weight="650">in Practice</text>\n'
            f'<text x="78" y="60" {chinese} font-size="15">深度学习实战</text></g>\n</svg>\n'
        )
        (STATIC / f"logo-{name}.svg").write_text(logo, encoding="utf-8", newline="\n")


def draw_icon(axes):
    """Draw the icon on axes that run from -1 to 1 both ways."""
    tile = FancyBboxPatch(
        (-1, -1), 2, 2, boxstyle="round,pad=0,rounding_size=0.4", lw=0, facecolor=BLUE_FIELD
    )
    axes.add_patch(tile)
    points_per_unit = axes.get_window_extent().width / 2 * 72 / axes.figure.dpi
    curve = boundary() * 0.49
    field = axes.fill_between(curve[:, 0], curve[:, 1], -2, color=ORANGE_FIELD, lw=0)
    (line,) = axes.plot(*curve.T, color=INK, lw=0.07 * points_per_unit)
    for moon, colour in [(upper_moon(), BLUE), (-upper_moon(), ORANGE)]:
        axes.plot(*(moon * 0.49).T, color=colour, lw=0.22 * points_per_unit, solid_capstyle="round")
    for artist in (field, line):
        artist.set_clip_path(tile)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
    axes.axis("off")


def write_pngs():
    """Write the icon as PNG at the sizes that browsers and phones ask for."""
    figure = plt.figure(figsize=(7.2, 7.2), dpi=100)
    draw_icon(figure.add_axes([0, 0, 1, 1]))
    figure.savefig(STATIC / "icon-180.png", transparent=True)
    plt.close(figure)
    with Image.open(STATIC / "icon-180.png") as drawn:
        for name, size in [("icon-180.png", 180), ("favicon.png", 48)]:
            drawn.resize((size, size), Image.Resampling.LANCZOS).save(STATIC / name, optimize=True)


def write_social_preview():
    """Write the 1200 x 630 picture that is shown when a page of the book is shared."""
    fonts = {font.name for font in font_manager.fontManager.ttflist}
    chinese = next(
        (
            name
            for name in ("Noto Sans CJK SC", "Noto Sans CJK JP", "PingFang SC", "Microsoft YaHei")
            if name in fonts
        ),
        None,
    )
    if chinese is None:
        raise SystemExit(
            "book/draw_brand.py: no font with Chinese characters found; install Noto Sans CJK."
        )
    figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor=PAPER)
    axes = figure.add_axes([0, 0, 0.5, 1])
    rng = np.random.default_rng(7)
    curve = boundary()
    axes.set_facecolor(BLUE_FIELD)
    axes.fill_between(curve[:, 0], curve[:, 1], -4, color=ORANGE_FIELD, lw=0)
    axes.plot(*curve.T, color=INK, lw=5)
    for sign, colour, marker in [(1, BLUE, "o"), (-1, ORANGE, "s")]:
        moon = sign * upper_moon()
        points = moon + rng.normal(0, 0.1, moon.shape)
        axes.scatter(*points.T, c=colour, marker=marker, s=70, linewidths=1, edgecolors="white")
    axes.set(xlim=(-1.95, 1.95), ylim=(-2.05, 2.05), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    left = 0.545
    figure.text(left, 0.66, "Deep Learning", size=42, weight="bold", color=INK)
    figure.text(left, 0.53, "in Practice", size=42, weight="bold", color=INK)
    figure.text(left, 0.385, "深度学习实战", size=36, color=INK, family=chinese)
    figure.text(
        left,
        0.2,
        "Every number computed\nfrom recorded runs",
        size=23,
        color="#52606d",
        linespacing=1.4,
    )
    figure.savefig(STATIC / "social-preview.png")
    plt.close(figure)
    with Image.open(STATIC / "social-preview.png") as drawn:
        drawn.convert("RGB").quantize(128).save(STATIC / "social-preview.png", optimize=True)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    STATIC.mkdir(exist_ok=True)
    write_svgs()
    write_pngs()
    write_social_preview()
    print(f"The pictures are in {STATIC}")
