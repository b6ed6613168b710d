"""Pictures and sounds to go through on the spot: a stage slider, a dry/wet toggle.

The page holds every picture. ``slides.js``, which the book loads, shows one at a time and adds a
control; where no script runs (a notebook, a reader without JavaScript) all stand in a row.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, Origin, Source, picture
from reverbsynth.book.players import Players, Sound, labelled
from reverbsynth.book.spectrograms import image_grid, magnitude_limits
from reverbsynth.book.style import note_name


@dataclass(frozen=True)
class Slide:
    """One position of a control: its label, a picture with its alternative text, and sounds.

    Sounds at the same place of two slides are compared: a player that sounds when the position
    changes goes on in the other slide.
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

    ``what`` names what the control chooses ("Stage"), and ``start`` is its position at first; the
    rest is as for `reverbsynth.book.captions.show`.
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


def effect_toggle(
    images: Mapping[str, np.ndarray],
    waves: Mapping[str, np.ndarray],
    pitches: Sequence[int],
    kind: str,
    caption: str,
    source: Source,
    name: str,
) -> Captioned:
    """A toggle between the same notes with several effects.

    Images [shape=(notes, 128, 1024, 2)] of the representation ``kind``, and samples
    [shape=(notes, 64000)], are given by effect; the rest is as for `show_slides`.
    """
    slides = image_slides(images, waves, [note_name(pitch) for pitch in pitches], kind)
    return show_slides("toggle", "Effect", slides, caption, source, name)


def image_slides(
    images: Mapping[str, np.ndarray],
    waves: Mapping[str, np.ndarray],
    names: Sequence[str],
    kind: str,
) -> list[Slide]:
    """A slide for each label: magnitudes of the same few notes, by name, and their sounds."""
    limits = magnitude_limits(np.concatenate(list(images.values())))
    return [
        Slide(
            label,
            image_grid({"": images[label]}, names, kind, limits=limits, height=2.8),
            f"Log magnitude of {', '.join(names)}, {label}.",
            labelled([f"{name}, {label}" for name in names], waves[label]),
        )
        for label in images
    ]
