"""Chapter 12: what it is worth to tell a network the pitch as a number."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.audio.io import read_sound
from reverbsynth.book.captions import Captioned, Origin, show, table
from reverbsynth.book.players import labelled
from reverbsynth.book.spectrograms import image_grid, magnitude_limits
from reverbsynth.book.style import note_name
from reverbsynth.book.workspace import RESULTS
from reverbsynth.evaluation.report import Report
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation

FOLDER = RESULTS / "pitch"  #: of a checkout: a table, and clips named ``MINUTES-INPUT-PITCH.flac``
MISSING = "*The measurements of this chapter come with a checkout of the repository.*"
_CLIP = re.compile(r"([\d.]+)-(.+)-(\d+)")


def measured() -> pd.DataFrame:
    """Rows of ``minutes,pitch_input,pitch,cents50,effect``; empty without a checkout's."""
    paths = sorted(FOLDER.glob("*.csv"))
    return pd.concat(map(pd.read_csv, paths)) if paths else pd.DataFrame()


def learned(source: Settings) -> Captioned | Markdown:
    """What was learned after so many CPU-minutes with each input."""
    if (rows := measured()).empty:
        return Markdown(MISSING)
    names = {"minutes": "CPU-minutes", "pitch_input": "pitch given as", "pitch": "pitch heard"}
    names |= {"cents50": "within 50 cents", "effect": "effect heard"}
    caption = "**What was learned after so many CPU-minutes**, in % of the notes."
    shown = rows.rename(columns=names).sort_values("CPU-minutes")
    return table(shown, caption, source, "pitch-table", digits=1)


def show_clips(source: Settings) -> HTML | Markdown:
    """Pictures and players of every clip, a figure for each pitch, a row for each input."""
    names = [(path, _CLIP.fullmatch(path.stem)) for path in sorted(FOLDER.glob("*.flac"))]
    rows = [(int(m[3]), m[2], float(m[1]), path) for path, m in names if m]
    shown = ""
    for pitch, of_pitch in pd.DataFrame(sorted(rows)).groupby(0) if rows else ():
        paths = {kind: list(of_kind[3]) for kind, of_kind in of_pitch.groupby(1)}
        labels = [f"{row[1]}, {row[2]:g} min" for row in of_pitch.itertuples(index=False)]
        caption = f"**{note_name(pitch)}**, after so many CPU-minutes, by how the pitch is told."
        shown += _pictured(paths, labels, caption, source, f"pitch-{pitch}").data
    return HTML(shown) if shown else Markdown(MISSING)


def glide(source: Settings) -> Captioned | Markdown:
    """One latent vector on its way from key to key, through all that lies between."""
    if not (path := FOLDER / "glide.flac").is_file():
        return Markdown(MISSING)
    caption = "**A glide**: one latent vector, asked for pitches between the keys."
    return _pictured({"": [path]}, ["glide"], caption, source, "pitch-glide")


def held_out() -> Captioned | Markdown:
    """What `laptop` plays at the keys left out, where it was trained on every third pitch only."""
    if not (path := FOLDER / "held_out.json").is_file():
        return Markdown(MISSING)
    report = Report.load(path)
    caption = (
        f"**Keys without recordings**: `laptop`, trained on every third pitch, "
        f"{report.facts['images_seen']:,} images; beside it what a sampler would play there, a "
        "training note of the nearest key, resampled, which is a real note."
    )
    settings = Settings.preset("laptop", **{"data.train_every": 3})
    made = settings.hash, report.facts["instrument_commit"], settings.to_yaml()
    source = Origin("every third pitch", "laptop", *made)
    return table(report.measures("Keys without recordings"), caption, source, "pitch-held-out")


def _pictured(
    rows: dict[str, list[Path]], labels: list[str], caption: str, source: Settings, name: str
) -> Captioned:
    """Sound files in rows, with spectrograms of their first four seconds."""
    representation, images, waves = Representation(source.spectra), {}, []
    for row, paths in rows.items():
        waves += (several := [read_sound(path, seconds=30.0) for path in paths])
        starts = [np.resize(np.r_[wave, np.zeros(NOTE_LENGTH)], NOTE_LENGTH) for wave in several]
        images[row] = representation.encode_all(np.stack(starts).astype(np.float32))
    limits = magnitude_limits(np.concatenate(list(images.values())))
    figure = image_grid(images, labels, representation.kind, limits=limits)
    alt, columns = f"Log magnitude of {', '.join(labels)}.", max(map(len, rows.values()))
    return show(figure, caption, source, name, alt, labelled(labels, waves), columns=columns)
