"""Images of notes as pictures, and how they are made (chapter 2, figures 1 to 16)."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.book.style import FREQUENCY, MAGNITUDE, OTHER, canvas, picture_axes, style
from reverbsynth.spectra.format import BINS, HOP, LEAD, N_FFT
from reverbsynth.spectra.mel import linear_to_mel, mel_centers, mel_formula

CHANNELS = {"magnitude": 0, "frequency": 1}

STFT_HZ = np.arange(1, BINS + 1) * SAMPLE_RATE / N_FFT
"""Frequencies of the STFT's bins, 0 Hz left out."""

_TICKS = (1000, 2000, 4000, 6000, 8000)


def frame_time(frame) -> np.ndarray:
    """Seconds from the note's start to the middle of a frame's window."""
    return (np.asarray(frame) * HOP + N_FFT / 2 - LEAD) / SAMPLE_RATE


def bin_of(hz, kind: str) -> np.ndarray:
    """The image's bin that a frequency falls on."""
    centers = mel_centers() if kind == "mel" else STFT_HZ
    return np.interp(hz, centers, np.arange(BINS))


def magnitude_limits(images: np.ndarray) -> tuple[float, float]:
    """Colour limits that suit all of `images` [shape=(n, frames, bins, 2)]."""
    low, high = np.percentile(images[..., 0], [2, 99.9])
    return float(low), float(high)


@style()
def image_row(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    channel: str,
    kind: str = "mel",
    limits: tuple[float, float] | None = None,
    height: float = 2.4,
) -> Figure:
    """One channel of several notes side by side.

    Parameters
    ----------
    images : sequence of arrays [shape=(128, 1024, 2)], de-normalized
    titles : sequence of str
    channel : {"magnitude", "frequency"}
    kind : {"mel", "linear", "phase"}
        The representation: it decides the frequency axis.
    limits : (float, float), optional
        Colour limits of the magnitude; unset: chosen from `images`.
    """
    figure, axes = canvas(1, len(images), height, sharey=True)
    if channel == "magnitude":
        low, high = limits or magnitude_limits(np.stack(images))
        options = {"cmap": MAGNITUDE, "vmin": low, "vmax": high}
        meaning = "log magnitude"
    else:
        options = {"cmap": FREQUENCY, "vmin": -1, "vmax": 1}
        meaning = "phase (half turns)" if kind == "phase" else "IF (half turns a frame)"
    for ax, image, title in zip(axes[0], images, titles, strict=True):
        picture = image_panel(ax, image[..., CHANNELS[channel]], kind, **options)
        ax.set_title(title, fontsize=8.5)
    axes[0, 0].set_ylabel("frequency (Hz)")
    figure.supxlabel("time (s)", fontsize=9.5)
    figure.colorbar(picture, ax=axes[0], label=meaning, pad=0.01, aspect=25)
    return figure


@style()
def two_rows(
    rows: Mapping[str, np.ndarray],
    titles: Sequence[str],
    kind: str,
    limits: tuple[float, float],
) -> Figure:
    """Log magnitude of notes in two rows.

    Parameters
    ----------
    rows : dict of arrays [shape=(n, 128, 1024, 2)], de-normalized
        By name, upper row first.
    titles : sequence of str
        Of the columns.
    kind : {"mel", "linear", "phase"}
        The representation.
    limits : (float, float)
        Colour limits.
    """
    figure, axes = canvas(2, len(titles), 4.2, sharex=True, sharey=True)
    low, high = limits
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(f"{name}: frequency (Hz)")
        for ax, image in zip(row, images, strict=True):
            shown = image_panel(ax, image[..., 0], kind, cmap=MAGNITUDE, vmin=low, vmax=high)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=8.5)
    figure.supxlabel("time (s)", fontsize=9.5)
    figure.colorbar(shown, ax=axes, label="log magnitude", pad=0.01, aspect=35)
    return figure


def image_panel(ax: Axes, values: np.ndarray, kind: str, **options):
    """Draw one channel [shape=(frames, bins)] with time and frequency axes."""
    picture_axes(ax)
    frames = len(values)
    left, right = frame_time(0) - HOP / 2 / SAMPLE_RATE, frame_time(frames) - HOP / 2 / SAMPLE_RATE
    picture = ax.imshow(values.T, extent=(left, right, -0.5, BINS - 0.5), **options)
    ax.set_yticks(bin_of(np.asarray(_TICKS), kind), [f"{hz:,}" for hz in _TICKS])
    ax.set_xticks([0, 1, 2, 3, 4])
    return picture


@style()
def unwrapping(phase: np.ndarray, unwrapped: np.ndarray, frequency: np.ndarray) -> Figure:
    """One STFT bin over time: phase, unwrapped phase, instantaneous frequency.

    Parameters
    ----------
    phase, unwrapped : array [shape=(frames,)], radians
    frequency : array [shape=(frames,)], half turns a frame
    """
    figure, axes = canvas(1, 3, 2.2)
    time = frame_time(np.arange(len(phase)))
    parts = ((phase, "phase (rad)"), (unwrapped, "unwrapped (rad)"), (frequency, "IF (half turns)"))
    for ax, (values, label), color in zip(axes[0], parts, OTHER, strict=False):
        ax.plot(time, values, color=color, marker=".", markersize=3, linewidth=0.8)
        ax.set(xlabel="time (s)", ylabel=label)
    return figure


@style()
def mel_bands(bands: Sequence[int] = (20, 60, 150, 400, 800)) -> Figure:
    """A few bands of the mel matrix, and the frequency that each bin stands for."""
    matrix = linear_to_mel()
    figure, axes = canvas(1, 2, 2.6)
    colors = mpl.colormaps["cividis"](np.linspace(0, 0.85, len(bands)))
    for band, color in zip(bands, colors, strict=True):
        axes[0, 0].plot(STFT_HZ, matrix[:, band], linewidth=1.2, color=color, label=f"bin {band}")
    axes[0, 0].set(xlabel="frequency (Hz)", ylabel="weight", xscale="log", xlim=(30, 8000))
    axes[0, 0].set_xticks([50, 200, 1000, 5000], ["50", "200", "1,000", "5,000"])
    axes[0, 0].minorticks_off()
    axes[0, 0].legend(fontsize=7.5, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    place = np.arange(BINS)
    scales = (
        ("this matrix", mel_centers(), OTHER[0], "-"),
        ("mel formula", mel_formula(), OTHER[1], "-."),
        ("linear", STFT_HZ, OTHER[3], "--"),
    )
    for label, values, color, line in scales:
        axes[0, 1].plot(place, values, color=color, linestyle=line, label=label)
    axes[0, 1].set(xlabel="bin of the image", ylabel="frequency (Hz)")
    axes[0, 1].legend(fontsize=7.5, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure
