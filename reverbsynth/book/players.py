"""Sounds that a static page plays, at their own loudness: files in `MEDIA`, or, on Colab, whose
outputs cannot reach files, written into the page.
"""

import base64
import html
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from IPython.display import HTML

from reverbsynth.audio.io import write_audio

MEDIA = Path("media")  #: folder for sounds and pictures, seen from the notebook's own


class Sound(NamedTuple):
    """A player's label, and samples [shape=(n,)] at 16 kHz; it says so where they clip."""

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


def _player(name: str, label: str, audio: np.ndarray) -> str:
    path, samples = MEDIA / f"{name}.wav", np.nan_to_num(np.asarray(audio, np.float32))
    write_audio(path, np.clip(samples, -1, 1))
    clipped = " (clipped)" if np.abs(samples).max(initial=0) > 1 else ""
    label = html.escape(label + clipped)
    return (
        f'<div class="rs-player"><span>{label}</span>'
        f'<audio controls preload="none" aria-label="{label}" '
        f'src="{address(path, "audio/wav")}"></audio></div>'
    )
