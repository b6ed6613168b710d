"""Images of notes as pictures, with axes in seconds and Hz."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.book.style import FREQUENCY, MAGNITUDE, canvas, style
from reverbsynth.spectra.format import BINS, HOP, LEAD, N_FFT
from reverbsynth.spectra.mel import mel_centers

STFT_HZ = np.arange(1, BINS + 1) * SAMPLE_RATE / N_FFT
"""Frequencies of the STFT's bins, 0 Hz left out."""

_TICKS = (1000, 2000, 4000, 6000, 8000)


def frame_time(frame: np.ndarray | int) -> np.ndarray:
    """Seconds from the note's start to the middle of a frame's window."""
    return (np.asarray(frame) * HOP + N_FFT / 2 - LEAD) / SAMPLE_RATE


def bin_of(hz: Sequence[float] | float, kind: str) -> np.ndarray:
    """The bin, in an image of this representation, that a frequency falls on."""
    centers = mel_centers() if kind == "mel" else STFT_HZ
    return np.asarray(np.interp(hz, centers, np.arange(BINS)))


def magnitude_limits(images: np.ndarray) -> tuple[float, float]:
    """Colour limits of the magnitude that suit all of ``images`` [shape=(n, frames, bins, 2)]."""
    low, high = np.percentile(images[..., 0], [2, 99.9])
    return float(low), float(high)


@style()
def image_row(
    images: np.ndarray,
    titles: Sequence[str],
    channel: str = "magnitude",
    kind: str = "mel",
    limits: tuple[float, float] | None = None,
    height: float = 2.4,
) -> Figure:
    """One channel of several notes side by side.

    Parameters
    ----------
    images : array [shape=(n, 128, 1024, 2)], de-normalized
    titles : sequence of str
    channel : {"magnitude", "frequency"}
    kind : {"mel", "linear", "phase"}
        The representation: it decides the frequency axis.
    limits : (float, float), optional
        Colour limits of the magnitude; unset: chosen from ``images``.
    height : float
        Inches.
    """
    figure, axes = canvas(1, len(images), height, sharey=True)
    if channel == "magnitude":
        limits, cmap, meaning = limits or magnitude_limits(images), MAGNITUDE, _LOG
    else:
        limits, cmap = (-1.0, 1.0), FREQUENCY
        meaning = "phase (half turns)" if kind == "phase" else "IF (half turns a frame)"
    for ax, image, title in zip(axes[0], images, titles, strict=True):
        values = image[..., 0 if channel == "magnitude" else 1]
        picture = _panel(ax, values, kind, cmap, limits)
        ax.set_title(title, fontsize=8.5)
    axes[0, 0].set_ylabel("frequency (Hz)")
    _finish(figure, axes, picture, meaning)
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
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(f"{name}: frequency (Hz)")
        for ax, image in zip(row, images, strict=True):
            picture = _panel(ax, image[..., 0], kind, MAGNITUDE, limits)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=8.5)
    _finish(figure, axes, picture, _LOG)
    return figure


_LOG = "log magnitude"


def _panel(
    ax: Axes, values: np.ndarray, kind: str, cmap: str, limits: tuple[float, float]
) -> AxesImage:
    """Draw one channel [shape=(frames, bins)] with time and frequency axes."""
    ax.grid(False)
    left, right = frame_time(np.array([-0.5, len(values) - 0.5]))
    extent = (float(left), float(right), -0.5, BINS - 0.5)
    picture = ax.imshow(values.T, cmap=cmap, extent=extent, vmin=limits[0], vmax=limits[1])
    ax.set_yticks(bin_of(_TICKS, kind), [f"{hz:,}" for hz in _TICKS])
    ax.set_xticks([0, 1, 2, 3, 4])
    return picture


def _finish(figure: Figure, axes: np.ndarray, picture: AxesImage, meaning: str) -> None:
    """Label time and colours once for all axes."""
    figure.supxlabel("time (s)", fontsize=9.5)
    figure.colorbar(picture, ax=axes, label=meaning, pad=0.01, aspect=35 if len(axes) > 1 else 25)
