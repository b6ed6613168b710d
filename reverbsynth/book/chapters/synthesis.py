"""Chapter 7: playing the instrument."""

from collections.abc import Sequence

from IPython.display import Markdown

from reverbsynth.book.captions import Captioned
from reverbsynth.book.slides import image_slides, show_slides
from reverbsynth.book.style import note_name
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.midi import Rendering, render
from reverbsynth.instrument.midi_file import MidiNote
from reverbsynth.training.run import Run


def generated_toggle(
    instrument: Instrument, pitches: Sequence[int], seed: int, run: Run, name: str
) -> Captioned | Markdown:
    """A toggle between the effects of one timbre; a sentence without a label for the effect."""
    effects = instrument.labels.get("effect", ())
    if len(effects) < 2:
        return Markdown("This instrument has no label for the effect: it cannot be asked for.")
    z, kind = instrument.latents(1, seed)[0], instrument.spectra.representation
    images = {effect: instrument.images(pitches, z, effect=effect) for effect in effects}
    waves = {effect: instrument.notes(pitches, z, effect=effect) for effect in effects}
    caption = (
        "**The same generated notes, dry and with the effect**: one latent vector and the same "
        "pitches; only the label for the effect changes."
    )
    slides = image_slides(images, waves, list(map(note_name, pitches)), kind)
    return show_slides("toggle", "Effect", slides, caption, run, name)


def by_effect(instrument: Instrument, notes: Sequence[MidiNote], seed: int) -> dict[str, Rendering]:
    """A piece with each effect of an instrument; once, where it has no label for the effect."""
    effects = instrument.labels.get("effect", ())
    asked = {f"bass line, {effect}": {"effect": effect} for effect in effects} or {"bass line": {}}
    return {name: render(instrument, notes, seed=seed, **labels) for name, labels in asked.items()}
