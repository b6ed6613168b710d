"""Notes rendered from a General MIDI SoundFont."""

import hashlib
import io
import math
import struct
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import midirenderer
import numpy as np
import pretty_midi
import soundfile
import soxr

from reverbsynth.audio.format import NOTE_LENGTH, NOTE_OFF, SAMPLE_RATE
from reverbsynth.data.notes import LOUDEST, Index, Note, NoteRef, Rejected, usable
from reverbsynth.errors import DataError
from reverbsynth.files.reading import reading, user_path
from reverbsynth.progress import batched
from reverbsynth.seeds import generator
from reverbsynth.settings import SoundFontSource

BLOCK = 64  # Samples rendered at once; a note starts with the first block after its event.

# Seconds from one note to the next in a score: a whole number of blocks, so that a note sounds the
# same in every slot; and after which what still sounds of a note is silenced before the next.
SLOT, CUT = 4.1, 4.05

# Seconds before the first note, by which the channel's controls have settled. It falls within a
# block: on the boundary, rounding would decide which block a note starts with.
LEAD = 0.101
SCORE = 50  # Notes in one score, which bounds its memory (200 s at 48 kHz in stereo).
RENDER_RATE = 48_000
TICKS, TEMPO = 480, 125.0  # Ticks a beat and beats a minute: one tick is one millisecond.
_BANK, _VOLUME, _EXPRESSION, _REVERB, _CHORUS, _SOUND_OFF = 0, 7, 11, 91, 93, 120


class SoundFont:
    """The notes of some programs of a SoundFont, with one velocity drawn for each, or with all."""

    def __init__(self, settings: SoundFontSource, seed: int):
        self.settings, self.seed = settings, seed
        self.path = user_path(settings.path or default_soundfont())
        if self.path.is_dir():
            raise DataError(f"{self.path}: is a folder, expected an .sf2 file or --source folder")
        with reading(self.path):
            self.bytes = self.path.read_bytes()
        if self.bytes[:4] != b"RIFF" or self.bytes[8:12] != b"sfbk":
            raise DataError(f"{self.path}: not a SoundFont, expected an .sf2 file")
        known = presets(self.bytes)
        missing = [each for each in settings.programs if (settings.bank, each - 1) not in known]
        if missing:
            found = f"has no program {missing[0]} in bank {settings.bank}"
            raise DataError(f"{self.path}: {found} (data.source.programs counts from 1)")

    def inputs(self) -> dict[str, str]:
        return {self.path.name: hashlib.sha256(self.bytes).hexdigest()}

    def index(self, work: Path, reject: Rejected) -> Index:
        low, high = self.settings.pitches or (0, 127)
        velocities = self.settings.velocities
        entries = []
        for program in self.settings.programs:
            instrument = self._instrument(program)
            random = generator(self.seed, "velocity", instrument)
            for pitch in range(low, high + 1):
                drawn = int(random.choice(velocities))
                for velocity in velocities if self.settings.every_velocity else (drawn,):
                    id = f"{instrument}-{pitch:03d}-{velocity:03d}"
                    entries.append(NoteRef(id, pitch, velocity, instrument, (program,)))
        return Index(entries)

    def read(self, entries: Sequence[NoteRef], work: Path, reject: Rejected) -> Iterator[Note]:
        for (program,), group in groupby(entries, key=lambda entry: entry.locator):
            for score in batched(group, SCORE):
                yield from self._read_score(program, score, reject)

    def _read_score(
        self, program: int, score: Sequence[NoteRef], reject: Rejected
    ) -> Iterator[Note]:
        # Rendered before the first is used: that a font cannot be rendered is no note's fault.
        waves = iter(list(self._render(program, score)))
        return usable(score, lambda entry: next(waves), self.path, reject)

    def _instrument(self, program: int) -> str:
        name = pretty_midi.program_to_instrument_name(program - 1).lower()
        words = "".join(c if c.isalnum() else " " for c in name).split()
        bank = [f"bank{self.settings.bank}"] if self.settings.bank else []
        return "_".join(words + bank)

    def _render(self, program: int, entries: Sequence[NoteRef]) -> Iterator[np.ndarray]:
        wave = self._rendered(_score(program, self.settings.bank, entries))
        for number, entry in enumerate(entries):
            start = BLOCK * math.ceil((LEAD + number * SLOT) * RENDER_RATE / BLOCK)
            slot = wave[start : start + round(CUT * RENDER_RATE)]
            audio = soxr.resample(slot, RENDER_RATE, SAMPLE_RATE, quality="VHQ")[:NOTE_LENGTH]
            peak = np.abs(audio).max()
            if peak > 0:  # That of velocity 127 is `LOUDEST`; others are in proportion.
                audio = audio * (LOUDEST * entry.velocity / 127 / peak)
            yield audio.astype(np.float32)

    def _rendered(self, score: bytes) -> np.ndarray:
        """The mono wave of a score at 48 kHz."""
        try:
            wave = midirenderer.render_wave_from(self.bytes, score)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            # A malformed SoundFont makes the renderer, which is written in Rust, panic: pyo3
            # raises that as an exception that is no Exception.
            reason = " ".join(str(error).split())
            raise DataError(f"{self.path}: cannot be rendered ({reason})") from None
        samples, _ = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
        return samples.mean(axis=1)


def default_soundfont() -> Path:
    """The General MIDI SoundFont that ``pretty_midi`` installs."""
    return Path(pretty_midi.__file__).with_name("TimGM6mb.sf2")


def presets(soundfont: bytes) -> set[tuple[int, int]]:
    """Bank and program (from 0) of the 38-byte headers in ``phdr``; the last only ends the list."""
    _, found, chunk = soundfont.rpartition(b"phdr")
    if not found or len(chunk) < 4:
        return set()
    headers = chunk[4 : 4 + int.from_bytes(chunk[:4], "little")]
    pairs = [struct.unpack_from("<HH", headers, at + 20) for at in range(0, len(headers) - 37, 38)]
    return {(bank, program) for program, bank in pairs[:-1]}


def _score(program: int, bank: int, entries: Sequence[NoteRef]) -> bytes:
    """A MIDI file with one note in each slot.

    The renderer's 16 bits lose very quiet voices: several equal ones play a quiet note, louder.
    """
    score = pretty_midi.PrettyMIDI(resolution=TICKS, initial_tempo=TEMPO)
    player = pretty_midi.Instrument(program - 1)
    controls = {_BANK: bank, _VOLUME: 127, _EXPRESSION: 127, _REVERB: 0, _CHORUS: 0}
    for control, value in controls.items():
        player.control_changes.append(pretty_midi.ControlChange(control, value, 0.0))
    for number, entry in enumerate(entries):
        start = LEAD + number * SLOT
        voices = int(np.clip(round((90 / entry.velocity) ** 2), 1, 16))
        note = pretty_midi.Note(entry.velocity, entry.pitch, start, start + NOTE_OFF)
        player.notes += [note] * voices
        player.control_changes.append(pretty_midi.ControlChange(_SOUND_OFF, 0, start + CUT))
    # The renderer stops at the last event: one more note, so that the last slot is rendered whole.
    end = LEAD + len(entries) * SLOT
    player.notes.append(pretty_midi.Note(1, 60, end, end + 0.01))
    score.instruments.append(player)
    file = io.BytesIO()
    score.write(file)
    return file.getvalue()
