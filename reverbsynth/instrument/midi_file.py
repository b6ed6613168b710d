"""Reading MIDI files: the parts of a piece, and when each of its notes sounds.

What makes no sound is passed over, however it is written: unknown or damaged meta events, system
exclusive messages, foreign chunks, RIFF around the file, and how far away a track says it ends.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from reverbsynth.errors import DataError, SettingsError
from reverbsynth.files.reading import reading
from reverbsynth.instrument.release import longest_release

DRUMS = 9  # The channel of drums in General MIDI, counted from 0.
_NOTE_OFF, _NOTE_ON, _CONTROL, _WHEEL = 0x80, 0x90, 0xB0, 0xE0
_META, _SYSTEM = 0xFF, 0xF0
_NAME, _END, _TEMPO = 0x03, 0x2F, 0x51
_SUSTAIN, _ALL_SOUND_OFF, _RESET, _ALL_NOTES_OFF = 64, 120, 121, 123
_VOLUME, _EXPRESSION = 7, 11
_MODES = range(124, 128)  # Each of them also ends all notes.
_SEMITONES, _CENTS, _PARAMETER, _UNREGISTERED = 6, 38, (100, 101), (98, 99)
_LONGEST_PIECE = 2 * 3600.0
_BLANK = "\0 \t\r\n"  # About a name; some sequencers end it with NUL.
_MOST_NOTES = 1_000_000
_MOST_TICKS = 0x0FFFFFFF  # of one event after another; four bytes
_LONGEST_HEARD = 8.0  # Seconds of a note of 4 s that is bent down by an octave.

_Event = tuple[float, int, int, bytes]
"""Ticks or seconds, the number of the track, the status byte, and the data."""

_Strike = tuple[float, int, float]
"""Seconds, velocity and level of a note that has no end yet."""

_Strikes = dict[tuple[int, int, int], list[_Strike]]
"""Those of each track, channel and pitch."""


@dataclass(frozen=True)
class MidiNote:
    """A note, in seconds; ``bend`` has semitones and the seconds from which on they hold.

    ``level`` is the gain that its channel's volume and expression give it at its start.
    """

    start: float
    end: float
    pitch: int
    velocity: int
    bend: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    level: float = 1.0


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


def read_midi(path: Path | str) -> list[Part]:
    """Read the parts of a MIDI file; DataError if it is none, damaged, cut off or without notes.

    Notes held by the sustain pedal end when it is lifted or their key is struck again; a note
    without an end lasts to the end of the piece.
    """
    path = Path(path)
    with reading(path):
        content = path.read_bytes()
    try:
        parts = _parts(*_in_seconds(content))
        if not parts:
            raise DataError("found no notes")
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return parts


def chosen_parts(parts: Sequence[Part], tracks: Iterable[int | str] | None = None) -> list[Part]:
    """Some parts, by number or name; all but drums by default."""
    if tracks is None:
        chosen = [part for part in parts if not part.drums]
        if not chosen:
            raise SettingsError("tracks: found drums only, which the instrument cannot play")
        return chosen
    chosen = []
    for track in tracks:
        asked = str(track).strip().casefold()
        named = [part for part in parts if part.name.casefold() == asked]
        found = named or [part for part in parts if str(part.number) == asked]
        if not found:
            listed = ", ".join(f"{part.number} ({part.name or 'unnamed'})" for part in parts)
            raise SettingsError(f"track: found {track}, expected one of {listed}")
        chosen += [part for part in found if part not in chosen]
    return sorted(chosen, key=lambda part: part.number)


def choose(parts: Sequence[Part], tracks: Iterable[int | str] | None = None) -> list[MidiNote]:
    """Notes of some parts (`chosen_parts`) in order of their start."""
    notes = [note for part in chosen_parts(parts, tracks) for note in part.notes]
    return sorted(notes, key=lambda note: (note.start, note.pitch, note.end, note.velocity))


def _in_seconds(content: bytes) -> tuple[list[_Event], list[str], float]:
    """Voice messages of all tracks in order of time, the tracks' names, the seconds of the end."""
    tracks, per_beat = _tracks(content)
    timed = [
        (ticks, number, status, data)
        for number, track in enumerate(tracks)
        for ticks, status, data in _messages(track, number + 1)
    ]
    timed.sort(key=lambda event: event[0])
    names, events = [""] * len(tracks), []
    seconds, before, tempo, end = 0.0, 0, 500_000, 0.0
    for ticks, number, status, data in timed:
        seconds += (ticks - before) * tempo / per_beat / 1e6
        before = ticks
        if status < _SYSTEM:
            if seconds > _LONGEST_PIECE and status & 0xF0 in (_NOTE_ON, _NOTE_OFF):
                raise DataError(f"lasts {seconds:.0f} s, expected at most 2 hours")
            events.append((seconds, number, status, data))
        elif data[0] == _TEMPO and len(data) == 4:
            tempo = int.from_bytes(data[1:]) or tempo
        elif data[0] == _NAME:
            names[number] = _text(data[1:])
        if seconds <= _LONGEST_PIECE:
            end = seconds
    return events, names, end


def _tracks(content: bytes) -> tuple[list[bytes], int]:
    """The bytes of every track, and the ticks of a beat."""
    if content[:4] == b"RIFF" and content[8:12] == b"RMID":
        chunks = dict(_chunks(content[12:], "little"))
        content = chunks.get(b"data", b"")
    if content[:4] != b"MThd" or len(content) < 14:
        found = f"begins with {_text(content[:12])!r}" if content else "is empty"
        if content[:4] == b"MThd":
            raise DataError(f"is cut off: its header has {len(content)} of 14 bytes")
        raise DataError(f"{found}, expected a MIDI file, which begins with 'MThd'")
    kind, per_beat = int.from_bytes(content[8:10]), int.from_bytes(content[12:14])
    if kind == 2:
        raise DataError("MIDI format 2 (separate sequences), expected format 0 or 1")
    if not 0 < per_beat < 0x8000:
        raise DataError(f"{per_beat} ticks a beat, expected beats, not SMPTE frames")
    return [body for name, body in _chunks(content, "big") if name == b"MTrk"], per_beat


def _chunks(content: bytes, order: Literal["little", "big"]) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes of every chunk of a file."""
    at = 0
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], order)
        body = content[at + 8 : at + 8 + size]
        # One that tells its end is whole, whatever its header promised.
        if name == b"MTrk" and len(body) < size and bytes([_META, _END, 0]) not in body:
            raise DataError(f"is cut off: a track has {len(body)} of its {size} bytes")
        yield name, body
        at += 8 + size + (size % 2 if order == "little" else 0)


def _messages(track: bytes, number: int) -> Iterator[tuple[int, int, bytes]]:
    """Ticks, status and data of a track's voice messages and meta events (their kind first)."""
    at = ticks = running = 0

    def variable() -> int:
        nonlocal at
        value, byte = 0, 0x80
        while byte >= 0x80:
            byte = track[at]
            at, value = at + 1, min(value << 7 | byte & 0x7F, _MOST_TICKS)
        return value

    try:
        while at < len(track):
            ticks += variable()
            status = running
            if track[at] >= 0x80:
                status, at = track[at], at + 1
            if status == _META:
                kind, at = track[at], at + 1
                size = variable()
                yield ticks, status, bytes([kind]) + track[at : at + size]
                if kind == _END:
                    return
            elif status in (_SYSTEM, 0xF7):
                size = variable()
            elif status >= _SYSTEM:
                size = {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(status, 0)
            elif status >= _NOTE_OFF:
                # It goes on after system messages and meta events: they are no end of it to many.
                running, size = status, 1 if status & 0xE0 == 0xC0 else 2
                data = bytes(min(byte, 127) for byte in track[at : at + size])
                if len(data) < size:
                    raise IndexError
                yield ticks, status, data
            else:
                raise DataError(f"damaged: track {number} begins with data, expected an event")
            at += size
    except IndexError:
        raise DataError(f"damaged: track {number} ends within an event") from None


def _text(content: bytes) -> str:
    try:
        return content.decode().strip(_BLANK)
    except UnicodeDecodeError:
        return content.decode("latin-1").strip(_BLANK)


class _Controllers:
    """Pitch wheels and levels of all channels.

    A wheel's range is 2 semitones, or what RPN 0 sets. Gains are the squares of volume and of
    expression, as General MIDI recommends; a channel that has not set them has 1.
    """

    def __init__(self) -> None:
        self._curves: dict[int, list[tuple[float, float]]] = defaultdict(list)
        self._controls: dict[int, dict[int, int]] = defaultdict(dict)

    def turn(self, seconds: float, channel: int, position: int) -> None:
        controls = self._controls[channel]
        width = controls.get(_SEMITONES, 2) + controls.get(_CENTS, 0) / 100
        self._curves[channel].append((seconds, width * position / 8192))

    def control(self, channel: int, control: int, value: int) -> None:
        controls = self._controls[channel]
        chosen = not any(controls.get(number, 127) for number in _PARAMETER)
        known = control in (*_PARAMETER, _VOLUME, _EXPRESSION)
        if control in _UNREGISTERED:  # What is entered next is a maker's own, and no bend range.
            controls.update(dict.fromkeys(_PARAMETER, 127))
        if known or (chosen and control in (_SEMITONES, _CENTS)):
            controls[control] = value

    def reset(self, seconds: float, channel: int) -> None:
        self.turn(seconds, channel, 0)
        self._controls[channel].pop(_EXPRESSION, None)

    def level(self, channel: int) -> float:
        controls = self._controls[channel]
        return (controls.get(_VOLUME, 100) / 100 * controls.get(_EXPRESSION, 127) / 127) ** 2

    def bent(self, note: MidiNote, channel: int) -> MidiNote:
        """A note with what its channel's wheel does from its start until it is silent."""
        curve = self._curves[channel]
        start = bisect_right(curve, (note.start, np.inf))
        heard = min(note.end + longest_release("tail"), note.start + _LONGEST_HEARD)
        end = bisect_right(curve, (heard, np.inf))
        first = curve[start - 1][1] if start else 0.0
        return replace(note, bend=((note.start, first), *curve[start:end]))


def _parts(events: list[_Event], names: list[str], last: float) -> list[Part]:
    """Notes of each track and channel, which keys and the sustain pedal hold."""
    notes_of: dict[tuple[int, int], list[MidiNote]] = {}
    down: _Strikes = {}
    held: _Strikes = {}
    pedals: set[int] = set()
    controllers = _Controllers()

    def end(key: tuple[int, int, int], strikes: list[_Strike], at: float) -> None:
        for start, velocity, level in strikes:
            note = MidiNote(start, at, key[2], velocity, level=level)
            notes_of.setdefault(key[:2], []).append(note)

    def end_all(pending: _Strikes, channels: Container[int], at: float) -> None:
        for key in [key for key in pending if key[1] in channels]:
            end(key, pending.pop(key), at)

    for count, (seconds, track, status, (first, *rest)) in enumerate(events):
        if count > _MOST_NOTES:
            raise DataError(f"more than {_MOST_NOTES:,} events")
        kind, channel, second = status & 0xF0, status & 0x0F, (rest or [0])[0]
        if kind in (_NOTE_ON, _NOTE_OFF):
            key = (track, channel, first)
            if kind == _NOTE_ON and second > 0:
                end(key, held.pop(key, []), seconds)
                strike = (seconds, second, controllers.level(channel))
                down.setdefault(key, []).append(strike)
            elif down.get(key):
                # Of overlapping notes of one pitch the first struck ends first.
                strike = down[key].pop(0)
                if channel in pedals:
                    held.setdefault(key, []).append(strike)
                else:
                    end(key, [strike], seconds)
        elif kind == _WHEEL:
            controllers.turn(seconds, channel, (second << 7 | first) - 8192)
        elif kind == _CONTROL:
            controllers.control(channel, first, second)
            if first == _SUSTAIN and second >= 64:
                pedals.add(channel)
            elif first in (_SUSTAIN, _RESET):
                pedals.discard(channel)
                end_all(held, [channel], seconds)
            elif first in (_ALL_SOUND_OFF, _ALL_NOTES_OFF, *_MODES):
                end_all(down, [channel], seconds)
                end_all(held, [channel], seconds)
            if first == _RESET:
                controllers.reset(seconds, channel)
    end_all(down, range(16), last)
    end_all(held, range(16), last)
    parts = []
    for number, ((track, channel), notes) in enumerate(sorted(notes_of.items()), 1):
        bent = (controllers.bent(note, channel) for note in sorted(notes, key=lambda n: n.start))
        parts.append(Part(number, names[track], channel, tuple(bent)))
    return parts
