"""Chapter 6: real and generated notes of each stage (figures 1 to 16)."""

import numpy as np
from IPython.display import HTML

from reverbsynth.book.captions import Captioned, show
from reverbsynth.book.players import Sound, labelled
from reverbsynth.book.slides import Slide, show_slides
from reverbsynth.book.spectrograms import image_grid, magnitude_limits
from reverbsynth.book.style import note_name, stage_size
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run

_CHANNELS = {"magnitude": "log magnitude", "frequency": "instantaneous frequency"}


class StageNotes:
    """A few notes of a finished stage, with their names: images and sounds, real and generated."""

    def __init__(self, run: Run, stage: int, count: int):
        samples = run.samples(stage).subset(count)
        others = [values for label, values in samples.labels.items() if label != "pitch"]
        self.names = [
            ", ".join(map(str, [note_name(int(pitch)), *values]))
            for pitch, *values in zip(samples.pitch, *others, strict=True)
        ]
        self.images = {"real": samples.real, "generated": samples.generated}
        decode = Representation(run.settings.spectra).decode_all
        waves = {what: decode(np.ascontiguousarray(part)) for what, part in self.images.items()}
        self.sounds = {what: labelled(self.names, part) for what, part in waves.items()}


class StageFigures:
    """Figures of a run's stages, a few notes in each, with one scale of colours for all."""

    def __init__(self, run: Run, notes: int = 4):
        self.run = run
        self._kind = run.settings.spectra.representation
        self._stages = {stage: StageNotes(run, stage, notes) for stage in run.stages}
        self._limits = magnitude_limits(run.samples().real) if run.stages else (0.0, 0.0)

    def show(self, number: int, stage: int, what: str, channel: str) -> Captioned | HTML:
        """One figure of the paper, by its number, or a sentence where the run has no such stage.

        It shows a channel ("magnitude", "frequency") of ``"real"`` or ``"generated"`` notes.
        """
        if stage not in self._stages:
            return HTML(
                f'<p id="figure-{number:02d}">This run has no stage {stage}; figure {number} is '
                "left out.</p>"
            )
        notes, drawn = self._stages[stage], _CHANNELS[channel]
        return show(
            image_grid({"": notes.images[what]}, notes.names, self._kind, channel, self._limits),
            f"**Figure {number} (paper). Stage {stage}, {what} notes**, {drawn} "
            f"({stage_size(stage)}).",
            self.run,
            f"figure-{number:02d}",
            alt=f"The {drawn} of {what} notes at stage {stage}: {', '.join(notes.names)}.",
            sounds=notes.sounds[what],
            sounds_name=f"stage-{stage:02d}-{what}",
        )

    def slider(self, name: str) -> Captioned | HTML:
        """Every finished stage, real above generated, to go through with a slider."""
        if not self._stages:
            return HTML("<p>No stage of this run is finished.</p>")
        return show_slides(
            "slider",
            "Stage",
            [self._slide(stage) for stage in self._stages],
            "**From stage to stage**: log magnitude and sound of real notes at the stage's "
            "resolution (above, first row of players) and of generated notes (below).",
            self.run,
            name,
            start=len(self._stages) - 1,
            columns=len(self._stages[self.run.stages[-1]].names),
        )

    def _slide(self, stage: int) -> Slide:
        notes = self._stages[stage]
        figure = image_grid(notes.images, notes.names, self._kind, limits=self._limits)
        alt = f"Log magnitude at stage {stage}: real notes above, generated ones below."
        sounds = [
            Sound(f"{what}, {sound.label}", sound.audio)
            for what, several in notes.sounds.items()
            for sound in several
        ]
        return Slide(f"stage {stage}: {stage_size(stage)}", figure, alt, sounds)
