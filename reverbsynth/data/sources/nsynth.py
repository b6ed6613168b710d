"""Notes of NSynth (Engel et al. 2017), in any of its published forms."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from reverbsynth.audio.io import read_nsynth_wav
from reverbsynth.data import tfrecord
from reverbsynth.data.notes import Index, Note, NoteRef, Rejected, audio_problem, draw
from reverbsynth.data.sources.files import fingerprint, json_pairs, listing_fingerprint, required
from reverbsynth.data.sources.nsynth_archive import Archive
from reverbsynth.data.sources.nsynth_metadata import (
    Description,
    Selection,
    from_features,
    from_json,
    from_prepared,
)
from reverbsynth.errors import ReverbSynthError
from reverbsynth.progress import progress
from reverbsynth.settings import NSynthSource

EXPECTED = (
    "an unpacked split (examples.json and audio/), an archive (.tar.gz, .tar), TFRecord files, or "
    "a folder prepared by tensorflow-datasets"
)

Where = tuple[str | int, ...]


class Form(Protocol):
    """One of NSynth's published forms."""

    def inputs(self) -> dict[str, str]:
        """Fingerprints of what it is made of."""

    def found(
        self, work: Path, selection: Selection, reject: Rejected
    ) -> Iterator[tuple[Description, Where]]:
        """Every note, with what `audio` needs to find it; at least those that are wanted."""

    def audio(self, where: Where, work: Path) -> np.ndarray:
        """The samples of a note."""


class NSynth:
    """The notes of NSynth that the settings select."""

    def __init__(self, settings: NSynthSource, seed: int):
        self.settings = settings
        self.seed = seed
        self.path = required(settings.path, EXPECTED)
        self.selection = Selection(settings)
        self.form = _form(self.path, settings.split)

    def inputs(self) -> dict[str, str]:
        """Fingerprints of the files that tell whether the source is still the same."""
        return self.form.inputs()

    def index(self, work: Path, reject: Rejected) -> Index:
        """The selected notes, sorted by id; of notes with one id all but the first are rejected."""
        entries: dict[str, NoteRef] = {}
        for description, where in self.form.found(work, self.selection, reject):
            place = f"{self.path}: note {description.id}"
            if not self.selection.wants(description, place):
                continue
            if description.id in entries:
                reject(description.id, f"{place}: occurs more than once")
                continue
            try:
                entries[description.id] = description.entry(*where)
            except ValueError as error:
                reject(description.id, f"{place}: {error}")
        if not entries and not reject.notes:
            raise ReverbSynthError(
                f"{self.path}: no note fits the selection in data.source ({self.selection})"
            )
        return Index(draw(list(entries.values()), self.settings.count, self.seed))

    def read(self, entries: Sequence[NoteRef], work: Path, reject: Rejected) -> Iterator[Note]:
        """The notes of ``entries``, in their order."""
        for entry in entries:
            try:
                audio = self.form.audio(entry.where, work)
            except ReverbSynthError as error:
                reject(entry.id, str(error))
                continue
            if problem := audio_problem(audio):
                reject(entry.id, f"{self.path}: note {entry.id}: {problem}")
            else:
                yield entry.note(audio)


class Unpacked:
    """A folder with ``examples.json`` and ``audio/<id>.wav``."""

    def __init__(self, folders: list[Path]):
        self.folders = folders

    def inputs(self) -> dict[str, str]:
        return {
            f"{folder.name}/examples.json": fingerprint(folder / "examples.json")
            for folder in self.folders
        }

    def found(
        self, work: Path, selection: Selection, reject: Rejected
    ) -> Iterator[tuple[Description, Where]]:
        for folder in self.folders:
            path = folder / "examples.json"
            with open(path, "rb") as file:
                for name, values in json_pairs(file, str(path)):
                    try:
                        if "/" in name or "\\" in name or name.startswith("."):
                            raise ValueError("its name is not a file name")
                        yield from_json(name, values), (str(folder / "audio" / f"{name}.wav"),)
                    except ValueError as error:
                        reject(name, f"{path}: note {name}: {error}")

    def audio(self, where: Where, work: Path) -> np.ndarray:
        return read_nsynth_wav(Path(where[0]))


class Records:
    """TFRecord files: NSynth's own, ours, or the paper's with audio and pitch alone."""

    def __init__(self, files: list[Path]):
        self.files = files

    def inputs(self) -> dict[str, str]:
        return {file.name: fingerprint(file) for file in self.files}

    def describe(self, features: dict, name: str) -> Description:
        """What a record tells."""
        return from_features(features, name)

    def found(
        self, work: Path, selection: Selection, reject: Rejected
    ) -> Iterator[tuple[Description, Where]]:
        with progress(in_bytes=True) as display:
            total = sum(file.stat().st_size for file in self.files)
            task = display.add_task("reading", total=total)
            for file in self.files:
                stem = file.name.split(".tfrecord")[0]
                for number, (offset, payload) in enumerate(tfrecord.read(file)):
                    display.advance(task, len(payload) + 16)
                    try:
                        features = tfrecord.decode(payload)
                        name = f"{stem}-{number:06d}"
                        yield self.describe(features, name), (str(file), offset)
                    except ValueError as error:
                        place = f"{file}: record at byte {offset}"
                        reject(place, f"{place}: {error}")

    def audio(self, where: Where, work: Path) -> np.ndarray:
        path, offset = Path(where[0]), int(where[1])
        _, payload = next(tfrecord.read(path, offset))
        audio = tfrecord.decode(payload).get("audio")
        if not isinstance(audio, np.ndarray):
            raise ReverbSynthError(f"{path}: record at byte {offset}: audio is missing")
        return audio


class Prepared(Records):
    """The TFRecord files of a folder that tensorflow-datasets prepared."""

    def __init__(self, folder: Path, split: str | None):
        self.folder = folder
        info = _info(folder)
        if info.get("fileFormat", "tfrecord") != "tfrecord":
            raise ReverbSynthError(
                f"{folder}: its file format is {info['fileFormat']!r}, expected tfrecord"
            )
        super().__init__(sorted(folder.glob(f"*-{split or '*'}.tfrecord-*-of-*")))
        if not self.files:
            raise ReverbSynthError(
                f"{folder}: holds no TFRecord files of split {split or 'train, valid or test'}"
            )
        self.labels = {
            f"instrument/{name}": _lines(folder / f"instrument-{name}.labels.txt")
            for name in ("label", "family", "source")
        }

    def inputs(self) -> dict[str, str]:
        return {self.folder.name: listing_fingerprint(self.folder, self.files)}

    def describe(self, features: dict, name: str) -> Description:
        return from_prepared(features, self.labels, name)


def _form(path: Path, split: str | None) -> Form:
    """What ``path`` holds."""
    if path.is_file():
        if path.name == "examples.json":
            return Unpacked([path.parent])
        if path.name.endswith((".tar.gz", ".tgz", ".tar")):
            return Archive(path)
        if ".tfrecord" in path.name:
            return Records([path])
        raise ReverbSynthError(f"{path}: not a form of NSynth, expected {EXPECTED}")
    if (path / "examples.json").is_file():
        return Unpacked([path])
    if splits := sorted(path.glob(f"nsynth-{split or '*'}/examples.json")):
        return Unpacked([examples.parent for examples in splits])
    prepared = sorted(path.rglob("dataset_info.json"))
    if len(prepared) > 1:
        raise ReverbSynthError(
            f"{path}: holds {len(prepared)} prepared data sets, expected the folder of one, as in "
            f"{prepared[0].parent}"
        )
    if prepared:
        return Prepared(prepared[0].parent, split)
    files = sorted(file for file in path.glob("*.tfrecord*") if file.is_file())
    named = [file for file in files if split and split in file.name]
    if files:
        return Records(named or files)
    raise ReverbSynthError(f"{path}: not a form of NSynth, expected {EXPECTED}")


def _info(folder: Path) -> dict:
    try:
        info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        info = None
    if not isinstance(info, dict):
        raise ReverbSynthError(f"{folder / 'dataset_info.json'}: not valid JSON")
    return info


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ReverbSynthError(f"{path}: cannot be read, expected one name a line") from None
