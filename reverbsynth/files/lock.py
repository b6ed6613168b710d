"""A folder that one process at a time may work in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reverbsynth.errors import ReverbSynthError

try:
    import fcntl
except ImportError:
    fcntl = None


@contextmanager
def exclusive_lock(folder: Path, doing: str, wait: bool = False) -> Iterator[None]:
    """Hold a folder that exists, where the system can do that; the end of the process frees it.

    Parameters
    ----------
    doing : str
        What another process may be found at, such as ``is being trained``.
    wait : bool
        Until the other process is done; else it is an error.
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
