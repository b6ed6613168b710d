"""The notes that are compared: held-out ones, the same through an image, generated ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import SILENCE, Note, swing
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.bootstrap import commonest
from reverbsynth.gan import schedule
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.seeds import generator
from reverbsynth.spectra.representation import Representation

SILENT, NAN = "silent", "NaN"
_AT_ONCE = 32


@dataclass(frozen=True)
class Clips:
    """Notes with what is known, or was asked, of each; arrays [shape=(n,)] but for the waves.

    Attributes
    ----------
    waves
        float32 [shape=(n, 64000)].
    pitch
        MIDI pitch, played or asked for.
    effect, instrument
        Labels; empty where none was asked for.
    id, origin
        Names of the clip and of its source note.
    """

    waves: np.ndarray
    pitch: np.ndarray
    effect: np.ndarray
    instrument: np.ndarray
    id: np.ndarray
    origin: np.ndarray

    @classmethod
    def of(
        cls, data: DataSet, splits: Sequence[str], limit: int | None = None, seed: int = 0
    ) -> "Clips":
        """Notes of a data set's splits; at most `limit` of them, drawn by the seed."""
        count = sum(data.count(split) for split in splits)
        kept = np.ones(count, bool)
        if limit is not None and count > limit:
            kept[:] = False
            kept[generator(seed, "evaluation", *splits).permutation(count)[:limit]] = True
        every = chain.from_iterable(data.notes(split) for split in splits)
        return cls.from_notes(list(compress(every, kept)))

    @classmethod
    def from_notes(cls, notes: Sequence[Note]) -> "Clips":
        """Notes in memory."""
        waves = [note.audio for note in notes]
        return cls(
            np.stack(waves) if waves else np.empty((0, NOTE_LENGTH), np.float32),
            np.array([note.pitch for note in notes], int),
            *(
                np.array([getattr(note, name) for note in notes], object)
                for name in ("effect", "instrument", "id", "origin")
            ),
        )

    @classmethod
    def generated(cls, instrument: Instrument, data: DataSet, count: int, seed: int = 0) -> "Clips":
        """Notes of an instrument, asked with labels drawn from the data set's training notes.

        See `playable` for what is raised.
        """
        rows = playable(instrument, data)
        rng = generator(seed, "evaluation", "labels")
        asked = [rows[place] for place in rng.integers(len(rows), size=count)]
        labels = {name: [row[name] for row in asked] for name in instrument.labels}
        pitches = labels.pop("pitch")
        waves = instrument.notes(pitches, seed=seed, **labels)
        return cls.asked(waves, pitches, labels)

    @classmethod
    def asked(cls, waves: np.ndarray, pitches: Sequence[int], labels: dict) -> "Clips":
        """Generated waves with what was asked for."""
        blank = np.full(len(waves), "", object)
        names = np.array([f"generated-{number:03d}" for number in range(len(waves))], object)
        effect = np.array(labels.get("effect", blank), object)
        instrument = np.array(labels.get("instrument", blank), object)
        return cls(waves, np.array(pitches, int), effect, instrument, names, names)

    def resynthesized(self, representation: Representation, stage: int) -> "Clips":
        """The same notes through an image at a stage's resolution: the ceiling of any generator.

        The image is box-scaled down to what the stage works at, and up again as a generated one.
        """
        factor = schedule.box_factor(schedule.blocks(stage))
        waves = [
            representation.decode_all(boxed(representation.encode_all(part), factor))
            for part in np.array_split(self.waves, max(len(self) // _AT_ONCE, 1))
            if len(part)
        ]
        return replace(self, waves=np.concatenate(waves) if waves else self.waves)

    def __len__(self) -> int:
        return len(self.waves)

    def where(self, mask: np.ndarray) -> "Clips":
        """Those notes that a mask or places choose."""
        chosen = {name: getattr(self, name)[mask] for name in self.__dataclass_fields__}
        return Clips(**chosen)

    @property
    def flaws(self) -> np.ndarray:
        """What makes a note no sound: ``NaN``, ``silent``, or empty [shape=(n,)]."""
        finite = np.isfinite(self.waves).all(axis=1)
        audible = swing(np.nan_to_num(self.waves)) >= SILENCE
        return np.where(finite, np.where(audible, "", SILENT), NAN)

    @property
    def word(self) -> str:
        """The most frequent flaw."""
        return commonest(self.flaws.tolist())


def playable(instrument: Instrument, data: DataSet) -> list[dict]:
    """Training notes of a data set whose labels an instrument knows, as `DataSet.index` has them.

    Raises
    ------
    ReverbSynthError
        When there is none.
    """
    rows = [
        row
        for row in data.index("train")
        if all(row[name] in values for name, values in instrument.labels.items())
    ]
    if not rows:
        raise ReverbSynthError(
            f"{data.directory}: found no note with labels of this instrument "
            f"({', '.join(instrument.labels)}), expected the data it was trained on"
        )
    return rows


def boxed(images: np.ndarray, factor: int) -> np.ndarray:
    """Images box-scaled down and up again by a factor a side [shape=(n, frames, bins, 2)]."""
    n, frames, bins, channels = images.shape
    small = images.reshape(n, frames // factor, factor, bins // factor, factor, channels)
    return small.mean(axis=(2, 4)).repeat(factor, axis=1).repeat(factor, axis=2)
