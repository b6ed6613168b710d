"""A data set on disk: three TFRecord files and the manifest that describes them."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reverbsynth.data import tfrecord
from reverbsynth.data.notes import METADATA, SPLITS, UNKNOWN_VELOCITY, Note, audio_problem, listed
from reverbsynth.errors import DataError
from reverbsynth.files.reading import read_json

FORMAT = 1
MANIFEST = "manifest.json"
# Entries of every manifest, besides those that are checked in more detail.
_FACTS: dict[str, type] = {
    **{"settings_hash": str, "settings": dict, "seed": int, "commit": str},
    **{"inputs": dict, "report": dict, "skipped": list},
}
_KINDS = {name: int if name in ("pitch", "velocity") else str for name in METADATA}


def record_name(split: str) -> str:
    """File name of a split's notes."""
    return f"{split}.tfrecord"


def note_files(directory: Path) -> list[Path]:
    """The files of notes in a folder, of a whole data set or not."""
    return [path for split in SPLITS if (path := directory / record_name(split)).exists()]


class DataSet:
    """Notes in three splits; all but `notes` comes from the ``manifest`` alone.

    >>> data = DataSet.open("data")
    >>> note = next(data.notes("train"))
    >>> note.audio.shape
    (64000,)
    """

    splits = SPLITS

    def __init__(self, directory: Path, manifest: dict[str, Any], index: dict[str, dict]):
        self.directory, self.manifest, self._index = directory, manifest, index

    @classmethod
    def open(cls, directory: Path | str) -> "DataSet":
        """The data set in ``directory``, whose files have the sizes that the manifest says."""
        directory = Path(directory)
        path = directory / MANIFEST
        if not path.exists():
            missing = f"({MANIFEST} is missing); `reverbsynth data` builds one"
            raise DataError(f"{directory}: holds no data set {missing}")
        if (directory / "settings.yaml").exists() and not note_files(directory):
            raise DataError(f"{directory}: is a run, expected a data set")
        manifest = read_json(path, FORMAT, DataError)
        try:
            index = {split: _expanded(manifest["index"][split]) for split in SPLITS}
            sizes = {name: int(file["bytes"]) for name, file in manifest["files"].items()}
            _check(all(isinstance(manifest[name], kind) for name, kind in _FACTS.items()))
            _check(all(isinstance(effect["name"], str) for effect in manifest["effects"]))
            for split in SPLITS:
                file = manifest["files"][record_name(split)]
                _check(file["notes"] == len(index[split]["id"]) and len(file["sha256"]) == 64)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            raise DataError(f"{path}: not a whole manifest; build the data set again") from None
        del manifest["index"]
        for name, expected in sizes.items():
            path = directory / name
            known = f"found {path.stat().st_size} bytes" if os.path.isfile(path) else "missing"
            if known != f"found {expected} bytes":
                raise DataError(f"{path}: {known}, expected {expected} bytes; build it again")
        return cls(directory, manifest, index)

    @property
    def settings_hash(self) -> str:
        """Names the settings that decide the data (``data`` and ``seed``)."""
        return self.manifest["settings_hash"]

    @property
    def sha256(self) -> str:
        """SHA-256 over the files' own, in the order of the splits."""
        digests = [self.manifest["files"][record_name(split)]["sha256"] for split in SPLITS]
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def path(self, split: str) -> Path:
        """The TFRecord file of a split."""
        return self.directory / record_name(self._known(split))

    def count(self, split: str) -> int:
        """Number of notes in a split, twins counted."""
        return len(self._index[self._known(split)]["id"])

    def notes(self, split: str) -> Iterator[Note]:
        """The notes of a split, one after another, in the order of `index`."""
        path, count, expected = self.path(split), 0, self.count(split)
        for note in read_notes(path):
            count += 1
            yield note
        if count != expected:
            raise DataError(f"{path}: found {count} notes, expected {expected}")

    def index(self, split: str) -> list[dict[str, str | int]]:
        """Id, origin, pitch, velocity, instrument and effect of each note of a split."""
        columns = self._index[self._known(split)]
        rows = zip(*(columns[name] for name in METADATA), strict=True)
        return [dict(zip(METADATA, row, strict=True)) for row in rows]

    def keys(self, *splits: str) -> list[int]:
        """The MIDI pitches that have notes in any of the splits, in order."""
        return sorted({p for split in splits for p in self._index[self._known(split)]["pitch"]})

    def vocabulary(self, label: str) -> list[int] | list[str]:
        """The values a label can take in any split, in the order of its one-hot block.

        Pitches have no gaps, effects are in the order of the settings, and all notes must have
        velocities for that label.
        """
        if label == "effect":
            return [effect["name"] for effect in self.manifest["effects"]]
        if label not in ("pitch", "instrument", "velocity"):
            expected = "expected pitch, effect, velocity or instrument"
            raise DataError(f"label {label!r}: no such label, {expected}")
        values = {value for split in SPLITS for value in self._index[split][label]}
        if label == "velocity" and UNKNOWN_VELOCITY in values:
            notes = (note for split in SPLITS for note in self.index(split))
            unknown = [str(note["id"]) for note in notes if note["velocity"] == UNKNOWN_VELOCITY]
            found = f"{self.directory}: {len(unknown)} notes have no velocity"
            expected = f"expected one of each for label velocity: {listed(unknown, 3)}"
            raise DataError(f"{found}, {expected}")
        return list(range(min(values), max(values) + 1)) if label == "pitch" else sorted(values)

    def _known(self, split: str) -> str:
        if split not in SPLITS:
            raise DataError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
        return split


def encode_note(note: Note) -> bytes:
    """A note as a TFRecord; ``audio`` and ``pitch`` are as the paper's reader declares them."""
    return tfrecord.frame(tfrecord.encode({"audio": note.audio, **note.metadata}))


def read_notes(path: Path | str) -> Iterator[Note]:
    """The notes of a TFRecord file; one without an id is called after the file and its number."""
    path = Path(path)
    for number, (offset, payload) in enumerate(tfrecord.read(path)):
        try:
            yield decode_note(payload, f"{path.stem}-{number:06d}")
        except ValueError as error:
            raise DataError(f"{path}: record at byte {offset}: {error}") from None


def decode_note(payload: bytes, name: str) -> Note:
    """The note in a record's payload, called ``name`` where it has no id; else a ValueError."""
    features = tfrecord.decode(payload)
    audio = tfrecord.floats(features, "audio")
    if problem := audio_problem(audio):
        raise ValueError(problem)
    for key, kind in _KINDS.items():
        if type(features.get(key, kind())) is not kind:
            expected = "string" if kind is str else "integer"
            raise ValueError(f"{key} is {features[key]!r}, expected one {expected}")
    if not 0 <= (pitch := features.get("pitch", -1)) <= 127:
        known = f"is {pitch}" if "pitch" in features else "is missing"
        raise ValueError(f"pitch {known}, expected 0 to 127")
    told = {key: features[key] for key in _KINDS if features.get(key)}
    return Note(**{"id": name, **told, "pitch": pitch, "audio": audio})


def compact(notes: list[dict[str, str | int]]) -> dict[str, Any]:
    """An index as columns; repeated names are stored once, and then by their number."""
    columns: dict[str, Any] = {name: [note[name] for note in notes] for name in METADATA}
    for name in ("origin", "instrument", "effect"):
        names = list(dict.fromkeys(columns[name]))
        numbers = {value: number for number, value in enumerate(names)}
        columns[name] = {"names": names, "places": [numbers[value] for value in columns[name]]}
    return columns


def _expanded(columns: dict[str, Any]) -> dict[str, list]:
    """The columns of an index that `compact` made; one of several errors where they are not."""
    expanded = {}
    for name, column in columns.items():
        if isinstance(column, dict):
            column = [column["names"][number] for number in column["places"]]
        _check(all(type(value) is _KINDS[name] for value in column))
        expanded[name] = column
    _check(len({len(expanded[name]) for name in METADATA}) == 1)
    _check(all(0 <= pitch <= 127 for pitch in expanded["pitch"]))
    return expanded


def _check(as_expected: bool) -> None:
    if not as_expected:
        raise ValueError
