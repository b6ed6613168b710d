"""Writing files so that a reader never sees half of one.

Everything the package writes goes to a temporary name in the same folder first and is renamed at
the end: an interruption or a full disk leaves the old file, or none, and no temporary one.
"""

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Any

from reverbsynth.errors import ReverbSynthError


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
            own = f".{escape(path.stem)}.????????.partial{escape(path.suffix)}"
            for left in path.parent.glob(own):  # by a process that was killed, or is writing now
                with suppress(OSError):
                    if time.time() - left.stat().st_mtime > 3600:
                        left.unlink()
            yield temporary
            if temporary.is_file():
                # The bytes must be on the disk before the new name is.
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            _remove(temporary)


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
    for path in list(folder.glob(".*.partial*")):
        _remove(path)


@contextmanager
def replacing(folder: Path) -> Iterator[None]:
    """Move a folder away while the block puts another in its place: if not, it comes back."""
    put_back(folder)
    with suppress(FileNotFoundError):
        os.replace(folder, folder.with_name(f".{folder.name}.old"))
    try:
        yield
    finally:
        put_back(folder)


def put_back(folder: Path) -> None:
    """Bring back a folder that `replacing` moved away, also in a process that was killed."""
    old = folder.with_name(f".{folder.name}.old")
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
    else:
        with suppress(OSError):  # It was not there, or stays away until the next time.
            os.replace(old, folder)


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
