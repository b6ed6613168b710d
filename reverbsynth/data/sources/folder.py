"""Notes from any folder of sound files."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.audio.io import read_sound
from reverbsynth.audio.pitch import estimated_pitch, pitch_of_name
from reverbsynth.data.dataset import MANIFEST, note_files
from reverbsynth.data.notes import UNKNOWN_VELOCITY, Index, Note, NoteRef, Rejected, draw, usable
from reverbsynth.data.sources.files import fingerprint, listing_fingerprint, required
from reverbsynth.errors import DataError
from reverbsynth.files.reading import reading
from reverbsynth.progress import ProgressDisplay
from reverbsynth.settings import FolderSource

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".oga")
COLUMNS = ("file", "pitch", "velocity", "instrument")  #: Of a table; the first two are needed.
LARGEST_TABLE = 64 * 2**20  #: Bytes.


class Folder:
    """The sounds of a folder and its subfolders, cropped or padded to 4 s.

    A sound's pitch comes from a table beside them (CSV with a header, or JSON), else from its file
    name, else it is estimated. Its instrument is the table's, else the name of its subfolder.
    """

    def __init__(self, settings: FolderSource, seed: int):
        self.settings = settings
        self.seed = seed
        kinds = ", ".join(SUFFIXES[:-1])
        self.path = required(settings.path, f"a folder of {kinds}")
        if not self.path.is_dir():
            raise DataError(f"{self.path}: is a file, expected a folder of sounds")
        self.files = {path.relative_to(self.path).as_posix(): path for path in _sounds(self.path)}
        if not self.files:
            raise DataError(f"{self.path}: holds no sounds, expected {kinds}")
        self.table = self._table()

    def inputs(self) -> dict[str, str]:
        """Fingerprints of the list of files, and of the table."""
        inputs = {self.path.name: listing_fingerprint(self.path, list(self.files.values()))}
        if self.table is not None:
            inputs[self.table.name] = fingerprint(self.table)
        return inputs

    def index(self, work: Path, reject: Rejected) -> Index:
        """The sounds whose pitch is known and wanted; the report says where each is from."""
        rows = {} if self.table is None else read_table(self.table)
        for name in rows.keys() - self.files.keys():
            reject(name, f"{self.table}: file {name}: not found in {self.path}")
        low, high = self.settings.pitches or (0, 127)
        entries, pitches = [], {}
        with ProgressDisplay() as display:
            for name, file in display.track(self.files.items(), description="pitches"):
                row = rows.get(name, {})
                try:
                    pitch, origin, confidence = self._pitch(name, row)
                except DataError as error:
                    reject(name, str(error))
                    continue
                if low <= pitch <= high:
                    pitches[name] = {"pitch_from": origin, "confidence": confidence}
                    velocity = row.get("velocity", UNKNOWN_VELOCITY)
                    # Sounds beside the table, not below it, are of the folder's own name.
                    folder = file.parent.relative_to(self.path).as_posix().removeprefix(".")
                    instrument = row.get("instrument") or folder or self.path.resolve().name
                    entries.append(NoteRef(name, pitch, velocity, instrument, (str(file),)))
        if not entries and not reject.notes:
            raise DataError(
                f"{self.path}: no sound has a pitch from {low} to {high} (data.source.pitches)"
            )
        entries = draw(entries, self.settings.count, self.seed)
        return Index(entries, {"pitches": {entry.id: pitches[entry.id] for entry in entries}})

    def read(self, entries: Sequence[NoteRef], work: Path, reject: Rejected) -> Iterator[Note]:
        """The sounds of ``entries`` as notes, in their order."""

        def padded(entry: NoteRef) -> np.ndarray:
            audio = read_sound(Path(str(entry.locator[0])))
            return np.pad(audio, (0, NOTE_LENGTH - len(audio)))

        return usable(entries, padded, self.path, reject)

    def _table(self) -> Path | None:
        """The path of the table to use, if any."""
        if self.settings.pitch_from not in ("auto", "table"):
            return None
        if self.settings.table is not None:
            return required(self.settings.table, "a CSV or JSON table")
        tables = sorted(
            path
            for path in self.path.iterdir()
            if path.suffix.lower() in (".csv", ".json")
            and not (path.name == MANIFEST and note_files(self.path))  # Of a data set.
        )
        if len(tables) > 1:
            raise DataError(
                f"{self.path}: holds {len(tables)} tables ({tables[0].name}, {tables[1].name}, …), "
                "expected one, or its path as data.source.table"
            )
        if not tables and self.settings.pitch_from == "table":
            raise DataError(f"{self.path}: holds no .csv or .json table of pitches")
        return tables[0] if tables else None

    def _pitch(self, name: str, row: Mapping[str, Any]) -> tuple[int, str, float | None]:
        """The pitch of a sound, where it is from, and the confidence of an estimate."""
        wanted, file = self.settings.pitch_from, self.files[name]
        if wanted in ("auto", "table") and "pitch" in row:
            return row["pitch"], "table", None
        if wanted == "table":
            raise DataError(f"{self.table}: tells no pitch for {name}")
        named = pitch_of_name(file.stem)
        if wanted in ("auto", "name") and named is not None:
            return named, "name", None
        if wanted == "name":
            raise DataError(
                f"{file}: its name tells no one pitch, expected one as in bass_A1.wav, "
                "bass_midi33.wav or bass-033-100.wav"
            )
        pitch, confidence = estimated_pitch(read_sound(file))
        if pitch is None or confidence < self.settings.confidence:
            raise DataError(
                f"{file}: pitch estimated with confidence {confidence:.2f}, expected at least "
                f"{self.settings.confidence:g} (data.source.confidence)"
            )
        return pitch, "estimate", round(confidence, 4)


def read_table(path: Path) -> dict[str, dict[str, Any]]:
    """Read the rows of a CSV or JSON table, by file.

    A CSV has a header with ``file`` and ``pitch``, and perhaps ``velocity`` and ``instrument``.
    JSON is a list of such rows, or a mapping from file to pitch or to such a row. A `DataError`
    for anything else, a value out of range, or a file that occurs twice.
    """
    try:
        with reading(path):
            if path.stat().st_size > LARGEST_TABLE:
                raise DataError(f"{path}: longer than {LARGEST_TABLE} bytes")
            content = path.read_text(encoding="utf-8-sig")
        rows = _json_rows(content) if path.suffix.lower() == ".json" else _csv_rows(content)
    except (ValueError, csv.Error, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a table of pitches ({reason})") from None
    table: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, start=1):
        place = f"{path}: row {number}"
        name = row.get("file")
        if not isinstance(name, str) or not name:
            raise DataError(f"{place}: file is {name!r}, expected a name")
        name = name.replace("\\", "/").removeprefix("./")
        if name in table:
            raise DataError(f"{place}: file {name} occurs more than once")
        table[name] = {
            "pitch": _midi(row.get("pitch"), "pitch", place),
            "velocity": _midi(row.get("velocity") or UNKNOWN_VELOCITY, "velocity", place),
            "instrument": str(row.get("instrument") or ""),
        }
    return table


def _csv_rows(content: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(content.splitlines())
    header = [name.strip().lower() for name in reader.fieldnames or ()]
    if not {"file", "pitch"} <= set(header):
        raise ValueError(f"its header is {','.join(header)[:80]!r}, expected file,pitch")
    reader.fieldnames = header
    return [{name: (row.get(name) or "").strip() for name in COLUMNS} for row in reader]


def _json_rows(content: str) -> list[dict[str, Any]]:
    rows = json.loads(content)
    if isinstance(rows, dict):
        rows = [
            {**value, "file": name} if isinstance(value, dict) else {"file": name, "pitch": value}
            for name, value in rows.items()
        ]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("expected a list of rows, or a mapping from file to pitch")
    return rows


def _midi(value: Any, what: str, place: str) -> int:
    """A MIDI number; a pitch may also be given by name."""
    number = value
    if isinstance(value, str):
        number = pitch_of_name(value) if what == "pitch" or value.isdigit() else None
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 127:
        raise DataError(f"{place}: {what} is {value!r}, expected 0 to 127")
    return number


def _sounds(folder: Path) -> list[Path]:
    """The sound files below a folder, hidden ones and linked folders left out, in order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.name.lower().endswith(SUFFIXES)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
