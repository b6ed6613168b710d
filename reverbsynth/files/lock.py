"""Folders in which one process at a time may work."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import writing

try:
    import fcntl
except ImportError:  # Windows has no such locks.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def exclusive_lock(
    folder: Path, doing: str, wait: bool = False, inherited: bool = False
) -> Iterator[None]:
    """Lock a folder, where the system has locks; it is made if it is not there.

    The lock is freed when the process ends; an ``inherited`` one, when those that it has started
    with ``close_fds=False`` have ended, too. ``doing`` is what a process that holds it does, for
    the message (``is being trained``). One that another process holds is an error, or waited for.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = f"{folder}: {doing} by another process"
            if not wait:
                raise ReverbSynthError(held) from None
            sys.stderr.write(f"{held}; waiting\n")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            pass  # A file system without locks, as some on networks.
        os.set_inheritable(descriptor, inherited)
        yield
    finally:
        os.close(descriptor)
