"""A data set on disk: three TFRecord files and the manifest that describes them."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reverbsynth.data import tfrecord
from reverbsynth.data.notes import (
    METADATA,
    SPLITS,
    UNKNOWN_INSTRUMENT,
    UNKNOWN_VELOCITY,
    Note,
    audio_problem,
)
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.checksum import sha256

FORMAT = 1
MANIFEST = "manifest.json"


def record_name(split: str) -> str:
    """File name of a split's notes."""
    return f"{split}.tfrecord"


class DataSet:
    """Notes in three splits, with what is known of each.

    Everything but `notes` comes from the manifest alone. Open one with `DataSet.open`.

    Attributes
    ----------
    directory
        Where it is.
    manifest
        Settings, counts, SHA-256 of each file, versions, engines, skipped notes.
    splits
        ``("train", "valid", "test")``.
    """

    splits = SPLITS

    def __init__(self, directory: Path, manifest: dict[str, Any], index: dict[str, dict]):
        self.directory = directory
        self.manifest = manifest
        self._index = index

    @classmethod
    def open(cls, directory: Path | str) -> "DataSet":
        """The data set in ``directory``.

        Raises
        ------
        ReverbSynthError
            When there is none, or a file is missing, truncated or not what the manifest says.
        """
        directory = Path(directory)
        path = directory / MANIFEST
        manifest = _manifest(path)
        try:
            index = _expanded(manifest.pop("index"))
            for name, file in manifest["files"].items():
                _check_size(directory / name, file["bytes"])
            found = {split: len(index[split]["id"]) for split in SPLITS}
            if not isinstance(manifest["settings_hash"], str):
                raise TypeError
            if not all(isinstance(effect["name"], str) for effect in manifest["effects"]):
                raise TypeError
            if found != {s: manifest["files"][record_name(s)]["notes"] for s in SPLITS}:
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            raise ReverbSynthError(
                f"{path}: not a whole manifest; build the data set again"
            ) from None
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
        count = 0
        for note in read_notes(self.path(split)):
            count += 1
            yield note
        if count != self.count(split):
            raise ReverbSynthError(
                f"{self.path(split)}: found {count} notes, expected {self.count(split)}"
            )

    def index(self, split: str) -> list[dict[str, str | int]]:
        """Id, origin, pitch, velocity, instrument and effect of each note of a split."""
        columns = self._index[self._known(split)]
        return [
            dict(zip(METADATA, values, strict=True))
            for values in zip(*(columns[name] for name in METADATA), strict=True)
        ]

    def vocabulary(self, label: str) -> list[int] | list[str]:
        """The values a label can take, in the order of its one-hot block.

        ``pitch``: every MIDI pitch from the lowest to the highest of all splits. ``effect``: in the
        order of the settings. ``instrument``: by name.
        """
        if label == "effect":
            return [effect["name"] for effect in self.manifest["effects"]]
        if label not in ("pitch", "instrument"):
            raise ReverbSynthError(
                f"label {label!r}: no such label, expected pitch, effect or instrument"
            )
        found = {value for split in SPLITS for value in self._index[split][label]}
        return list(range(min(found), max(found) + 1)) if label == "pitch" else sorted(found)

    def histogram(self, label: str, split: str = "train") -> list[int]:
        """How many notes of a split have each value of `vocabulary`; fakes' labels follow it."""
        counts = Counter(self._index[self._known(split)][label])
        return [counts[value] for value in self.vocabulary(label)]

    def verify(self) -> None:
        """Compare the SHA-256 of every file with the manifest's.

        Raises
        ------
        ReverbSynthError
            For the first file that differs.
        """
        for name, file in self.manifest["files"].items():
            found = sha256(self.directory / name)
            if found != file["sha256"]:
                raise ReverbSynthError(
                    f"{self.directory / name}: found SHA-256 {found}, expected {file['sha256']}"
                )

    def _known(self, split: str) -> str:
        if split not in SPLITS:
            raise ReverbSynthError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
        return split


def encode_note(note: Note) -> bytes:
    """A note as one record of a TFRecord file.

    ``audio`` (64,000 floats) and ``pitch`` (one integer) are as the paper's reader declares them;
    id, origin, velocity, instrument and effect come beside them.
    """
    return tfrecord.frame(tfrecord.encode({"audio": note.audio, **note.metadata}))


def read_notes(path: Path | str) -> Iterator[Note]:
    """The notes of a TFRecord file, whether it holds all our features or only the paper's two.

    A note without an id is called after the file and its place in it.

    Raises
    ------
    ReverbSynthError
        At the first record that is broken or is not a usable note.
    """
    path = Path(path)
    for number, (offset, payload) in enumerate(tfrecord.read(path)):
        try:
            yield decode_note(payload, f"{path.stem}-{number:06d}")
        except ValueError as error:
            raise ReverbSynthError(f"{path}: record at byte {offset}: {error}") from None


def decode_note(payload: bytes, name: str) -> Note:
    """The note in a record's payload; ``name`` is its id where it has none.

    Raises
    ------
    ValueError
        When it is not a usable note.
    """
    features = tfrecord.decode(payload)
    audio = features.get("audio")
    if not isinstance(audio, np.ndarray):
        raise ValueError("audio is missing, expected 64000 floats")
    if problem := audio_problem(audio):
        raise ValueError(problem)
    pitch = integer(features, "pitch")
    if pitch is None:
        raise ValueError("pitch is missing, expected one integer")
    if not 0 <= pitch <= 127:
        raise ValueError(f"pitch is {pitch}, expected 0 to 127")
    velocity = integer(features, "velocity")
    return Note(
        id=text(features, "id") or name,
        audio=audio,
        pitch=pitch,
        velocity=UNKNOWN_VELOCITY if velocity is None else velocity,
        instrument=text(features, "instrument") or UNKNOWN_INSTRUMENT,
        effect=text(features, "effect") or "dry",
        origin=text(features, "origin") or "",
    )


def integer(features: Mapping[str, Any], name: str) -> int | None:
    """A feature of one integer, or None where there is no such feature."""
    return _one(features, name, int)


def text(features: Mapping[str, Any], name: str) -> str | None:
    """A feature of one byte string, as text, or None where there is no such feature."""
    value = _one(features, name, bytes)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8") from None


def compact(notes: list[dict[str, str | int]]) -> dict[str, Any]:
    """An index as columns; repeated names are stored once, as a place in ``names``."""
    columns: dict[str, Any] = {name: [note[name] for note in notes] for name in METADATA}
    for name in ("origin", "instrument", "effect"):
        names = list(dict.fromkeys(columns[name]))
        place = {value: number for number, value in enumerate(names)}
        columns[name] = {"names": names, "places": [place[value] for value in columns[name]]}
    return columns


def _one(features: Mapping[str, Any], name: str, kind: type) -> Any:
    values = features.get(name)
    if values is None:
        return None
    if len(values) != 1 or not isinstance(values[0], kind):
        expected = "integer" if kind is int else "string"
        raise ValueError(f"{name} holds {len(values)} values, expected one {expected}")
    return values[0]


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReverbSynthError(
            f"{path.parent}: holds no data set ({MANIFEST} is missing); "
            "`reverbsynth data` builds one"
        ) from None
    except OSError as error:
        raise ReverbSynthError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError):
        raise ReverbSynthError(f"{path}: not valid JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ReverbSynthError(f"{path}: not a manifest of format {FORMAT}")
    return manifest


def _expanded(index: dict[str, Any]) -> dict[str, dict[str, list]]:
    """The columns that `compact` made, spelled out."""
    expanded = {}
    for split in SPLITS:
        columns = dict(index[split])
        for name, column in columns.items():
            if isinstance(column, dict):
                columns[name] = [column["names"][place] for place in column["places"]]
        if len({len(columns[name]) for name in METADATA}) != 1:
            raise ValueError
        for name in METADATA:
            kind = int if name in ("pitch", "velocity") else str
            if not all(type(value) is kind for value in columns[name]):
                raise TypeError
        if not all(0 <= pitch <= 127 for pitch in columns["pitch"]):
            raise ValueError
        expanded[split] = columns
    return expanded


def _check_size(path: Path, expected: int) -> None:
    try:
        found = path.stat().st_size
    except OSError:
        raise ReverbSynthError(f"{path}: missing; build the data set again") from None
    if found != expected:
        raise ReverbSynthError(
            f"{path}: found {found} bytes, expected {expected}; build the data set again"
        )
