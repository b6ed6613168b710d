"""The folder of an unfinished data set, from which an interrupted build goes on."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reverbsynth.data.dataset import MANIFEST, compact, record_name
from reverbsynth.data.notes import SPLITS, Rejected
from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.files.atomic import write_json, write_text
from reverbsynth.files.checksum import sha256
from reverbsynth.files.json import read_json
from reverbsynth.files.lock import exclusive_lock

WORK = ".build"  # Name of the folder, within the data set's.
REBUILD = "build it again with --rebuild (in Python rebuild=True)"


@contextmanager
def build_journal(
    directory: Path, identity: Mapping[str, Any], strict: bool, rebuild: bool
) -> Iterator["BuildJournal"]:
    """The journal of a data set, locked; an error leaves nothing but finished chunks.

    A failed write becomes a `DataError`, and undoes the build.
    """
    existed = directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(directory, "is being built"):
            journal = BuildJournal(directory, identity, strict, rebuild)
            try:
                journal.start()
                yield journal
            except (OSError, ReverbSynthError) as error:
                failed_write = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
                if failed_write or not journal.chunks:
                    shutil.rmtree(journal.folder, ignore_errors=True)
                    if not existed:
                        with suppress(OSError):  # It is not empty.
                            directory.rmdir()
                raise
    except OSError as error:
        path, reason = error.filename or directory, error.strerror or error
        raise DataError(f"{path}: cannot be written ({reason})") from None


class BuildJournal:
    """Chunks of finished notes, partial files, and a journal of what is safely in them.

    Notes are first written in chunks, and dealt to the splits when it is known which of them can be
    used. The journal is replaced after every chunk; what a partial file holds beyond the journal's
    byte count was interrupted, and is cut off when the build goes on. In its ``folder`` a source
    may keep files too. ``rejected`` takes notes that turn out to be unusable when they are read or
    processed.
    """

    def __init__(
        self, directory: Path, identity: Mapping[str, Any], strict: bool, rebuild: bool = False
    ):
        self.directory, self.folder = directory, directory / WORK
        self.identity = json.loads(json.dumps(identity))
        self.chunks = self.dealt = 0
        self.sizes = dict.fromkeys(SPLITS, 0)
        self.rejected = Rejected(skip=not strict)
        self.turned_down: dict[str, Any] = {"notes": 0, "least_factor": 1.0}
        self._stored = stored_json(self.folder / "journal.json")
        expected = self.identity["settings_hash"]
        stored = self._stored["identity"]["settings_hash"] if self._stored else expected
        if stored != expected and not rebuild:
            raise DataError(
                f"{directory}: holds an unfinished data set of other settings ({stored}), "
                f"expected {expected}; choose another folder, or {REBUILD}"
            )

    def start(self) -> None:
        """Take up the journal of an earlier try, or start a new one."""
        same = self._stored and self._stored["identity"] == self.identity
        if self._stored and same and "dealt" in self._stored:  # Not of an earlier version.
            for name in ("chunks", "dealt", "sizes", "turned_down"):
                setattr(self, name, self._stored[name])
            self.rejected.notes = self._stored["rejected"]
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            self._save()

    def append(
        self, records: Sequence[tuple[str, bytes]], measured: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Add a chunk of records, each with its note's id, and what was measured of the notes."""
        with open(self._chunk(self.chunks, "records"), "wb") as file:
            file.writelines(record for _, record in records)
            file.flush()
            os.fsync(file.fileno())
        sizes = [(origin, len(record)) for origin, record in records]
        write_json(self._chunk(self.chunks, "json"), {"sizes": sizes, "measured": measured})
        self.chunks += 1
        self._save()

    def deal(self, split: Mapping[str, str]) -> None:
        """Move the chunks' records to the partial files, by the split of each note."""
        for number in range(self.dealt, self.chunks):
            records = {name: bytearray() for name in SPLITS}
            with open(self._chunk(number, "records"), "rb") as file:
                for origin, size in read_json(self._chunk(number, "json"))["sizes"]:
                    records[split[origin]] += file.read(size)
            for name in SPLITS:
                with open(self.folder / record_name(name), "ab") as file:
                    file.truncate(self.sizes[name])
                    file.write(records[name])
                    file.flush()
                    os.fsync(file.fileno())
                self.sizes[name] += len(records[name])
            self.dealt += 1
            self._save()
            self._chunk(number, "records").unlink()

    def measured(self) -> dict[str, dict[str, Any]]:
        """What was measured of the notes of all chunks, by id."""
        chunks = (read_json(self._chunk(number, "json")) for number in range(self.chunks))
        return {name: note for chunk in chunks for name, note in chunk["measured"].items()}

    def finish(self, manifest: dict[str, Any], rows: Mapping[str, list[dict]]) -> None:
        """Move the files to their places; the manifest, with each split's index, comes last."""
        manifest["files"] = {}
        (self.directory / MANIFEST).unlink(missing_ok=True)  # Of the data set that this replaces.
        for split in SPLITS:
            path = self.directory / record_name(split)
            partial = self.folder / path.name
            if partial.exists():  # An interruption may have left it moved already.
                os.truncate(partial, self.sizes[split])
                os.replace(partial, path)
            manifest["files"][path.name] = {
                "bytes": self.sizes[split],
                "notes": len(rows[split]),
                "sha256": sha256(path),
            }
        manifest["index"] = {split: compact(rows[split]) for split in SPLITS}
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items())
        write_text(self.directory / MANIFEST, "{\n" + ",\n".join(lines) + "\n}\n")
        shutil.rmtree(self.folder)

    def _chunk(self, number: int, kind: str) -> Path:
        return self.folder / f"chunk-{number:06d}.{kind}"

    def _save(self) -> None:
        journal = {
            "identity": self.identity,
            "chunks": self.chunks,
            "dealt": self.dealt,
            "sizes": self.sizes,
            "rejected": self.rejected.notes,
            "turned_down": self.turned_down,
        }
        write_json(self.folder / "journal.json", journal)


def stored_json(path: Path) -> dict[str, Any] | None:
    """A JSON file of the work folder, or None where it is missing or broken."""
    with suppress(ReverbSynthError):
        return read_json(path)
    return None
