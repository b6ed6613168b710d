"""What a note loses on its way through an image and back, before any network is involved."""

from collections.abc import Mapping, Sequence
from typing import Any

import librosa
import numpy as np
import pandas as pd
import soxr

from reverbsynth.audio import spectrum
from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.pitch import fundamentals, midi_to_hz
from reverbsynth.audio.reverberation import audible, fit_decay
from reverbsynth.audio.tails import measure_tails
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.clips import Clips
from reverbsynth.gan.schedule import LAST_STAGE
from reverbsynth.settings import Settings, SpectraSettings
from reverbsynth.spectra.representation import Representation

NAMES = {"mel": "IF-Mel", "linear": "linear IF", "phase": "phase"}  # as the GANSynth paper has them
INVERSES: dict[str, dict[str, Any]] = {  # ways to decode an image, as settings of the spectra
    f"{name}{between}{projected}": {
        "mel_inverse": mel_inverse,
        "upscaling": upscaling,
        "projections": projections,
    }
    for mel_inverse, name in (("transpose", "original"), ("nnls", "NNLS"))
    for upscaling, between in (("nearest", ""), ("linear", ", lines"))
    for projections, projected in ((0, ""), (4, ", 4 projections"))
}
_FLOOR = 1e-4  # relative to the note's largest magnitude: -80 dB
_YIN_FRAME = 16384


def compare_representations(data: DataSet, settings: Settings, notes: int = 12) -> pd.DataFrame:
    """Medians of the `loss` of training notes drawn by the seed: a row for each representation."""
    clips = Clips.of(data, ("train",), notes, settings.seed)
    rows = []
    for name, decoded in by_each_representation(clips, settings.spectra).items():
        losses = [loss(*note) for note in zip(clips.waves, decoded, clips.pitch, strict=True)]
        rows.append(pd.DataFrame(losses).median().rename(name))
    return pd.DataFrame(rows).rename_axis("representation")


def by_each_representation(clips: Clips, spectra: SpectraSettings) -> dict[str, np.ndarray]:
    """Waves of notes through each representation at full size, by the original's inverse."""
    original = spectra.model_copy(update=INVERSES["original"])
    ways = {name: original.model_copy(update={"representation": k}) for k, name in NAMES.items()}
    return {k: clips.resynthesized(Representation(w), LAST_STAGE).waves for k, w in ways.items()}


def by_each_inverse(
    clips: Clips, spectra: SpectraSettings, stages: Sequence[int] = (8, 10, 12)
) -> dict[tuple[int, str], np.ndarray]:
    """Waves of notes through the images of some stages, by stage and name of the inverse.

    At the last stage nothing lies between frames, and lines are left out.
    """
    ways = {name: spectra.model_copy(update=inverse) for name, inverse in INVERSES.items()}
    return {
        (stage, name): clips.resynthesized(Representation(way), stage).waves
        for stage in stages
        for name, way in ways.items()
        if stage < LAST_STAGE or way.upscaling == "nearest"
    }


def compare_inverses(clips: Clips, decoded: Mapping[tuple[int, str], np.ndarray]) -> pd.DataFrame:
    """Measure what `by_each_inverse` made of notes, and first the notes themselves."""
    before, rows = spectrum.mel_levels(audible(clips.waves)), {}
    for key, waves in [(("", "the notes"), clips.waves), *decoded.items()]:
        difference, tails = spectrum.mel_levels(audible(waves)) - before, measure_tails(waves)
        rows[key] = {"distance (dB)": np.sqrt(np.square(difference).mean(axis=(1, 2))).mean()}
        for effect in dict.fromkeys(clips.effect):
            rows[key][f"{effect} tail (dB)"] = np.median(tails.ratio[clips.effect == effect])
        rows[key]["T20 (s)"] = pd.Series(tails.t20[clips.effect != "dry"]).median()
    return pd.DataFrame.from_dict(rows, "index").rename_axis(["stage", "inverse"]).reset_index()


def loss(original: np.ndarray, decoded: np.ndarray, pitch: int) -> dict[str, float]:
    """Measure what changed between a note and its reconstruction [shape=(64000,)], above 20 Hz."""
    original, decoded = audible(original), audible(decoded)
    signal, noise = (np.square(each).sum() for each in (original, original - decoded))
    return {
        "SNR (dB)": float(10 * np.log10(signal / max(noise, 1e-30))),
        "log-spectral distance (dB)": log_spectral_distance(original, decoded),
        "pitch error (cents)": abs(pitch_change(original, decoded, pitch)),
        "change of decay (ms)": 1000 * abs(fall_time(decoded) - fall_time(original)),
    }


def log_spectral_distance(original: np.ndarray, decoded: np.ndarray) -> float:
    """Return the distance of two waves over linear frequency, in dB."""
    magnitudes = np.abs(librosa.stft(np.stack([original, decoded]), n_fft=2048, hop_length=512))
    levels = 20 * np.log10(np.maximum(magnitudes, _FLOOR * magnitudes[0].max()))
    return float(spectrum.log_spectral_distance(*levels.swapaxes(1, 2)))


def pitch_change(original: np.ndarray, decoded: np.ndarray, pitch: int) -> float:
    """Return how much higher the decoded note sounds than the original, in cents.

    The fundamental is the median of YIN over the held part, sought within a fifth of `pitch`.
    """
    held = slice(int(0.2 * SAMPLE_RATE), int((NOTE_OFF - 0.2) * SAMPLE_RATE))
    rate = 4 * SAMPLE_RATE  # At 16 kHz a period of a high note is too few samples to tell cents.
    low, high = midi_to_hz(np.array([pitch - 7, pitch + 7]))

    def fundamental(wave: np.ndarray) -> float:
        resampled = soxr.resample(wave[held], SAMPLE_RATE, rate)
        return float(np.median(fundamentals(resampled, low, high, _YIN_FRAME, rate)))

    return float(1200 * np.log2(fundamental(decoded) / fundamental(original)))


def fall_time(wave: np.ndarray) -> float:
    """Return the seconds in which a tail falls by 20 dB, by a line; NaN where it does not."""
    tail = wave[int(NOTE_OFF * SAMPLE_RATE) :]
    return fit_decay(tail, (0.0, -20.0), straightness=0).seconds / 3
