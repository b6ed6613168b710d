"""Notes of NSynth (Engel et al. 2017), in any of its published forms.

A form has ``inputs``, as a source has; ``find``, which gives at least the wanted notes, each with
its locator; and ``audio``, the samples of a note at its locator.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from reverbsynth.audio.io import read_nsynth_wav
from reverbsynth.data import tfrecord
from reverbsynth.data.notes import Index, Locator, Note, NoteRef, Rejected, draw, listed, usable
from reverbsynth.data.sources.files import fingerprint, required
from reverbsynth.data.sources.nsynth_archive import Archive
from reverbsynth.data.sources.nsynth_metadata import (
    Found,
    Selection,
    described_json,
    described_records,
    prepared_values,
)
from reverbsynth.errors import DataError
from reverbsynth.files.reading import read_json, reading
from reverbsynth.progress import ProgressDisplay
from reverbsynth.settings import NSynthSource

EXPECTED = (
    "an unpacked split (examples.json and audio/), an archive (.tar, .tar.gz), TFRecord files, or "
    "a folder prepared by tensorflow-datasets"
)
TAR = (".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_RECORDS = re.compile(r"\.tfrecords?[-_\w]*(\.gz)?$")
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})")
INFO = "dataset_info.json"  #: Of a folder that tensorflow-datasets prepared.


class NSynth:
    """The notes of NSynth that the settings select."""

    def __init__(self, settings: NSynthSource, seed: int):
        self.settings, self.seed = settings, seed
        self.path = required(settings.path, EXPECTED)
        self.selection = Selection(settings)
        self.form = _form(self.path, settings.split)

    def inputs(self) -> dict[str, str]:
        return self.form.inputs()

    def index(self, work: Path, reject: Rejected) -> Index:
        """The selected notes, sorted by id; of notes with one id all but the first are rejected."""
        entries: dict[str, NoteRef] = {}
        for note, locator in self.form.find(work, self.selection, reject):
            place = f"{self.path}: note {note.id}"
            if not self.selection.wants(note, place):
                continue
            if note.id in entries:
                reject(note.id, f"{place}: occurs more than once")
            else:
                entries[note.id] = note.entry(locator)
        if not entries and not reject.notes:
            problem = f"no note fits the selection in data.source ({self.selection})"
            raise DataError(f"{self.path}: {problem}")
        notices, dropped = list(getattr(self.form, "notices", ())), self.selection.dropped
        if dropped:
            found = f"{dropped} of {dropped + len(entries)} notes"
            notices.append(f"data.source: {found} do not fit the selection ({self.selection})")
        drawn = draw(list(entries.values()), self.settings.count, self.seed, notices)
        return Index(drawn, notices=notices)

    def read(self, entries: Sequence[NoteRef], work: Path, reject: Rejected) -> Iterator[Note]:
        return usable(entries, lambda note: self.form.audio(note.locator, work), self.path, reject)


class Unpacked:
    """Files ``examples.json``, each beside its ``audio/<id>.wav``."""

    def __init__(self, files: list[Path]):
        self.files = files

    def inputs(self) -> dict[str, str]:
        return {f"{file.parent.name}/{file.name}": fingerprint(file) for file in self.files}

    def find(self, work: Path, selection: Selection, reject: Rejected) -> Found:
        for path in self.files:
            with reading(path), open(path, "rb") as file:
                for note in described_json(file, str(path), reject):
                    yield note, (str(path.with_name("audio") / f"{note.id}.wav"),)

    def audio(self, locator: Locator, work: Path) -> np.ndarray:
        return read_nsynth_wav(Path(str(locator[0])))


class Records:
    """TFRecord files: NSynth's own, ours, or the paper's with audio and pitch alone."""

    translate: Callable[[dict[str, Any]], dict[str, Any]] = dict
    lengths: Mapping[str, int] = {}  #: How many records a file has, where something tells it.

    def __init__(self, files: list[Path], strays: list[Path] | None = None):
        self.files = files
        self.notices = [f"not records: {listed([file.name for file in strays])}"] if strays else []

    def inputs(self) -> dict[str, str]:
        return {file.name: fingerprint(file) for file in self.files}

    def find(self, work: Path, selection: Selection, reject: Rejected) -> Found:
        with ProgressDisplay(in_bytes=True) as display:
            total = sum(file.stat().st_size for file in self.files)
            task = display.add_task("reading", total=total)
            for file in self.files:
                records = self._records(file)
                described = described_records(records, str(file), file.name, reject, self.translate)
                for offset, payload, note in described:
                    display.advance(task, len(payload) + 16)
                    yield note, (str(file), offset)

    def audio(self, locator: Locator, work: Path) -> np.ndarray:
        path, offset = locator
        _, payload = next(tfrecord.read(Path(str(path)), int(offset)))
        return tfrecord.floats(tfrecord.decode(payload), "audio")

    def _records(self, file: Path) -> Iterator[tuple[int, bytes]]:
        found = 0
        for record in tfrecord.read(file):
            found += 1
            yield record
        if found != (expected := self.lengths.get(file.name, found)):
            raise DataError(f"{file}: found {found} records, expected {expected} ({INFO})")


class Prepared(Records):
    """The TFRecord files of a folder that tensorflow-datasets prepared."""

    def __init__(self, folder: Path, split: str | None):
        info = read_json(folder / INFO, error=DataError)
        if (kind := info.get("fileFormat")) not in (None, "tfrecord"):
            raise DataError(f"{folder}: its file format is {kind!r}, expected tfrecord")
        files = sorted(folder.glob(f"[!.]*-{split or '*'}.tfrecord-*-of-*"))
        if not files:
            wanted = split or "train, valid or test"
            raise DataError(f"{folder}: holds no TFRecord files of split {wanted}")
        try:
            self.lengths = _lengths(info, split, files[0].name.partition("-")[0])
        except (AttributeError, KeyError, TypeError, ValueError):
            raise DataError(f"{folder / INFO}: its splits are not as expected") from None
        super().__init__(_complete(files, self.lengths))
        labels = {}
        for name in ("label", "family", "source"):
            with reading(path := folder / f"instrument-{name}.labels.txt"):
                text = path.read_text(encoding="utf-8", errors="replace")
            labels[f"instrument/{name}"] = text.splitlines()
        self.translate = partial(prepared_values, labels)

    def inputs(self) -> dict[str, str]:
        return {file.name: f"{file.stat().st_size} bytes" for file in self.files}


def _form(path: Path, split: str | None) -> Unpacked | Records | Archive:
    """What ``path`` holds."""
    if path.name == "examples.json":
        return Unpacked([path])
    if path.is_file() and path.name.endswith(TAR):
        return Archive(path)
    if path.is_file() and ".tfrecord" in path.name:
        return Records([path])
    if (examples := path / "examples.json").is_file():
        return Unpacked([examples])
    if splits := sorted(path.glob(f"nsynth-{split or '*'}/examples.json")):
        return Unpacked(splits)
    prepared = sorted(path.rglob(INFO))
    if len(prepared) > 1:
        expected = f"expected the folder of one, as in {prepared[0].parent}"
        raise DataError(f"{path}: holds {len(prepared)} prepared data sets, {expected}")
    if prepared:
        return Prepared(prepared[0].parent, split)
    found = sorted(file for file in path.glob("[!.]*.tfrecord*") if file.is_file())
    files = [file for file in found if _RECORDS.search(file.name)]
    named = [file for file in files if split and split in file.name]
    if files and not named and split and any(re.search("train|valid|test", f.name) for f in files):
        raise DataError(f"{path}: holds no TFRecord files of split {split}")
    if files:
        return Records(_complete(named or files), [file for file in found if file not in files])
    if path.suffix in (".zip", ".rar", ".7z", ".gz", ".bz2", ".xz"):
        raise DataError(f"{path}: unpack it first; expected {EXPECTED}")
    raise DataError(f"{path}: not a form of NSynth, expected {EXPECTED}")


def _lengths(info: Mapping[str, Any], split: str | None, name: str) -> dict[str, int]:
    """How many records each file of a prepared data set has, by its ``dataset_info.json``."""
    splits = [(each["name"], each.get("shardLengths", ())) for each in info.get("splits", ())]
    return {
        f"{name}-{own}.tfrecord-{number:05d}-of-{len(counts):05d}": int(count)
        for own, counts in splits
        if split in (None, own)
        for number, count in enumerate(counts)
    }


def _complete(files: list[Path], told: Collection[str] = ()) -> list[Path]:
    """The files; a `DataError` where more are ``told``, or named such as ``…-00002-of-00010``."""
    names = {file.name for file in files}
    sets = {match.group(1, 3) for name in names if (match := _SHARD.fullmatch(name))}
    whole = [[f"{stem}-{n:05d}-of-{count}" for n in range(int(count))] for stem, count in sets]
    for expected in (*whole, told):
        if missing := sorted(set(expected) - names):
            found = f"{len(missing)} of {len(expected)} files are missing: {listed(missing)}"
            raise DataError(f"{files[0].parent}: {found}")
    return files
