"""Reading files: what the system refuses, or is no JSON, is told in one line."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reverbsynth.errors import DataError, ReverbSynthError


@contextmanager
def reading(path: Path | str, error: type[ReverbSynthError] = DataError) -> Iterator[None]:
    """Turn the system's refusal to read a file into an ``error`` that names it."""
    try:
        yield
    except OSError as refusal:
        raise error(f"{path}: cannot be read ({refusal.strerror or refusal})") from None


def read_json(
    path: Path | str,
    format: int | str | None = None,
    error: type[ReverbSynthError] = ReverbSynthError,
) -> dict[str, Any]:
    """Read a JSON object, whose entry ``format`` is the one given; raise ``error`` for others."""
    path = Path(path)
    try:
        with reading(path, error):
            document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise error(f"{path}: not valid JSON") from None
    if not isinstance(document, dict):
        raise error(f"{path}: found a JSON {type(document).__name__}, expected an object")
    if format is not None and (found := document.get("format")) != format:
        raise error(f"{path}: found format {found!r}, expected {format!r}")
    return document


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with reading(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def user_path(path: Path) -> Path:
    """A path whose ``~`` is the home directory; a name that only begins with it stays."""
    return path.expanduser() if path.parts[:1] == ("~",) else path
