"""Find or make: what was made once is found again, as long as nothing that decides it changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def load_or_make(
    path: Path,
    key: Any,
    load: Callable[[Path], tuple[T, Any]],
    make: Callable[[], T],
) -> T:
    """What lies at a path if it was made with the same key; else it is made now.

    Parameters
    ----------
    path : path
    key : JSON value
        All that decides the result: what was asked for, of which data, by which code
        (`reverbsynth.provenance.code_hash`).
    load : callable
        Reads the path: the thing, and the key that it was made with.
    make : callable
        Makes the thing and writes it, with the key, to the path.
    """
    if path.exists():
        found, stored = load(path)
        if stored == key:
            return found
    return make()
