"""Pictures that move without a kernel: GIFs, and a player whose frames the reader drags.

Both are plain HTML with the images inside, work offline, and need no script element. The
same frames give the same bytes. Frames are uint8 RGB arrays, [height, width, 3], for
example from `helpers.book.figures.to_pixels`.
"""

import base64
import html
import io

import numpy as np
from PIL import Image


class Html:
    """HTML that a notebook shows, with a sentence for where HTML is not shown."""

    def __init__(self, content, text):
        self.content, self.text = content, text

    def _repr_html_(self):
        return self.content

    def __repr__(self):
        return self.text


def gif_bytes(frames, seconds_per_frame=0.1, last_seconds=2.0, colours=64):
    """Encode frames as an endless GIF, all in one palette so that nothing flickers.

    Parameters
    ----------
    frames : sequence of ndarray of uint8, [height, width, 3]
        All of one size.
    seconds_per_frame : float
        How long each frame stays.
    last_seconds : float
        How long the last one stays before the loop begins anew.
    colours : int
        Size of the palette, 2 to 256. Few colours, drawn in discrete levels, keep it small.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If there are no frames, or they differ in size.
    """
    images = _in_one_palette(frames, colours)
    milliseconds = [round(1000 * seconds_per_frame)] * len(images)
    milliseconds[-1] = round(1000 * last_seconds)
    buffer = io.BytesIO()
    images[0].save(
        buffer, format="GIF", save_all=True, append_images=images[1:],
        duration=milliseconds, loop=0, optimize=False,
    )  # fmt: skip
    return buffer.getvalue()


def show_animation(frames, alt, caption, **options):
    """Show frames as an animated GIF with a caption.

    A reader whose system asks for reduced motion sees the last frame instead.

    Parameters
    ----------
    frames : sequence of ndarray of uint8, [height, width, 3]
    alt : str
        What the animation shows, in words.
    caption : str
    **options
        Of `gif_bytes`.

    Returns
    -------
    Html
    """
    gif = _data_uri(gif_bytes(frames, **options), "image/gif")
    still = _data_uri(_webp(_in_one_palette(frames)[-1]), "image/webp")
    return Html(
        '<figure class="align-default" style="text-align: center">\n<picture>\n'
        f'<source media="(prefers-reduced-motion: reduce)" srcset="{still}">\n'
        f'<img src="{gif}" alt="{html.escape(alt)}" style="max-width: 100%">\n'
        f"</picture>\n<figcaption>{html.escape(caption)}</figcaption>\n</figure>",
        f"Animation: {alt}",
    )


def player(frames, labels, alt, caption, name="frame", start=0):
    """Show frames with a slider to drag through them; works with mouse, finger and keyboard.

    Parameters
    ----------
    frames : sequence of ndarray of uint8, [height, width, 3]
    labels : sequence of str
        What each frame is, for example "epoch 200".
    alt : str
        What the frames show; each frame's own text is this and its label.
    caption : str
    name : str
        What the slider moves along, for those who hear the page instead of seeing it.
    start : int
        The frame to show first.

    Returns
    -------
    Html

    Raises
    ------
    ValueError
        If there are no frames, they differ in size, or there are not as many labels.
    """
    images = _in_one_palette(frames)
    if len(labels) != len(images):
        raise ValueError(f"labels must be one per frame; got {len(labels)} for {len(images)}.")
    start = range(len(images))[start]
    lines = []
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        source, hidden = _data_uri(_webp(image), "image/webp"), "" if i == start else " hidden"
        text, label = html.escape(f"{alt}: {label}"), html.escape(label)
        lines.append(
            f'<img src="{source}" alt="{text}" data-label="{label}" '
            f'style="max-width: 100%; margin: 0 auto"{hidden}>'
        )
    # Only one frame is shown. The theme gives images a display of their own, which would win
    # over the `hidden` attribute, so that the handler sets the display as well.
    handler = (
        "const i = +this.value, box = this.closest('figure'); "
        "box.querySelectorAll('img').forEach((frame, k) => { frame.hidden = k !== i; "
        "if (k === i) { box.querySelector('output').value = frame.dataset.label; "
        "this.setAttribute('aria-valuetext', frame.dataset.label); } });"
    )
    first = html.escape(labels[start])
    return Html(
        '<figure class="align-default player" style="text-align: center">\n'
        "<style>.player img[hidden] { display: none !important; }</style>\n"
        + "\n".join(lines)
        + '\n<div style="display: flex; gap: 1em; align-items: center; max-width: 36em; '
        'margin: 0.5em auto">\n'
        f'<input type="range" min="0" max="{len(images) - 1}" value="{start}" step="1" '
        f'aria-label="{html.escape(name)}" aria-valuetext="{first}" autocomplete="off" '
        f'style="flex: 1; height: 2em" oninput="{html.escape(handler)}">\n'
        f'<output style="min-width: 7em; text-align: left">{first}</output>\n</div>\n'
        f"<figcaption>{html.escape(caption)}</figcaption>\n</figure>",
        f"Frames to drag through: {alt}",
    )


def _in_one_palette(frames, colours=64):
    """Return frames as PIL images that share a palette, chosen all along the animation."""
    images = [Image.fromarray(np.asarray(frame, dtype=np.uint8)) for frame in frames]
    if not images:
        raise ValueError("frames must hold at least one frame.")
    sizes = {image.size for image in images}
    if len(sizes) > 1:
        raise ValueError(f"frames must be of one size; got {sorted(sizes)}.")
    (width, height), *_ = sizes
    sample = np.linspace(0, len(images) - 1, 8).round().astype(int)
    strip = Image.new("RGB", (width, height * len(sample)))
    for row, i in enumerate(sample):
        strip.paste(images[i], (0, row * height))
    palette = strip.quantize(colors=colours, method=Image.Quantize.MEDIANCUT)
    # Median cut averages nearly white with white; paper must stay white beside the page's.
    levels = np.array(palette.getpalette()).reshape(-1, 3)
    levels[levels.min(axis=1) >= 247] = 255
    palette.putpalette(levels.ravel().tolist())
    return [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]


def _webp(image):
    """Encode without loss: for flat colours that is smaller than with loss, and sharp."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="WEBP", lossless=True, quality=75, method=4)
    return buffer.getvalue()


def _data_uri(content, kind):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
