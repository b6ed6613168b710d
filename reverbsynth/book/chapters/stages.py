"""Chapter 6: real and generated notes of each stage (figures 1 to 16)."""

from itertools import product

import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, show
from reverbsynth.book.players import Sound, labelled
from reverbsynth.book.slides import Slide, show_slides
from reverbsynth.book.spectrograms import image_grid, magnitude_limits
from reverbsynth.book.style import note_name, stage_size
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run

_COLUMNS = 4  # pictures in a row: two pairs
_KINDS = ("real", "generated")
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
        self.waves = {kind: decode(np.ascontiguousarray(self.images[kind])) for kind in _KINDS}


class StageFigures:
    """Figures of a run's stages, a few notes in each, with one scale of colours for all."""

    def __init__(self, run: Run, notes: int = 4):
        self.run = run
        self._kind = run.settings.spectra.representation
        self._stages = {stage: StageNotes(run, stage, notes) for stage in run.stages}
        self._limits = magnitude_limits(run.samples().real) if run.stages else (0.0, 0.0)

    def show(self, number: int | None, stage: int, channel: str) -> Captioned | HTML:
        """Two figures of the paper, this one and the next: real notes, generated ones beside them.

        They show a channel ("magnitude", "frequency"); a sentence where the run has no such stage.
        The paper has no figures, and so no ``number``, of stages beyond 8.
        """
        both = () if number is None else (number, number + 1)
        anchors = "".join(f'<span id="figure-{n:02d}"></span>' for n in both)
        figures = " and ".join(map(str, both))
        if stage not in self._stages:
            left_out = f"; figures {figures} are left out" if both else ""
            return HTML(f"{anchors}<p>This run has no stage {stage}{left_out}.</p>")
        drawn, (figure, sounds) = _CHANNELS[channel], self._side_by_side(stage, channel)
        shown = show(
            figure,
            f"**{f'Figures {figures} (paper). ' if both else ''}Stage {stage}**, {drawn} "
            f"({stage_size(stage)}): real notes, and beside each the generated note that was asked "
            "for with its labels.",
            self.run,
            f"figures-{number:02d}" if both else f"stage-{stage:02d}-{channel}",
            alt=f"The {drawn} of notes at stage {stage}, each real one beside a generated one: "
            f"{', '.join(self._stages[stage].names)}.",
            sounds=sounds,
            sounds_name=f"stage-{stage:02d}",
            columns=_COLUMNS,
        )
        return HTML(anchors + shown.data)

    def slider(self, name: str) -> Captioned | HTML:
        """Every finished stage, real above generated, to go through with a slider."""
        if not self._stages:
            return HTML("<p>No stage of this run is finished.</p>")
        return show_slides(
            "slider",
            "Stage",
            [self._slide(stage) for stage in self._stages],
            "**From stage to stage**: log magnitude and sound of real notes at the stage's "
            "resolution, and beside each the generated note with its labels.",
            self.run,
            name,
            start=len(self._stages) - 1,
            columns=_COLUMNS,
        )

    def _slide(self, stage: int) -> Slide:
        figure, sounds = self._side_by_side(stage, "magnitude")
        alt = f"Log magnitude at stage {stage}: each real note beside a generated one."
        return Slide(f"stage {stage}: {stage_size(stage)}", figure, alt, sounds)

    def _side_by_side(self, stage: int, channel: str) -> tuple[Figure, list[Sound]]:
        """Real and generated notes by turns, two pairs in a row, and their sounds."""
        notes = self._stages[stage]
        pairs = list(product(range(len(notes.names)), _KINDS))
        images = np.stack([notes.images[kind][note] for note, kind in pairs])
        rows = {
            " " * start: images[start : start + _COLUMNS]
            for start in range(0, len(images), _COLUMNS)
        }
        titles = [notes.names[note] if kind == "real" else kind for note, kind in pairs]
        figure = image_grid(rows, titles, self._kind, channel, self._limits, 1.9 * len(rows) + 0.6)
        waves = [notes.waves[kind][note] for note, kind in pairs]
        return figure, labelled([f"{kind}, {notes.names[note]}" for note, kind in pairs], waves)
