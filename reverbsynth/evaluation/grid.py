"""A grid of notes: the same pitch with many timbres, the same timbre at many pitches."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reverbsynth.audio.spectrum import mel_levels
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.clips import Clips, draw_labels
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.seeds import evenly_spaced, generator


@dataclass(frozen=True)
class Grid:
    """Notes, row after row: rows of one timbre and columns of one pitch; 0 for no grid."""

    clips: Clips
    timbres: int
    pitches: int

    @classmethod
    def empty(cls, clips: Clips) -> "Grid":
        """Return no grid, with none of the clips."""
        return cls(clips.where(np.empty(0, int)), 0, 0)

    @cached_property
    def levels(self) -> np.ndarray:
        """Levels in mel bands, in dB [shape=(timbres, pitches, frames, bands)]."""
        levels = mel_levels(self.clips.waves)
        return levels.reshape(self.timbres, self.pitches, *levels.shape[1:])


def real_grid(clips: Clips, timbres: int, pitches: int) -> Grid:
    """Choose real notes; a timbre is an instrument with an effect. Fewer where pitches differ."""
    indices: dict[tuple, dict[int, int]] = {}
    for index, timbre in enumerate(zip(clips.instrument, clips.effect, strict=True)):
        indices.setdefault(timbre, {}).setdefault(int(clips.pitch[index]), index)
    fullest = sorted(indices.values(), key=len, reverse=True)
    for count in range(min(timbres, len(fullest)), 1, -1):
        rows = fullest[:count]
        shared = sorted(set.intersection(*map(set, rows)))
        if len(shared) >= 2:
            columns = [shared[place] for place in evenly_spaced(len(shared), pitches)]
            chosen = [row[pitch] for row in rows for pitch in columns]
            return Grid(clips.where(np.array(chosen)), count, len(columns))
    return Grid.empty(clips)


def generated_grid(
    instrument: Instrument, data: DataSet, timbres: int, pitches: list[int], seed: int = 0
) -> Grid:
    """Generate a grid; a timbre is a latent vector with labels drawn from training notes."""
    rng = generator(seed, "evaluation", "grid")
    latents = rng.standard_normal((timbres, instrument.gan.latent_size), np.float32)
    drawn = draw_labels(instrument, data, timbres, rng)
    del drawn["pitch"]
    labels = {name: [value for value in drawn[name] for _ in pitches] for name in drawn}
    z = latents.repeat(len(pitches), axis=0)
    return Grid(Clips.played(instrument, pitches * timbres, labels, z=z), timbres, len(pitches))
