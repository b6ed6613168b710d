"""From a source, through the effects, into TFRecord files."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from reverbsynth import provenance
from reverbsynth.audio.reverberation import audible
from reverbsynth.data import preflight
from reverbsynth.data.build_journal import REBUILD, WORK, BuildJournal, build_journal, stored_json
from reverbsynth.data.dataset import FORMAT, MANIFEST, DataSet, encode_note, note_files
from reverbsynth.data.notes import (
    SPLITS,
    Index,
    Note,
    NoteRef,
    Rejected,
    audio_problem,
    listed,
    split_notes,
)
from reverbsynth.data.sources.folder import Folder
from reverbsynth.data.sources.nsynth import NSynth
from reverbsynth.data.sources.soundfont import SoundFont
from reverbsynth.effects import Effect, described, effects
from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.files.atomic import write_json
from reverbsynth.files.reading import user_path
from reverbsynth.progress import ProgressDisplay
from reverbsynth.seeds import evenly_spaced
from reverbsynth.settings import DataSettings, Settings, settings_hash
from reverbsynth.settings.settings import changes, first_of

CHUNK = 256  # Source notes processed at once: the unit of work that an interruption loses.
HEADROOM = np.float32(1 - 2**-20)  # Peak of a note that had to be turned down.

#: ``inputs`` are fingerprints, by name, of the files that show whether a source is still the same.
#: ``index`` gives every selected note, always in the same order, and may keep files for ``read`` in
#: the work folder, which gives the notes of some entries; unusable notes go to ``reject``.
Source = SoundFont | NSynth | Folder
SOURCES = {"soundfont": SoundFont, "nsynth": NSynth, "folder": Folder}


def data_hash(settings: Settings) -> str:
    """The hash of what decides a data set, ``data`` and ``seed``, however a path is spelled."""
    whole = {
        f"data.source.{name}": str(user_path(path).resolve())
        for name in ("path", "table")
        if (path := getattr(settings.data.source, name, None)) is not None
    }
    named = settings.replace(**whole).non_default_values()["data"]
    return settings_hash({"data": named, "seed": settings.seed})


def build_data(
    settings: Settings, directory: Path | str, strict: bool = False, rebuild: bool = False
) -> DataSet:
    """Build the data set of ``settings`` in ``directory``, or open it where it is complete.

    Every note gets a twin of each effect, in the same split; where one would leave [-1, 1], all
    twins are turned down by one factor. An interrupted build goes on where it stopped.

    >>> settings = Settings.preset("tiny", **{"data.source.pitches": [40, 44]})
    >>> build_data(settings, "notes").count("train")
    16

    Notes that cannot be used are listed in the manifest as ``skipped``, or the first is an error
    (``strict``). A data set of other settings, or of a source that has changed, is an error or is
    replaced (``rebuild``).
    """
    directory = Path(directory)
    if (data := _finished(directory, settings, rebuild)) is None:
        chain = effects(settings.data.effects, settings.seed)
        _build(settings, chain, directory, directory / preflight.SHEET, strict, rebuild)
        data = DataSet.open(directory)
    if strict and (skipped := data.manifest["skipped"]):  # By a try that was not strict.
        raise DataError(skipped[0]["reason"])
    return data


def check_data(settings: Settings, directory: Path | str, strict: bool = False) -> dict[str, Any]:
    """Read every note, and write only a sheet into ``directory``, as `build_data` does; beside that
    of a data set that is there.

    Returns what a manifest would hold (``skipped``, ``notices``), and the ``split`` of each note.

    >>> settings = Settings.preset("tiny", **{"data.source.pitches": [40, 44]})
    >>> len(check_data(settings, "notes")["split"])
    10
    """
    built = (Path(directory) / MANIFEST).exists()
    sheet = preflight.CHECKED if built else preflight.SHEET
    with TemporaryDirectory(prefix="reverbsynth-") as folder:
        return _build(settings, [], Path(folder), Path(directory) / sheet, strict)


def _build(
    settings: Settings,
    chain: list[Effect],
    directory: Path,
    sheet: Path,
    strict: bool,
    rebuild: bool = False,
) -> dict[str, Any]:
    _check_apart(sheet.parent, settings.data.source.path)
    source = SOURCES[settings.data.source.kind](settings.data.source, settings.seed)
    identity = {
        "settings_hash": data_hash(settings),
        "effects": [described(effect) for effect in chain],
        "inputs": source.inputs(),
    }
    with build_journal(directory, identity, strict, rebuild) as journal:
        index, unlisted = _indexed(source, journal)
        split_notes(index.entries, settings.data, settings.seed, unlisted)  # Too few: say it now.
        _write_chunks(settings.data, source, chain, journal, index.entries)
        skipped, measured = unlisted + journal.rejected.notes, journal.measured()
        entries = [entry for entry in index.entries if entry.id in measured]
        split = split_notes(entries, settings.data, settings.seed, skipped)
        notices = index.notices + preflight.warnings(measured)
        picked = [entries[i] for i in evenly_spaced(len(entries), preflight.PLAYERS)]
        playable = list(source.read(picked, journal.folder, Rejected(skip=True)))
        lines = [*(f"left out: {note['reason']}" for note in skipped), *notices]
        preflight.write_sheet(sheet, entries, split, measured, index.report, lines, playable)
        rows: dict[str, list[dict]] = {name: [] for name in SPLITS}
        for entry in entries:
            note = entry.note(np.empty(0))
            twins = (note.twin(effect.name, note.audio) for effect in chain)
            rows[split[entry.id]] += [twin.metadata for twin in twins]
        manifest = {
            "format": FORMAT,
            **identity,
            "settings": settings.data.model_dump(mode="json"),
            "seed": settings.seed,
            "commit": provenance.commit(),
            "versions": provenance.versions(),
            "report": index.report,
            "skipped": skipped,
            "notices": notices,
            "turned_down": journal.turned_down,
        }
        journal.finish(manifest, rows, split)
    return {**manifest, "split": split}


def _check_apart(directory: Path, source: Path | None) -> None:
    """A data set among the sounds would be taken for a part of them the next time."""
    if source is None or not user_path(source).is_dir():
        return
    target, source = directory.resolve(), user_path(source).resolve()
    if target == source or target in source.parents or source in target.parents:
        found = f"overlaps with the source {source} (data.source.path)"
        raise DataError(f"{directory}: {found}, expected a folder apart from it")


def _finished(directory: Path, settings: Settings, rebuild: bool) -> DataSet | None:
    """The complete data set in ``directory``, if it is of the expected settings and source."""
    if directory.exists() and not directory.is_dir():
        raise DataError(f"{directory}: is a file, expected a folder")
    if not (directory / MANIFEST).exists():
        if (strays := note_files(directory)) and not (directory / WORK).exists():
            problem = f"belongs to no data set (no {MANIFEST}); choose another folder"
            raise DataError(f"{strays[0]}: {problem}")
        return None
    try:
        data = DataSet.open(directory)
        if changes := _changes(data, settings):
            raise DataError(f"{directory}: {changes}; choose another folder, or {REBUILD}")
    except DataError:
        # A manifest without notes beside it may be a run's, or anyone's.
        if rebuild and (note_files(directory) or (directory / WORK).exists()):
            return None
        raise
    shutil.rmtree(directory / WORK, ignore_errors=True)
    return data


def _changes(data: DataSet, settings: Settings) -> str:
    """How a data set differs from what would be built now; empty if not, or if inputs are gone."""
    given = settings.data.source
    if data.settings_hash != (expected := data_hash(settings)):
        built = {"data": data.manifest["settings"], "seed": data.manifest["seed"]}
        asked = {"data": settings.data.model_dump(mode="json"), "seed": settings.seed}
        changed = changes(built, asked)
        changed = changed or {"hash": (data.settings_hash, expected)}  # A path leads elsewhere.
        return f"holds a data set of other settings: {first_of(changed)}"
    before = dict(data.manifest["inputs"])
    try:
        now = SOURCES[given.kind](given, settings.seed).inputs()
    except ReverbSynthError as error:
        there = given.path is not None and user_path(given.path).exists()
        return f"its source is not what it was built of ({error})" if there else ""
    chain = effects(settings.data.effects, settings.seed)
    for built, effect in zip(data.manifest["effects"], chain, strict=True):
        with suppress(ReverbSynthError):  # What made the notes may be gone.
            now |= effect.inputs()
            before |= built.get("inputs", {})
    differences = {
        "added": [name for name in now if name not in before],
        "removed": [name for name in before if name not in now],
        "changed": [name for name in now if before.get(name, now[name]) != now[name]],
    }
    told = [f"{len(names)} {how} ({listed(names)})" for how, names in differences.items() if names]
    return f"its source has changed since it was built: {', '.join(told)}" if told else ""


def _indexed(source: Source, journal: BuildJournal) -> tuple[Index, list[dict[str, str]]]:
    """The notes of a source and those it rejected, from where an earlier try stored them."""
    path = journal.folder / "notes.json"
    if (stored := stored_json(path)) is not None:
        entries = [NoteRef(**row) for row in stored["entries"]]
        index = Index(entries, stored["report"], stored["notices"])
        rejected = stored["rejected"]
    else:
        reject = Rejected(journal.rejected.skip)
        index = source.index(journal.folder, reject)
        rejected = reject.notes
        write_json(path, {**asdict(index), "rejected": rejected})
    for id, count in Counter(entry.id for entry in index.entries).most_common(1):
        if count > 1:
            raise DataError(f"data.source: note id {id!r} occurs {count} times, expected once")
    return index, rejected


def _write_chunks(
    settings: DataSettings,
    source: Source,
    chain: list[Effect],
    journal: BuildJournal,
    entries: list[NoteRef],
) -> None:
    """Process the chunks that are not yet in the work folder."""
    with ProgressDisplay() as display:
        done = min(journal.chunks * CHUNK, len(entries))
        task = display.add_task("notes", total=len(entries), completed=done)
        for start in range(done, len(entries), CHUNK):
            wanted = entries[start : start + CHUNK]
            notes = []
            for note in source.read(wanted, journal.folder, journal.rejected):
                notes.append(note)
                display.advance(task)
            twins = _processed(settings, chain, notes, journal)
            sizes = journal.write((twin.origin, encode_note(twin)) for twin in twins)
            bad = {note["name"] for note in journal.rejected.notes}
            measured = {n.id: preflight.measured(n.audio) for n in notes if n.id not in bad}
            journal.append(sizes, measured)
            display.update(task, completed=start + len(wanted))


def _processed(
    settings: DataSettings, chain: list[Effect], notes: list[Note], journal: BuildJournal
) -> Iterator[Note]:
    """The twins of each note, in the order of the effects."""
    if not notes or not chain:
        return
    ids = [note.id for note in notes]
    dry = np.stack([note.audio for note in notes])
    if settings.remove_offset:
        dry = audible(dry).astype(np.float32)
    processed = np.stack([effect(dry, ids) for effect in chain], axis=1)
    for note, waves in zip(notes, processed, strict=True):
        peak = np.abs(waves).max()
        if 1 < peak < np.inf:
            factor = HEADROOM / peak
            waves = np.clip(waves * factor, -1, 1)
            counts = journal.turned_down
            counts["notes"] += 1
            counts["least_factor"] = min(counts["least_factor"], float(factor))
        twins = [note.twin(effect.name, wave) for effect, wave in zip(chain, waves, strict=True)]
        problems = [(twin.effect, p) for twin in twins if (p := audio_problem(twin.audio))]
        if problems:
            effect, problem = problems[0]
            journal.rejected(note.id, f"effect {effect}: note {note.id}: {problem}")
        else:
            yield from twins
