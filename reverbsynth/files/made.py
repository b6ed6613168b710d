"""Results that are made once and found again, until something that decides them changes."""

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
    """The result stored at a path if it was made with the same key, else a new one.

    Parameters
    ----------
    path : path
    key : JSON value
        All that decides the result: the request, the data, and the code
        (`reverbsynth.provenance.code_hash`).
    load : callable
        Reads the result, and the key that it was made with, from the path.
    make : callable
        Makes the result and writes it, with the key, to the path.
    """
    if path.exists():
        result, stored_key = load(path)
        if stored_key == key:
            return result
    return make()
