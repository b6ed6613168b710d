"""The folder of an unfinished data set, from which an interrupted build goes on."""

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reverbsynth.data.dataset import MANIFEST, compact, record_name
from reverbsynth.data.notes import SPLITS, Rejected, RejectedNote
from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.files.atomic import write_json, write_text
from reverbsynth.files.checksum import sha256
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
    folder
        Where it is; a source may keep files there too.
    chunks
        Number of chunks that are done.
    rejected
        Takes the notes that turn out to be unusable when they are read or processed.
    turned_down
        How many notes had to be turned down, and the least factor.
    """

    def __init__(self, directory: Path, identity: Mapping[str, Any], skip_bad: bool):
        self.directory = directory
        self.folder = directory / WORK
        self.identity = json.loads(json.dumps(identity))
        self.existed = directory.exists()
        self._lock = ExitStack()
        self.ours = False
        self.chunks = 0
        self.sizes = dict.fromkeys(SPLITS, 0)
        self.rejected = Rejected(skip_bad)
        self.turned_down = {"notes": 0, "least_factor": 1.0}

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
        journal = read_json(self.folder / "journal.json")
        if journal is not None and journal["identity"] == self.identity:
            self.chunks = journal["chunks"]
            self.sizes = journal["sizes"]
            self.rejected.notes = [RejectedNote(**bad) for bad in journal["rejected"]]
            self.turned_down = journal["turned_down"]
            self.ours = True
            return
        found = journal and journal["identity"]["settings_hash"]
        if found not in (None, self.identity["settings_hash"]):
            raise DataError(
                f"{self.directory}: holds an unfinished data set of other settings ({found}), "
                f"expected {self.identity['settings_hash']}; choose another folder"
            )
        self.ours = True
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.save()

    def __exit__(self, kind, error, trace) -> None:
        failed_write = isinstance(error, OSError) or isinstance(error and error.__cause__, OSError)
        failed_early = isinstance(error, ReverbSynthError) and not self.chunks
        if self.ours and (failed_write or failed_early):
            self._remove()
        self._lock.close()
        if isinstance(error, OSError):
            path = error.filename or self.directory
            reason = error.strerror or error
            raise DataError(f"{path}: cannot be written ({reason})") from None

    def save(self) -> None:
        """Write the journal."""
        journal = {
            "identity": self.identity,
            "chunks": self.chunks,
            "sizes": self.sizes,
            "rejected": [asdict(bad) for bad in self.rejected.notes],
            "turned_down": self.turned_down,
        }
        write_json(self.folder / "journal.json", journal)

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
        self.save()

    def finish(self, manifest: dict[str, Any], rows: Mapping[str, list[dict]]) -> None:
        """Move the files to their places, the manifest last: it makes the data set complete.

        ``rows`` is the index of each split.
        """
        paths = {split: self._moved(record_name(split), self.sizes[split]) for split in SPLITS}
        manifest["files"] = {
            path.name: {
                "bytes": self.sizes[split],
                "notes": len(rows[split]),
                "sha256": sha256(path),
            }
            for split, path in paths.items()
        }
        manifest["index"] = {split: compact(rows[split]) for split in SPLITS}
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items())
        write_text(self.directory / MANIFEST, "{\n" + ",\n".join(lines) + "\n}\n")
        shutil.rmtree(self.folder)

    def _moved(self, name: str, size: int) -> Path:
        """The final path of a partial file, which an interruption may have left moved already."""
        partial, path = self.folder / name, self.directory / name
        if partial.exists():
            os.truncate(partial, size)
            os.replace(partial, path)
        return path

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.existed and self.directory.exists() and not any(self.directory.iterdir()):
            self.directory.rmdir()


def read_json(path: Path) -> Any:
    """What a file of the work folder holds, or None where it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
