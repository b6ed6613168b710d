"""Whether a note has the pitch that was asked for."""

import librosa
import numpy as np

from reverbsynth.settings import NOTE_OFF, SAMPLE_RATE

HIT = 50.0
"""Cents: an estimate this near counts as right (Poliner et al., "Melody transcription from music
audio", 2007, section III-A)."""

UNHEARD = "no pitch"

_FRAME = 4096
_HOP = 1024
_REACH = 12
"""Semitones around the asked pitches within which a fundamental is sought: octave errors show."""

_AUDIBLE = 0.01
"""Frames this far (in amplitude) below the loudest are left out: -40 dB."""

_HELD = slice(int(0.1 * SAMPLE_RATE), int(NOTE_OFF * SAMPLE_RATE))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of each note's distribution over pitches, in nats [shape=(n,)].

    GANSynth's pitch entropy is the mean over notes (Engel et al., 2019, section 3): low where the
    classifier is sure. Its pitch accuracy is how often the most probable pitch is the asked one.

    Parameters
    ----------
    probabilities : ndarray [shape=(n, pitches)]
    """
    return -np.sum(probabilities * np.log(np.maximum(probabilities, 1e-12)), axis=1)


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
