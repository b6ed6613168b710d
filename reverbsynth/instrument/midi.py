"""MIDI files played by an instrument, as GANSynth plays them.

The latent vector moves through latent space as the piece goes on, one new timbre every few seconds.
Each note gets an attack of 10 ms and a release of 0.3 s after at most 3 s, and peaks at its
velocity. Engel et al., "GANSynth" (2019), and its ``generate.py``.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import mido
import numpy as np

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.errors import DataError, SettingsError
from reverbsynth.instrument.instrument import Instrument, at_peak
from reverbsynth.instrument.resampling import transposed

ATTACK, RELEASE = 0.010, 0.3
"""Seconds of a note's fade-in, and of its fade-out, which begins at its end."""

LONGEST = 3.0
"""Seconds after which a note's release begins at the latest."""

PEAK = 0.9
"""Peak of the whole piece; the margin keeps lossy formats from clipping."""

DRUMS = 9
"""Channel of drums in General MIDI, counted from 0."""

_SUSTAIN, _ALL_SOUND_OFF, _ALL_NOTES_OFF = 64, 120, 123
_SEMITONES, _CENTS, _PARAMETER = 6, 38, (100, 101)
_LONGEST_PIECE = 2 * 3600.0
_MOST_NOTES = 1_000_000


@dataclass(frozen=True)
class MidiNote:
    """One note of a piece: start and end in seconds.

    ``bend`` is what the pitch wheel does: seconds, and semitones from there on; first at its start.
    """

    start: float
    end: float
    pitch: int
    velocity: int
    bend: tuple[tuple[float, float], ...] = ((0.0, 0.0),)


@dataclass(frozen=True)
class Part:
    """The notes of one track on one channel; ``number`` counts from 1 over parts with notes."""

    number: int
    name: str
    channel: int
    notes: tuple[MidiNote, ...]

    @property
    def drums(self) -> bool:
        return self.channel == DRUMS


@dataclass(frozen=True)
class Rendering:
    """A rendered piece (`render`).

    Attributes
    ----------
    audio : ndarray, float32 [shape=(samples,)]
    notes, generated : int
        Notes played, and the different (pitch, timbre) pairs among them, each generated once.
    moved, left_out : dict
        Number of notes of each pitch outside the instrument's range, transposed by octaves or not
        played.
    resampled : dict
        Number of notes of each pitch that the generator does not draw.
    """

    audio: np.ndarray
    notes: int
    generated: int
    moved: dict[int, int] = field(default_factory=dict)
    left_out: dict[int, int] = field(default_factory=dict)
    resampled: dict[int, int] = field(default_factory=dict)

    def report(self) -> list[str]:
        """Lines that say what was not played as written."""
        changes = {
            "transposed by octaves": self.moved,
            "left out": self.left_out,
            "resampled from the nearest trained pitch": self.resampled,
        }
        return [
            f"{sum(counts.values())} notes {name} (pitches {', '.join(map(str, sorted(counts)))})"
            for name, counts in changes.items()
            if counts
        ]


def read_midi(path: Path | str) -> list[Part]:
    """Read the parts of a MIDI file, their notes timed in seconds; DataError for damaged files.

    Tempo changes hold for all tracks; notes held by the sustain pedal end when it is lifted or
    their key is struck again; a note without an end lasts to the end of the piece.
    """
    path = Path(path)
    try:
        file = mido.MidiFile(str(path), clip=True)
        events = _in_seconds(file)
        parts = _parts(events, [track.name for track in file.tracks])
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: cannot be read as MIDI ({reason})") from None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    # A damaged file can fail at any byte, and mido then raises whatever Python does there.
    except Exception as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(f"{path}: damaged MIDI file ({reason})") from None
    if not parts:
        raise DataError(f"{path}: found no notes")
    return parts


def choose(parts: Sequence[Part], numbers: Iterable[int] | None = None) -> list[MidiNote]:
    """Notes of some parts in order of their start; of all parts but drums by default."""
    if numbers is None:
        chosen = [part for part in parts if not part.drums]
        if not chosen:
            raise SettingsError("tracks: found drums only, which the instrument cannot play")
    else:
        known = {part.number: part for part in parts}
        for number in numbers:
            if number not in known:
                listed = ", ".join(f"{part.number} ({part.name or 'unnamed'})" for part in parts)
                raise SettingsError(f"track: found {number}, expected one of {listed}")
        chosen = [known[number] for number in sorted(set(numbers))]
    notes = [note for part in chosen for note in part.notes]
    return sorted(notes, key=lambda note: (note.start, note.pitch, note.end, note.velocity))


def render(
    instrument: Instrument,
    notes: Sequence[MidiNote],
    seed: int | None = None,
    every: float = 2.0,
    outside: str = "transpose",
    progress: Callable[[int, int], None] | None = None,
    tune: float = 0.0,
    **labels: Any,
) -> Rendering:
    """Play notes.

    Parameters
    ----------
    instrument : Instrument
    notes : sequence of MidiNote
    seed : int, optional
        Of the timbres.
    every : float
        Seconds from one timbre to the next; 0 keeps one throughout.
    outside : {"transpose", "omit"}
        What to do with pitches outside the instrument's range: transpose by as few octaves as it
        takes, or omit. Pitches that no octave brings into the range are omitted.
    progress : callable, optional
        Called with the number of notes generated so far, and of all.
    tune : float
        Cents that the piece sounds above its pitches.
    labels
        Values of the other labels, such as ``effect="reverb"``.

    Raises
    ------
    SettingsError
        When no note can be played.
    """
    if not every >= 0:
        raise SettingsError(f"seconds between timbres: found {every}, expected 0 or more")
    instrument.condition(instrument.pitches[:1], **labels)
    playable, moved, left_out = _in_range(notes, instrument.keys, outside)
    if not playable:
        low, high = instrument.keys[0], instrument.keys[-1]
        raise SettingsError(f"no note to play within the instrument's pitches {low} to {high}")
    duration = max(min(note.end, note.start + LONGEST) for note in playable) + RELEASE
    audio = np.zeros(round(duration * SAMPLE_RATE) + 1, np.float32)
    walk = instrument.walk(duration if every else 0.0, every or 1.0, seed)
    # Notes that start together share a timbre, so equal pitches among them are one generated note.
    z = walk.at([note.start for note in playable])
    bends = [note.bend[0][1] for note in playable]
    sounding = [note.pitch + bend + tune / 100 for note, bend in zip(playable, bends, strict=True)]
    keys = [(pitch, timbre.tobytes()) for pitch, timbre in zip(sounding, z, strict=True)]
    uses: dict[tuple, list[int]] = {}
    for i, key in enumerate(keys):
        uses.setdefault(key, []).append(i)
    first = [indices[0] for indices in uses.values()]
    pitches, bent = [playable[i].pitch for i in first], [100 * bends[i] + tune for i in first]
    waves = instrument.stream(pitches, z[first], tune=bent, **labels)
    for done, (wave, indices) in enumerate(zip(waves, uses.values(), strict=True), 1):
        for i in indices:
            _mix_in(audio, wave, playable[i])
        if progress:
            progress(done, len(first))
    resampled = Counter(
        note.pitch
        for note, pitch in zip(playable, sounding, strict=True)
        if instrument.drawn_pitch(pitch) != pitch
    )
    return Rendering(at_peak(audio, PEAK), len(playable), len(first), moved, left_out, resampled)


def envelope(seconds: float) -> np.ndarray:
    """Gain of a note of some length, its release included, float32 [shape=(samples,)]."""
    held = round(min(seconds, LONGEST) * SAMPLE_RATE)
    attack, release = round(ATTACK * SAMPLE_RATE), round(RELEASE * SAMPLE_RATE)
    gain = np.ones(held + release, np.float32)
    gain[held:] = np.linspace(1, 0, release)
    gain[:attack] *= np.linspace(0, 1, attack)
    return gain


def _mix_in(audio: np.ndarray, wave: np.ndarray, note: MidiNote) -> None:
    if len(note.bend) > 1:
        times, semitones = np.array(note.bend).T
        seconds = note.start + np.arange(len(wave)) / SAMPLE_RATE
        now = np.maximum(np.searchsorted(times, seconds, side="right") - 1, 0)
        wave = transposed(wave, semitones[now] - semitones[0])
    gain = envelope(note.end - note.start)
    shaped = at_peak(wave[: len(gain)] * gain, note.velocity / 127)
    start = round(note.start * SAMPLE_RATE)
    audio[start : start + len(shaped)] += shaped[: len(audio) - start]


def _in_range(
    notes: Sequence[MidiNote], known: range, outside: str
) -> tuple[list[MidiNote], Counter[int], Counter[int]]:
    """Notes that can be played, and counts of the pitches transposed and left out."""
    playable: list[MidiNote] = []
    moved: Counter[int] = Counter()
    left_out: Counter[int] = Counter()
    octaves = sorted(range(-120, 121, 12), key=abs)
    for note in notes:
        pitch = note.pitch
        if pitch not in known and outside == "transpose":
            pitch = next((pitch + step for step in octaves if pitch + step in known), pitch)
        if pitch not in known:
            left_out[note.pitch] += 1
            continue
        if pitch != note.pitch:
            moved[note.pitch] += 1
        playable.append(replace(note, pitch=pitch))
    return playable, moved, left_out


def _in_seconds(file: mido.MidiFile) -> list[tuple[float, int, mido.Message]]:
    """Messages of all tracks in order of time: seconds, number of the track, message."""
    if file.type == 2:
        raise DataError("MIDI format 2 (separate sequences), expected format 0 or 1")
    per_beat = file.ticks_per_beat
    if not 0 < per_beat < 0x8000:
        raise DataError(f"{per_beat} ticks a beat, expected beats, not SMPTE frames")
    timed = []
    for number, track in enumerate(file.tracks):
        ticks = 0
        for message in track:
            ticks += message.time
            timed.append((ticks, number, message))
    timed.sort(key=lambda event: event[0])
    events, seconds, before, tempo = [], 0.0, 0, 500_000
    for ticks, number, message in timed:
        seconds += (ticks - before) * tempo / per_beat / 1e6
        before = ticks
        if message.type == "set_tempo":
            tempo = message.tempo
        if not message.is_meta or message.type == "end_of_track":
            if seconds > _LONGEST_PIECE:
                hours = _LONGEST_PIECE / 3600
                raise DataError(f"lasts {seconds:.0f} s, expected at most {hours:.0f} hours")
            events.append((seconds, number, message))
    return events


class _Wheels:
    """The pitch wheels of all channels, whose range RPN 0 sets: 2 semitones, unless it does."""

    def __init__(self) -> None:
        self._curves: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self._controls: dict[int, dict[int, int]] = defaultdict(dict)

    def heed(self, seconds: float, message: mido.Message) -> None:
        channel = message.channel
        controls = self._controls[channel]
        if message.type == "pitchwheel":
            width = controls.get(_SEMITONES, 2) + controls.get(_CENTS, 0) / 100
            self._curves[channel].append((seconds, width * message.pitch / 8192))
        elif message.control in _PARAMETER or (
            message.control in (_SEMITONES, _CENTS)
            and not any(controls.get(number, 127) for number in _PARAMETER)
        ):
            controls[message.control] = message.value

    def bent(self, note: MidiNote, channel: int) -> MidiNote:
        """A note with what its channel's wheel does from its start to the end of its release."""
        curve = self._curves[channel]
        start, end = (
            bisect_right(curve, (time, np.inf)) for time in (note.start, note.end + RELEASE)
        )
        first = curve[start - 1][1] if start else 0.0
        return replace(note, bend=((note.start, first), *curve[start:end]))


def _parts(events: list[tuple[float, int, mido.Message]], names: list[str]) -> list[Part]:
    """Notes of each track and channel, which keys and the sustain pedal hold."""
    notes_of: dict[tuple[int, int], list[MidiNote]] = {}
    down: dict[tuple[int, int, int], list[tuple[float, int]]] = {}
    held: dict[tuple[int, int, int], list[tuple[float, int]]] = {}
    pedals: set[int] = set()
    wheels = _Wheels()

    def end(key: tuple[int, int, int], strikes: list[tuple[float, int]], at: float) -> None:
        for start, velocity in strikes:
            notes_of.setdefault(key[:2], []).append(MidiNote(start, at, key[2], velocity))

    def lift(channel: int, at: float) -> None:
        for key in [key for key in held if key[1] == channel]:
            end(key, held.pop(key), at)

    seconds = 0.0
    for count, (seconds, track, message) in enumerate(events):
        if count > _MOST_NOTES:
            raise DataError(f"more than {_MOST_NOTES:,} events")
        if message.type in ("note_on", "note_off"):
            key = (track, message.channel, message.note)
            if message.type == "note_on" and message.velocity > 0:
                end(key, held.pop(key, []), seconds)
                down.setdefault(key, []).append((seconds, message.velocity))
            elif down.get(key):
                # Of overlapping notes of one pitch the first struck ends first.
                strike = down[key].pop(0)
                if message.channel in pedals:
                    held.setdefault(key, []).append(strike)
                else:
                    end(key, [strike], seconds)
        elif message.type == "pitchwheel":
            wheels.heed(seconds, message)
        elif message.type == "control_change":
            wheels.heed(seconds, message)
            channel = message.channel
            if message.control == _SUSTAIN:
                if message.value >= 64:
                    pedals.add(channel)
                else:
                    pedals.discard(channel)
                    lift(channel, seconds)
            elif message.control in (_ALL_SOUND_OFF, _ALL_NOTES_OFF):
                for key in [key for key in down if key[1] == channel]:
                    end(key, down.pop(key), seconds)
                lift(channel, seconds)
    for pending in (down, held):
        for key, strikes in pending.items():
            end(key, strikes, seconds)
    parts = []
    for number, ((track, channel), notes) in enumerate(sorted(notes_of.items()), 1):
        bent = (wheels.bent(note, channel) for note in sorted(notes, key=lambda n: n.start))
        parts.append(Part(number, names[track].strip(), channel, tuple(bent)))
    return parts
