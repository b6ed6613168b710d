"""The pitch of a sound: from its name, or from its waveform."""

import re

import librosa
import numpy as np

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE

LOWEST, HIGHEST = 21, 108
"""MIDI pitches between which a pitch is estimated: those of a piano."""

WITHIN = 0.5
"""Semitones between a frame's pitch and the sound's for the frame to agree with it."""

SOUNDING = 0.01
"""Frames this far (-40 dB) below the loudest do not count."""

_NSYNTH = re.compile(r"[A-Za-z_]+_(?:acoustic|electronic|synthetic)_\d+-(\d{3})-\d{3}")
_MIDI = re.compile(r"(?<![a-z0-9])midi[ _-]?(\d{1,3})(?![0-9])", re.IGNORECASE)
_NUMBERED = re.compile(r"(?<![a-z0-9])(?:note|pitch)[ _-]?(\d{1,3})(?![0-9])", re.IGNORECASE)
_ENDING = re.compile(r"-(\d{3})-\d{3}$")
_SPELLED = re.compile(r"(?<![A-Za-z0-9#])([A-Ga-g])([#♯sb♭]?)(-?\d)(?![A-Za-z0-9])")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def pitch_of_name(name: str) -> int | None:
    """The MIDI pitch that a file's name tells, without its suffix; None where it tells no one.

    A whole name of NSynth's (``bass_acoustic_000-040-100``) tells its pitch. Else a pitch by name
    (``A1``, ``C#3``, ``Bb2``; C4 is 60) and ``midi40`` count, and only without these what may be
    any counter: ``note_40``, ``pitch40``, an ending such as ``-040-100``, a bare number. Hints of
    one rank that disagree tell no one pitch.
    """
    if whole := _NSYNTH.fullmatch(name):
        told = {int(whole[1])}
    else:
        told = _plain_hints(name) or _counters(name)
    pitch = told.pop() if len(told) == 1 else None
    return pitch if pitch is not None and 0 <= pitch <= 127 else None


def estimated_pitch(audio: np.ndarray) -> tuple[int | None, float]:
    """Estimate a sound's pitch with YIN (de Cheveigné and Kawahara 2002).

    Parameters
    ----------
    audio
        Samples at 16 kHz.

    Returns
    -------
    tuple
        The MIDI pitch nearest to the median over the sounding frames, or None for silence, and the
        confidence: the share of those frames within half a semitone of that median.
    """
    frame, hop = 2048, 512
    if len(audio) < frame or not np.abs(audio).max() > 0:
        return None, 0.0
    low, high = librosa.midi_to_hz([LOWEST - 0.5, HIGHEST + 0.5])
    f0 = librosa.yin(
        audio, fmin=low, fmax=high, sr=SAMPLE_RATE, frame_length=frame, hop_length=hop, center=False
    )
    loudness = librosa.feature.rms(y=audio, frame_length=frame, hop_length=hop, center=False)[0]
    count = min(len(f0), len(loudness))
    pitches = librosa.hz_to_midi(f0[:count][loudness[:count] > SOUNDING * loudness.max()])
    if len(pitches) == 0:
        return None, 0.0
    median = float(np.median(pitches))
    confidence = float(np.mean(np.abs(pitches - median) < WITHIN))
    return round(median), confidence


def _plain_hints(name: str) -> set[int]:
    """Pitches that a name tells by their own names, or as MIDI numbers that it calls so."""
    spelled = {
        _STEPS[step.upper()] + _shift(accidental) + 12 * (int(octave) + 1)
        for step, accidental, octave in _SPELLED.findall(name)
    }
    return spelled | {int(number) for number in _MIDI.findall(name)}


def _counters(name: str) -> set[int]:
    """Numbers in a name that may be MIDI pitches, or count something else."""
    found = {int(number) for number in (*_NUMBERED.findall(name), *_ENDING.findall(name))}
    return found | ({int(name)} if name.isascii() and name.isdigit() else set())


def _shift(accidental: str) -> int:
    return {"": 0, "#": 1, "♯": 1, "s": 1, "b": -1, "♭": -1}[accidental]


UNHEARD = "no pitch"
_FRAME = 4096
_HOP = 1024

_REACH = 12
"""Semitones around the asked pitches within which a fundamental is sought: octave errors show."""

_AUDIBLE = 0.01
"""Frames this far (in amplitude) below the loudest are left out: -40 dB."""

_HELD = slice(int(0.1 * SAMPLE_RATE), int(NOTE_OFF * SAMPLE_RATE))


def cents(waves: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    """How much higher notes sound than was asked, in cents [shape=(n,)].

    The fundamental is the median of YIN (de Cheveigné and Kawahara 2002; `librosa.yin`) over the
    held part, where it is no more than 40 dB below its loudest. It knows nothing of the classifier,
    and it is sought an octave below the lowest asked pitch to an octave above the highest, so that
    an octave error is 1200 cents. At 16 kHz it is true to about 5 cents. NaN for silence.

    Parameters
    ----------
    waves : ndarray [shape=(n, 64000)]
    pitches : ndarray [shape=(n,)]
        MIDI pitches asked for.
    """
    if not len(waves):
        return np.empty(0)
    limits = librosa.midi_to_hz([min(pitches) - _REACH, max(pitches) + _REACH])
    limits = np.clip(limits, 2.5 * SAMPLE_RATE / _FRAME, 0.45 * SAMPLE_RATE)
    return np.array(
        [
            _cents(wave[_HELD], asked, *limits)
            for wave, asked in zip(waves, librosa.midi_to_hz(pitches), strict=True)
        ]
    )


def _cents(held: np.ndarray, asked: float, lowest: float, highest: float) -> float:
    options = {"frame_length": _FRAME, "hop_length": _HOP}
    level = librosa.feature.rms(y=held, **options)[0]
    if not level.max() > 0:
        return np.nan
    estimates = librosa.yin(held, fmin=lowest, fmax=highest, sr=SAMPLE_RATE, **options)
    audible = level > _AUDIBLE * level.max()
    return float(1200 * np.log2(np.median(estimates[audible]) / asked))
