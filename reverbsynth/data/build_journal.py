"""The folder of an unfinished data set, from which an interrupted build goes on."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from reverbsynth.data.dataset import MANIFEST, compact, note_files, record_name
from reverbsynth.data.notes import SPLITS, Rejected
from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.files.atomic import atomic_path, remove_partial, write_json, write_text
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.files.reading import read_json, sha256

WORK = ".build"  # Name of the folder, within the data set's.
REBUILD = "build it again with --rebuild (in Python rebuild=True)"


@contextmanager
def build_journal(
    directory: Path, identity: Mapping[str, Any], strict: bool, rebuild: bool
) -> Iterator["BuildJournal"]:
    """The locked journal of a data set; an error leaves finished chunks, a failed write nothing."""
    existed = directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(directory, "is being built"):
            journal = BuildJournal(directory, identity, strict, rebuild)
            if (directory / MANIFEST).exists() and not rebuild:
                raise DataError(f"{directory}: was built by another process just now; run it again")
            try:
                journal.start()
                yield journal
            except (OSError, ReverbSynthError) as error:
                failed_write = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
                if failed_write or not journal.chunks:
                    kept = (directory / MANIFEST).exists()
                    own = journal.folder if existed or kept else directory
                    shutil.rmtree(own, ignore_errors=True)
                    if not kept:
                        for path in note_files(directory):
                            path.unlink(missing_ok=True)
                raise
    except OSError as error:
        path, reason = error.filename or directory, error.strerror or error
        raise DataError(f"{path}: cannot be written ({reason})") from None


class BuildJournal:
    """Chunks of finished notes, dealt to the splits at the end, when the usable ones are known.

    A chunk counts once its ``.json`` is there; the last has what is ``rejected``, ``turned_down``.
    """

    def __init__(self, directory: Path, identity: Mapping[str, Any], strict: bool, rebuild: bool):
        self.directory, self.folder = directory, directory / WORK
        self.identity = json.loads(json.dumps(identity))
        self.chunks = 0
        self.rejected = Rejected(skip=not strict)
        self.turned_down: dict[str, Any] = {"notes": 0, "least_factor": 1.0}
        self._stored = stored_json(self.folder / "identity.json")
        expected = self.identity["settings_hash"]
        stored = self._stored["settings_hash"] if self._stored else expected
        if stored != expected and not rebuild:
            found = f"holds an unfinished data set of other settings ({stored})"
            advice = f"choose another folder, or {REBUILD}"
            raise DataError(f"{directory}: {found}, expected {expected}; {advice}")

    def start(self) -> None:
        """Take up the chunks of an earlier try, or start anew."""
        remove_partial(self.directory)
        if self._stored != self.identity:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            write_json(self.folder / "identity.json", self.identity)
        while (last := stored_json(self._chunk(self.chunks, "json"))) is not None:
            self.chunks += 1
            self.rejected.notes, self.turned_down = last["rejected"], last["turned_down"]

    def write(self, records: Iterable[tuple[str, bytes]]) -> list[tuple[str, int]]:
        """Write the records of a chunk, each with its note's id, as they are made; their sizes."""
        with open(self._chunk(self.chunks, "records"), "wb") as file:
            sizes = [(origin, file.write(record)) for origin, record in records]
            file.flush()
            os.fsync(file.fileno())
        return sizes

    def append(
        self, sizes: Sequence[tuple[str, int]], measured: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Add the chunk of records that is written, with what was measured of its notes."""
        chunk = {
            "sizes": sizes,
            "measured": measured,
            "rejected": self.rejected.notes,
            "turned_down": self.turned_down,
        }
        write_json(self._chunk(self.chunks, "json"), chunk)
        self.chunks += 1

    def measured(self) -> dict[str, dict[str, Any]]:
        """What was measured of the notes of all chunks, by id."""
        chunks = (read_json(self._chunk(number, "json")) for number in range(self.chunks))
        return {name: note for chunk in chunks for name, note in chunk["measured"].items()}

    def finish(
        self, manifest: dict[str, Any], rows: Mapping[str, list[dict]], split: Mapping[str, str]
    ) -> None:
        """Write the files of the splits; the manifest, with each split's index, comes last."""
        manifest["files"] = {}
        with ExitStack() as renamed_at_the_end:
            for name in SPLITS:
                path = self.directory / record_name(name)
                partial = renamed_at_the_end.enter_context(atomic_path(path))
                with open(partial, "wb") as file:
                    file.writelines(self._records(name, split))
                    file.flush()
                    os.fsync(file.fileno())
                manifest["files"][path.name] = {
                    "bytes": partial.stat().st_size,
                    "notes": len(rows[name]),
                    "sha256": sha256(partial),
                }
            # All is on the disk: only now goes the data set that this replaces.
            (self.directory / MANIFEST).unlink(missing_ok=True)
        manifest["index"] = {name: compact(rows[name]) for name in SPLITS}
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items())
        write_text(self.directory / MANIFEST, "{\n" + ",\n".join(lines) + "\n}\n")
        shutil.rmtree(self.folder)

    def _records(self, name: str, split: Mapping[str, str]) -> Iterator[bytes]:
        """The records of the notes of a split, in their order."""
        for number in range(self.chunks):
            with open(self._chunk(number, "records"), "rb") as file:
                for origin, size in read_json(self._chunk(number, "json"))["sizes"]:
                    if split[origin] == name:
                        yield file.read(size)
                    else:
                        file.seek(size, os.SEEK_CUR)

    def _chunk(self, number: int, kind: str) -> Path:
        return self.folder / f"chunk-{number:06d}.{kind}"


def stored_json(path: Path) -> dict[str, Any] | None:
    """A JSON file of the work folder, or None where it is missing or broken."""
    with suppress(ReverbSynthError):
        return read_json(path)
    return None
