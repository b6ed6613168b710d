"""Finding and naming the files of a source."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from reverbsynth.errors import DataError, ReverbSynthError, SettingsError
from reverbsynth.files.reading import reading, sha256, user_path

#: Of sounds that libsndfile reads.
SUFFIXES: tuple[str, ...] = (".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".aif", ".aiff")
SUFFIXES += (".aifc", ".ogg", ".oga", ".opus", ".mp3", ".caf", ".au", ".snd")
LARGEST_HASHED = 256 * 2**20  # Bytes that are read only to see whether a file changed.


def required(path: Path | None, expected: str) -> Path:
    """The path of a source; an error where it is unset or missing."""
    if path is None:
        raise SettingsError(f"setting data.source.path: not set, expected {expected}")
    path = user_path(Path(path))
    if not path.exists():
        raise DataError(f"{path}: not found, expected {expected}")
    return path


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, or only its size where the file is very large."""
    try:
        size = path.stat().st_size
        return sha256(path) if size <= LARGEST_HASHED else f"{size} bytes"
    except (OSError, ReverbSynthError):
        return "unreadable"


def plain_name(name: str) -> str:
    """A file's name in Unicode's normal form C; bytes that are no UTF-8 are escaped."""
    return unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "backslashreplace"))


def visible_files(folder: Path, reject: list[tuple[str, str]]) -> dict[str, Path]:
    """The files below a folder, also through links, by name; hidden ones are no input.

    Names are relative, with slashes, as `plain_name` has them. What cannot be read is added to
    ``reject``, with the reason.
    """
    found: dict[str, Path] = {}
    seen: set[str] = set()

    def name_of(path: str | Path) -> str:
        return plain_name(Path(path).relative_to(folder).as_posix())

    def unreadable(error: OSError) -> None:
        reason = f"{error.filename}: cannot be read ({error.strerror})"
        reject.append((name_of(error.filename), reason))

    for parent, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = sorted(name for name in folders if name[0] != "." and real not in seen)
        for path in sorted(Path(parent, file) for file in files if file[0] != "."):
            if real in seen:  # A link that leads back here.
                break
            name = name_of(path)
            if not os.path.exists(path):
                reject.append((name, f"{path}: is a link to a file that is not there"))
            elif name in found:
                reject.append((name, f"{path}: has the name of {found[name]} in Unicode's form C"))
            else:
                found[name] = path
        seen.add(real)
    return dict(sorted(found.items()))


def json_pairs(file: IO[bytes], name: str) -> Iterator[tuple[str, Any]]:
    """The keys and values of a JSON file that holds one mapping, one at a time."""
    pair = None
    try:
        with reading(name):
            for pair in ijson.kvitems(file, "", use_float=True):
                yield pair
    except (ijson.JSONError, ValueError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{name}: not valid JSON ({reason})") from None
    if pair is None:
        raise DataError(f"{name}: holds no notes, expected a mapping of their ids")
