"""A note, what makes one usable, and how notes are dealt into splits."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.errors import DataError, printable
from reverbsynth.seeds import generator

SPLITS = ("train", "valid", "test")

UNKNOWN_VELOCITY = 0
"""Velocity of a note whose source does not tell it."""

UNKNOWN_INSTRUMENT = "unknown"

SILENCE = 1e-4
"""A note whose `swing` is below this (-80 dB of full scale) counts as silent."""


@dataclass(frozen=True)
class Note:
    """One clip: a note as its source gave it, or a processed twin of such a note.

    Attributes
    ----------
    id
        Names the clip within its data set.
    audio
        float32 samples of shape (64000,) in [-1, 1], at 16 kHz.
    pitch
        MIDI pitch.
    velocity
        MIDI velocity, 0 where the source does not tell it.
    instrument
        Name of the instrument within the source.
    effect
        Label of the processing; ``"dry"`` is none.
    origin
        Id of the source note, shared by all its twins; unset, the note's own id.
    """

    id: str
    audio: np.ndarray
    pitch: int
    velocity: int = UNKNOWN_VELOCITY
    instrument: str = UNKNOWN_INSTRUMENT
    effect: str = "dry"
    origin: str = ""

    def __post_init__(self) -> None:
        if not self.origin:
            object.__setattr__(self, "origin", self.id)

    def twin(self, effect: str, audio: np.ndarray) -> "Note":
        """This note with an effect, whose output is ``audio``."""
        return replace(
            self, id=f"{self.id}/{effect}", audio=audio, effect=effect, origin=self.origin
        )

    @property
    def metadata(self) -> dict[str, str | int]:
        """Everything but the audio."""
        return {name: getattr(self, name) for name in METADATA}


METADATA = ("id", "origin", "pitch", "velocity", "instrument", "effect")
Locator = tuple[str | int, ...]


@dataclass(frozen=True)
class NoteRef:
    """A note that a source can read: what is known of it before its audio is.

    ``locator`` is whatever the source needs to find the audio again, as JSON values.
    """

    id: str
    pitch: int
    velocity: int
    instrument: str
    locator: Locator = ()

    def note(self, audio: np.ndarray) -> Note:
        """The note with its audio, float32 of shape (64000,)."""
        return Note(self.id, audio, self.pitch, self.velocity, self.instrument)


@dataclass(frozen=True)
class RejectedNote:
    """A note that cannot be used, and why: one line that names the file and the field."""

    name: str
    reason: str


class Rejected:
    """What happens to notes that cannot be used: they are listed, or the first is an error."""

    def __init__(self, skip: bool, notes: Iterable[RejectedNote] = ()):
        self.skip = skip
        self.notes = list(notes)

    def __call__(self, name: str, reason: str) -> None:
        """Reject the note called ``name``.

        Raises
        ------
        DataError
            With ``reason``, unless bad notes are to be skipped.
        """
        if not self.skip:
            raise DataError(reason)
        self.notes.append(RejectedNote(name, printable(reason)))


@dataclass(frozen=True)
class Index:
    """What a source offers: its usable notes, and what else it found out about them.

    ``report`` is for the manifest: JSON values. ``bad`` are the notes that were rejected meanwhile.
    """

    entries: list[NoteRef]
    report: dict[str, Any] = field(default_factory=dict)
    bad: list[RejectedNote] = field(default_factory=list)


def audio_problem(audio: np.ndarray) -> str | None:
    """What makes ``audio`` unusable as a note's samples, or None where nothing does."""
    if audio.shape != (NOTE_LENGTH,):
        return f"audio has shape {audio.shape}, expected ({NOTE_LENGTH},)"
    if not np.isfinite(audio).all():
        return "audio holds NaN or infinity"
    peak = float(np.abs(audio).max())
    if peak > 1:
        return f"audio peaks at {peak:.4g}, expected samples within [-1, 1]"
    if swing(audio) < SILENCE:
        return f"audio is silent (peak {peak:.2g})"
    return None


def swing(waves: np.ndarray) -> np.ndarray:
    """Largest distance of samples (last axis) from their mean: a constant is silence too."""
    return np.abs(waves - waves.mean(axis=-1, keepdims=True)).max(axis=-1)


def duplicates(ids: Sequence[str]) -> list[str]:
    """Ids that occur more than once, sorted."""
    return sorted(name for name, count in Counter(ids).items() if count > 1)


def draw(entries: Sequence[NoteRef], count: int | None, seed: int) -> list[NoteRef]:
    """At most ``count`` of the entries, drawn by ``seed``, in order of their ids."""
    entries = sorted(entries, key=lambda entry: entry.id)
    if count is None or count >= len(entries):
        return entries
    chosen = generator(seed, "count").choice(len(entries), count, replace=False)
    return [entries[place] for place in sorted(chosen)]


def assign_splits(
    ids: Sequence[str], shares: tuple[float, float, float], seed: int
) -> dict[str, str]:
    """Deal source notes into train, valid and test.

    A note's twins follow it, so no split ever hears a note that another one holds.

    Parameters
    ----------
    ids
        Ids of the source notes, each once; their order does not matter.
    shares
        Shares of the three splits, with a sum of 1. Every split with a share above 0 gets at
        least one note.
    seed
        Decides who goes where.

    Returns
    -------
    dict
        The split of each id.

    Raises
    ------
    DataError
        When there are fewer notes than splits to fill.
    """
    wanted = [split for split, share in zip(SPLITS, shares, strict=True) if share > 0]
    if len(ids) < len(wanted):
        raise DataError(
            f"data: found {len(ids)} notes, expected at least {len(wanted)} "
            f"(one for each of {', '.join(wanted)})"
        )
    edges = np.rint(np.cumsum(shares) * len(ids)).astype(int)
    counts = dict(zip(SPLITS, np.diff(edges, prepend=0).tolist(), strict=True))
    for split in wanted:
        if counts[split] == 0:
            counts[max(counts, key=counts.get)] -= 1
            counts[split] = 1
    ordered = sorted(ids)
    shuffled = [ordered[place] for place in generator(seed, "split").permutation(len(ids))]
    dealt = [split for split in SPLITS for _ in range(counts[split])]
    return dict(zip(shuffled, dealt, strict=True))
