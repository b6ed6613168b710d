"""Chapter 1: what is in the data set, and what its effects do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import audible, decay_by_octave, energy_decay, fit_decay
from reverbsynth.audio.spectrum import long_term_spectrum
from reverbsynth.book.captions import Captioned, listed
from reverbsynth.book.slides import image_slides, show_slides
from reverbsynth.book.style import OTHER, canvas, effect_color, hertz_axis, note_name, style
from reverbsynth.book.workspace import Workspace
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.data.tfrecord import decode, read
from reverbsynth.effects import Effect, effects
from reverbsynth.spectra.representation import Representation

_SPLIT_COLORS = {"train": OTHER[3], "valid": OTHER[2], "test": OTHER[1]}
_SMOOTHED = 0.02  # seconds over which a level is averaged
_RESPONSE_SECONDS = 1.5  # seconds of an impulse response that are drawn
_PAPER_FEATURES = ("audio", "pitch")  # features of a record that the paper's reader declares

_MEANINGS = pd.read_csv(Path(__file__).with_name("features.csv"), index_col=0)["holds"]


def data_counts(data: DataSet) -> pd.DataFrame:
    """Clips in each split, by effect, and the source notes behind them."""
    rows = {}
    for split in data.splits:
        index = pd.DataFrame(data.index(split), columns=["origin", "effect"])
        clips = {effect: sum(index["effect"] == effect) for effect in data.vocabulary("effect")}
        rows[split] = {"source notes": index["origin"].nunique(), **clips, "clips": len(index)}
    return pd.DataFrame(rows).T.rename_axis("split")


@style()
def pitch_counts(index: Mapping[str, Sequence[Mapping]]) -> Figure:
    """How many clips of each pitch every split has, from `DataSet.index` of each split."""
    figure, axes = canvas(1, 1, 2.2)
    pitches = [np.array([row["pitch"] for row in rows], int) for rows in index.values()]
    edges = np.arange(min(np.concatenate(pitches)), max(np.concatenate(pitches)) + 2) - 0.5
    look: Any = {"label": list(index), "color": [_SPLIT_COLORS[split] for split in index]}
    axes[0, 0].hist(pitches, edges, stacked=True, rwidth=0.8, **look)
    axes[0, 0].set(xlabel="MIDI pitch", ylabel="clips")
    axes[0, 0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


@style()
def note_and_twins(audio: Mapping[str, np.ndarray]) -> Figure:
    """A note and its twins [shape=(64000,)] by effect: waveforms, levels and spectra."""
    figure, axes = canvas(1, 3, 2.6)
    waveforms, levels, spectra = axes[0]
    for order, (effect, wave) in enumerate(audio.items()):
        color, time = effect_color(effect, list(audio)), np.arange(len(wave)) / SAMPLE_RATE
        front = 2.9 - order / 10
        waveforms.plot(time, wave, label=effect, color=color, linewidth=0.4, zorder=front)
        levels.plot(time, level(wave), color=color, linewidth=1, zorder=front)
        hz, power = long_term_spectrum(wave, 4096)
        decibels = power[1:] - power[1:].max()
        spectra.plot(hz[1:], decibels, color=color, linewidth=0.8, zorder=front)
    for ax in (waveforms, levels):
        ax.axvline(NOTE_OFF, color=OTHER[3], linestyle=":", linewidth=1)
        ax.set_xlabel("time (s)")
    waveforms.set_ylabel("amplitude (full scale: 1)")
    levels.set(ylabel="level (dB of full scale)", ylim=(-80, 0))
    spectra.set(ylabel="level (dB of its peak)", ylim=(-100, 3))
    hertz_axis(spectra)
    above: Any = {"ncols": 2, "loc": "lower left", "bbox_to_anchor": (0, 1)}
    for line in waveforms.legend(**above).get_lines():
        line.set_linewidth(2)
    return figure


def level(wave: np.ndarray) -> np.ndarray:
    """Level over time in dB of full scale above 20 Hz, averaged over 20 ms [shape as wave]."""
    width = int(_SMOOTHED * SAMPLE_RATE)
    power = np.convolve(np.square(audible(wave)), np.ones(width) / width, mode="same")
    return 10 * np.log10(np.maximum(power, 1e-12))


def wet_effects(workspace: Workspace) -> dict[str, Effect]:
    """The effects of a workspace's data set by name, without dry."""
    settings = workspace.data_settings
    chosen = effects(settings.data.effects, settings.seed)
    return {effect.name: effect for effect in chosen if effect.kind != "dry"}


@style()
def impulse_responses(effects: Mapping[str, Effect]) -> Figure:
    """The impulse response of each effect, and how its energy decays."""
    figure, axes = canvas(1, 2, 2.6)
    time = np.arange(int(_RESPONSE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    for name, effect in effects.items():
        response, color = effect.impulse_response(), effect_color(name, list(effects))
        axes[0, 0].plot(time, response[: len(time)], color=color, linewidth=0.5)
        axes[0, 1].plot(time, energy_decay(response)[: len(time)], color=color, label=name)
    axes[0, 0].set(xlabel="time (s)", ylabel="amplitude (click: 1)")
    axes[0, 1].set(xlabel="time (s)", ylabel="energy to come (dB)", ylim=(-70, 3))
    axes[0, 1].legend()
    return figure


def decay_times(effects: Mapping[str, Effect]) -> pd.DataFrame:
    """Seconds in which each effect's impulse response falls by 60 dB, whole and by octave (T20)."""
    rows = {}
    for name, effect in effects.items():
        response = effect.impulse_response()
        octaves = {f"{hz:g} Hz": seconds for hz, seconds in decay_by_octave(response).items()}
        rows[name] = {"whole": fit_decay(response, straightness=0).seconds, **octaves}
    return pd.DataFrame(rows).rename_axis("band")


def twin_toggle(
    pairs: Sequence[dict[str, Note]], representation: Representation, source: Workspace, name: str
) -> Captioned:
    """A toggle between notes and their twins, as `Workspace.twins` gives them."""
    waves = {effect: np.stack([pair[effect].audio for pair in pairs]) for effect in pairs[0]}
    images = {effect: representation.encode_all(several) for effect, several in waves.items()}
    names = [note_name(next(iter(pair.values())).pitch) for pair in pairs]
    caption = "**A note and its twin, by turns.** Start a player, then switch: it goes on at the "
    caption += "same moment of the other."
    slides = image_slides(images, waves, names, representation.kind)
    return show_slides("toggle", "Effect", slides, caption, source, name)


def record_table(data: DataSet) -> pd.DataFrame:
    """The features of a record, read off the first one of the training split."""
    _, payload = next(read(data.path("train")))
    features, rows = decode(payload), {}
    for name in sorted(features, key=lambda name: (name not in _PAPER_FEATURES, name)):
        value = features[name]
        kind, shown = "int64" if isinstance(value, int) else "bytes", str(value)
        if isinstance(value, np.ndarray):
            kind, shown = f"float ({len(value):,})", f"{min(value):.3f} … {max(value):.3f}"
        rows[name] = {
            "type": kind,
            "holds": _MEANINGS.get(name, ""),
            "in the paper": "yes" if name in _PAPER_FEATURES else "no",
            "first clip": shown,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature")


def data_facts(data: DataSet) -> pd.DataFrame:
    """The manifest of a data set, for people."""
    pitches, used = data.vocabulary("pitch"), data.manifest["effects"]
    facts = {
        "settings of the data": data.settings_hash,
        "pitches": f"{pitches[0]} to {pitches[-1]}",
        "instruments": listed(data.vocabulary("instrument")),
        "effects": listed([f"{effect['name']} ({effect['engine']})" for effect in used]),
    }
    for effect in (each for each in used if "delays" in each):
        delays = [f"{1000 * seconds:.1f}" for seconds in effect["delays"]]
        facts[f"delays of {effect['name']}"] = f"{listed(delays)} ms"
    for name, file in data.manifest["files"].items():
        facts[name] = f"{file['bytes']:,} bytes, SHA-256 {file['sha256'][:12]}…"
    return pd.DataFrame(facts.items(), columns=["", " "])
