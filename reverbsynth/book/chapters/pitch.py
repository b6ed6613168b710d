"""Chapter 12: what it is worth to tell a network the pitch as a number."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.figure import Figure

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.audio.io import read_sound
from reverbsynth.book.captions import Captioned, show, table
from reverbsynth.book.players import labelled
from reverbsynth.book.spectrograms import image_grid, magnitude_limits
from reverbsynth.book.style import GENERATED, OTHER, canvas, note_name, style
from reverbsynth.book.workspace import RESULTS
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation

FOLDER = RESULTS / "pitch"  #: of a checkout: a table, and clips named ``MINUTES-INPUT-PITCH.flac``
MISSING = "*The measurements of this chapter come with a checkout of the repository.*"
_COLORS = {"harmonic": GENERATED, "one-hot": OTHER[1]}
_CLIP = re.compile(r"([\d.]+)-(.+)-(\d+)")


def measured() -> pd.DataFrame:
    """Rows of ``minutes,pitch_input,pitch,cents50,effect``; empty without a checkout's."""
    paths = sorted(FOLDER.glob("*.csv"))
    return pd.concat(map(pd.read_csv, paths)) if paths else pd.DataFrame()


@style()
def learning(measured: pd.DataFrame) -> Figure:
    """How often pitch and effect are heard as asked, after so many CPU-minutes of each input."""
    figure, axes = canvas(1, 3, 2.6, sharey=True)
    columns = {"pitch": "pitch heard", "cents50": "within 50 cents", "effect": "effect heard"}
    for ax, (column, title) in zip(axes[0], columns.items(), strict=True):
        for kind, rows in measured.groupby("pitch_input"):
            means = rows.groupby("minutes")[column].mean()
            color = _COLORS.get(str(kind), OTHER[3])
            ax.plot(means.index, means, marker="o", color=color, label=str(kind))
        ax.set(title=title, xlabel="CPU-minutes", ylim=(0, 103))
    axes[0, 0].set_ylabel("share of notes (%)")
    axes[0, 0].legend(loc="upper left")
    return figure


def learned(source: Settings) -> HTML | Markdown:
    """The curves of learning, and the numbers behind them."""
    if (rows := measured()).empty:
        return Markdown(MISSING)
    curves = show(
        learning(rows),
        "**What was learned after so many CPU-minutes**, by how the pitch is told.",
        source,
        "pitch-learning",
        alt="Three panels: share of notes with the requested pitch, within 50 cents, and with the "
        "requested effect, against CPU-minutes, a line for each pitch input.",
    )
    numbers = table(rows, "**The same as numbers**, in % of the notes.", source, "pitch-table")
    return HTML(curves.data + numbers.data)


def show_clips(source: Settings) -> HTML | Markdown:
    """Pictures and players of every clip, a figure for each pitch, a row for each input."""
    found: dict[int, dict[str, list[tuple[float, Path]]]] = {}
    for path in sorted(FOLDER.glob("*.flac")):
        if match := _CLIP.fullmatch(path.stem):
            minutes, kind, pitch = match.groups()
            found.setdefault(int(pitch), {}).setdefault(kind, []).append((float(minutes), path))
    shown = []
    for pitch, kinds in sorted(found.items()):
        rows = {kind: [path for _, path in sorted(several)] for kind, several in kinds.items()}
        times = [minutes for minutes, _ in sorted(next(iter(kinds.values())))]
        labels = [f"{kind}, {minutes:g} min" for kind in rows for minutes in times]
        caption = f"**{note_name(pitch)}**, after so many CPU-minutes, by how the pitch is told."
        shown.append(_pictured(rows, labels, caption, source, f"pitch-{pitch}", len(times)))
    return HTML("".join(each.data for each in shown)) if shown else Markdown(MISSING)


def glide(source: Settings) -> Captioned | Markdown:
    """One latent vector on its way from key to key, through all that lies between."""
    if not (path := FOLDER / "glide.flac").is_file():
        return Markdown(MISSING)
    caption = "**A glide**: one latent vector, asked for pitches between the keys."
    return _pictured({"": [path]}, ["glide"], caption, source, "pitch-glide", 1)


def _pictured(
    rows: dict[str, list[Path]],
    labels: list[str],
    caption: str,
    source: Settings,
    name: str,
    columns: int,
) -> Captioned:
    """Sound files in rows, with their spectrograms; pictures show the first four seconds."""
    representation = Representation(source.spectra)
    waves = {row: [read_sound(path, seconds=30.0) for path in paths] for row, paths in rows.items()}
    images = {
        row: representation.encode_all(np.stack([_four_seconds(wave) for wave in several]))
        for row, several in waves.items()
    }
    limits = magnitude_limits(np.concatenate(list(images.values())))
    figure = image_grid(images, labels, representation.kind, limits=limits)
    sounds = labelled(labels, [wave for several in waves.values() for wave in several])
    alt = f"Log magnitude of {', '.join(labels)}."
    return show(figure, caption, source, name, alt, sounds=sounds, columns=columns)


def _four_seconds(wave: np.ndarray) -> np.ndarray:
    return np.pad(wave[:NOTE_LENGTH], (0, max(0, NOTE_LENGTH - len(wave)))).astype(np.float32)
