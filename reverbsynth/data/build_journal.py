"""The folder of an unfinished data set, from which an interrupted build goes on."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
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


@contextmanager
def build_journal(
    directory: Path, identity: Mapping[str, Any], skip_bad: bool
) -> Iterator["BuildJournal"]:
    """The journal of a data set, locked; an error leaves nothing but finished chunks.

    A failed write becomes a `DataError`, and undoes the build.
    """
    existed = directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(directory, "is being built"):
            journal = BuildJournal(directory, identity, skip_bad)
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
    """Partial files, and a journal of what is safely in them.

    The journal is replaced after every chunk; what a partial file holds beyond the journal's byte
    count was interrupted, and is cut off when the build goes on. In its ``folder`` a source may
    keep files too. ``rejected`` takes notes that turn out to be unusable when they are read or
    processed.
    """

    def __init__(self, directory: Path, identity: Mapping[str, Any], skip_bad: bool):
        self.directory, self.folder = directory, directory / WORK
        self.identity = json.loads(json.dumps(identity))
        self.chunks = 0
        self.sizes = dict.fromkeys(SPLITS, 0)
        self.rejected = Rejected(skip_bad)
        self.turned_down: dict[str, Any] = {"notes": 0, "least_factor": 1.0}
        self._stored = stored_json(self.folder / "journal.json")
        expected = self.identity["settings_hash"]
        stored = self._stored["identity"]["settings_hash"] if self._stored else expected
        if stored != expected:
            raise DataError(
                f"{directory}: holds an unfinished data set of other settings ({stored}), "
                f"expected {expected}; choose another folder"
            )

    def start(self) -> None:
        """Take up the journal of an earlier try, or start a new one."""
        if self._stored and self._stored["identity"] == self.identity:
            self.chunks, self.sizes = self._stored["chunks"], self._stored["sizes"]
            self.rejected.notes = self._stored["rejected"]
            self.turned_down = self._stored["turned_down"]
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            self._save()

    def append(self, records: Mapping[str, bytes | bytearray]) -> None:
        """Add a chunk's records, by split, to the partial files and to the journal."""
        for split in SPLITS:
            with open(self.folder / record_name(split), "ab") as file:
                file.truncate(self.sizes[split])
                file.write(records[split])
                file.flush()
                os.fsync(file.fileno())
            self.sizes[split] += len(records[split])
        self.chunks += 1
        self._save()

    def finish(self, manifest: dict[str, Any], rows: Mapping[str, list[dict]]) -> None:
        """Move the files to their places; the manifest, with each split's index, comes last."""
        manifest["files"] = {}
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

    def _save(self) -> None:
        journal = {
            "identity": self.identity,
            "chunks": self.chunks,
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
