"""Chapter 12: what it is worth to tell a network the pitch as a number."""

import re
from math import ceil

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from reverbsynth.audio.format import NOTE_LENGTH, NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.io import read_sound
from reverbsynth.audio.pitch import midi_to_hz
from reverbsynth.book.captions import Captioned, Origin, listed, show, table
from reverbsynth.book.players import labelled
from reverbsynth.book.spectrograms import bin_of, image_grid, magnitude_limits
from reverbsynth.book.style import note_name
from reverbsynth.book.workspace import RESULTS, results_table
from reverbsynth.evaluation.report import Report
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings.training import SpectraSettings
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run

TABLE = "pitch/learned.csv"  #: what ``benchmarks/pitch_input.py`` measured, a row for each training
FOLDER = (RESULTS / TABLE).parent  #: of a checkout, with clips named ``MINUTES-INPUT-PITCH.flac``
MISSING = "*The measurements of this chapter come with a checkout of the repository.*"
_CLIP = re.compile(r"([\d.]+)-(.+)-(\d+)")
_STEPS = 25  # pitches of a glide, a quarter tone apart where it is an octave
_FADE = 0.02 * SAMPLE_RATE  # samples of the crossfade from one pitch to the next


def learned() -> Captioned | Markdown:
    """What was learned after so many CPU-minutes with each input."""
    if (rows := results_table(TABLE)).empty:
        return Markdown(MISSING)
    names = {"minutes": "CPU-minutes", "pitch_input": "pitch given as", "images": "images seen"}
    names |= {"pitch": "pitch heard", "cents50": "within 50 cents", "effect": "effect heard"}
    caption = "**What was learned after so many CPU-minutes**, in % of the notes."
    shown = rows[[*names]].rename(columns=names).sort_values("CPU-minutes")
    return table(shown, caption, _trainings(rows), "pitch-table", digits=1)


def show_clips() -> HTML | Markdown:
    """Pictures and players of every clip, a figure for each pitch, a row for each input."""
    names = [(path, _CLIP.fullmatch(path.stem)) for path in sorted(FOLDER.glob("*.flac"))]
    clips = [(int(m[3]), m[2], float(m[1]), path) for path, m in names if m]
    encode, shown = Representation(SpectraSettings()).encode_all, ""
    for pitch, of_pitch in pd.DataFrame(sorted(clips)).groupby(0) if clips else ():
        labels = [f"{row[1]}, {row[2]:g} min" for row in of_pitch.itertuples(index=False)]
        waves = np.stack([read_sound(path) for path in of_pitch[3]])
        images = encode(waves)
        rows = {kind: images[(of_pitch[1] == kind).to_numpy()] for kind in of_pitch[1].unique()}
        figure = image_grid(rows, labels, "mel", limits=magnitude_limits(images))
        caption = f"**{note_name(pitch)}**, after so many CPU-minutes, by how the pitch is told."
        alt, sounds = f"Log magnitude of {', '.join(labels)}.", labelled(labels, waves)
        origin, columns = _trainings(results_table(TABLE)), max(map(len, rows.values()))
        name = f"pitch-{pitch}"
        shown += show(figure, caption, origin, name, alt, sounds, columns=columns).data
    return HTML(shown) if shown else Markdown(MISSING)


def glide(instrument: Instrument, run: Run, seed: int) -> Captioned | Markdown:
    """One latent vector whose pitch rises while the note is held, drawn low enough to be seen."""
    if instrument.gan.pitch_input != "harmonic":
        return Markdown("The network of this run knows keys alone, and cannot play between them.")
    lowest, highest = instrument.pitches[0], instrument.pitches[-1]
    first = max(lowest, min(40, highest - 12))
    pitches = np.linspace(first, min(first + 12, highest), _STEPS)
    waves = instrument.notes(pitches.tolist(), z=instrument.latents(1, seed)[0])
    edges = np.linspace(0, NOTE_OFF * SAMPLE_RATE, _STEPS + 1)
    edges[[0, -1]] = -np.inf, np.inf  # the first has the attack, the last what follows the release
    begun = np.clip((np.arange(NOTE_LENGTH) - edges[:, None]) / _FADE + 0.5, 0, 1)
    sound = ((begun[:-1] - begun[1:]) * waves).sum(axis=0).astype(np.float32)
    image = Representation(SpectraSettings()).encode_all(sound[None])
    # Up to the fourth harmonic of the last pitch, below which one sees it move.
    ticks = [n * min(2000, 50 * ceil(1.2 * midi_to_hz(pitches[-1]) / 50)) for n in range(5)]
    places = bin_of(ticks, "mel")
    limits = magnitude_limits(image[:, :, : int(places[-1])])
    figure = image_grid({"": image}, [""], "mel", limits=limits, height=3.2)
    figure.axes[0].set(ylim=(0, places[-1]), yticks=places, yticklabels=ticks)
    names = [note_name(round(pitch)) for pitch in (pitches[0], pitches[-1])]
    caption = (
        f"**A glide** from {names[0]} to {names[1]} while the note is held: one latent vector, "
        f"asked for {_STEPS} pitches in turn. Only what lies below {ticks[-1]} Hz is drawn."
    )
    alt = "Log magnitude at low frequencies: the harmonics climb, and spread apart as they do."
    return show(figure, caption, run, "pitch-glide", alt, labelled(["glide"], [sound]))


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
    made = report.facts["instrument_settings"], report.facts["instrument_commit"], ""
    source = Origin("every third pitch", "laptop", *made)
    return table(report.measures("Keys without recordings"), caption, source, "pitch-held-out")


def _trainings(rows: pd.DataFrame) -> Origin:
    """The origin of the table and of the clips."""
    name, settings = f"pitch_input ({len(rows)} trainings)", listed(list(rows["settings"]))
    return Origin(name, "laptop", settings, listed(list(rows["commit"].unique())), "")
