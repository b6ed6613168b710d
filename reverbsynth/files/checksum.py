"""The SHA-256 of a file."""

import hashlib
from pathlib import Path

from reverbsynth.files.reading import reading


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with reading(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
