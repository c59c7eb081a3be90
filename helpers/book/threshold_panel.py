"""The thresholds of `helpers.book.thresholds` to move in the built page, without a kernel.

Plain HTML with every count inside and one event handler; it works offline, needs no script
element, and the same answers give the same bytes.
"""

import base64
import html
import io
import json
import math

import numpy as np
from PIL import Image

from helpers.book import figures
from helpers.book.output import HTMLOutput
from helpers.book.pr_figures import KINDS
from helpers.book.thresholds import GRID, START, Sweep, shares, worth

THUMBNAIL = 72  # pixels
LEFT, TOP, PLANE = 46, 10, 250  # of the plane of precision and recall, in SVG units
DASHES = ("", "8 4", "8 3 2 3", "2 3", "10 3 2 3 2 3", "14 5")

STYLE = """
.thresholds { background: #fff; color: #222; padding: 0.5em; text-align: left; }
.thresholds > div { overflow-x: auto; }
.thresholds table { border-collapse: collapse; margin: 0.5em auto; font-size: 0.85em; }
.thresholds :is(th, td) { color: #222 !important; background: #fff !important;
  padding: 0.15em 0.4em; text-align: right; border: 0; font-variant-numeric: tabular-nums; }
.thresholds th:first-child { text-align: left; white-space: nowrap; position: sticky; left: 0;
  min-width: 0 !important; }
.thresholds td output { display: inline-block; min-width: 3em; }
.thresholds td:first-of-type { white-space: nowrap; }
.thresholds input { width: 7em; height: 2em; vertical-align: middle; }
.thresholds svg { display: block; margin: 0 auto; max-width: 100%; }
.thresholds .images { display: flex; flex-wrap: wrap; gap: 0.5em; justify-content: center; }
.thresholds .images > div { width: 6em; font-size: 0.8em; text-align: center; }
.thresholds .images > div.changed img { outline: 3px solid #222; }
.thresholds .images img { margin: 0 auto; }
.thresholds .images span { display: block; }
.thresholds .images span[hidden] { display: none; }
.thresholds figcaption { color: #222 !important; }
@media (max-width: 32em) {
  .thresholds :is(th, td) { padding: 0.15em 0.2em; }
  .thresholds input { width: 4em; }
  .thresholds td output { min-width: 2.6em; }
}
"""

#: Runs on every move of a slider; `this` is the figure. The first slider moves all others.
HANDLER = """
const data = JSON.parse(this.dataset.sweep);
const rows = [...this.querySelectorAll('tbody tr')], whole = rows.pop();
const sliders = rows.map(row => row.querySelector('input'));
const common = whole.querySelector('input');
if (event.target === common) sliders.forEach(slider => { slider.value = common.value; });
const write = (row, step, positives, hits, said) => {
  const share = (part, of) => of ? (part / of).toFixed(3) : '–';
  const texts = [share(hits, said), share(hits, positives), share(2 * hits, positives + said),
    hits, positives - hits, said - hits];
  row.querySelectorAll('td.value').forEach((cell, i) => { cell.textContent = texts[i]; });
  if (step === null) return;
  row.querySelector('output').textContent = data.grid[step];
  row.querySelector('input').setAttribute('aria-valuetext', data.grid[step]);
};
const sums = [0, 0, 0];
const steps = sliders.map(slider => +slider.value);
steps.forEach((step, k) => {
  const counts = [data.positives[k], data.hits[k][step], data.said[k][step]];
  counts.forEach((count, i) => { sums[i] += count; });
  write(rows[k], step, ...counts);
  const dot = this.querySelectorAll('circle')[k];
  dot.setAttribute('cx', data.left + data.plane * counts[1] / counts[0]);
  const precision = counts[2] ? counts[1] / counts[2] : 1;
  dot.setAttribute('cy', data.top + data.plane * (1 - precision));
});
const equal = steps.every(step => step === steps[0]);
write(whole, null, ...sums);
whole.querySelector('output').textContent = equal ? data.grid[steps[0]] : 'mixed';
if (equal) common.value = steps[0];
common.setAttribute('aria-valuetext', whole.querySelector('output').textContent);
let moved = 0;
this.querySelectorAll('.images > div').forEach(image => {
  const firsts = JSON.parse(image.dataset.steps), truth = JSON.parse(image.dataset.truth);
  let changed = false;
  image.querySelectorAll('span').forEach((line, k) => {
    const said = steps[k] <= firsts[k] ? 1 : 0;
    changed ||= said !== (data.start <= firsts[k] ? 1 : 0);
    const kind = data.kinds[2 * truth[k] + said];
    line.hidden = !kind;
    if (kind) { line.textContent = kind[0] + ' ' + data.classes[k]; line.style.color = kind[1]; }
  });
  image.classList.toggle('changed', changed);
  moved += changed;
});
const count = this.querySelector('p output');
if (count) count.textContent = moved;
"""


def threshold_panel(probabilities, targets, classes, caption, images=None):
    """Show a table and a plane whose figures follow sliders, one for each class and one for all.

    Parameters
    ----------
    probabilities, targets : array [N, K]
        A model's recorded answers, and the truth.
    classes : sequence of str, [K]
        At most six.
    caption : str
    images : dict int -> array of uint8 [S, S, 3], optional
        Pictures of some of the N images, shown small with the answers that they get now.

    Returns
    -------
    Html
        Works with mouse, finger and keyboard; without any script it shows thresholds of 0.5.
    """
    sweep = Sweep.of(probabilities, targets, classes)
    data = {
        "classes": sweep.classes,
        "grid": [f"{threshold:.2f}" for threshold in GRID],
        "start": START,
        "positives": sweep.positives.tolist(),
        "hits": sweep.hits.tolist(),
        "said": sweep.said.tolist(),
        "kinds": [None, *((kind[0], kind[1]) for kind in _by_truth_and_answer())],
        "left": LEFT, "top": TOP, "plane": PLANE,
    }  # fmt: skip
    parts = [_plane(sweep), f"<div>{_table(sweep)}</div>"]
    if images:
        parts.append(_gallery(np.asarray(probabilities), np.asarray(targets), classes, images))
    body = "\n".join(parts)
    *_, (_, *counts) = sweep.at([START] * len(classes))
    return HTMLOutput(
        f'<figure class="align-default thresholds" data-sweep="{_attribute(data)}" '
        f'oninput="{html.escape(HANDLER.strip())}">\n<style>{STYLE}</style>\n{body}\n'
        f"<figcaption>{html.escape(caption)}</figcaption>\n</figure>",
        f"Thresholds to move; at {GRID[START]:.2f} for every class: {worth(*counts)}.",
    )


def _by_truth_and_answer():
    """Return what is shown where a class is (not there, said), (there, not said), (there, said)."""
    found, false_alarm, missed = KINDS
    return false_alarm, missed, found


def _attribute(data):
    return html.escape(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def _table(sweep):
    """Return the table with a slider in each row, all at the start."""
    titles = ("class", "threshold", "precision", "recall", "F1", "found", "missed", "false alarms")
    head = "".join(f"<th>{title}</th>" for title in titles)
    lines = []
    for name, positives, hits, said in sweep.at([START] * len(sweep.classes)):
        figure = [
            "–" if math.isnan(v) else f"{v:.3f}" for v in shares(positives, hits, said)
        ]  # fmt: skip
        cells = [*figure, hits, positives - hits, said - hits]
        values = "".join(f'<td class="value">{cell}</td>' for cell in cells)
        label, start = html.escape(name), f"{GRID[START]:.2f}"
        whose = "all classes" if name == "all" else label
        lines.append(
            f'<tr><th scope="row">{label}</th><td><input type="range" min="0" '
            f'max="{len(GRID) - 1}" step="1" value="{START}" autocomplete="off" '
            f'aria-label="threshold for {whose}" aria-valuetext="{start}"> '
            f"<output>{start}</output></td>{values}</tr>"
        )
    body = "\n".join(lines)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


# ------------------------------------------------------------------------------ the plane


def _plane(sweep):
    """Return the plane of precision and recall: a curve for each class, and a dot on it."""
    width, height = LEFT + PLANE + 14, TOP + PLANE + 50 + 22 * math.ceil(len(sweep.classes) / 3)
    parts = [_axes()]
    for k, (name, positives, hits, said) in enumerate(
        zip(sweep.classes, sweep.positives, sweep.hits, sweep.said, strict=True)
    ):
        points = [_point(int(positives), *pair) for pair in zip(hits, said, strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        x, y = points[START]
        look = f'stroke="{figures.PALETTE[k]}" stroke-dasharray="{DASHES[k]}"'
        left, key = 14 + 100 * (k % 3), TOP + PLANE + 58 + 22 * (k // 3)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke-width="2" {look}/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{figures.PALETTE[k]}" '
            'stroke="#fff" stroke-width="1.5"/>'
            f'<path d="M{left} {key} h34" stroke-width="2" {look}/>'
            f'<text x="{left + 40}" y="{key + 4}">{html.escape(name)}</text>'
        )
    names = ", ".join(sweep.classes)
    label = f"Precision against recall of {names}; a dot on each curve marks its threshold."
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" font-size="13" '
        f'aria-label="{html.escape(label)}">\n' + "\n".join(parts) + "\n</svg>"
    )


def _point(positives, hits, said):
    """Return where counts lie in the plane; saying nothing has precision 1 there."""
    precision = hits / said if said else 1.0
    return LEFT + PLANE * hits / positives, TOP + PLANE * (1 - precision)


def _axes():
    """Return the frame, the ticks and the names of the axes."""
    right, bottom, middle = LEFT + PLANE, TOP + PLANE, TOP + PLANE / 2
    parts = [f'<path d="M{LEFT} {TOP} V{bottom} H{right}" fill="none" stroke="#222"/>']
    for i in range(6):
        x, y = LEFT + PLANE * i / 5, bottom - PLANE * i / 5
        parts.append(
            f'<path d="M{x:g} {TOP} V{bottom} M{LEFT} {y:g} H{right}" stroke="#E5E5E5"/>'
            f'<text x="{x:g}" y="{bottom + 17}" text-anchor="middle">{i / 5:g}</text>'
            f'<text x="{LEFT - 6}" y="{y + 4:g}" text-anchor="end">{i / 5:g}</text>'
        )
    parts.append(
        f'<text x="{LEFT + PLANE / 2:g}" y="{bottom + 36}" text-anchor="middle">recall</text>'
        f'<text transform="translate(12 {middle:g}) rotate(-90)" text-anchor="middle">'
        "precision</text>"
    )
    return "\n".join(reversed(parts))  # the frame lies on the grid


# ------------------------------------------------------------------------------ images


def _gallery(probabilities, targets, classes, images):
    """Return small pictures with what is said of them at the start."""
    lines = []
    for index, image in images.items():
        # The last step of the grid that still says yes; deciding then is comparing integers.
        steps = (np.searchsorted(GRID, probabilities[index], side="right") - 1).tolist()
        truth = targets[index].astype(int).tolist()
        spans = "".join(_span(*row) for row in zip(classes, truth, steps, strict=True))
        there = " and ".join(name for name, t in zip(classes, truth, strict=True) if t) or "nothing"
        lines.append(
            f'<div data-steps="{steps}" data-truth="{truth}"><img src="{_thumbnail(image)}" '
            f'width="{THUMBNAIL}" height="{THUMBNAIL}" '
            f'alt="An image with {html.escape(there)}">{spans}</div>'
        )
    key = "; ".join(f"{symbol} {meaning}" for symbol, _, meaning in KINDS)
    return (
        f"<p>{key}. Framed: other answers than at {GRID[START]:.2f}, now "
        f"<output>0</output> of {len(images)} images.</p>\n"
        '<div class="images">\n' + "\n".join(lines) + "\n</div>"
    )


def _span(name, truth, step):
    kinds = (None, *_by_truth_and_answer())
    kind = kinds[2 * truth + (step >= START)]
    if kind is None:
        return "<span hidden></span>"
    return f'<span style="color: {kind[1]}">{kind[0]} {html.escape(name)}</span>'


def _thumbnail(image):
    buffer = io.BytesIO()
    small = Image.fromarray(np.asarray(image, dtype=np.uint8)).resize((THUMBNAIL, THUMBNAIL))
    small.save(buffer, format="WEBP", quality=80, method=4)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
