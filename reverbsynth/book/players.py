"""Sounds beside the page: files that a static page plays without a kernel.

A player loads nothing before it is pressed and plays at the loudness the samples have: nothing is
normalized. Files go into `MEDIA`, next to the notebook; on Colab, whose outputs cannot reach files,
they are written into the page instead.
"""

import base64
import html
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reverbsynth.audio.io import write_audio

MEDIA = Path("media")
"""Folder for sounds and pictures, seen from the notebook's own."""


@dataclass(frozen=True)
class Sound:
    """A sound and the label of its player.

    Attributes
    ----------
    label
        For people: "C2, reverb".
    audio
        Samples [shape=(n,)] at 16 kHz; what is beyond [-1, 1] clips, and the player says so.
    """

    label: str
    audio: np.ndarray

    @property
    def clipped(self) -> bool:
        """Whether samples lie beyond full scale."""
        return bool(np.abs(self.audio).max(initial=0) > 1)


def labelled(labels: Iterable[str], waves: Iterable[np.ndarray]) -> list[Sound]:
    """A sound for each label and its samples."""
    return [Sound(label, wave) for label, wave in zip(labels, waves, strict=True)]


class Players:
    """A row of players, shown as the last expression of a cell.

    Parameters
    ----------
    name : str
        Names the files; unique within the book.
    sounds : sequence of Sound
    columns : int, optional
        Players side by side where the page is wide enough; unset: all.
    """

    def __init__(self, name: str, sounds: Sequence[Sound], columns: int | None = None):
        self._cells = [_player(f"{name}-{i}", sound) for i, sound in enumerate(sounds, 1)]
        self._columns = columns or max(len(sounds), 1)

    def _repr_html_(self) -> str:
        players = "".join(self._cells)
        if not players:
            return ""
        return f'<div class="rs-players" style="--columns: {self._columns}">{players}</div>'


def address(path: Path, mime: str) -> str:
    """The address by which a page refers to a file of `MEDIA`."""
    if "google.colab" not in sys.modules:
        return path.as_posix()
    return f"data:{mime};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _player(name: str, sound: Sound) -> str:
    path = MEDIA / f"{name}.wav"
    write_audio(path, np.clip(np.nan_to_num(np.asarray(sound.audio, np.float32)), -1, 1))
    label = html.escape(sound.label + (" (clipped)" if sound.clipped else ""))
    return (
        f'<div class="rs-player"><span>{label}</span>'
        f'<audio controls preload="none" aria-label="{label}" '
        f'src="{address(path, "audio/wav")}"></audio></div>'
    )
