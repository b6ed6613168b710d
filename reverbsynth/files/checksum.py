"""The SHA-256 of a file."""

import hashlib
from pathlib import Path

from reverbsynth.errors import ReverbSynthError


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ReverbSynthError(f"{path}: cannot be read ({error.strerror or error})") from None
