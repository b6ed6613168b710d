"""The folder of an unfinished data set, from which an interrupted build goes on."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reverbsynth.data.dataset import MANIFEST, compact, record_name
from reverbsynth.data.notes import SPLITS, Rejected, RejectedNote
from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.files.atomic import write_json, write_text
from reverbsynth.files.checksum import sha256
from reverbsynth.files.json import read_json
from reverbsynth.files.lock import exclusive_lock

WORK = ".build"
"""Name of the folder, within the data set's."""


class BuildJournal:
    """Partial files, and a journal of what is safely in them.

    The journal is replaced after every chunk; what a partial file holds beyond the journal's byte
    count was interrupted, and is cut off when the build goes on. As a context manager it turns a
    failed write into one line and, after an error, leaves nothing but finished chunks.

    Attributes
    ----------
    folder : Path
        Where the partial files are; a source may keep files there too.
    chunks : int
        Number of chunks that are done.
    rejected : Rejected
        Takes notes that turn out to be unusable when they are read or processed.
    turned_down : dict
        How many notes had to be turned down, and the least factor.
    """

    def __init__(self, directory: Path, identity: Mapping[str, Any], skip_bad: bool):
        self.directory = directory
        self.folder = directory / WORK
        self.identity = json.loads(json.dumps(identity))
        self.chunks = 0
        self.sizes = dict.fromkeys(SPLITS, 0)
        self.rejected = Rejected(skip_bad)
        self.turned_down: dict[str, Any] = {"notes": 0, "least_factor": 1.0}
        self._directory_existed = directory.exists()
        self._owned = False
        self._lock = ExitStack()

    def __enter__(self) -> "BuildJournal":
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock.enter_context(exclusive_lock(self.directory, "is being built"))
            self._resume()
        except (OSError, ReverbSynthError) as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def _resume(self) -> None:
        """Take up the journal of an earlier try, or start a new one."""
        journal = stored_json(self.folder / "journal.json")
        expected = self.identity["settings_hash"]
        stored = journal["identity"]["settings_hash"] if journal else expected
        if stored != expected:
            raise DataError(
                f"{self.directory}: holds an unfinished data set of other settings ({stored}), "
                f"expected {expected}; choose another folder"
            )
        self._owned = True
        if journal and journal["identity"] == self.identity:
            self.chunks, self.sizes = journal["chunks"], journal["sizes"]
            self.rejected.notes = [RejectedNote(**note) for note in journal["rejected"]]
            self.turned_down = journal["turned_down"]
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            self._save()

    def __exit__(self, kind, error, trace) -> None:
        failed_write = isinstance(error, OSError) or isinstance(error and error.__cause__, OSError)
        failed_early = isinstance(error, ReverbSynthError) and not self.chunks
        if self._owned and (failed_write or failed_early):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self._directory_existed:
                with suppress(OSError):  # It is not empty.
                    self.directory.rmdir()
        self._lock.close()
        if isinstance(error, OSError):
            path, reason = error.filename or self.directory, error.strerror or error
            raise DataError(f"{path}: cannot be written ({reason})") from None

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
            "rejected": [asdict(note) for note in self.rejected.notes],
            "turned_down": self.turned_down,
        }
        write_json(self.folder / "journal.json", journal)


def stored_json(path: Path) -> dict[str, Any] | None:
    """A JSON file of the work folder, or None where it is missing or broken."""
    with suppress(ReverbSynthError):
        return read_json(path)
    return None
