"""Writing files so that a reader never sees half of one.

Everything the package writes goes to a temporary name in the same folder first and is renamed at
the end: an interruption or a full disk leaves the old file, or none, and no temporary one.
"""

import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reverbsynth.errors import ReverbSynthError

_STALE = 3600  # Seconds for which no writer leaves its temporary file alone.


@contextmanager
def writing(path: Path | str) -> Iterator[None]:
    """Turn the system's refusal to write a file into an error of one line that names it."""
    try:
        yield
    except OSError as error:
        raise ReverbSynthError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it becomes ``path``, else it is removed.

    The temporary name keeps the suffix, by which some writers choose a format. The system's refusal
    to write is a `ReverbSynthError`.
    """
    path = Path(path)
    _check_name(path)
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _remove_stale(path)
            yield temporary
            if temporary.is_file():
                # The bytes must be on the disk before the new name is.
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            _remove(temporary)


def _remove_stale(path: Path) -> None:
    """Remove the temporary files of ``path`` that a killed process left an hour ago or earlier.

    Younger ones may be those of a process that is writing now.
    """
    name = re.compile(rf"\.{re.escape(path.stem)}\.[0-9a-f]{{8}}\.partial{re.escape(path.suffix)}")
    with suppress(OSError):
        for other in path.parent.iterdir():
            if name.fullmatch(other.name) and time.time() - other.stat().st_mtime > _STALE:
                other.unlink()  # not a folder, whose own time says little of the files in it


def reserve(path: Path) -> None:
    """Give a file of holes its room on the disk, where the system can: writing to a memory map of
    it on a full disk would end the process.
    """
    with path.open("r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def check_file(path: Path | str) -> None:
    """Raise now for a path that cannot be written as a file, before long work begins."""
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
            _remove(path)


def put_back(folder: Path, old: Path) -> None:
    """Bring a folder back that was moved to ``old``, where nothing has taken its place; else remove
    what is there.
    """
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
    else:
        with suppress(OSError):  # It may not be there, or stay at ``old`` until the next time.
            os.replace(old, folder)


def replace_folder(folder: Path, new: Path) -> None:
    """Put ``new`` in the place of a folder, which a failure leaves as it was; one that was killed
    is made good the next time.
    """
    old = folder.with_name(f".{folder.name}.old")
    put_back(folder, old)
    try:
        if folder.exists():
            os.replace(folder, old)
        os.replace(new, folder)
    finally:
        put_back(folder, old)


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


def _remove(path: Path) -> None:
    """Remove a file or a folder, where it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
