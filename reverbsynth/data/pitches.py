"""The pitch of a sound: from its name, or from its waveform."""

import re

import librosa
import numpy as np

from reverbsynth.settings import SAMPLE_RATE

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
