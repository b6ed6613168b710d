"""Sounds that a static page plays, all equally loud: files in `MEDIA`, or, on Colab, whose outputs
cannot reach files, written into the page. A switch of the page gives them their own levels back.
"""

import base64
import html
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from IPython.display import HTML

from reverbsynth.audio.io import write_audio
from reverbsynth.audio.output import loudness

MEDIA = Path("media")  #: folder for sounds and pictures, seen from the notebook's own
LOUDNESS = -23.0  #: LUFS of a player's file (EBU R 128), or less where its peak is at full scale


class Sound(NamedTuple):
    """A player's label, and samples [shape=(n,)] at 16 kHz."""

    label: str
    audio: np.ndarray


def labelled(labels: Iterable[str], waves: Iterable[np.ndarray]) -> list[Sound]:
    """A sound for each label and its samples."""
    return list(map(Sound._make, zip(labels, waves, strict=True)))


class Players(HTML):
    """Players, ``columns`` (by default all) side by side; ``name`` is their files', used once."""

    def __init__(self, name: str, sounds: Sequence[Sound], columns: int | None = None):
        players = "".join(_player(f"{name}-{i}", *sound) for i, sound in enumerate(sounds, 1))
        row = f'<div class="rs-players" style="--columns: {columns or len(sounds)}">'
        super().__init__(f"{row}{players}</div>" if players else "")


def address(path: Path, mime: str) -> str:
    """The address by which a page refers to a file of `MEDIA`."""
    if "google.colab" not in sys.modules:
        return path.as_posix()
    return f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"


def evened(audio: np.ndarray) -> tuple[np.ndarray, float]:
    """Samples at `LOUDNESS`, and the gain in dB that was applied; silence stays as it is."""
    samples = np.nan_to_num(np.asarray(audio, np.float32))
    if not (peak := float(np.abs(samples).max(initial=0))):
        return samples, 0.0
    gain = min(10 ** ((LOUDNESS - loudness(samples / peak)) / 20), 1.0) / peak
    return gain * samples, 20 * math.log10(gain)


def _player(name: str, label: str, audio: np.ndarray) -> str:
    path, (samples, gain) = MEDIA / f"{name}.wav", evened(audio)
    write_audio(path, samples)
    label, applied = html.escape(label), f"{gain:+.0f} dB".replace("-", "\u2212")
    return (
        f'<div class="rs-player"><span>{label} <small title="gain for an even loudness">{applied}'
        f'</small></span><audio controls preload="none" aria-label="{label}" '
        f'data-gain="{gain:.1f}" src="{address(path, "audio/wav")}"></audio></div>'
    )
