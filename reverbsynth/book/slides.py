"""Pictures and sounds to go through on the spot: a stage slider, a dry/wet toggle.

The page holds every picture. ``slides.js``, which the book loads, shows one at a time and adds a
control; where no script runs (a notebook, a reader without JavaScript) all stand in a row.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from IPython.display import Markdown
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, Origin, picture
from reverbsynth.book.players import Players, Sound
from reverbsynth.book.spectrograms import image_row, magnitude_limits
from reverbsynth.book.style import note_name
from reverbsynth.book.workspace import Workspace
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run


@dataclass(frozen=True)
class Slide:
    """One position of a control.

    Attributes
    ----------
    label
        For people: "stage 5: 16×128".
    figure, alt
        The picture, and what one who cannot see it should know.
    sounds
        Under the picture. The same place in two slides is the same sound to compare: a player that
        sounds when the position changes goes on there.
    sounds_name
        Names their files, where other figures have them too; empty: the slide's own.
    """

    label: str
    figure: Figure
    alt: str
    sounds: Sequence[Sound] = field(default_factory=list)
    sounds_name: str = ""


def show_slides(
    kind: Literal["slider", "toggle"],
    what: str,
    slides: Sequence[Slide],
    caption: str,
    source: Run | Workspace | Settings,
    name: str,
    start: int = 0,
    columns: int | None = None,
) -> Captioned:
    """Slides with one caption.

    Parameters
    ----------
    kind : {"slider", "toggle"}
        A slider for what has an order, buttons for a few of a kind.
    what : str
        What the control chooses: "Stage".
    slides : sequence of Slide
    caption, source, name
        As for `reverbsynth.book.captions.show`.
    start : int
        The position at first.
    columns : int, optional
        Players side by side; unset: all of a slide's.
    """
    origin = Origin.of(source)
    parts = []
    for number, slide in enumerate(slides):
        label = html.escape(slide.label)
        own = f"{name}-{number:02d}"
        shown = picture(slide.figure, own, f"{caption} {slide.label}", origin, slide.alt)
        if slide.sounds:
            players = Players(slide.sounds_name or own, slide.sounds, columns)
            shown += players._repr_html_()
        parts.append(
            f'<div class="rs-slide" data-label="{label}">'
            f'<p class="rs-slide-label">{label}</p>{shown}</div>'
        )
    content = (
        f'<div class="rs-slides" data-kind="{kind}" data-what="{html.escape(what)}" '
        f'data-start="{start}">{"".join(parts)}</div>'
    )
    return Captioned(content, caption, origin, name)


def twin_toggle(
    pairs: Sequence[dict], representation: Representation, source: Workspace, name: str
) -> Captioned:
    """A toggle between notes and their twins.

    Parameters
    ----------
    pairs : sequence of dict
        Source notes, each with its twins by effect, as `Workspace.twins` gives them.
    """
    effects = list(pairs[0])
    images = {
        effect: representation.encode_all(np.stack([pair[effect].audio for pair in pairs]))
        for effect in effects
    }
    waves = {effect: [pair[effect].audio for pair in pairs] for effect in effects}
    return _effect_toggle(
        images,
        waves,
        [pair[effects[0]].pitch for pair in pairs],
        representation.kind,
        "**A note and its twin, by turns.** Start a player, then switch: it goes on at the same "
        "moment of the other.",
        source,
        name,
    )


def generated_toggle(
    instrument: Instrument, pitches: Sequence[int], seed: int, source: Run, name: str
) -> Captioned | Markdown:
    """A toggle between the effects of an instrument, with the same timbres throughout; a sentence
    where it was not told of effects.
    """
    effects = instrument.labels.get("effect", [])
    if len(effects) < 2:
        return Markdown(
            "This instrument has no label for the effect: dry or wet cannot be asked for."
        )
    z = instrument.latents(1, seed)[0]
    return _effect_toggle(
        {effect: instrument.images(pitches, z, effect=effect) for effect in effects},
        {effect: list(instrument.notes(pitches, z, effect=effect)) for effect in effects},
        pitches,
        instrument.spectra.representation,
        "**The same generated notes, dry and with the effect**: one latent vector and the same "
        "pitches; only the label for the effect changes.",
        source,
        name,
    )


def _effect_toggle(
    images: dict[str, np.ndarray],
    waves: dict[str, Sequence[np.ndarray]],
    pitches: Sequence[int],
    kind: str,
    caption: str,
    source: Run | Workspace,
    name: str,
) -> Captioned:
    """Slides by effect with one scale of colours."""
    names = [note_name(pitch) for pitch in pitches]
    limits = magnitude_limits(np.concatenate(list(images.values())))
    slides = [
        Slide(
            effect,
            image_row(images[effect], names, "magnitude", kind, limits, height=2.8),
            f"Log magnitude of {len(names)} notes, {effect}: {', '.join(names)}.",
            [
                Sound(f"{note}, {effect}", wave)
                for note, wave in zip(names, waves[effect], strict=True)
            ],
        )
        for effect in images
    ]
    return show_slides("toggle", "Effect", slides, caption, source, name)
