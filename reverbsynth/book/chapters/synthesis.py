"""Chapter 7: playing the instrument."""

from collections.abc import Sequence

from IPython.display import Markdown

from reverbsynth.book.captions import Captioned
from reverbsynth.book.slides import effect_toggle
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.midi import Rendering, render
from reverbsynth.instrument.midi_file import MidiNote
from reverbsynth.training.run import Run


def generated_toggle(
    instrument: Instrument, pitches: Sequence[int], seed: int, run: Run, name: str
) -> Captioned | Markdown:
    """A toggle between the effects of an instrument with one timbre; a sentence where it has no
    label for the effect.
    """
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
    return effect_toggle(images, waves, pitches, kind, caption, run, name)


def by_effect(instrument: Instrument, notes: Sequence[MidiNote], seed: int) -> dict[str, Rendering]:
    """A piece with each effect of an instrument; once, where it has no label for the effect."""
    effects = instrument.labels.get("effect")
    if not effects:
        return {"bass line": render(instrument, notes, seed=seed)}
    return {
        f"bass line, {effect}": render(instrument, notes, seed=seed, effect=effect)
        for effect in effects
    }
