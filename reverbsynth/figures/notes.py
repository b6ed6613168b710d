"""Notes of a data set as pictures (chapter 1)."""

from collections.abc import Mapping, Sequence

import librosa
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reverbsynth.figures.style import OTHER, canvas, effect_color, style
from reverbsynth.settings import NOTE_OFF, SAMPLE_RATE

_SPLITS = {"train": OTHER[3], "valid": OTHER[2], "test": OTHER[1]}
_SMOOTH = 0.02
"""Seconds over which a level is averaged."""


@style()
def pitches(index: Mapping[str, Sequence[Mapping]]) -> Figure:
    """How many clips of each pitch every split has.

    Parameters
    ----------
    index : dict
        For each split the metadata of its clips, as `DataSet.index` gives it.
    """
    figure, axes = canvas(1, 1, 2.2)
    every = sorted({row["pitch"] for rows in index.values() for row in rows})
    below = np.zeros(len(every))
    for split, rows in index.items():
        counts = np.array([sum(row["pitch"] == pitch for row in rows) for pitch in every])
        axes[0, 0].bar(every, counts, bottom=below, color=_SPLITS[split], label=split, width=0.8)
        below += counts
    axes[0, 0].set(xlabel="MIDI pitch", ylabel="clips")
    axes[0, 0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


@style()
def twins(audio: Mapping[str, np.ndarray]) -> Figure:
    """A note and its twins: waveforms, levels and spectra.

    Parameters
    ----------
    audio : dict
        Samples [shape=(64000,)] by effect.
    """
    figure, axes = canvas(1, 3, 2.6)
    for order, (effect, wave) in enumerate(audio.items()):
        color = effect_color(effect, list(audio))
        time = np.arange(len(wave)) / SAMPLE_RATE
        axes[0, 0].plot(
            time, wave, color=color, linewidth=0.4, label=effect, zorder=2.9 - order / 10
        )
        axes[0, 1].plot(time, level(wave), color=color, linewidth=1)
        hz, spectrum = average_spectrum(wave)
        axes[0, 2].plot(hz, spectrum, color=color, linewidth=0.8)
    for ax in axes[0, :2]:
        ax.axvline(NOTE_OFF, color=OTHER[3], linestyle=":", linewidth=1)
    axes[0, 0].set(xlabel="time (s)", ylabel="amplitude")
    axes[0, 1].set(xlabel="time (s)", ylabel="level (dB of full scale)", ylim=(-80, 0))
    axes[0, 2].set(
        xlabel="frequency (Hz)", ylabel="level (dB of the peak)", xscale="log", xlim=(30, 8000)
    )
    axes[0, 2].set_ylim(-100, 3)
    axes[0, 2].set_xticks([50, 200, 1000, 5000])
    axes[0, 2].xaxis.set_major_formatter(FuncFormatter(lambda hz, _: f"{hz:,.0f}"))
    axes[0, 2].minorticks_off()
    for line in axes[0, 0].legend(loc="lower right").get_lines():
        line.set_linewidth(2)
    return figure


def level(wave: np.ndarray) -> np.ndarray:
    """Level over time in dB of full scale, averaged over 20 ms [shape as wave]."""
    width = int(_SMOOTH * SAMPLE_RATE)
    power = np.convolve(np.square(wave, dtype=np.float64), np.ones(width) / width, mode="same")
    return 10 * np.log10(np.maximum(power, 1e-12))


def average_spectrum(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz, and the average magnitude there in dB of its peak."""
    magnitude = np.abs(librosa.stft(wave, n_fft=4096, hop_length=1024)).mean(axis=1)
    hz = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=4096)
    return hz[1:], 20 * np.log10(
        np.maximum(magnitude[1:], 1e-7 * magnitude.max()) / magnitude.max()
    )
