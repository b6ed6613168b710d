"""MIDI files played by an instrument, as GANSynth plays them.

The latent vector moves through latent space as the piece goes on, one new timbre every few seconds.
Each note gets an attack of 10 ms, ends by `reverbsynth.instrument.release` after at most 3 s, and
peaks at its velocity, times its channel's level. Engel et al., "GANSynth" (2019), and its
``generate.py``.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.pitch import pitch_name
from reverbsynth.errors import SettingsError
from reverbsynth.instrument.instrument import Instrument, at_peak
from reverbsynth.instrument.midi_file import MidiNote, Part
from reverbsynth.instrument.release import LONGEST, chosen_release, longest_release, released
from reverbsynth.instrument.resampling import transposed

PEAK = 0.9  # Of the whole piece; the margin keeps lossy formats from clipping.


@dataclass(frozen=True)
class Rendering:
    """A rendered piece: the sum of its notes [shape=(samples,)], and in ``audio`` that at `PEAK`.

    ``generated`` counts the different notes, each generated once; ``moved`` (by octaves),
    ``left_out`` and ``resampled`` the notes of each pitch that the generator does not draw, and
    ``silent`` those whose level is 0.
    """

    mix: np.ndarray = field(repr=False)
    notes: int
    generated: int
    moved: Counter[int] = field(default_factory=Counter)
    left_out: Counter[int] = field(default_factory=Counter)
    resampled: Counter[int] = field(default_factory=Counter)
    silent: Counter[int] = field(default_factory=Counter)

    @cached_property
    def audio(self) -> np.ndarray:
        return at_peak(self.mix, PEAK)

    def __add__(self, other: "Rendering") -> "Rendering":
        """Both at once, as the parts of a piece."""
        length = max(len(self.mix), len(other.mix))
        mix = np.add(*(np.pad(part.mix, (0, length - len(part.mix))) for part in (self, other)))
        counts = ("notes", "generated", "moved", "left_out", "resampled", "silent")
        return Rendering(mix, *(getattr(self, name) + getattr(other, name) for name in counts))

    def report(self) -> list[str]:
        """Lines that say what was not played as written."""
        changes = {
            "transposed by octaves": self.moved,
            "left out": self.left_out,
            "resampled from the nearest trained pitch": self.resampled,
            "silent, as their channel's volume or expression is where they begin": self.silent,
        }
        return [
            f"{sum(counts.values())} notes {name} (pitches {', '.join(map(str, sorted(counts)))})"
            for name, counts in changes.items()
            if counts
        ]


def render(
    instrument: Instrument,
    notes: Sequence[MidiNote],
    /,
    seed: int | None = None,
    every: float = 2.0,
    outside: str = "transpose",
    progress: Callable[[int, int], None] | None = None,
    tune: float = 0.0,
    release: str | None = None,
    **labels: Any,
) -> Rendering:
    """Play notes, with ``labels`` such as ``effect="reverb"``; SettingsError if none can be.

    A new timbre comes ``every`` so many seconds, or never for 0; ``tune`` is cents above the
    pitches. Pitches ``outside`` the instrument's range are moved by as few octaves as it takes
    ("transpose") or left out ("omit"), as are those that no octave brings into the range.
    ``release`` says how notes end (`reverbsynth.instrument.release`), and ``progress`` is called
    with the numbers of notes generated so far and of all.
    """
    if not every >= 0:
        raise SettingsError(f"seconds between timbres: found {every}, expected 0 or more")
    release = chosen_release(release, instrument.labels)
    instrument.condition(instrument.pitches[:1], **labels)
    playable, moved, left_out = in_range(notes, instrument.keys, outside)
    if not playable:
        low, high = instrument.keys[0], instrument.keys[-1]
        raise SettingsError(f"no note to play within the instrument's pitches {low} to {high}")
    # Notes that start together share a timbre, so equal pitches among them are one generated note.
    z = instrument.walk([note.start if every else 0.0 for note in playable], every or 1.0, seed)
    bends = [note.bend[0][1] for note in playable]
    sounding = [note.pitch + bend + tune / 100 for note, bend in zip(playable, bends, strict=True)]
    drawn = list(map(instrument.drawn_pitch, sounding))
    # Resampled only once released, as the tail of a note is where the generator draws it.
    rests = [pitch - key for pitch, key in zip(sounding, drawn, strict=True)]
    duration = max(map(_silent_after, playable, rests, repeat(release)))
    audio = np.zeros(round(duration * SAMPLE_RATE) + 1, np.float32)
    layers = instrument.trained_velocities([note.velocity for note in playable])
    layers = {name: values for name, values in layers.items() if name not in labels}
    uses: dict[tuple, list[int]] = {}
    for i, pitch in enumerate(sounding):
        key = (pitch, z[i].tobytes(), *(values[i] for values in layers.values()))
        uses.setdefault(key, []).append(i)
    first = [indices[0] for indices in uses.values()]
    labels |= {name: [values[i] for i in first] for name, values in layers.items()}
    waves = instrument.stream([drawn[i] for i in first], z[first], **labels)
    for done, (wave, indices) in enumerate(zip(waves, uses.values(), strict=True), 1):
        for i in indices:
            _mix_in(audio, wave, playable[i], rests[i], release)
        if progress:
            progress(done, len(first))
    resampled = Counter(note.pitch for note, rest in zip(playable, rests, strict=True) if rest)
    silent = Counter(note.pitch for note in playable if not note.level)
    return Rendering(audio, len(playable), len(first), moved, left_out, resampled, silent)


def part_lines(parts: Sequence[Part], played: Mapping[int, str]) -> list[str]:
    """A line for each part: what it holds, and what plays it, by its number; others are skipped."""
    rows = []
    for part in parts:
        pitches = [note.pitch for note in part.notes]
        what = (str(part.number), part.name or "unnamed", f"channel {part.channel + 1}")
        span = f"{pitch_name(min(pitches))} to {pitch_name(max(pitches))}"
        skipped = "skipped: drums" if part.drums else "skipped"
        rows.append((*what, f"{len(pitches)} notes", span, played.get(part.number, skipped)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _silent_after(note: MidiNote, rest: float, release: str) -> float:
    """Seconds; a note that is resampled down, by an octave at most, lasts longer."""
    down = note.bend[0][1] - min(bend for _, bend in note.bend) - rest
    slower = min(max(2 ** (down / 12), 1.0), 2.0)
    return min(note.end, note.start + slower * LONGEST) + slower * longest_release(release)


def _mix_in(audio: np.ndarray, wave: np.ndarray, note: MidiNote, rest: float, release: str) -> None:
    """Add a note to what sounds, ``rest`` semitones above the pitch that was drawn, and bent."""
    held = note.end - note.start
    if len(note.bend) == 1 and not rest:
        wave = released(wave, held, release)
    else:
        times, semitones = np.array(note.bend).T
        # Twice its length: a note that is resampled down lasts longer.
        seconds = note.start + np.arange(2 * len(wave)) / SAMPLE_RATE
        curve = semitones[np.maximum(np.searchsorted(times, seconds, side="right") - 1, 0)]
        curve = curve - semitones[0] + rest
        # The key is let go where the bent note has come to by then.
        held = float(np.sum(2 ** (curve[: round(held * SAMPLE_RATE)] / 12))) / SAMPLE_RATE
        ended = released(wave, held, release)
        room = int(len(ended) * max(2 ** (-curve.min() / 12), 1)) - len(ended)
        wave = np.pad(ended, (0, min(room, len(curve) - len(ended))))
        wave = transposed(wave, curve[: len(wave)])
    shaped = at_peak(wave, note.velocity / 127 * note.level)
    start = round(note.start * SAMPLE_RATE)
    audio[start : start + len(shaped)] += shaped[: len(audio) - start]


def in_range(
    notes: Sequence[MidiNote], known: range, outside: str
) -> tuple[list[MidiNote], Counter[int], Counter[int]]:
    """Notes that can be played, and counts of the pitches transposed and left out."""
    playable, moved, left_out = list[MidiNote](), Counter[int](), Counter[int]()
    octaves = sorted(range(-120, 121, 12), key=abs) if outside == "transpose" else [0]
    for note in notes:
        pitch = next((note.pitch + step for step in octaves if note.pitch + step in known), None)
        if pitch is None:
            left_out[note.pitch] += 1
            continue
        if pitch != note.pitch:
            moved[note.pitch] += 1
        playable.append(replace(note, pitch=pitch))
    return playable, moved, left_out
