"""Figures 1 to 16: real and generated notes of the later stages."""

import numpy as np
from IPython.display import HTML

from reverbsynth.book.captions import Captioned, show
from reverbsynth.book.players import Sound
from reverbsynth.book.slides import Slide, show_slides
from reverbsynth.book.spectrograms import image_row, magnitude_limits, two_rows
from reverbsynth.book.style import note_name
from reverbsynth.gan.schedule import is_transition, stage_resolution
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run, Samples

_SHOWN = {"magnitude": "log magnitude", "frequency": "instantaneous frequency"}


class StageFigures:
    """Figures of a run's stages, with one scale of colours for all.

    Parameters
    ----------
    run : Run
    notes : int
        Notes in a figure.
    """

    def __init__(self, run: Run, notes: int = 4):
        self.run = run
        self.notes = notes
        self._representation = Representation(run.settings.spectra)
        self._samples: dict[int, Samples] = {}
        self._waves: dict[tuple[int, str], np.ndarray] = {}
        self._limits = magnitude_limits(run.samples().real) if run.stages else None

    def show(self, number: int, stage: int, what: str, channel: str) -> Captioned | HTML:
        """One figure with players under it, or a word where the run has no such stage.

        Parameters
        ----------
        number : int
            The figure's number in the paper.
        stage : int
        what : {"real", "generated"}
        channel : {"magnitude", "frequency"}
        """
        if stage not in self.run.stages:
            return HTML(
                f'<p id="figure-{number:02d}">This run has no stage {stage}; figure {number} is '
                "left out.</p>"
            )
        samples = self._of(stage)
        images = getattr(samples, what)
        names = [self._name(samples, place) for place in range(len(images))]
        waves = self._heard(stage, what)
        return show(
            image_row(
                images, names, channel, self.run.settings.spectra.representation, self._limits
            ),
            f"**Figure {number} (paper). Stage {stage}, {what} notes**, {_SHOWN[channel]} "
            f"({_size(stage)}).",
            self.run,
            f"figure-{number:02d}",
            alt=f"The {_SHOWN[channel]} of {len(images)} {what} notes at stage {stage}: "
            + ", ".join(names)
            + ".",
            sounds=[Sound(name, wave) for name, wave in zip(names, waves, strict=True)],
            sounds_name=f"stage-{stage:02d}-{what}",
        )

    def slider(self, name: str) -> Captioned | HTML:
        """Every finished stage, real above generated, to go through with a slider."""
        if not self.run.stages:
            return HTML("<p>No stage of this run is finished.</p>")
        return show_slides(
            "slider",
            "Stage",
            [self._slide(stage) for stage in self.run.stages],
            "**From stage to stage**: log magnitude and sound of real notes at the stage's "
            "resolution (above, first row of players) and of generated notes (below).",
            self.run,
            name,
            start=len(self.run.stages) - 1,
            columns=len(self._of(self.run.stages[-1]).real),
        )

    def _slide(self, stage: int) -> Slide:
        samples = self._of(stage)
        count = len(samples.real)
        names = [self._name(samples, place) for place in range(count)]
        sounds = [
            Sound(f"{what}, {name}", wave)
            for what in ("real", "generated")
            for name, wave in zip(names, self._heard(stage, what), strict=True)
        ]
        kind = self.run.settings.spectra.representation
        rows = {"real": samples.real, "generated": samples.generated}
        figure = two_rows(rows, names, kind, self._limits)
        alt = f"Log magnitude at stage {stage}: {count} real notes above, generated ones below."
        return Slide(f"stage {stage}: {_size(stage)}", figure, alt, sounds)

    def _heard(self, stage: int, what: str) -> np.ndarray:
        """Waves of the shown notes [shape=(notes, 64000)]."""
        if (stage, what) not in self._waves:
            images = getattr(self._of(stage), what)
            waves = self._representation.decode_all(np.ascontiguousarray(images))
            self._waves[stage, what] = waves
        return self._waves[stage, what]

    def _of(self, stage: int) -> Samples:
        if stage not in self._samples:
            self._samples[stage] = self.run.samples(stage).subset(self.notes)
        return self._samples[stage]

    @staticmethod
    def _name(samples: Samples, place: int) -> str:
        others = [values[place] for label, values in samples.labels.items() if label != "pitch"]
        return ", ".join([note_name(int(samples.pitch[place])), *map(str, others)])


def _size(stage: int) -> str:
    frames, bins = stage_resolution(stage)
    return f"{'blending in ' if is_transition(stage) else ''}{frames}×{bins}"
