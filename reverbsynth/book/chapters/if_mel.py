"""Chapter 2: what IF-Mel is, and what it loses."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from IPython.display import Markdown
from matplotlib.figure import Figure

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.tails import levels
from reverbsynth.book.captions import Captioned
from reverbsynth.book.slides import image_slides, show_slides
from reverbsynth.book.spectrograms import STFT_HZ, frame_time
from reverbsynth.book.style import OTHER, REAL, canvas, hertz_axis, note_name, style
from reverbsynth.book.workspace import Workspace
from reverbsynth.evaluation.clips import Clips
from reverbsynth.settings import SpectraSettings
from reverbsynth.spectra.format import N_FFT
from reverbsynth.spectra.mel import linear_to_mel, mel_centers, mel_formula
from reverbsynth.spectra.representation import Representation


@style()
def unwrapping(phase: np.ndarray, unwrapped: np.ndarray, frequency: np.ndarray) -> Figure:
    """An STFT bin [shape=(frames,)]: phase and unwrapped phase (rad), frequency (half turns)."""
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
    figure, axes = canvas(1, 2, 2.6)
    left, right = axes[0]
    colors = mpl.colormaps["cividis"](np.linspace(0, 0.85, len(bands)))
    for band, color in zip(bands, colors, strict=True):
        weights = linear_to_mel()[:, band]
        left.plot(STFT_HZ, weights, linewidth=1.2, color=color, label=f"bin {band}")
    left.set_ylabel("weight (of power)")
    hertz_axis(left)
    right.plot(mel_centers(), color=OTHER[0], label="this matrix")
    right.plot(mel_formula(), "-.", color=OTHER[1], label="mel formula")
    right.plot(STFT_HZ, "--", color=OTHER[3], label="linear")
    right.set(xlabel="bin of the image", ylabel="frequency (Hz)")
    for ax in axes[0]:
        ax.legend(fontsize=7.5, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


def mel_scale() -> Markdown:
    """How far the mel matrix is from the mel formula."""
    formula, matrix = mel_formula(), mel_centers()
    half = len(formula) // 2
    meets = int(np.flatnonzero(np.abs(matrix / formula - 1) > 0.01)[-1]) + 1
    spacing = (matrix[meets] - matrix[0]) / meets
    return Markdown(
        f"By the formula, half of the bins would lie below {formula[half]:,.0f} Hz; in the matrix "
        f"they lie below {matrix[half]:,.0f} Hz, because each widened band pushes the next one up. "
        f"Up to {matrix[meets]:,.0f} Hz, where matrix and formula meet, the bins are evenly "
        f"spaced, {spacing:.1f} Hz apart; those of the STFT are {SAMPLE_RATE / N_FFT:.1f} Hz "
        "apart. *Mel* in IF-Mel is a name more than a scale, and it resolves low harmonics "
        "hardly better than a linear scale does."
    )


def without_phase(waves: np.ndarray) -> np.ndarray:
    """Notes [shape=(n, 64000)] from the magnitudes of IF-Mel, with a phase that does not turn."""
    mel = Representation(SpectraSettings())
    return mel.decode_all((mel.encode_all(waves) * (1, 0)).astype(np.float32))


def round_trips(
    clips: Clips, decoded: Mapping[str, np.ndarray], workspace: Workspace, name: str
) -> Captioned:
    """A toggle between the first note with its twins and what they were decoded to, by name."""
    effects = list(dict.fromkeys(clips.effect))
    kinds, mel = {"as recorded": clips.waves, **decoded}, Representation(SpectraSettings())
    waves = {how: each[: len(effects)] for how, each in kinds.items()}
    images = {how: mel.encode_all(each) for how, each in waves.items()}
    names = [f"{note_name(clips.pitch[0])}, {effect}" for effect in effects]
    caption = "**There and back.** Start a player, then switch: it goes on at the same moment."
    slides = image_slides(images, waves, names, mel.kind)
    return show_slides("toggle", "Sound", slides, caption, workspace, name)


@style()
def releases(clips: Clips, decoded: Mapping[str, np.ndarray]) -> Figure:
    """Levels around the release of the first note and its twins, and of what they came back as."""
    effects, drawn = list(dict.fromkeys(clips.effect)), {"as recorded": clips.waves, **decoded}
    figure, axes = canvas(1, len(effects), 2.8, sharey=True)
    for color, (name, waves) in zip((REAL, *OTHER), drawn.items(), strict=True):
        seconds, curves = levels(waves[: len(effects)])
        for ax, effect, curve in zip(axes[0], effects, curves, strict=True):
            ax.plot(seconds, curve, color=color, label=name, linewidth=1.0)
            ax.set(xlabel="seconds from the release", title=effect)
    axes[0, 0].set_ylabel("level (dB of the held note)")
    axes[0, 0].legend(fontsize=7)
    return figure
