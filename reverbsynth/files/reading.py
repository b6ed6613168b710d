"""Reading files: why the system refuses is told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reverbsynth.errors import DataError


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Turn the system's refusal to read a file into a `DataError` that names it."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None


def user_path(path: Path) -> Path:
    """A path whose ``~`` is the home directory; a name that only begins with it stays."""
    return path.expanduser() if path.parts[:1] == ("~",) else path
