"""Tables of sounds: which pitch, velocity and instrument each file has, in any common dialect."""

import csv
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from reverbsynth.audio.note_names import are_german, spelled_pitch
from reverbsynth.data.notes import UNKNOWN_VELOCITY, Rejected, listed
from reverbsynth.data.sources.files import SUFFIXES
from reverbsynth.errors import DataError
from reverbsynth.files.reading import reading

#: What the columns of a table may be called; the first two are needed.
COLUMNS = {
    "file": "file filename file_name path sample sound audio wav name",
    "pitch": "pitch midi midi_note midi_pitch note_number note key root_key root pitch_keycenter",
    "velocity": "velocity midi_velocity vel",
    "instrument": "instrument program preset",
}
LARGEST_TABLE = 64 * 2**20  #: Bytes.


def read_table(path: Path, reject: Rejected, middle_c: int = 4) -> dict[str, dict[str, Any] | None]:
    """Read the rows of a CSV or JSON table, by file; None where a row is wrong or not the only one.

    Those are rejected.

    A CSV, whatever separates its columns, has a header with `COLUMNS`. JSON is a list of such rows,
    or a mapping from file to pitch or to such a row.
    """
    try:
        with reading(path):
            if path.stat().st_size > LARGEST_TABLE:
                raise DataError(f"{path}: longer than {LARGEST_TABLE} bytes")
            content = _text(path.read_bytes())
        rows = _json_rows(content) if path.suffix.lower() == ".json" else _csv_rows(content)
    except (ValueError, csv.Error, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a table of pitches ({reason})") from None
    table: dict[str, dict[str, Any] | None] = {}
    named = [_named(row) for row in rows]
    german = are_german(str(row.get("pitch")) for row in named)
    for number, row in enumerate(named, start=1):
        name = row.get("file")
        try:
            if not isinstance(name, str) or not name:
                raise ValueError(f"file is {name!r}, expected a name")
            if name in table:
                raise ValueError(f"file {name} occurs more than once")
            table[name] = {
                "pitch": _midi(row.get("pitch"), "pitch", middle_c, german),
                "velocity": _midi(row.get("velocity") or UNKNOWN_VELOCITY, "velocity"),
                "instrument": str(row.get("instrument") or ""),
            }
        except ValueError as error:
            reject(str(name or f"row {number}"), f"{path}: row {number}: {error}")
            if name and isinstance(name, str):
                table[name] = None
    return table


def matched(rows: dict[str, Any], files: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Rows by the files that they mean in the first fitting one of `_forms`, and others' faults."""
    by_form: dict[tuple[int, str], list[str]] = defaultdict(list)
    for file in files:
        for form in enumerate(_forms(file)):
            by_form[form].append(file)
    found: dict[str, Any] = {}
    unmatched = {}
    fitting = {name: _fitting(name, by_form) for name in rows}
    # One that names a file's folder before one that does not.
    for name in sorted(rows, key=lambda name: fitting[name][0]):
        row, (_, meant) = rows[name], fitting[name]
        if len(meant) == 1 and meant[0] not in found:
            found[meant[0]] = row
        elif len(meant) == 1:
            unmatched[name] = f"another row is of {meant[0]} too"
        else:
            unmatched[name] = f"fits {listed(meant)}, not one file" if meant else "not found"
    return found, unmatched


def _fitting(name: str, by_form: dict[tuple[int, str], list[str]]) -> tuple[int, list[str]]:
    """The first form of a name that files have, and these; none of a folder other than its own."""
    own = PurePosixPath(_forms(name)[2]).parts
    for form in enumerate(_forms(name)):
        paths = {file: PurePosixPath(_forms(file)[2]).parts for file in by_form.get(form, ())}
        ends = [file for file, p in paths.items() if own[-len(p) :] == p or p[-len(own) :] == own]
        if ends:
            return form[0], ends
    return len(by_form), []


def _forms(name: str) -> tuple[str, ...]:
    """A name; it in lower case; that without suffix; and these two without their folder."""
    name = unicodedata.normalize("NFC", name.strip().replace("\\", "/")).removeprefix("./")
    path = PurePosixPath(name.casefold())
    bare = path.with_suffix("") if path.suffix in SUFFIXES else path
    return name, str(path), str(bare), path.name, bare.name


def _text(content: bytes) -> str:
    """Text as spreadsheets write it."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _csv_rows(content: str) -> list[dict[str, Any]]:
    lines = [line for line in content.splitlines() if line.strip()]
    if lines and lines[0].lower().startswith("sep="):
        del lines[0]
    header = lines[0] if lines else ""
    reader = csv.DictReader(lines, restval="", delimiter=max(",;\t|", key=header.count))
    if not {"file", "pitch"} <= set(_named(dict.fromkeys(reader.fieldnames or (), ""))):
        raise ValueError(f"its header is {header.lower()[:80]!r}, expected file,pitch")
    return list(reader)


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


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """A row by the names of `COLUMNS`, its texts without spaces around them."""
    plain = {(key or "").strip().lower().replace(" ", "_"): value for key, value in row.items()}
    named = {}
    for column, names in COLUMNS.items():
        value = next((plain[name] for name in names.split() if name in plain), None)
        if value is not None:
            named[column] = value.strip() if isinstance(value, str) else value
    return named


def _midi(value: Any, what: str, *naming: Any) -> int:
    """A MIDI number, or where ``naming`` is given the one that a note's name means."""
    number = value
    if isinstance(value, str):
        number = spelled_pitch(value, *naming) if naming else None
        if number is None and value.replace(",", ".").replace(".", "", 1).isdecimal():
            number = float(value.replace(",", "."))
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= 127:
        raise ValueError(f"{what} is {value!r}, expected 0 to 127")
    return number
