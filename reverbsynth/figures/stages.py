"""Figures 1 to 16: real and generated notes of the later stages."""

import numpy as np
from IPython.display import Markdown

from reverbsynth.figures.captions import Captioned, show
from reverbsynth.figures.spectrograms import image_row, magnitude_limits
from reverbsynth.figures.style import note_name
from reverbsynth.gan.stages import is_transition, stage_resolution
from reverbsynth.players import Sound
from reverbsynth.runs import Run, Samples
from reverbsynth.spectra import Representation

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
        self._limits = magnitude_limits(run.samples().real) if run.stages else None

    def show(self, number: int, stage: int, what: str, channel: str) -> Captioned | Markdown:
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
            return Markdown(f"This run has no stage {stage}; figure {number} is left out.")
        samples = self._of(stage)
        images = getattr(samples, what)[: self.notes]
        names = [self._name(samples, place) for place in range(len(images))]
        frames, bins = stage_resolution(stage)
        kind = "blending in " if is_transition(stage) else ""
        waves = self._representation.decode_all(np.ascontiguousarray(images))
        return show(
            image_row(
                images, names, channel, self.run.settings.spectra.representation, self._limits
            ),
            f"**Figure {number}. Stage {stage}, {what} notes**, {_SHOWN[channel]} "
            f"({kind}{frames}×{bins}).",
            self.run,
            f"figure-{number:02d}",
            alt=f"The {_SHOWN[channel]} of {len(images)} {what} notes at stage {stage}: "
            + ", ".join(names)
            + ".",
            sounds=[Sound(name, wave) for name, wave in zip(names, waves, strict=True)],
            sounds_name=f"stage-{stage:02d}-{what}",
        )

    def _of(self, stage: int) -> Samples:
        if stage not in self._samples:
            self._samples[stage] = self.run.samples(stage)
        return self._samples[stage]

    @staticmethod
    def _name(samples: Samples, place: int) -> str:
        others = [values[place] for label, values in samples.labels.items() if label != "pitch"]
        return ", ".join([note_name(int(samples.pitch[place])), *map(str, others)])
