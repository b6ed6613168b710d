"""Images of notes as pictures, with axes in seconds and Hz."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.book.style import FREQUENCY, MAGNITUDE, canvas, style
from reverbsynth.spectra.format import BINS, FRAMES, HOP, LEAD, N_FFT
from reverbsynth.spectra.mel import bin_frequencies

STFT_HZ = np.arange(1, BINS + 1) * SAMPLE_RATE / N_FFT  #: of the STFT's bins, 0 Hz left out
_TICKS = (1000, 2000, 4000, 6000, 8000)


def frame_time(frame: np.ndarray | int) -> np.ndarray:
    """Seconds from the note's start to the middle of a frame's window."""
    return (np.asarray(frame) * HOP + N_FFT / 2 - LEAD) / SAMPLE_RATE


def bin_of(hz: Sequence[float] | float, kind: str) -> np.ndarray:
    """The bin, in an image of this representation, that a frequency falls on."""
    return np.asarray(np.interp(hz, bin_frequencies(kind), np.arange(BINS)))


def magnitude_limits(images: np.ndarray) -> tuple[float, float]:
    """Colour limits of the magnitude that suit all of ``images`` [shape=(n, frames, bins, 2)]."""
    low, high = np.percentile(images[..., 0], [2, 99.9])
    return float(low), float(high)


@style(transparent=True)
def image_grid(
    rows: Mapping[str, np.ndarray],
    titles: Sequence[str],
    kind: str,
    channel: str = "magnitude",
    limits: tuple[float, float] | None = None,
    height: float | None = None,
) -> Figure:
    """One channel ("magnitude", "frequency") of notes in rows [shape=(n, frames, bins, 2)] by
    name, de-normalized, with a title for each column, or one for each note, row by row.

    The representation ``kind`` decides the frequency axis; ``limits``, of the magnitude's colours,
    are chosen from the first row unless given.
    """
    height = height or 1.8 * len(rows) + 0.6
    columns = len(next(iter(rows.values())))
    figure, axes = canvas(len(rows), columns, height, sharex=True, sharey=True)
    number, cmap, meaning = 0, MAGNITUDE, "log magnitude (ln)"
    if channel == "frequency":
        number, cmap, limits = 1, FREQUENCY, (-1.0, 1.0)
        meaning = "phase (half turns)" if kind == "phase" else "IF (half turns a frame)"
    low, high = limits or magnitude_limits(next(iter(rows.values())))
    extent = (*frame_time(np.array([-0.5, FRAMES - 0.5])).tolist(), -0.5, BINS - 0.5)
    for row, (name, images) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(f"{name.strip()}: frequency (Hz)".removeprefix(": "))
        for ax in row[len(images) :]:
            ax.axis("off")
        for ax, image in zip(row, images, strict=False):
            picture = ax.imshow(image[..., number].T, cmap=cmap, extent=extent, vmin=low, vmax=high)
            ax.grid(False)
            ax.set(xticks=range(5), yticks=bin_of(_TICKS, kind))
            ax.set_yticklabels([f"{hz:,}" for hz in _TICKS])
    for ax, title in zip(axes.flat[: len(titles)], titles, strict=True):
        ax.set_title(title, fontsize=8.5)
    figure.supxlabel("time (s)", fontsize=9.5)
    figure.colorbar(picture, ax=axes, label=meaning, pad=0.01, aspect=35 if len(rows) > 1 else 25)
    return figure
