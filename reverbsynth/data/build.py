"""From a source, through the effects, into TFRecord files."""

import math
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reverbsynth import provenance
from reverbsynth.data.build_journal import WORK, BuildJournal, read_json
from reverbsynth.data.dataset import FORMAT, MANIFEST, DataSet, encode_note, record_name
from reverbsynth.data.notes import (
    METADATA,
    SPLITS,
    Index,
    Note,
    NoteRef,
    Rejected,
    RejectedNote,
    assign_splits,
    audio_problem,
    duplicates,
)
from reverbsynth.data.sources.folder import Folder
from reverbsynth.data.sources.nsynth import NSynth
from reverbsynth.data.sources.soundfont import SoundFont
from reverbsynth.effects import Effect, effects
from reverbsynth.errors import DataError
from reverbsynth.files.atomic import write_json
from reverbsynth.progress import progress
from reverbsynth.settings import Settings, settings_hash

CHUNK = 256
"""Source notes processed at once: the unit of work that an interruption loses."""

HEADROOM = np.float32(1 - 2**-20)
"""Peak of a note that had to be turned down."""


class Source(Protocol):
    """Where notes come from. ``index`` may keep files in ``work`` for ``read``.

    Notes that cannot be used go to ``reject``.
    """

    def inputs(self) -> dict[str, str]:
        """Fingerprints, by name, of the files that tell whether the source is still the same."""

    def index(self, work: Path, reject: Rejected) -> Index:
        """Every selected note, always in the same order."""

    def read(self, entries: list[NoteRef], work: Path, reject: Rejected) -> Iterator[Note]:
        """The notes of ``entries``, in their order."""


SOURCES = {"soundfont": SoundFont, "nsynth": NSynth, "folder": Folder}


def data_hash(settings: Settings) -> str:
    """Names the settings that decide a data set: ``data`` and ``seed``.

    A source is the same however its path is spelled.
    """
    source = settings.data.source
    paths = {name: getattr(source, name, None) for name in ("path", "table")}
    whole = {
        f"data.source.{name}": str(path.expanduser().resolve())
        for name, path in paths.items()
        if path is not None
    }
    named = settings.replace(**whole).non_default_values()["data"]
    return settings_hash({"data": named, "seed": settings.seed})


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
    DataError
        For a source or effect that cannot be used, an unusable note, a folder that holds another
        data set or the source itself, or a write that fails. No half-written data set is left.
    """
    directory = Path(directory)
    if (finished := _finished(directory, settings)) is not None:
        return finished
    _check_apart(directory, settings.data.source.path)
    chain = effects(settings.data.effects, settings.seed)
    described = [_described(effect) for effect in chain]
    source = SOURCES[settings.data.source.kind](settings.data.source, settings.seed)
    identity = {
        "settings_hash": data_hash(settings),
        "effects": described,
        "inputs": source.inputs(),
    }
    with BuildJournal(directory, identity, skip_bad) as work:
        index = _indexed(source, work)
        split = assign_splits(
            [entry.id for entry in index.entries], settings.data.split, settings.seed
        )
        _write_chunks(source, chain, work, index.entries, split)
        left_out = {bad.name for bad in work.rejected.notes}
        rows = {
            name: [
                _row(entry, effect)
                for entry in index.entries
                if split[entry.id] == name and entry.id not in left_out
                for effect in chain
            ]
            for name in SPLITS
        }
        for name, share in zip(SPLITS, settings.data.split, strict=True):
            if share > 0 and not rows[name]:
                raise DataError(f"{directory}: no usable note is left for split {name}")
        manifest = {
            "format": FORMAT,
            **identity,
            "settings": settings.data.model_dump(mode="json"),
            "seed": settings.seed,
            "commit": provenance.commit(),
            "versions": provenance.versions(),
            "report": index.report,
            "skipped": [asdict(bad) for bad in [*index.bad, *work.rejected.notes]],
            "turned_down": work.turned_down,
        }
        work.finish(manifest, rows)
    return DataSet.open(directory)


def _check_apart(directory: Path, source: Path | None) -> None:
    """A data set among the sounds would be taken for a part of them the next time."""
    if source is None or not source.expanduser().is_dir():
        return
    target, source = directory.resolve(), source.expanduser().resolve()
    if target == source or target in source.parents or source in target.parents:
        raise DataError(
            f"{directory}: overlaps with the source {source} (data.source.path), "
            "expected a folder apart from it"
        )


def _finished(directory: Path, settings: Settings) -> DataSet | None:
    """The complete data set in ``directory``, if it is of the expected settings."""
    if directory.exists() and not directory.is_dir():
        raise DataError(f"{directory}: is a file, expected a folder")
    if not (directory / MANIFEST).exists():
        for split in SPLITS:
            stray = directory / record_name(split)
            if stray.exists() and not (directory / WORK).exists():
                raise DataError(
                    f"{stray}: belongs to no data set ({MANIFEST} is missing); "
                    "choose another folder"
                )
        return None
    data = DataSet.open(directory)
    shutil.rmtree(directory / WORK, ignore_errors=True)
    expected = data_hash(settings)
    if data.settings_hash != expected:
        raise DataError(
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


def _indexed(source: Source, work: BuildJournal) -> Index:
    """The source's notes, from the work folder where an earlier try listed them."""
    path = work.folder / "notes.json"
    if (stored := read_json(path)) is not None:
        entries = [
            NoteRef(**{**row, "locator": tuple(row["locator"])}) for row in stored["entries"]
        ]
        index = Index(entries, stored["report"], [RejectedNote(**row) for row in stored["bad"]])
    else:
        rejected = Rejected(work.rejected.skip)
        index = replace(source.index(work.folder, rejected), bad=rejected.notes)
        write_json(path, asdict(index))
    if repeated := duplicates([entry.id for entry in index.entries]):
        raise DataError(
            f"data.source: note id {repeated[0]!r} occurs more than once, expected each once"
        )
    return index


def _write_chunks(
    source: Source,
    chain: list[Effect],
    work: BuildJournal,
    entries: list[NoteRef],
    split: dict[str, str],
) -> None:
    """Process the chunks that are not yet in the work folder."""
    with progress() as display:
        task = display.add_task(
            "notes", total=len(entries), completed=min(work.chunks * CHUNK, len(entries))
        )
        for chunk in range(work.chunks, math.ceil(len(entries) / CHUNK)):
            wanted = entries[chunk * CHUNK : (chunk + 1) * CHUNK]
            notes = []
            for note in source.read(wanted, work.folder, work.rejected):
                notes.append(note)
                display.advance(task)
            records = {name: bytearray() for name in SPLITS}
            for twins in _processed(chain, notes, work):
                for twin in twins:
                    records[split[twin.origin]] += encode_note(twin)
            work.append(records)
            display.update(task, completed=chunk * CHUNK + len(wanted))


def _processed(chain: list[Effect], notes: list[Note], work: BuildJournal) -> Iterator[list[Note]]:
    """The twins of each note, in the order of the effects."""
    if not notes:
        return
    ids = [note.id for note in notes]
    dry = np.stack([note.audio for note in notes])
    processed = np.stack([effect(dry, ids) for effect in chain], axis=1)
    for note, waves in zip(notes, processed, strict=True):
        peak = np.abs(waves).max()
        if 1 < peak < np.inf:
            factor = HEADROOM / peak
            waves = np.clip(waves * factor, -1, 1)
            work.turned_down["notes"] += 1
            work.turned_down["least_factor"] = min(work.turned_down["least_factor"], float(factor))
        for effect, wave in zip(chain, waves, strict=True):
            if problem := audio_problem(wave):
                work.rejected(note.id, f"effect {effect.name}: note {note.id}: {problem}")
                break
        else:
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


def _row(entry: NoteRef, effect: Effect) -> dict[str, str | int]:
    values = (
        f"{entry.id}/{effect.name}",
        entry.id,
        entry.pitch,
        entry.velocity,
        entry.instrument,
        effect.name,
    )
    return dict(zip(METADATA, values, strict=True))
