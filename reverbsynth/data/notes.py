"""Notes: what is known of one, what makes it usable, and how notes are assigned to splits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.errors import DataError, printable
from reverbsynth.seeds import generator
from reverbsynth.settings import DataSettings

SPLITS = ("train", "valid", "test")

UNKNOWN_VELOCITY, UNKNOWN_INSTRUMENT = 0, "unknown"  #: Where a note's source does not give them.
LOUDEST = 0.9  #: Peak of the loudest notes that a source makes; effects have the margin.
SILENCE = 1e-4  #: A note whose `swing` is below this (-80 dB of full scale) counts as silent.
METADATA = ("id", "origin", "pitch", "velocity", "instrument", "effect")
Locator = Sequence[str | int]


@dataclass(frozen=True)
class Note:
    """A note of a source or its twin; ``audio`` is float32 [shape=(64000,)] in [-1, 1] at 16 kHz.

    ``origin`` is the id of the source note, shared by its twins; by default the note's own.
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
        return replace(self, id=f"{self.id}/{effect}", audio=audio, effect=effect)

    @property
    def metadata(self) -> dict[str, str | int]:
        """Everything but the audio."""
        return {name: getattr(self, name) for name in METADATA}


@dataclass(frozen=True)
class NoteRef:
    """A note whose audio has not been read yet, and what its source needs to find it."""

    id: str
    pitch: int
    velocity: int
    instrument: str
    locator: Locator = ()

    def note(self, audio: np.ndarray) -> Note:
        """The note, with its audio."""
        return Note(self.id, audio, self.pitch, self.velocity, self.instrument)


class Rejected:
    """Collects unusable notes by ``name`` and ``reason``; the first is an error unless ``skip``."""

    def __init__(self, skip: bool):
        self.skip = skip
        self.notes: list[dict[str, str]] = []

    def __call__(self, name: str, reason: str) -> None:
        """Reject the note called ``name``."""
        if not self.skip:
            raise DataError(reason)
        self.notes.append({"name": name, "reason": printable(reason)})


@dataclass(frozen=True)
class Index:
    """The usable notes of a source, what the manifest reports of them, and lines for the user."""

    entries: list[NoteRef]
    report: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def listed(names: Sequence[str], most: int = 8) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return printable(", ".join(names[:most])) + more


def audio_problem(audio: np.ndarray) -> str | None:
    """Why samples cannot be those of a note, or None where they can."""
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


def usable(
    entries: Iterable[NoteRef],
    read_audio: Callable[[NoteRef], np.ndarray],
    source: Path,
    reject: Rejected,
) -> Iterator[Note]:
    """The notes of entries, in their order; those that cannot be read or used are rejected."""
    for entry in entries:
        try:
            audio = read_audio(entry)
            if problem := audio_problem(audio):
                raise ValueError(problem)
        except ValueError as error:
            reject(entry.id, f"{source}: note {entry.id}: {error}")
        except DataError as error:
            reject(entry.id, str(error))
        else:
            yield entry.note(audio)


def draw(
    entries: Sequence[NoteRef], count: int | None, seed: int, notices: list[str]
) -> list[NoteRef]:
    """At most ``count`` of the entries, drawn by the seed, in order of their ids, and a notice."""
    entries = sorted(entries, key=lambda entry: entry.id)
    if count is None or count >= len(entries):
        return entries
    notices.append(f"data.source.count: {count} of {len(entries)} notes were drawn")
    chosen = generator(seed, "count").choice(len(entries), count, replace=False)
    return [entries[number] for number in sorted(chosen)]


def split_notes(
    entries: Sequence[NoteRef],
    settings: DataSettings,
    seed: int,
    skipped: Sequence[dict[str, str]] = (),
) -> dict[str, str]:
    """The split of each note of a source, by id; an error of too few says what was ``skipped``.

    Of the keys that have notes, every ``settings.train_every``-th, from the lowest, has its notes
    in all splits. The notes of the others go to valid and test, in the proportion of their shares.
    """
    keys = sorted({entry.pitch for entry in entries})[:: settings.train_every]
    trained = [entry.id for entry in entries if entry.pitch in keys]
    held_out = [entry.id for entry in entries if entry.pitch not in keys]
    why = f"; {len(skipped)} left out, the first: {skipped[0]['reason']}" if skipped else ""
    splits = assign_splits(trained, settings.split, seed, why)
    if held_out:
        _, valid, test = settings.split
        shares = (0.0, valid / (valid + test), test / (valid + test))
        splits |= assign_splits(held_out, shares, seed)
    return splits


def assign_splits(
    ids: Sequence[str], shares: tuple[float, float, float], seed: int, why: str = ""
) -> dict[str, str]:
    """Assign source notes, by id, at random to train, valid and test, whatever their order.

    Every split with a share above 0 gets at least one note. A note's twins are in its split.
    """
    wanted = [split for split, share in zip(SPLITS, shares, strict=True) if share > 0]
    if len(ids) < len(wanted):
        expected = f"at least {len(wanted)} (one for each of {', '.join(wanted)})"
        raise DataError(f"data: found {len(ids)} notes, expected {expected}{why}")
    edges = np.rint(np.cumsum(shares) * len(ids)).astype(int)
    counts = dict(zip(SPLITS, np.diff(edges, prepend=0).tolist(), strict=True))
    for split in wanted:
        if counts[split] == 0:
            counts[max(counts, key=lambda split: counts[split])] -= 1
            counts[split] = 1
    ordered = sorted(ids)
    shuffled = [ordered[number] for number in generator(seed, "split").permutation(len(ids))]
    splits = [split for split in SPLITS for _ in range(counts[split])]
    return dict(zip(shuffled, splits, strict=True))
