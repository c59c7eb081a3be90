"""The gallery of practice 5: fourteen networks train side by side, and an animation of each.

    python -m helpers.book.activation_gallery

trains one network of every combination, writes its frames and its GIF to
`book/_static/activations/`, and the page `book/activation_gallery.md` around them.
"""

import html
import io
import sys
from functools import cache

import numpy as np
import torch
from PIL import Image

from helpers.book import activation_frames as frames
from helpers.book.animation import gif_bytes
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import recorded_ensemble
from helpers.runs.records import FIT, ROOT, RecordError, exit_status, write_atomically

PAGE = ROOT / "book" / "activation_gallery.md"
PICTURES = ROOT / "book" / "_static" / "activations"
LINK = "../_static/activations"  # from the page, in the built book

#: What the pictures show, for those who cannot see them move.
SEEN = {
    "abs": "The line bends at a few sharp corners until it runs between the moons.",
    "exp": "A smooth curve with one steep flank, on the side where the exponentials vanish.",
    "exp-cos": "Between the moons a calm wave, outside ever narrower stripes of both classes.",
    "sin": "Between the moons a wave, and it goes on: islands of the other class on all sides.",
    "square": "A curve like that of a cubic, smooth and without corners anywhere.",
    "relu": "The line breaks at a few corners and ends in straight rays.",
    "sigmoid": "For hundreds of iterations a straight line, then a smooth S.",
    "sort": "A chain of straight pieces without a gap, bent where two units change places.",
    "permute": "Straight pieces that do not meet: the line jumps where two units change places.",
    "reciprocal": "A tangle of hairlines, the poles, that is different in every frame.",
    "tan": "Bands of hairlines, the poles; between them patches that come and go.",
    "sgn": "Flat tiles whose borders never move; only their colours change.",
    "linear": "A straight line that turns into place and stays there.",
    "tanh": "A straight line, then a smooth S.",
}


def typical_seed(name):
    """Return the first seed that does what most seeds of a combination do: fit, or not."""
    fits = recorded_ensemble(name).fits
    return int(np.argmax(fits == (fits.mean() > 0.5)))


@cache
def _trained(name):
    return frames.training_frames(ACTIVATION_PAIRS[name], typical_seed(name))


def outcome(name):
    """Say what the recorded seeds of a combination did."""
    batch, seed = recorded_ensemble(name), typical_seed(name)
    did = "fits" if batch.fits[seed] else f"ends at {batch.train_accuracy[seed]:.0%}"
    return f"Seed {seed} {did}; of {len(batch.fits)} seeds {int(batch.fits.sum())} fit."


def webp(pixels):
    """Encode pixels without loss."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="WEBP", lossless=True, quality=75, method=6)
    return buffer.getvalue()


def draw(name, folder=PICTURES):
    """Train one combination's network and write its strip of frames, its GIF and its still."""
    shown, accuracies = _trained(name)
    fit = recorded_ensemble(name).fits[typical_seed(name)]
    if (accuracies[-1] >= FIT) != fit:
        raise RecordError(f"{name} did not come out as recorded: record it anew on this machine")
    label = ACTIVATION_PAIRS[name].label
    titled = [
        frames.titled(picture, label, f"iteration {iteration}: {accuracy:.0%} right")
        for picture, iteration, accuracy in zip(shown, frames.ITERATIONS, accuracies, strict=True)
    ]
    contents = {
        f"{name}.webp": webp(np.concatenate(shown)),
        f"{name}.gif": gif_bytes(titled, seconds_per_frame=0.15),
        f"{name}-still.webp": webp(titled[-1]),
    }
    for file, content in contents.items():
        write_atomically(folder / file, lambda opened, content=content: opened.write(content))


# ------------------------------------------------------------------------------- page

STYLE = """
.together { margin: 1em 0; }
.together .tiles { display: grid; gap: 0.6em;
  grid-template-columns: repeat(auto-fill, minmax(min(9.5em, 45%), 1fr)); }
.together .tiles figure { margin: 0; }
.together .tiles figcaption { font-size: 0.9em; line-height: 1.2; text-align: left; }
.together .plane { aspect-ratio: WIDTH / HEIGHT; background-size: 100% FRAMES00%;
  background-position: 0 calc(var(--frame) * 100% / LAST); border: 1px solid #888; }
.together .controls { display: flex; flex-wrap: wrap; gap: 0.6em; align-items: center;
  position: sticky; bottom: 0; padding: 0.5em 0; background: var(--pst-color-background, white); }
.together input { flex: 1; min-width: 8em; height: 2em; }
.together button { min-width: 5em; min-height: 2.2em; }
.together output { min-width: 8em; }
"""

# The slider sets one number, and the style sheet moves all strips of frames by it.
MOVE = (
    "const all = this.closest('.together'), at = all.dataset.iterations.split(' ')[this.value]; "
    "all.style.setProperty('--frame', this.value); "
    "all.querySelector('output').value = 'iteration ' + at; "
    "this.setAttribute('aria-valuetext', 'iteration ' + at);"
)
PLAY = (
    "const all = this.closest('.together'), slider = all.querySelector('input'); "
    "const stop = () => { clearInterval(all.timer); all.timer = null; "
    "this.textContent = 'Play'; }; "
    "if (all.timer) { stop(); return; } "
    "if (slider.value === slider.max) { slider.value = 0; } "
    "this.textContent = 'Pause'; "
    "all.timer = setInterval(() => { slider.stepUp(); slider.oninput(); "
    "if (slider.value === slider.max) { stop(); } }, 150);"
)


def together(names=tuple(ACTIVATION_PAIRS), link=LINK):
    """Return the gallery: all planes at the same iteration, one slider, one button.

    It needs no kernel, no script element and no other host.

    Parameters
    ----------
    names : sequence of str
        Keys of `ACTIVATION_PAIRS`.
    link : str
        Where the strips of frames are, from the page.

    Returns
    -------
    str
        HTML without an empty line.
    """
    last, iterations = frames.FRAMES - 1, " ".join(map(str, frames.ITERATIONS))
    style = STYLE.strip().replace("WIDTH", str(frames.WIDTH)).replace("HEIGHT", str(frames.HEIGHT))
    style = style.replace("FRAMES", str(frames.FRAMES)).replace("LAST", str(last))
    return "\n".join(
        [
            f'<div class="together" style="--frame: {last}" data-iterations="{iterations}">',
            f"<style>\n{style}\n</style>",
            '<div class="tiles">',
            *(_tile(name, link) for name in names),
            "</div>",
            '<div class="controls">',
            f'<button type="button" onclick="{html.escape(PLAY)}">Play</button>',
            f'<input type="range" min="0" max="{last}" value="{last}" step="1" '
            f'aria-label="iteration" aria-valuetext="iteration {frames.ITERATIONS[-1]}" '
            f'autocomplete="off" oninput="{html.escape(MOVE)}">',
            f"<output>iteration {frames.ITERATIONS[-1]}</output>",
            "</div>",
            "</div>",
        ]
    )


def _tile(name, link):
    label, seen = html.escape(ACTIVATION_PAIRS[name].label), html.escape(SEEN[name])
    return (
        f'<figure><div class="plane" role="img" aria-label="{label}: {seen}" '
        f'style="background-image: url({link}/{name}.webp)"></div>'
        f"<figcaption><strong>{label}</strong>. {html.escape(outcome(name))}</figcaption></figure>"
    )


def one_by_one(name, link=LINK):
    """Return one combination's animation with its sentence; its still for who wants no motion."""
    label = html.escape(ACTIVATION_PAIRS[name].label)
    alt = html.escape(f"Training with {ACTIVATION_PAIRS[name].label}. {SEEN[name]}")
    return "\n".join(
        [
            '<figure class="align-default">',
            "<picture>",
            f'<source media="(prefers-reduced-motion: reduce)" srcset="{link}/{name}-still.webp">',
            f'<img src="{link}/{name}.gif" alt="{alt}" loading="lazy" width="{frames.WIDTH}" '
            f'height="{frames.HEIGHT + frames.BAND}" style="max-width: 100%; height: auto">',
            "</picture>",
            f"<figcaption>{label}. {html.escape(SEEN[name])} {html.escape(outcome(name))}"
            "</figcaption>",
            "</figure>",
        ]
    )


def page():
    """Return the gallery's page as Markdown."""
    return (
        "\n\n".join(
            [
                "# Gallery: fourteen networks bend a line",
                "One network 2→10→10→1 of each combination of "
                "[practice 5](../notebooks/05_activations.ipynb) trains on the same 100 points. "
                "The colour is P(class 1) in ten levels, from blue for class 0 to orange for "
                "class 1; the black line is where it is one half. Drag the slider, or press the "
                "button: all show the same iteration. The slider's steps grow, because most "
                "happens at the start.",
                "Each picture is of the first seed that does what most seeds of its kind do. Below "
                "it stands how many of all seeds *fit*: have at least 99% of the points right. "
                "Watch where the line bends, and what happens far from the points.",
                together(),
                "## One by one",
                *(one_by_one(name) for name in ACTIVATION_PAIRS),
                "The page and its pictures are made by `python -m helpers.book.activation_gallery`.",
            ]
        )
        + "\n"
    )


def main():
    """Draw every combination and write the page; return the exit status."""

    def act():
        torch.set_num_threads(1)
        for name in ACTIVATION_PAIRS:
            draw(name)
            print(name, flush=True)
        write_atomically(PAGE, lambda file: file.write(page().encode()))

    return exit_status(
        act,
        (RecordError,),
        "each picture and the page",
        "stopped; the other pictures are as before",
    )


if __name__ == "__main__":
    sys.exit(main())
