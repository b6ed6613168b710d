"""Notes from any folder of sound files."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.io import read_sound, root_key
from reverbsynth.audio.note_names import NameHints, are_german, read_name
from reverbsynth.audio.pitch import HIGHEST, LOWEST, estimated_pitch, onset, pitch_name
from reverbsynth.data.dataset import MANIFEST, note_files
from reverbsynth.data.notes import (
    LOUDEST,
    UNKNOWN_VELOCITY,
    Index,
    Note,
    NoteRef,
    Rejected,
    audio_problem,
    draw,
    listed,
    usable,
)
from reverbsynth.data.sources.files import (
    SUFFIXES,
    fingerprint,
    plain_name,
    required,
    visible_files,
)
from reverbsynth.data.sources.table import matched, read_table
from reverbsynth.errors import DataError
from reverbsynth.progress import ProgressDisplay
from reverbsynth.settings import FolderSource

TABLES = (".csv", ".tsv", ".json")
OTHER_SOUNDS = (".m4a", ".mp4", ".aac", ".wma", ".wv", ".ape", ".mka", ".webm")
LONGEST_SILENCE = 30.0  #: Seconds before an onset that are read to be cut off.
SURE = 0.9  #: Confidence of an estimate that is held against another source of the pitch.
MOST_LAYERS = 31  #: Highest number of a layer; where names go beyond, they tell the velocity.
_EARLIER = int(0.005 * SAMPLE_RATE)  # Samples kept before an onset.
_ORIGINS = ("table", "name", "root key", "estimate", "number in its name")
_OWN_ORIGINS = {"name": ("name", "number in its name"), "root_key": ("root key",)}
_INTERVALS = {1: "a semitone", 12: "an octave", 24: "two octaves"}


class Folder:
    """The sounds of a folder and its subfolders, cropped or padded to 4 s.

    Their pitches come from a table, else from file names, root keys in the files, or estimates; a
    number that may be a counter counts last. Instruments are the table's, else subfolders' names.
    """

    def __init__(self, settings: FolderSource, seed: int):
        self.settings, self.seed = settings, seed
        kinds = ", ".join(SUFFIXES)
        self.path = required(settings.path, f"a folder of {kinds}")
        if not self.path.is_dir():
            raise DataError(f"{self.path}: is a file, expected a folder of sounds")
        self.unreadable: list[tuple[str, str]] = []
        files = visible_files(self.path, self.unreadable)
        self.table = self._table(files)
        self.files = {name: file for name, file in files.items() if file.suffix.lower() in SUFFIXES}
        self.others = [n for n, file in files.items() if n not in self.files and file != self.table]
        for name in [n for n in self.others if files[n].suffix.lower() in OTHER_SOUNDS]:
            self.others.remove(name)
            reason = f"{files[name]}: in a format that is not read; convert it to WAV or FLAC"
            self.unreadable.append((name, reason))
        if not self.files and not self.unreadable:
            raise DataError(f"{self.path}: holds no sounds, expected {kinds}")
        self.middle_c = int(settings.middle_c[1])

    def inputs(self) -> dict[str, str]:
        inputs = {f"{self.path.name}/{name}": fingerprint(p) for name, p in self.files.items()}
        if self.table is not None:
            inputs[self.table.name] = fingerprint(self.table)
        return inputs

    def index(self, work: Path, reject: Rejected) -> Index:
        """The sounds that can be used and are wanted; the report says where each pitch is from."""
        for problem in self.unreadable:
            reject(*problem)
        table = {} if self.table is None else read_table(self.table, reject, self.middle_c)
        rows, unmatched = matched(table, self.files)
        for name, reason in unmatched.items():
            if table[name] is not None:  # Else it is rejected already.
                reject(name, f"{self.table}: file {name}: {reason} in {self.path}")
        german = are_german(path.stem for path in self.files.values())
        names = {n: read_name(p.stem, self.middle_c, german) for n, p in self.files.items()}
        counted = [hints.doubtful for hints in names.values() if hints.doubtful is not None]
        counters = not all(LOWEST <= number <= HIGHEST for number in counted)
        layers = {hints.layer for hints in names.values() if hints.layer is not None}
        keys: dict[str, int] = {}
        for name, file in self.files.items():
            with suppress(DataError):  # Which reading the sound will raise again.
                keys |= {} if (key := root_key(file)) is None else {name: key}
        default = set(keys.values()) if len(keys) > 1 else set()
        keys = {} if len(default) == 1 else keys
        entries, pitches = [], {}
        with ProgressDisplay() as display:
            for name, file in display.track(self.files.items(), description="pitches"):
                row, hints = rows.get(name, {}), names[name]
                if row is None:  # Its row was rejected.
                    continue
                try:
                    estimate, confidence = estimated_pitch(self._sound(file))
                    told = {
                        "table": row.get("pitch"),
                        "name": hints.pitch,
                        "root key": keys.get(name),
                        "estimate": estimate if confidence >= self.settings.confidence else None,
                        "number in its name": None if counters else hints.doubtful,
                    }
                    pitch, origin = self._chosen(file, told, confidence)
                except DataError as error:
                    reject(name, str(error))
                    continue
                rounded = round(confidence, 4) if estimate is not None else None
                told = {source: value for source, value in told.items() if value is not None}
                pitches[name] = {"pitch_from": origin, "confidence": rounded, "told": told}
                velocity = row.get("velocity") or _velocity(hints, layers)
                # Sounds beside the table, not below it, are of the folder's own name.
                folder = name.rpartition("/")[0] or plain_name(self.path.resolve().name)
                instrument = row.get("instrument") or folder
                entries.append(NoteRef(name, pitch, velocity, instrument, (str(file),)))
        notices = self._disagreements({entry.id: entry.pitch for entry in entries}, pitches)
        estimated = [e for e in entries if pitches[e.id]["pitch_from"] == "estimate"]
        if 0 < len(estimated) < len(entries):
            sounds = listed([f"{e.id} ({pitch_name(e.pitch)})" for e in estimated])
            found = f"{len(estimated)} of {len(entries)} sounds"
            notices.append(f"pitch by estimate alone in {found}: {sounds}")
        if german:
            notices.append("names: one calls a note H, as in German; so B is B♭")
        if len(default) == 1:
            notices.append(f"root keys: all {default.pop()}, taken for a default and not used")
        if self.others:
            notices.append(f"not sounds: {listed(self.others)}")
        entries = self._wanted(entries, reject, notices)
        return Index(entries, {"pitches": {e.id: pitches[e.id] for e in entries}}, notices)

    def read(self, entries: Sequence[NoteRef], work: Path, reject: Rejected) -> Iterator[Note]:
        def padded(entry: NoteRef) -> np.ndarray:
            audio = self._sound(Path(str(entry.locator[0])))
            return np.pad(audio, (0, NOTE_LENGTH - len(audio)))

        return usable(entries, padded, self.path, reject)

    def _sound(self, file: Path) -> np.ndarray:
        """A sound of at most 4 s, trimmed and normalized where the settings ask for it."""
        silence = LONGEST_SILENCE if self.settings.trim_onset else 0.0
        audio = read_sound(file, seconds=NOTE_LENGTH / SAMPLE_RATE + silence)
        if self.settings.trim_onset:
            audio = audio[max(onset(audio) - _EARLIER, 0) :][:NOTE_LENGTH]
        if self.settings.normalize and (peak := np.abs(audio).max(initial=0)) > 0:
            audio = audio * np.float32(LOUDEST / peak)
        if problem := audio_problem(np.pad(audio, (0, NOTE_LENGTH - len(audio)))):
            raise DataError(f"{file}: {problem}")
        return audio

    def _table(self, files: Mapping[str, Path]) -> Path | None:
        """The path of the table to use, if any."""
        if self.settings.table is not None:
            return required(self.settings.table, "a CSV or JSON table")
        if self.settings.pitch_from not in ("auto", "table"):
            return None
        top = [path for name, path in files.items() if "/" not in name]
        tables = [path for path in top if path.suffix.lower() in TABLES]
        if note_files(self.path):  # Of a data set.
            tables = [path for path in tables if path.name != MANIFEST]
        if len(tables) > 1:
            found = f"holds {len(tables)} tables ({listed([t.name for t in tables])})"
            raise DataError(f"{self.path}: {found}, expected one, or its path as data.source.table")
        if not tables and self.settings.pitch_from == "table":
            raise DataError(f"{self.path}: holds no .csv or .json table of pitches")
        return tables[0] if tables else None

    def _chosen(
        self, file: Path, told: Mapping[str, int | None], confidence: float
    ) -> tuple[int, str]:
        """The pitch of a sound, and where it is from."""
        wanted = self.settings.pitch_from
        for origin in _ORIGINS if wanted == "auto" else _OWN_ORIGINS.get(wanted, (wanted,)):
            if (pitch := told[origin]) is not None:
                return pitch, origin
        if wanted == "table":
            raise DataError(f"{self.table}: tells no pitch for {file.name}")
        reason = f"nothing tells its pitch, and its sound has none from {LOWEST} to {HIGHEST}"
        if wanted == "name":
            names = "bass_A1.wav, bass_midi33.wav or bass-033-100.wav"
            reason = f"its name tells no one pitch, expected one as in {names}"
        elif wanted == "root_key":
            reason = "names no root key of its own"
        elif confidence:
            limit = f"expected at least {self.settings.confidence:g} (data.source.confidence)"
            reason = f"pitch estimated with confidence {confidence:.2f}, {limit}"
        raise DataError(f"{file}: {reason}")

    def _disagreements(self, chosen: Mapping[str, int], report: Mapping[str, dict]) -> list[str]:
        """Where two sources tell different pitches, a line for each interval between them."""
        groups: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for name, pitch in chosen.items():
            origin, told = report[name]["pitch_from"], report[name]["told"]
            sure = (report[name]["confidence"] or 0) >= SURE
            others = ("name", "root key", *(["estimate"] if sure else []), "number in its name")
            for other in others:
                if (value := told.get(other, pitch)) != pitch:
                    sound = f"{name} ({pitch_name(pitch)}, {other} {pitch_name(value)})"
                    groups[origin, other, value - pitch].append(sound)
        lines = []
        for (origin, other, step), sounds in groups.items():
            apart = _INTERVALS.get(abs(step), f"{abs(step)} semitones")
            where = "above" if step > 0 else "below"
            hint = f"C{self.middle_c - step // 12}"
            most = 2 * len(sounds) > len(chosen)
            if other == "number in its name" and not most:
                continue  # Those are counters.
            most = most and hint in ("C3", "C4", "C5")
            usual = origin == "name" and abs(step) == 12 and most
            advice = f"; where {hint} is middle C, set data.source.middle_c={hint}" if usual else ""
            found = f"{other} {apart} {where} the {origin} in {len(sounds)} of {len(chosen)} sounds"
            lines.append(f"{found}: {listed(sounds)}{advice}")
        return lines

    def _wanted(
        self, entries: list[NoteRef], reject: Rejected, notices: list[str]
    ) -> list[NoteRef]:
        """The sounds that the settings select; what is not selected is counted."""
        low, high = self.settings.pitches or (0, 127)
        wanted = [entry for entry in entries if low <= entry.pitch <= high]
        if outside := [entry.id for entry in entries if not low <= entry.pitch <= high]:
            found = f"{len(outside)} of {len(entries)} sounds are not from {low} to {high}"
            notices.append(f"data.source.pitches: {found}: {listed(outside)}")
        if entries and not wanted:
            limits = f"from {low} to {high} (data.source.pitches)"
            raise DataError(f"{self.path}: no sound has a pitch {limits}")
        if not wanted:
            first = f"; the first: {reject.notes[0]['reason']}" if reject.notes else ""
            raise DataError(f"{self.path}: none of {len(self.files)} sounds can be used{first}")
        return draw(wanted, self.settings.count, self.seed, notices)


def _velocity(hints: NameHints, layers: set[int]) -> int:
    """The velocity that a name tells; ``layers`` are the numbers behind a v in the folder."""
    if hints.layer is not None and max(layers) > MOST_LAYERS:
        return hints.layer  # Itself, whatever else an instrument's name seems to tell.
    if hints.velocity is not None or hints.layer is None:
        return hints.velocity or UNKNOWN_VELOCITY
    first = 0 in layers  # They count from 0.
    return round(127 * (hints.layer + first) / (max(layers) + first))
