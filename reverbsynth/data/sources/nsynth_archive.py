"""NSynth's ``.tar.gz`` archives, read in one pass without unpacking them.

The archive is decompressed once, from its start to its end, in constant memory. Only the wanted
notes are kept, in one file of the work folder; nothing is ever written under a member's name.
"""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from reverbsynth.audio.io import read_nsynth_wav
from reverbsynth.data import tfrecord
from reverbsynth.data.notes import Rejected
from reverbsynth.data.sources.files import fingerprint, json_pairs
from reverbsynth.data.sources.nsynth_metadata import (
    Description,
    Selection,
    from_features,
    from_json,
    from_name,
)
from reverbsynth.errors import ReverbSynthError
from reverbsynth.progress import progress

KEPT = "kept.bin"
"""File of the work folder with the wanted notes, one after another."""

LARGEST_NOTE = 4 * 2**20
"""Bytes. A note's WAV file takes 128,044."""

LARGEST_HEADER = 2**16
"""Bytes of the longest name or other header that tar may put before a member."""

BUFFER = 2**20
Where = tuple[str | int, ...]


class Archive:
    """A ``.tar.gz`` or ``.tar`` of a split: its JSON and WAV files, or its TFRecord file."""

    def __init__(self, path: Path):
        self.path = path

    def inputs(self) -> dict[str, str]:
        return {self.path.name: fingerprint(self.path)}

    def found(
        self, work: Path, selection: Selection, reject: Rejected
    ) -> Iterator[tuple[Description, Where]]:
        """Every wanted note, kept in ``work``.

        ``examples.json`` may come before the notes or after them. Until it comes, a note's name
        decides whether it is kept.
        """
        described: dict[tuple[str, str], Description] = {}
        kept: dict[tuple[str, str], Where] = {}
        listed: set[str] = set()
        with open(work / KEPT, "wb") as store:
            for path, member, file in self._members(reject):
                place = f"{self.path}: member {member.name}"
                if path.name == "examples.json":
                    root = str(path.parent)
                    listed.add(root)
                    described |= self._described(file, place, root, selection, reject)
                elif path.suffix == ".wav":
                    key = (str(path.parent.parent), path.stem)
                    told = from_name(path.stem)
                    if key[0] in listed and key not in described:
                        continue
                    if told is not None and not selection.may_want(told):
                        continue
                    if member.size > LARGEST_NOTE:
                        reject(place, f"{place}: found {member.size} bytes, expected a note")
                    elif key in kept:
                        reject(place, f"{place}: occurs more than once")
                    else:
                        kept[key] = ("wav", path.stem, store.tell(), member.size)
                        store.write(file.read())
                elif ".tfrecord" in path.name:
                    yield from self._records(file, place, path, selection, reject, store)
        if kept and not listed:
            raise ReverbSynthError(f"{self.path}: holds WAV files, but no examples.json")
        for key, description in sorted(described.items()):
            if key in kept:
                yield description, kept[key]
            else:
                place = f"{self.path}: note {description.id}"
                reject(description.id, f"{place}: is in examples.json, but has no WAV file")

    def audio(self, where: Where, work: Path) -> np.ndarray:
        kind, name, offset, size = where
        with open(work / KEPT, "rb") as store:
            store.seek(int(offset))
            content = store.read(int(size))
        if kind == "wav":
            return read_nsynth_wav(content, f"{self.path}: note {name}")
        audio = tfrecord.decode(content).get("audio")
        if not isinstance(audio, np.ndarray):
            raise ReverbSynthError(f"{self.path}: note {name}: audio is missing")
        return audio

    def _members(
        self, reject: Rejected
    ) -> Iterator[tuple[PurePosixPath, tarfile.TarInfo, BinaryIO]]:
        """The archive's files, in order, with their content to be read at once."""
        try:
            with open(self.path, "rb") as raw, progress(in_bytes=True) as display:
                task = display.add_task("reading", total=self.path.stat().st_size)
                zipped = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                content = gzip.GzipFile(fileobj=raw) if zipped else raw
                with tarfile.open(
                    fileobj=content, mode="r|", bufsize=BUFFER, tarinfo=_Member
                ) as archive:
                    for member in archive:
                        # In a stream the list of past members only grows.
                        archive.members = []
                        display.update(task, completed=raw.tell())
                        if (file := self._usable(archive, member, reject)) is not None:
                            yield PurePosixPath(member.name), member, file
                # What follows the last member holds gzip's checksum of the whole.
                while content.read(BUFFER):
                    display.update(task, completed=raw.tell())
        except (EOFError, tarfile.ReadError, gzip.BadGzipFile, zlib.error, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ReverbSynthError(
                f"{self.path}: truncated or damaged archive ({reason})"
            ) from None
        except OSError as error:
            raise ReverbSynthError(
                f"{error.filename or self.path}: cannot be read ({error.strerror or error})"
            ) from None

    def _usable(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, reject: Rejected
    ) -> BinaryIO | None:
        path = PurePosixPath(member.name)
        place = f"{self.path}: member {member.name!r}"
        if path.is_absolute() or ".." in path.parts:
            reject(place, f"{place}: climbs out of the folder")
        elif not (member.isfile() or member.isdir()):
            reject(place, f"{place}: is a link or a device, expected a file")
        elif member.isfile():
            return archive.extractfile(member)
        return None

    def _described(
        self, file: BinaryIO, place: str, root: str, selection: Selection, reject: Rejected
    ) -> dict[tuple[str, str], Description]:
        """The wanted notes of an ``examples.json``."""
        described: dict[tuple[str, str], Description] = {}
        for name, values in json_pairs(file, place):
            note = f"{place}: note {name}"
            try:
                found = from_json(name, values)
            except ValueError as error:
                reject(name, f"{note}: {error}")
                continue
            if not selection.wants(found, note):
                continue
            if (root, name) in described:
                reject(name, f"{note}: occurs more than once")
            described[root, name] = found
        return described

    def _records(
        self,
        file: BinaryIO,
        place: str,
        path: PurePosixPath,
        selection: Selection,
        reject: Rejected,
        store: BinaryIO,
    ) -> Iterator[tuple[Description, Where]]:
        stem = path.name.split(".tfrecord")[0]
        for number, (offset, payload) in enumerate(tfrecord.read_stream(file, place)):
            try:
                found = from_features(tfrecord.decode(payload), f"{stem}-{number:06d}")
            except ValueError as error:
                record = f"{place}: record at byte {offset}"
                reject(record, f"{record}: {error}")
                continue
            if selection.wants(found, f"{place}: note {found.id}"):
                yield found, ("record", found.id, store.tell(), len(payload))
                store.write(payload)


class _Member(tarfile.TarInfo):
    """A member whose headers are not believed to be huge: tarfile reads them into memory."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        member = super().frombuf(buf, encoding, errors)
        if member.type in _HEADERS and member.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {member.size} bytes")
        return member


_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
