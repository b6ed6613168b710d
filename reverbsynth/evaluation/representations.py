"""What a note loses on its way through an image and back, before any network is involved.

Engel et al., "GANSynth" (2019), compare networks trained on these representations; this measures
the representations themselves, which bound what any network trained on them can sound like.
"""

from itertools import islice
from typing import TYPE_CHECKING

import librosa
import numpy as np
import pandas as pd
import soxr

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.pitch import fundamentals, midi_to_hz
from reverbsynth.audio.reverberation import audible, fit_decay
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation

if TYPE_CHECKING:
    from reverbsynth.data.dataset import DataSet


NAMES = {"mel": "IF-Mel", "linear": "linear IF", "phase": "phase"}
"""Names of the representations, as the GANSynth paper has them."""

_FLOOR = 1e-4
"""Spectral floor relative to the note's largest magnitude: -80 dB."""

_YIN_FRAME = 16384

_SEMITONES = 7
"""Pitch is sought so far to either side of the note's own."""


def compare_representations(data: "DataSet", settings: Settings, notes: int = 12) -> pd.DataFrame:
    """Encode and decode notes with each representation and measure what changed.

    Parameters
    ----------
    data
        Where the notes come from: the first `notes` of its training split, dry and processed.
    settings
        Their normalization is used; their representation is not.
    notes
        How many notes to measure.

    Returns
    -------
    DataFrame
        One row a representation, each number the median over the notes, above 20 Hz:
        signal-to-noise ratio in dB, log-spectral distance in dB, pitch error in cents, and the
        change of the time in which the tail falls by 20 dB, in ms.
    """
    chosen = list(islice(data.notes("train"), notes))
    waves = np.stack([note.audio for note in chosen])
    pitches = [note.pitch for note in chosen]
    rows = []
    for kind, name in NAMES.items():
        back = Representation(settings.spectra.model_copy(update={"representation": kind}))
        decoded = back.decode_all(back.encode_all(waves))
        losses = [loss(*each) for each in zip(waves, decoded, pitches, strict=True)]
        rows.append(pd.DataFrame(losses).median().rename(name))
    frame = pd.DataFrame(rows)
    frame.index.name = "representation"
    return frame


def loss(original: np.ndarray, decoded: np.ndarray, pitch: int) -> dict[str, float]:
    """What changed between a note and its reconstruction, both [shape=(64000,)], above 20 Hz."""
    original, decoded = audible(original), audible(decoded)
    return {
        "SNR (dB)": signal_to_noise(original, decoded),
        "log-spectral distance (dB)": log_spectral_distance(original, decoded),
        "pitch error (cents)": abs(pitch_change(original, decoded, pitch)),
        "change of decay (ms)": 1000 * abs(fall_time(decoded) - fall_time(original)),
    }


def signal_to_noise(original: np.ndarray, decoded: np.ndarray) -> float:
    """Power of the original over that of the difference, in dB."""
    noise = np.square(original - decoded, dtype=np.float64).sum()
    return float(10 * np.log10(np.square(original, dtype=np.float64).sum() / max(noise, 1e-30)))


def log_spectral_distance(original: np.ndarray, decoded: np.ndarray) -> float:
    """Root mean square difference of the log spectra over frequency, averaged over time, in dB.

    Both are floored 80 dB below the original's largest magnitude.
    """
    spectra = [np.abs(librosa.stft(x, n_fft=2048, hop_length=512)) for x in (original, decoded)]
    floor = _FLOOR * spectra[0].max()
    levels = [20 * np.log10(np.maximum(spectrum, floor)) for spectrum in spectra]
    return float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2, axis=0)).mean())


def pitch_change(original: np.ndarray, decoded: np.ndarray, pitch: int) -> float:
    """How much higher the decoded note sounds than the original, in cents.

    The fundamental is the median of YIN over the held part, sought within a fifth of `pitch`, at
    four times the sample rate: at 16 kHz a period of a high note is too few samples to tell cents.
    """
    held = slice(int(0.2 * SAMPLE_RATE), int((NOTE_OFF - 0.2) * SAMPLE_RATE))
    rate = 4 * SAMPLE_RATE
    low, high = midi_to_hz([pitch - _SEMITONES, pitch + _SEMITONES])
    before, after = (
        np.median(
            fundamentals(
                soxr.resample(wave[held], SAMPLE_RATE, rate),
                low,
                high,
                _YIN_FRAME,
                _YIN_FRAME // 4,
                rate,
            )
        )
        for wave in (original, decoded)
    )
    return float(1200 * np.log2(after / before))


def fall_time(wave: np.ndarray) -> float:
    """Seconds in which the tail of a note falls by 20 dB, from the line through that part of it.

    NaN where the tail does not fall that far.
    """
    tail = wave[int(NOTE_OFF * SAMPLE_RATE) :]
    return fit_decay(tail, (0.0, -20.0), straightness=0).seconds / 3
