"""Folders in which one process at a time may work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reverbsynth.errors import ReverbSynthError

try:
    import fcntl
except ImportError:  # Windows has no such locks.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def exclusive_lock(folder: Path, doing: str, wait: bool = False) -> Iterator[None]:
    """Lock an existing folder, where the system has locks; it is freed when the process ends.

    Parameters
    ----------
    folder : path
    doing : str
        What a process that holds the lock does, for the message: ``is being trained``.
    wait : bool
        Whether to wait until another process is done.

    Raises
    ------
    ReverbSynthError
        When another process holds the lock, unless ``wait``.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise ReverbSynthError(f"{folder}: {doing} by another process") from None
        except OSError:
            pass  # A file system without locks, as some on networks.
        yield
    finally:
        os.close(descriptor)
