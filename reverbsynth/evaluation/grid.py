"""A grid of notes: the same pitch with many timbres, the same timbre at many pitches."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reverbsynth.audio.spectrum import mel_levels
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.clips import Clips, playable
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.seeds import generator


@dataclass(frozen=True)
class Grid:
    """Notes in rows of one timbre and columns of one pitch.

    Attributes
    ----------
    clips
        The notes, row after row.
    timbres, pitches
        Number of rows and columns; 0 where there is no grid.
    """

    clips: Clips
    timbres: int
    pitches: int

    @cached_property
    def levels(self) -> np.ndarray:
        """Levels in mel bands [shape=(timbres, pitches, frames, bands)]."""
        levels = mel_levels(self.clips.waves)
        return levels.reshape(self.timbres, self.pitches, *levels.shape[1:])

    def each(self, function: Callable[[np.ndarray], float]) -> np.ndarray:
        """A number of each wave [shape=(timbres, pitches)]."""
        values = np.array([function(wave) for wave in self.clips.waves], float)
        return values.reshape(self.timbres, self.pitches)


def real_grid(clips: Clips, timbres: int, pitches: int) -> Grid:
    """A grid of real notes, whose timbres are an instrument with an effect each.

    Parameters
    ----------
    clips : Clips
        Notes to choose from.
    timbres, pitches : int
        At most so many rows and columns. Fewer where not every timbre has every pitch.
    """
    places: dict[tuple, dict[int, int]] = {}
    for place, key in enumerate(zip(clips.instrument, clips.effect, strict=True)):
        places.setdefault(key, {}).setdefault(int(clips.pitch[place]), place)
    fullest = sorted(places.values(), key=len, reverse=True)
    for count in range(min(timbres, len(fullest)), 1, -1):
        rows = fullest[:count]
        shared = sorted(set.intersection(*(set(row) for row in rows)))
        if len(shared) >= 2:
            columns = spaced(shared, pitches)
            chosen = [row[pitch] for row in rows for pitch in columns]
            return Grid(clips.where(np.array(chosen)), count, len(columns))
    return Grid(clips.where(np.empty(0, int)), 0, 0)


def generated_grid(
    instrument: Instrument, data: DataSet, timbres: int, pitches: list[int], seed: int = 0
) -> Grid:
    """A grid of generated notes, whose timbres are latent vectors.

    Labels other than pitch belong to the timbre; they are drawn from the data set's training notes.

    Parameters
    ----------
    timbres : int
    pitches : list of int
    """
    rng = generator(seed, "evaluation", "grid")
    latents = rng.standard_normal((timbres, instrument.gan.latent_size), np.float32)
    rows = playable(instrument, data)
    drawn = [rows[place] for place in rng.integers(len(rows), size=timbres)]
    names = [name for name in instrument.labels if name != "pitch"]
    labels = {name: [row[name] for row in drawn for _ in pitches] for name in names}
    asked = pitches * timbres
    waves = instrument.notes(asked, z=latents.repeat(len(pitches), axis=0), **labels)
    return Grid(Clips.asked(waves, asked, labels), timbres, len(pitches))


def spaced(values: list[int], count: int) -> list[int]:
    """At most `count` of the values, evenly spaced."""
    places = np.linspace(0, len(values) - 1, min(count, len(values)))
    return [values[place] for place in np.unique(np.rint(places).astype(int))]
