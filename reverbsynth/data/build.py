"""From a source, through the effects, into TFRecord files."""

import json
import math
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reverbsynth import provenance
from reverbsynth.atomic import write_json, write_text
from reverbsynth.data.effects import Effect, effects
from reverbsynth.data.notes import METADATA, SPLITS, Bad, Entry, Note, deal, duplicates, flaw
from reverbsynth.data.progress import progress
from reverbsynth.data.records import (
    FORMAT,
    MANIFEST,
    DataSet,
    compact,
    encode_note,
    record_name,
    sha256,
)
from reverbsynth.data.soundfont import SoundFont
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings, settings_hash

CHUNK = 256
"""Source notes processed at once: the unit of work that an interruption loses."""

WORK = ".build"
"""Folder of an unfinished build, within the data set's."""

HEADROOM = np.float32(1 - 2**-20)
"""Peak of a note that had to be turned down."""


class Source(Protocol):
    """Where notes come from. ``index`` may keep files in ``work`` for ``read``."""

    def inputs(self) -> dict[str, str]:
        """SHA-256, by name, of the files that tell whether the source is still the same."""

    def index(self, work: Path) -> tuple[list[Entry], list[Bad]]:
        """Every selected note, always in the same order, and those that cannot be used."""

    def read(self, entries: list[Entry]) -> "Iterator[Note | Bad]":
        """The notes of ``entries``, in their order."""


SOURCES = {"soundfont": SoundFont}


def data_hash(settings: Settings) -> str:
    """Names the settings that decide a data set: ``data`` and ``seed``."""
    return settings_hash({"data": settings.data.model_dump(mode="json"), "seed": settings.seed})


def build_data(settings: Settings, directory: Path | str, skip_bad: bool = False) -> DataSet:
    """Build the data set of ``settings`` in ``directory``, or open it where it is complete.

    Every note of the source gets a twin of each effect, in the same split. Where a twin would
    leave [-1, 1], the note and all its twins are turned down by one factor, so that the levels
    between them stay as the effects made them. An interrupted build goes on where it stopped.

    Parameters
    ----------
    settings
        Of which ``data`` and ``seed`` matter here.
    directory
        A new folder, or one that holds the same data set, finished or not.
    skip_bad
        Leave unusable notes out, listed in the manifest as ``skipped``; else the first one is an
        error.

    Raises
    ------
    ReverbSynthError
        For a source or effect that cannot be used, an unusable note, a folder that holds another
        data set, or a write that fails. No half-written data set is left.
    """
    directory = Path(directory)
    if (finished := _finished(directory, data_hash(settings))) is not None:
        return finished
    chain = effects(settings.data.effects, settings.seed)
    described = [_described(effect) for effect in chain]
    source = SOURCES[settings.data.source.kind](settings.data.source, settings.seed)
    identity = {
        "settings_hash": data_hash(settings),
        "effects": described,
        "inputs": source.inputs(),
    }
    work = _Work(directory, identity)
    try:
        entries, skipped = _indexed(source, work, skip_bad)
        split = deal([entry.id for entry in entries], settings.data.split, settings.seed)
        _write_chunks(source, chain, work, entries, split, skip_bad)
        left_out = {bad.name for bad in work.skipped}
        rows = {
            name: [
                _row(entry, effect)
                for entry in entries
                if split[entry.id] == name and entry.id not in left_out
                for effect in chain
            ]
            for name in SPLITS
        }
        for name, share in zip(SPLITS, settings.data.split, strict=True):
            if share > 0 and not rows[name]:
                raise ReverbSynthError(f"{directory}: no usable note is left for split {name}")
        manifest = {
            "format": FORMAT,
            **identity,
            "settings": settings.data.model_dump(mode="json"),
            "seed": settings.seed,
            "commit": provenance.commit(),
            "versions": provenance.versions(),
            "skipped": [asdict(bad) for bad in [*skipped, *work.skipped]],
            "turned_down": work.turned_down,
        }
        work.finish(manifest, rows)
    except (ReverbSynthError, OSError) as error:
        work.abandon(keep=isinstance(error, ReverbSynthError))
        if isinstance(error, OSError):
            raise ReverbSynthError(
                f"{error.filename or directory}: cannot be written ({error.strerror or error})"
            ) from None
        raise
    return DataSet.open(directory)


class _Work:
    """The folder of an unfinished build: partial files, and a journal of what is safely in them.

    The journal is replaced after every chunk; what a partial file holds beyond the journal's byte
    count was interrupted, and is cut off when the build goes on.
    """

    def __init__(self, directory: Path, identity: dict[str, Any]):
        self.directory = directory
        self.folder = directory / WORK
        self.identity = json.loads(json.dumps(identity))
        self.existed = directory.exists()
        self.chunks = 0
        self.sizes = dict.fromkeys(SPLITS, 0)
        self.skipped: list[Bad] = []
        self.turned_down = {"notes": 0, "least_factor": 1.0}
        self._resume()

    def _resume(self) -> None:
        journal = _json(self.folder / "journal.json")
        if journal is None or journal.get("identity") != self.identity:
            found = (journal or {}).get("identity", {}).get("settings_hash")
            if found not in (None, self.identity["settings_hash"]):
                raise ReverbSynthError(
                    f"{self.directory}: holds an unfinished data set of other settings ({found}), "
                    f"expected {self.identity['settings_hash']}; choose another folder"
                )
            shutil.rmtree(self.folder, ignore_errors=True)
            try:
                self.folder.mkdir(parents=True)
                self._save()
            except OSError as error:
                raise ReverbSynthError(
                    f"{self.folder}: cannot be written ({error.strerror or error})"
                ) from None
            return
        self.chunks = journal["chunks"]
        self.sizes = journal["sizes"]
        self.skipped = [Bad(**bad) for bad in journal["skipped"]]
        self.turned_down = journal["turned_down"]

    def _save(self) -> None:
        journal = {
            "identity": self.identity,
            "chunks": self.chunks,
            "sizes": self.sizes,
            "skipped": [asdict(bad) for bad in self.skipped],
            "turned_down": self.turned_down,
        }
        write_json(self.folder / "journal.json", journal)

    def append(self, records: dict[str, bytes]) -> None:
        """Add a chunk's records to the partial files, and to the journal."""
        for split in SPLITS:
            with open(self.folder / record_name(split), "ab") as file:
                file.truncate(self.sizes[split])
                file.write(records[split])
                file.flush()
                os.fsync(file.fileno())
            self.sizes[split] += len(records[split])
        self.chunks += 1
        self._save()

    def finish(self, manifest: dict[str, Any], rows: dict[str, list[dict]]) -> None:
        """Move the files to their places, the manifest last: it makes the data set complete."""
        partial = {split: self.folder / record_name(split) for split in SPLITS}
        manifest["files"] = {
            path.name: {
                "bytes": path.stat().st_size,
                "notes": len(rows[split]),
                "sha256": sha256(path),
            }
            for split, path in partial.items()
        }
        manifest["index"] = {split: compact(rows[split]) for split in SPLITS}
        for path in partial.values():
            os.replace(path, self.directory / path.name)
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in manifest.items())
        write_text(self.directory / MANIFEST, "{\n" + ",\n".join(lines) + "\n}\n")
        shutil.rmtree(self.folder)

    def abandon(self, keep: bool) -> None:
        """Remove the work, unless whole chunks of it are worth keeping."""
        if keep and self.chunks:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self.existed and not any(self.directory.iterdir()):
            self.directory.rmdir()


def _finished(directory: Path, expected: str) -> DataSet | None:
    """The complete data set in ``directory``, if it is of the expected settings."""
    if directory.exists() and not directory.is_dir():
        raise ReverbSynthError(f"{directory}: is a file, expected a folder")
    if not (directory / MANIFEST).exists():
        for split in SPLITS:
            stray = directory / record_name(split)
            if stray.exists() and not (directory / WORK).exists():
                raise ReverbSynthError(
                    f"{stray}: belongs to no data set ({MANIFEST} is missing); "
                    "choose another folder"
                )
        return None
    data = DataSet.open(directory)
    if data.settings_hash != expected:
        raise ReverbSynthError(
            f"{directory}: holds a data set of other settings ({data.settings_hash}), "
            f"expected {expected}; choose another folder"
        )
    return data


def _described(effect: Effect) -> dict[str, Any]:
    """What the manifest tells of an effect."""
    return {
        "name": effect.name,
        "kind": effect.kind,
        "parameters": effect.model_dump(mode="json", exclude={"name"}),
        **effect.prepare(),
    }


def _indexed(source: Source, work: _Work, skip_bad: bool) -> tuple[list[Entry], list[Bad]]:
    """The source's notes, from the work folder where an earlier try listed them."""
    path = work.folder / "index.json"
    if (stored := _json(path)) is not None:
        entries = [Entry(**{**row, "where": tuple(row["where"])}) for row in stored["entries"]]
        bad = [Bad(**row) for row in stored["bad"]]
    else:
        entries, bad = source.index(work.folder)
        write_json(path, {"entries": [asdict(e) for e in entries], "bad": [asdict(b) for b in bad]})
    if repeated := duplicates([entry.id for entry in entries]):
        raise ReverbSynthError(
            f"data.source: note id {repeated[0]!r} occurs more than once, expected each once"
        )
    if bad and not skip_bad:
        raise bad[0].error()
    if not entries:
        raise ReverbSynthError("data.source: the selection is empty, expected at least one note")
    return entries, bad


def _write_chunks(
    source: Source,
    chain: list[Effect],
    work: _Work,
    entries: list[Entry],
    split: dict[str, str],
    skip_bad: bool,
) -> None:
    """Process the chunks that are not yet in the work folder."""
    with progress() as display:
        task = display.add_task(
            "notes", total=len(entries), completed=min(work.chunks * CHUNK, len(entries))
        )
        for chunk in range(work.chunks, math.ceil(len(entries) / CHUNK)):
            notes = []
            for found in source.read(entries[chunk * CHUNK : (chunk + 1) * CHUNK]):
                if isinstance(found, Note):
                    notes.append(found)
                elif skip_bad:
                    work.skipped.append(found)
                else:
                    raise found.error()
                display.advance(task)
            records = {name: bytearray() for name in SPLITS}
            for twins in _processed(chain, notes, work, skip_bad):
                for twin in twins:
                    records[split[twin.origin]] += encode_note(twin)
            work.append(records)


def _processed(chain: list[Effect], notes: list[Note], work: _Work, skip_bad: bool):
    """The twins of each note, in the order of the effects."""
    if not notes:
        return
    ids = [note.id for note in notes]
    dry = np.stack([note.audio for note in notes])
    processed = np.stack([effect(dry, ids) for effect in chain], axis=1)
    for note, waves in zip(notes, processed, strict=True):
        peak = np.abs(waves).max()
        if peak > 1:
            waves = np.clip(waves * (HEADROOM / peak), -1, 1)
            work.turned_down["notes"] += 1
            work.turned_down["least_factor"] = min(
                work.turned_down["least_factor"], float(HEADROOM / peak)
            )
        problems = [
            (effect, problem) for effect, wave in zip(chain, waves) if (problem := flaw(wave))
        ]
        if problems:
            effect, problem = problems[0]
            bad = Bad(note.id, f"effect {effect.name}: note {note.id}: processed {problem}")
            if not skip_bad:
                raise bad.error()
            work.skipped.append(bad)
            continue
        yield [
            Note(
                f"{note.id}/{effect.name}",
                wave,
                note.pitch,
                note.velocity,
                note.instrument,
                effect.name,
                note.id,
            )
            for effect, wave in zip(chain, waves, strict=True)
        ]


def _row(entry: Entry, effect: Effect) -> dict[str, str | int]:
    values = (
        f"{entry.id}/{effect.name}",
        entry.id,
        entry.pitch,
        entry.velocity,
        entry.instrument,
        effect.name,
    )
    return dict(zip(METADATA, values, strict=True))


def _json(path: Path) -> Any:
    """What a file of the work folder holds, or None where it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
