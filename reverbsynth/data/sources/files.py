"""Finding and naming the files of a source."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import ijson

from reverbsynth.errors import DataError, SettingsError
from reverbsynth.files.checksum import sha256
from reverbsynth.files.reading import reading

LARGEST_HASHED = 256 * 2**20  # Bytes that are read only to see whether a file changed.


def required(path: Path | None, expected: str) -> Path:
    """The path of a source; an error where it is unset or missing."""
    if path is None:
        raise SettingsError(f"setting data.source.path: not set, expected {expected}")
    path = Path(path).expanduser()
    if not path.exists():
        raise DataError(f"{path}: not found, expected {expected}")
    return path


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, or only its size where the file is very large."""
    size = path.stat().st_size
    return sha256(path) if size <= LARGEST_HASHED else f"{size} bytes"


def listing_fingerprint(folder: Path, files: list[Path]) -> str:
    """SHA-256 of the names and sizes of files."""
    lines = (f"{file.relative_to(folder).as_posix()}\t{file.stat().st_size}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def json_pairs(file: IO[bytes], name: str) -> Iterator[tuple[str, Any]]:
    """The keys and values of a JSON file that holds one mapping, one at a time.

    A `DataError` where it is no such file, or an empty one.
    """
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
