"""Pictures and sounds to go through on the spot: a stage slider, a dry/wet toggle.

``slides.js``, which the book loads, shows one at a time; where no script runs all stand in a row.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, Origin, Source, picture
from reverbsynth.book.players import Players, Sound, labelled
from reverbsynth.book.spectrograms import image_grid, magnitude_limits


class Slide(NamedTuple):
    """One position of a control. A player that sounds when the position changes goes on at the
    same place of the other slide.
    """

    label: str
    figure: Figure
    alt: str
    sounds: Sequence[Sound] = ()


def show_slides(
    kind: Literal["slider", "toggle"],
    what: str,
    slides: Sequence[Slide],
    caption: str,
    source: Source,
    name: str,
    start: int = 0,
    columns: int | None = None,
) -> Captioned:
    """Slides with one caption: a slider for what has an order, buttons for a few of a kind.

    ``what`` names what the control chooses ("Stage"), and ``start`` is its position at first.
    """
    origin, parts = Origin.of(source), []
    for number, slide in enumerate(slides):
        label, files = html.escape(slide.label), f"{name}-{number:02d}"
        shown = picture(slide.figure, files, f"{caption} {slide.label}", origin, slide.alt)
        shown += Players(files, slide.sounds, columns).data
        parts.append(
            f'<div class="rs-slide" data-label="{label}">'
            f'<p class="rs-slide-label">{label}</p>{shown}</div>'
        )
    content = (
        f'<div class="rs-slides" data-kind="{kind}" data-what="{html.escape(what)}" '
        f'data-start="{start}">{"".join(parts)}</div>'
    )
    return Captioned(content, caption, origin, name)


def image_slides(
    images: Mapping[str, np.ndarray],
    waves: Mapping[str, np.ndarray],
    names: Sequence[str],
    representation: str,
) -> list[Slide]:
    """A slide for each label: magnitudes of the same notes [shape=(notes, 128, 1024, 2)], which
    have ``names``, and their samples [shape=(notes, 64000)].
    """
    slides = []
    limits = magnitude_limits(np.concatenate(list(images.values())))
    for label, several in images.items():
        figure = image_grid({"": several}, names, representation, limits=limits, height=2.8)
        sounds = labelled([f"{name}, {label}" for name in names], waves[label])
        alt = f"Log magnitude of {', '.join(names)}, {label}."
        slides.append(Slide(label, figure, alt, sounds))
    return slides
