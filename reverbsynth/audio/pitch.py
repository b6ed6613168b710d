"""The pitch of a sound: names and numbers of pitches, and estimates from the waveform."""

import numpy as np
import soxr
from numpy.typing import ArrayLike

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.note_names import spelled_pitch
from reverbsynth.audio.reverberation import audible
from reverbsynth.errors import SettingsError

UNHEARD = "no pitch"  #: Why a silent note has no error of pitch.
LOWEST, HIGHEST = 21, 108  # MIDI pitches of unknown sounds: those of a piano.
SOUNDING = 0.01  # Frames this far (-40 dB) below the loudest do not count.
_HELD = slice(int(0.1 * SAMPLE_RATE), int(NOTE_OFF * SAMPLE_RATE))
_SILENCE = 1e-6
_FEW_SAMPLES = 79  # The highest pitch of whose period 16 kHz show enough.
_FRAME, _HOP, _LEAST_FRAMES = 2048, 512, 4  # A note must be periodic for 0.22 s.
_FINER = 4  # Points of an autocorrelation between two lags that are a sample apart.
_FIRST_PEAK = 0.9  # The period is the first peak at least so high, relative to the highest.
_PERIODIC = 0.8  # Height of the peak from which a frame counts as periodic.
_HEARD = 2 * SAMPLE_RATE


def parse_pitch(text: str) -> float:
    """A MIDI pitch given as a number or by its name (C4 is 60); else a `SettingsError`.

    >>> parse_pitch("C#3"), parse_pitch("60.5")
    (49.0, 60.5)
    """
    try:
        named = spelled_pitch(text)
        return float(text if named is None else named)
    except ValueError:
        expected = "expected a name such as C#3 or a MIDI number such as 60.5"
        raise SettingsError(f"pitch: found {text}, {expected}") from None


def pitch_name(pitch: int) -> str:
    """The name of a MIDI pitch: C♯3 for 49."""
    names = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
    return f"{names[pitch % 12]}{pitch // 12 - 1}"


def midi_to_hz(pitch: ArrayLike) -> np.ndarray:
    """Frequency in Hz of MIDI pitches; 69 is 440 Hz."""
    return np.asarray(440 * 2 ** ((np.asarray(pitch, float) - 69) / 12))


def fundamentals(
    wave: np.ndarray, lowest: float, highest: float, frame: int = 4096, rate: int = SAMPLE_RATE
) -> np.ndarray:
    """The fundamental of each sounding frame by YIN (de Cheveigné and Kawahara 2002; librosa).

    In Hz, between ``lowest`` and ``highest``, of frames no more than 40 dB below the loudest. The
    wave [shape=(n,)] should have no constant offset: silent frames would count (`audible`).
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
    """Estimate the MIDI pitch of a sound [shape=(n,)] at 16 kHz, and the confidence in it.

    The median over the periodic frames of the first two seconds from the onset, and the share of
    the sounding frames that are periodic and within half a semitone of it. None for fewer than four
    periodic frames (silence, noise, a hit), and outside `LOWEST` to `HIGHEST`.
    """
    wave = audible(audio)
    wave = wave[onset(wave) :][:_HEARD]
    if len(wave) < _FRAME or not np.abs(wave).max() > _SILENCE:
        return None, 0.0
    frames = np.lib.stride_tricks.sliding_window_view(wave, _FRAME)[::_HOP]
    level = np.sqrt(np.square(frames).mean(axis=1))
    periods, heights = _periods(frames[level > SOUNDING * level.max()])
    periodic = heights >= _PERIODIC
    if periodic.sum() < _LEAST_FRAMES:
        return None, 0.0
    pitches = 69 + 12 * np.log2(SAMPLE_RATE / periods / 440)
    median = float(np.median(pitches[periodic]))
    confidence = float(np.mean(periodic & (np.abs(pitches - median) < 0.5)))
    return (round(median), confidence) if LOWEST <= round(median) <= HIGHEST else (None, 0.0)


def onset(wave: np.ndarray) -> int:
    """The first sample within 40 dB of the loudest, whatever constant offset there is."""
    level = np.abs(wave - np.median(wave)) if len(wave) else wave
    return int(np.argmax(level >= SOUNDING * level.max())) if len(wave) else 0


def _periods(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Period in samples of each frame [shape=(n, samples)], and how periodic it is, 0 to 1.

    McLeod and Wyvill, "A smarter way to find pitch" (2005): the first high peak of the normalized
    autocorrelation, interpolated, since the highest notes have periods of four samples.
    """
    samples = frames.shape[1]
    half = samples // 2
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(frames, 2 * samples)) ** 2
    correlation = _FINER * np.fft.irfft(power, 2 * samples * _FINER)[:, : half * _FINER]
    energy = np.cumsum(np.pad(np.square(frames), ((0, 0), (1, 0))), axis=1)
    overlap = (energy[:, ::-1] + energy[:, -1:] - energy)[:, :half]
    similarity = 2 * correlation / np.maximum(np.repeat(overlap, _FINER, axis=1), _SILENCE)
    periods, heights = np.ones(len(frames)), np.zeros(len(frames))
    for i, row in enumerate(similarity):
        peaks = 1 + np.flatnonzero((row[1:-1] >= row[:-2]) & (row[1:-1] > row[2:]))
        peaks = peaks[peaks > np.argmax(row < 0)] if (row < 0).any() else peaks[:0]
        if len(peaks):
            peak = peaks[np.argmax(row[peaks] >= _FIRST_PEAK * row[peaks].max())]
            before, heights[i], after = row[peak - 1 : peak + 2]
            curve = before - 2 * heights[i] + after  # Of the parabola through the three.
            periods[i] = (peak + (before - after) / (2 * curve)) / _FINER
    return periods, heights


def cents(waves: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    """How much higher notes [shape=(n, 64000)] sound than was asked, in cents [shape=(n,)].

    From the median of `fundamentals` over the held part, true to about 5 cents. They are sought an
    octave beyond the lowest and highest of the MIDI ``pitches``, so that an octave error is 1200
    cents. NaN for silence.
    """
    if not len(waves):
        return np.empty(0)
    limits = midi_to_hz([min(pitches) - 12, max(pitches) + 12])
    # A frame must hold two periods and a half, and a period two samples, which is too few of them
    # to tell cents: those of high notes are made more.
    finer = 4 if max(pitches) > _FEW_SAMPLES else 1
    frame, rate = finer * 4096, finer * SAMPLE_RATE
    low, high = np.clip(limits, 2.5 * rate / frame, 0.45 * SAMPLE_RATE)
    held = [audible(wave)[_HELD] for wave in waves]
    held = [soxr.resample(wave, SAMPLE_RATE, rate) for wave in held] if finer > 1 else held
    frames = [fundamentals(wave, low, high, frame, rate) for wave in held]
    hz = np.array([np.median(each) if len(each) else np.nan for each in frames])
    return 1200 * np.log2(hz / midi_to_hz(pitches))
