"""Writing files so that a reader never sees half of one.

Everything the package writes goes to a temporary name in the same folder first and is renamed at
the end: an interruption or a full disk leaves the old file, or none, and no temporary one.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reverbsynth.errors import ReverbSynthError


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it becomes ``path``, else it is removed.

    The temporary name keeps the suffix, by which some writers choose a format.

    Raises
    ------
    ReverbSynthError
        When the system refuses the write (full disk, no permission, no such folder).
    """
    path = Path(path)
    _check_name(path)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if temporary.is_file():
            _flush(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise ReverbSynthError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def reserve(path: Path) -> None:
    """Give a file of holes its room on the disk, where the system can: writing to a memory map of
    it on a full disk would end the process.
    """
    with path.open("r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def check_file(path: Path | str) -> None:
    """Raise now for a path that cannot be written as a file, before long work begins.

    Raises
    ------
    ReverbSynthError
        For the path of a folder.
    """
    path = Path(path)
    _check_name(path)
    if path.is_dir():
        raise ReverbSynthError(f"{path}: is a folder, expected a file's name")


def is_partial(path: Path) -> bool:
    """Whether a path is a temporary one that a killed process left behind."""
    return path.name.startswith(".") and ".partial" in path.name


def remove_partial(folder: Path) -> None:
    """Remove the temporary paths in a folder; no other process may be writing there."""
    for path in list(folder.iterdir()) if folder.is_dir() else []:
        if is_partial(path):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path | str, value: Any) -> None:
    """Write ``value`` to ``path`` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def _check_name(path: Path) -> None:
    """Refuse paths such as ``.`` and ``..``, which name a folder that exists."""
    if path.name in ("", ".."):
        raise ReverbSynthError(f"{path}: cannot be written (expected a name)")


def _flush(path: Path) -> None:
    """Force the bytes to the disk, so that the rename never outlives the content."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
