"""Reading files: why the system refuses is told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reverbsynth.errors import DataError, ReverbSynthError


@contextmanager
def reading(path: Path | str, error: type[ReverbSynthError] = DataError) -> Iterator[None]:
    """Turn the system's refusal to read a file into an ``error`` that names it."""
    try:
        yield
    except OSError as refusal:
        raise error(f"{path}: cannot be read ({refusal.strerror or refusal})") from None


def user_path(path: Path) -> Path:
    """A path whose ``~`` is the home directory; a name that only begins with it stays."""
    return path.expanduser() if path.parts[:1] == ("~",) else path
