"""NSynth's ``.tar.gz`` and other tar archives, read in one pass without unpacking them.

Only the wanted notes are kept, in one file of the work folder: nothing is ever written under a
member's name.
"""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from reverbsynth.audio.io import read_nsynth_wav
from reverbsynth.data import tfrecord
from reverbsynth.data.notes import Locator, Rejected
from reverbsynth.data.sources.files import fingerprint
from reverbsynth.data.sources.nsynth_metadata import (
    Description,
    Found,
    Selection,
    described_json,
    described_records,
    from_name,
)
from reverbsynth.errors import DataError
from reverbsynth.progress import ProgressDisplay

KEPT = "kept.bin"  # File of the work folder with the wanted notes, one after another.
LARGEST_NOTE = 4 * 2**20  # Bytes. A note's WAV file takes 128,044.
LARGEST_HEADER = 2**16  # Bytes of the longest name or other header before a member.
BUFFER = 2**20
_OPEN: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
_DAMAGED = (EOFError, tarfile.ReadError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, ValueError)
_HEADERS = (b"L", b"K", b"x", b"g", b"X")  # Types of GNU's long names and of pax headers.


class Archive:
    """A tar file of a split, compressed or not: its JSON and WAV files, or its TFRecord file."""

    def __init__(self, path: Path):
        self.path = path

    def inputs(self) -> dict[str, str]:
        return {self.path.name: fingerprint(self.path)}

    def find(self, work: Path, selection: Selection, reject: Rejected) -> Found:
        """Every wanted note, kept in ``work``; until ``examples.json`` comes, its name decides."""
        described: dict[tuple[str, str], Description] = {}
        kept: dict[tuple[str, str], Locator] = {}
        listed: set[str] = set()
        with open(work / KEPT, "wb") as store:
            for path, size, file in self._members(reject):
                place = f"{self.path}: member {path}"
                if path.name == "examples.json":
                    root = str(path.parent)
                    listed.add(root)
                    for note in described_json(file, place, reject):
                        if selection.wants(note, f"{place}: note {note.id}"):
                            if (root, note.id) in described:
                                reject(note.id, f"{place}: note {note.id}: occurs more than once")
                            described[root, note.id] = note
                elif path.suffix == ".wav":
                    key = (str(path.parent.parent), path.stem)
                    named = from_name(path.stem)
                    undescribed = key[0] in listed and key not in described
                    if undescribed or (named and not selection.wants(named)):
                        continue
                    if size > LARGEST_NOTE:
                        reject(place, f"{place}: found {size} bytes, expected a note")
                    elif key in kept:
                        reject(place, f"{place}: occurs more than once")
                    else:
                        kept[key] = ("wav", path.stem, store.tell(), size)
                        store.write(file.read())
                elif ".tfrecord" in path.name:
                    records = tfrecord.read_stream(file, place)
                    for _, payload, note in described_records(records, place, path.name, reject):
                        if selection.wants(note, f"{place}: note {note.id}"):
                            yield note, ("record", note.id, store.tell(), len(payload))
                            store.write(payload)
        if kept and not listed:
            raise DataError(f"{self.path}: holds WAV files, but no examples.json")
        for key, note in sorted(described.items()):
            if key in kept:
                yield note, kept[key]
            else:
                found = f"note {note.id}: is in examples.json, but has no WAV file"
                reject(note.id, f"{self.path}: {found}")

    def audio(self, locator: Locator, work: Path) -> np.ndarray:
        kind, name, offset, size = locator
        with open(work / KEPT, "rb") as store:
            store.seek(int(offset))
            content = store.read(int(size))
        if kind == "wav":
            return read_nsynth_wav(content, f"{self.path}: note {name}")
        return tfrecord.floats(tfrecord.decode(content), "audio")

    def _members(self, reject: Rejected) -> Iterator[tuple[PurePosixPath, int, IO[bytes]]]:
        """The archive's files, in order: path, size in bytes and content, to be read at once."""
        try:
            with open(self.path, "rb") as raw, ProgressDisplay(in_bytes=True) as display:
                task = display.add_task("reading", total=self.path.stat().st_size)
                packed = _OPEN.get(raw.read(2))
                raw.seek(0)
                content = packed(raw) if packed else raw
                with tarfile.open(
                    fileobj=content, mode="r|", bufsize=BUFFER, tarinfo=_Member
                ) as archive:
                    for member in archive:
                        # In a stream the list of past members only grows.
                        archive.members = []  # type: ignore[attr-defined]
                        display.update(task, completed=raw.tell())
                        if self._is_file(member, reject) and (file := archive.extractfile(member)):
                            yield PurePosixPath(member.name), member.size, file
                # What follows the last member holds the checksum of the whole.
                while content.read(BUFFER):
                    display.update(task, completed=raw.tell())
        except _DAMAGED as error:
            reason = " ".join(str(error).split())
            raise DataError(f"{self.path}: truncated or damaged archive ({reason})") from None
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror or error})") from None

    def _is_file(self, member: tarfile.TarInfo, reject: Rejected) -> bool:
        """Whether a member is a file of the folder; what might do harm is rejected."""
        path = PurePosixPath(member.name)
        place = f"{self.path}: member {member.name!r}"
        if path.is_absolute() or ".." in path.parts:
            reject(place, f"{place}: climbs out of the folder")
            return False
        if not (member.isfile() or member.isdir()):
            reject(place, f"{place}: is a link or a device, expected a file")
        return member.isfile() and not path.name.startswith(".")


class _Member(tarfile.TarInfo):
    """A member whose headers are not believed to be huge: tarfile reads them into memory."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        member = super().frombuf(buf, encoding, errors)
        if member.type in _HEADERS and member.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {member.size} bytes")
        return member
