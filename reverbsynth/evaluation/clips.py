"""The notes that are compared: held-out ones, the same through an image, generated ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import SILENCE, Note, swing
from reverbsynth.errors import DataError
from reverbsynth.evaluation.bootstrap import most_frequent
from reverbsynth.gan import schedule
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.seeds import generator
from reverbsynth.spectra.representation import Representation
from reverbsynth.spectra.scaling import downscale

_BATCH = 32
_LABELS = ("velocity", "effect", "instrument")  # those that notes can have beside the pitch


@dataclass(frozen=True)
class Clips:
    """Notes [shape=(n, 64000)] with names, source notes and labels; empty where not requested."""

    waves: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    effect: np.ndarray
    instrument: np.ndarray
    id: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(
        cls, data: DataSet, splits: Sequence[str], limit: int | None = None, seed: int = 0
    ) -> "Clips":
        """Read the notes of a data set's splits, at most `limit` of them, drawn by the seed.

        Source notes are drawn, each with all its twins; one at least.
        """
        rows = chain.from_iterable(map(data.index, splits))
        twins = Counter(row["origin"] for row in rows)
        order = generator(seed, "evaluation", *splits).permutation(len(twins))
        origins, counts = (np.array([*part], object)[order] for part in (twins, twins.values()))
        fits = counts.cumsum() <= (limit or np.inf)
        chosen = {*origins[fits], *origins[:1]}
        notes = chain.from_iterable(map(data.notes, splits))
        return cls.from_notes([note for note in notes if note.origin in chosen])

    @classmethod
    def from_notes(cls, notes: Sequence[Note]) -> "Clips":
        waves = np.array([note.audio for note in notes], np.float32).reshape(-1, NOTE_LENGTH)
        pitches = np.array([note.pitch for note in notes], int)
        names = (*_LABELS, "id", "origin")
        rows = [[getattr(note, name) for name in names] for note in notes]
        return cls(waves, pitches, *np.array(rows, object).reshape(-1, len(names)).T)

    @classmethod
    def generated(
        cls,
        instrument: Instrument,
        data: DataSet,
        count: int,
        seed: int = 0,
        keys: Sequence[int] | None = None,
    ) -> "Clips":
        """Generate notes with labels drawn from the data set's training notes (`draw_labels`).

        With ``keys`` their pitches are these, one after the other.
        """
        stream = "labels" if keys is None else "unrecorded"
        labels = draw_labels(instrument, data, count, generator(seed, "evaluation", stream))
        pitches = labels.pop("pitch")
        if keys is not None:
            pitches = np.resize(keys, count).tolist()
        return cls.played(instrument, pitches, labels, seed=seed)

    @classmethod
    def played(
        cls, instrument: Instrument, pitches: Sequence[int], labels: dict[str, Any], **timbres: Any
    ) -> "Clips":
        """Generate notes with latent vectors ``z`` or a ``seed``."""
        return cls.of_waves(instrument.notes(pitches, **timbres, **labels), pitches, labels)

    @classmethod
    def of_waves(cls, waves: np.ndarray, pitches: Sequence[int], labels: dict[str, Any]) -> "Clips":
        """Make clips of generated waves [shape=(n, 64000)] and the requested labels."""
        names = np.array([f"generated-{number:03d}" for number in range(len(waves))], object)
        blank = [""] * len(waves)
        chosen = {name: np.array(labels.get(name, blank), object) for name in _LABELS}
        return cls(waves, np.array(pitches, int), **chosen, id=names, origin=names)

    @classmethod
    def joined(cls, parts: Sequence["Clips"]) -> "Clips":
        columns = [[getattr(part, field.name) for part in parts] for field in fields(cls)]
        return cls(*map(np.concatenate, columns))

    def resynthesized(self, representation: Representation, stage: int) -> "Clips":
        """Return the same notes through images of a stage's resolution: any generator's ceiling."""
        factor = schedule.box_factor(schedule.blocks(stage))
        waves = np.empty_like(self.waves)
        for start in range(0, len(self), _BATCH):
            rows = slice(start, start + _BATCH)
            images = representation.encode_all(self.waves[rows])
            waves[rows] = representation.decode_all(downscale(images, factor))
        return replace(self, waves=waves)

    def __len__(self) -> int:
        return len(self.waves)

    def where(self, chosen: np.ndarray) -> "Clips":
        """Return the notes that a mask or indices choose."""
        return Clips(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def flaws(self) -> np.ndarray:
        """What keeps each note from being a sound: ``NaN``, ``silent``, or empty [shape=(n,)]."""
        finite = np.isfinite(self.waves).all(axis=1)
        audible = np.array([swing(np.nan_to_num(wave)) >= SILENCE for wave in self.waves], bool)
        return np.where(finite, np.where(audible, "", "silent"), "NaN")

    @property
    def missing_reason(self) -> str:
        """The most frequent flaw, if any."""
        return most_frequent(self.flaws.tolist())


def draw_labels(
    instrument: Instrument, data: DataSet, count: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Draw labels of training notes whose labels an instrument knows: by label, `count` values."""
    rows = [
        row
        for row in data.index("train")
        if all(row[name] in values for name, values in instrument.labels.items())
    ]
    if not rows:
        missing = f"found no note with labels of this instrument ({', '.join(instrument.labels)})"
        raise DataError(f"{data.directory}: {missing}, expected the data it was trained on")
    drawn = [rows[index] for index in rng.integers(len(rows), size=count)]
    return {name: [row[name] for row in drawn] for name in instrument.labels}
