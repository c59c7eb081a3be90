"""Draw the gallery of practice 5's networks, and write its page.

    python -m book.draw_gallery

trains one network of every pair of activations, writes its pictures to `book/_static/activations/`,
and the page `book/activation_gallery.md` from the template beside it. They are committed.
"""

import sys

import numpy as np
import torch
from jinja2 import Environment, StrictUndefined
from PIL import Image

from helpers.book.activation_gallery import BAND, ITERATIONS, PICTURES, titled, training_frames
from helpers.book.decision_boundary import pixel_points
from helpers.book.output import gif_bytes, webp_bytes
from helpers.networks.ensemble import ACTIVATION_PAIRS
from helpers.runs.experiments import recorded_ensemble
from helpers.runs.records import (
    FIT,
    ROOT,
    RecordError,
    command_line,
    exit_status,
    write_atomically,
)

PAGE = ROOT / "book" / "activation_gallery.md"
TEMPLATE = PAGE.with_suffix(".md.jinja")


def typical_seed(batch):
    """Return the first seed that does what most seeds of a batch do: fit, or not."""
    return int(np.argmax(batch.fits == (batch.fits.mean() > 0.5)))


def draw(name):
    """Train the network of one pair, and write its strip of frames, its GIF and its still."""
    batch = recorded_ensemble(name)
    seed, pair = typical_seed(batch), ACTIVATION_PAIRS[name]
    frames, accuracies = training_frames(pair, seed)
    if (accuracies[-1] >= FIT) != batch.fits[seed]:
        raise RecordError(f"{name} did not come out as recorded: record it anew on this machine")
    film = [
        titled(pixels, pair.label, f"iteration {iteration}: {accuracy:.0%} right")
        for pixels, iteration, accuracy in zip(frames, ITERATIONS, accuracies, strict=True)
    ]
    contents = {
        f"{name}.webp": webp_bytes(Image.fromarray(np.concatenate(frames)), method=6),
        f"{name}.gif": gif_bytes(film),
        f"{name}-still.webp": webp_bytes(Image.fromarray(film[-1]), method=6),
    }
    for file, content in contents.items():
        write_atomically(PICTURES / file, lambda opened, content=content: opened.write(content))


def page():
    """Return the gallery's page as Markdown: its template, filled from the records."""
    shown = []
    for name, pair in ACTIVATION_PAIRS.items():
        batch = recorded_ensemble(name)
        seed = typical_seed(batch)
        shown.append({
            "name": name, "label": pair.label, "seed": seed, "fits": bool(batch.fits[seed]),
            "seeds": len(batch.fits), "fitting": int(batch.fits.sum()),
        })  # fmt: skip
    height, width, _ = pixel_points().shape
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        networks=shown, iterations=ITERATIONS, width=width, height=height, band=BAND
    )


def main(arguments=None):
    """Draw every pair and write the page; return the exit status."""
    parser = command_line("python -m book.draw_gallery", __doc__)
    parser.add_argument("--page", action="store_true", help="write the page alone")
    options = parser.parse_args(arguments)

    def act():
        torch.set_num_threads(1)
        for name in () if options.page else ACTIVATION_PAIRS:
            draw(name)
            print(name, flush=True)
        write_atomically(PAGE, lambda file: file.write(page().encode()))

    return exit_status(act, (RecordError,))


if __name__ == "__main__":
    sys.exit(main())
