"""The pitch of a sound: from its name, or from its waveform."""

import re

import numpy as np
from numpy.typing import ArrayLike

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import audible
from reverbsynth.errors import SettingsError

UNHEARD = "no pitch"
"""Why a silent note has no error of pitch."""

LOWEST, HIGHEST = 21, 108  # MIDI pitches of unknown sounds: those of a piano.
SOUNDING = 0.01  # Frames this far (-40 dB) below the loudest do not count.
_HELD = slice(int(0.1 * SAMPLE_RATE), int(NOTE_OFF * SAMPLE_RATE))
_SILENCE = 1e-6
_NSYNTH = re.compile(r"[A-Za-z_]+_(?:acoustic|electronic|synthetic)_\d+-(\d{3})-\d{3}")
_MIDI = re.compile(r"(?<![a-z0-9])midi[ _-]?(\d{1,3})(?![0-9])", re.IGNORECASE)
_SPELLED = re.compile(r"(?<![A-Za-z0-9#])([A-Ga-g])([#♯sb♭]?)(-?\d)(?![A-Za-z0-9])")
_COUNTER = re.compile(
    r"(?<![a-z0-9])(?:note|pitch)[ _-]?(\d{1,3})(?![0-9])|-(\d{3})-\d{3}\Z|\A(\d+)\Z",
    re.IGNORECASE | re.ASCII,
)
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHIFTS = {"": 0, "#": 1, "♯": 1, "s": 1, "b": -1, "♭": -1}


def pitch_of_name(name: str) -> int | None:
    """The MIDI pitch that a file's name gives, without its suffix; None where it gives no one.

    A whole name of NSynth's (``bass_acoustic_000-040-100``) gives its pitch. Otherwise a pitch by
    name (``A1``, ``C#3``, ``Bb2``; C4 is 60) and ``midi40`` count, and only without these what may
    be any counter: ``note_40``, ``pitch40``, an ending such as ``-040-100``, a bare number. Hints
    of the same rank that disagree give no pitch.

    >>> pitch_of_name("take 3, C#2")
    37
    """
    if whole := _NSYNTH.fullmatch(name):
        pitches = {int(whole[1])}
    else:
        pitches = {int(number) for number in _MIDI.findall(name)} | {
            _STEPS[step.upper()] + _SHIFTS[accidental] + 12 * (int(octave) + 1)
            for step, accidental, octave in _SPELLED.findall(name)
        }
        pitches = pitches or {int("".join(groups)) for groups in _COUNTER.findall(name)}
    pitch = pitches.pop() if len(pitches) == 1 else -1
    return pitch if 0 <= pitch <= 127 else None


def parse_pitch(text: str) -> float:
    """A MIDI pitch given as a number or by its name (C4 is 60); else a `SettingsError`.

    >>> parse_pitch("C#3"), parse_pitch("60.5")
    (49.0, 60.5)
    """
    if spelled := _SPELLED.fullmatch(text):
        step, accidental, octave = spelled.groups()
        return float(_STEPS[step.upper()] + _SHIFTS[accidental] + 12 * (int(octave) + 1))
    try:
        return float(text)
    except ValueError:
        raise SettingsError(
            f"pitch: found {text}, expected a name such as C#3 or a MIDI number such as 60.5"
        ) from None


def pitch_name(pitch: int) -> str:
    """The name of a MIDI pitch.

    >>> pitch_name(49)
    'C♯3'
    """
    names = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
    return f"{names[pitch % 12]}{pitch // 12 - 1}"


def midi_to_hz(pitch: ArrayLike) -> np.ndarray:
    """Frequency in Hz of MIDI pitches; 69 is 440 Hz.

    >>> float(midi_to_hz(57))
    220.0
    """
    return np.asarray(440 * 2 ** ((np.asarray(pitch, float) - 69) / 12))


def fundamentals(
    wave: np.ndarray, lowest: float, highest: float, frame: int = 4096, rate: int = SAMPLE_RATE
) -> np.ndarray:
    """The fundamental of each sounding frame by YIN (de Cheveigné and Kawahara 2002; librosa).

    In Hz, between ``lowest`` and ``highest``, of frames no more than 40 dB below the loudest; empty
    for silence. A quarter of a frame lies between two. The wave [shape=(n,)] should have no
    constant offset, which would let silent frames count (`audible`).
    """
    import librosa

    if len(wave) < frame:
        return np.empty(0)
    framing = {"frame_length": frame, "hop_length": frame // 4, "center": False}
    level = librosa.feature.rms(y=wave, **framing)[0]
    if not level.max() > _SILENCE:
        return np.empty(0)
    hz = librosa.yin(wave, fmin=lowest, fmax=highest, sr=rate, **framing)
    count = min(len(hz), len(level))
    return hz[:count][level[:count] > SOUNDING * level.max()]


def estimated_pitch(audio: np.ndarray) -> tuple[int | None, float]:
    """Estimate the MIDI pitch of a sound [shape=(n,)] at 16 kHz, None for silence.

    It is the nearest to the median of `fundamentals`. Its confidence is the share of the sounding
    frames within half a semitone of that median.
    """
    low, high = midi_to_hz([LOWEST - 0.5, HIGHEST + 0.5])
    hz = fundamentals(audible(audio), low, high, frame=2048)
    if not len(hz):
        return None, 0.0
    pitches = 69 + 12 * np.log2(hz / 440)
    median = float(np.median(pitches))
    return round(median), float(np.mean(np.abs(pitches - median) < 0.5))


def cents(waves: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    """How much higher notes [shape=(n, 64000)] sound than was asked, in cents [shape=(n,)].

    From the median of `fundamentals` over the held part. The classifiers have no part in it. The
    fundamental is sought an octave below the lowest of the MIDI ``pitches`` asked for to an octave
    above the highest, so that an octave error is 1200 cents. At 16 kHz it is true to about 5 cents.
    NaN for silence.
    """
    if not len(waves):
        return np.empty(0)
    limits = midi_to_hz([min(pitches) - 12, max(pitches) + 12])
    # A frame must hold two periods and a half, and a period two samples.
    low, high = np.clip(limits, 2.5 * SAMPLE_RATE / 4096, 0.45 * SAMPLE_RATE)
    frames = [fundamentals(audible(wave)[_HELD], low, high) for wave in waves]
    hz = np.array([np.median(each) if len(each) else np.nan for each in frames])
    return 1200 * np.log2(hz / midi_to_hz(pitches))
