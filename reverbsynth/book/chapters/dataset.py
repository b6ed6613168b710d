"""Chapter 1: what is in the data set, and what its effects do."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import audible, decay_by_octave, energy_decay, fit_decay
from reverbsynth.audio.spectrum import long_term_spectrum
from reverbsynth.book.captions import Captioned, facts_table, listed
from reverbsynth.book.slides import effect_toggle
from reverbsynth.book.style import OTHER, canvas, effect_color, hertz_axis, style
from reverbsynth.book.workspace import Workspace
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.data.tfrecord import decode, read
from reverbsynth.effects import Effect, effects
from reverbsynth.spectra.representation import Representation

_SPLIT_COLORS = {"train": OTHER[3], "valid": OTHER[2], "test": OTHER[1]}

_SMOOTHED = 0.02
"""Seconds over which a level is averaged."""

_RESPONSE_SECONDS = 1.5
"""Seconds of an impulse response that are drawn."""

_PAPER_FEATURES = ("audio", "pitch")
"""Features of a record that the paper's reader declares."""

_MEANINGS = {
    "audio": "samples in [-1, 1] at 16 kHz",
    "pitch": "MIDI pitch",
    "velocity": "MIDI velocity",
    "id": "name of the clip",
    "origin": "source note, shared by its twins",
    "instrument": "what plays it",
    "effect": "dry, or what was done to it",
}


def data_counts(data: DataSet) -> pd.DataFrame:
    """Clips in each split, by effect, and the source notes behind them."""
    rows = {}
    for split in data.splits:
        index = data.index(split)
        clips = Counter(row["effect"] for row in index)
        rows[split] = {
            "source notes": len({row["origin"] for row in index}),
            **{effect: clips[effect] for effect in data.vocabulary("effect")},
            "clips": len(index),
        }
    return pd.DataFrame(rows).T.rename_axis("split")


@style()
def pitch_counts(index: Mapping[str, Sequence[Mapping]]) -> Figure:
    """How many clips of each pitch every split has, from `DataSet.index` of each split."""
    figure, axes = canvas(1, 1, 2.2)
    pitches = sorted({row["pitch"] for rows in index.values() for row in rows})
    below = np.zeros(len(pitches))
    for split, rows in index.items():
        clips = Counter(row["pitch"] for row in rows)
        counts = np.array([clips[pitch] for pitch in pitches])
        look = {"color": _SPLIT_COLORS[split], "width": 0.8}
        axes[0, 0].bar(pitches, counts, bottom=below, label=split, **look)
        below += counts
    axes[0, 0].set(xlabel="MIDI pitch", ylabel="clips")
    axes[0, 0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


@style()
def note_and_twins(audio: Mapping[str, np.ndarray]) -> Figure:
    """A note and its twins [shape=(64000,)] by effect: waveforms, levels and spectra."""
    figure, axes = canvas(1, 3, 2.6)
    waveforms, levels, spectra = axes[0]
    for order, (effect, wave) in enumerate(audio.items()):
        color = effect_color(effect, list(audio))
        time = np.arange(len(wave)) / SAMPLE_RATE
        behind = 2.9 - order / 10
        waveforms.plot(time, wave, color=color, linewidth=0.4, label=effect, zorder=behind)
        levels.plot(time, level(wave), color=color, linewidth=1)
        hz, power = long_term_spectrum(wave, 4096)
        spectra.plot(hz[1:], power[1:] - power[1:].max(), color=color, linewidth=0.8)
    for ax in (waveforms, levels):
        ax.axvline(NOTE_OFF, color=OTHER[3], linestyle=":", linewidth=1)
        ax.set_xlabel("time (s)")
    waveforms.set_ylabel("amplitude")
    levels.set(ylabel="level (dB of full scale)", ylim=(-80, 0))
    spectra.set(ylabel="level (dB of the peak)", ylim=(-100, 3))
    hertz_axis(spectra)
    for line in waveforms.legend(loc="lower right").get_lines():
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
    chain = effects(settings.data.effects, settings.seed)
    return {effect.name: effect for effect in chain if effect.kind != "dry"}


@style()
def impulse_responses(effects: Mapping[str, Effect]) -> Figure:
    """The impulse response of each effect, and how its energy decays."""
    figure, axes = canvas(1, 2, 2.6)
    shown = slice(int(_RESPONSE_SECONDS * SAMPLE_RATE))
    for name, effect in effects.items():
        response = effect.impulse_response()
        time = np.arange(len(response)) / SAMPLE_RATE
        color = effect_color(name, list(effects))
        axes[0, 0].plot(time[shown], response[shown], color=color, linewidth=0.5, label=name)
        axes[0, 1].plot(time[shown], energy_decay(response)[shown], color=color, label=name)
    axes[0, 0].set(xlabel="time (s)", ylabel="amplitude")
    axes[0, 1].set(xlabel="time (s)", ylabel="energy to come (dB)", ylim=(-70, 3))
    axes[0, 1].legend()
    return figure


def decay_times(effects: Mapping[str, Effect]) -> pd.DataFrame:
    """Seconds in which each effect's impulse response falls by 60 dB, whole and by octave.

    From the fall between -5 and -25 dB (T20, ISO 3382-1), as `reverbsynth.audio.reverberation`
    fits it; NaN where the response does not fall that far, or at once.
    """
    rows = {}
    for name, effect in effects.items():
        response = effect.impulse_response()
        octaves = {f"{hz:g} Hz": seconds for hz, seconds in decay_by_octave(response).items()}
        rows[name] = {"whole": fit_decay(response, straightness=0).seconds, **octaves}
    return pd.DataFrame(rows).rename_axis("band")


@style()
def average_spectra(data: DataSet, split: str = "train") -> Figure:
    """The long-term average spectrum of a split's clips, for each effect."""
    names = list(map(str, data.vocabulary("effect")))
    audio: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for note in data.notes(split):
        audio[note.effect].append(note.audio)
    figure, axes = canvas(1, 1, 2.6)
    for name in names:
        hz, power = long_term_spectrum(np.stack(audio[name]))
        axes[0, 0].plot(hz[1:], power[1:], color=effect_color(name, names), label=name)
    axes[0, 0].set_ylabel("mean power (dB)")
    hertz_axis(axes[0, 0])
    axes[0, 0].legend()
    return figure


def twin_toggle(
    pairs: Sequence[dict[str, Note]], representation: Representation, source: Workspace, name: str
) -> Captioned:
    """A toggle between notes and their twins, as `Workspace.twins` gives them."""
    waves = {effect: np.stack([pair[effect].audio for pair in pairs]) for effect in pairs[0]}
    return effect_toggle(
        {effect: representation.encode_all(several) for effect, several in waves.items()},
        waves,
        [next(iter(pair.values())).pitch for pair in pairs],
        representation.kind,
        "**A note and its twin, by turns.** Start a player, then switch: it goes on at the same "
        "moment of the other.",
        source,
        name,
    )


def record_table(data: DataSet) -> pd.DataFrame:
    """The features of a record, read off the first one of the training split."""
    _, payload = next(read(data.path("train")))
    rows = {}
    for name, value in sorted(
        decode(payload).items(), key=lambda item: (item[0] not in _PAPER_FEATURES, item[0])
    ):
        first = value[0]
        kind = {np.float32: "float", int: "int64"}.get(type(first), "bytes")
        if len(value) > 1:
            kind, first = f"{kind} ({len(value):,})", f"{min(value):.3f} … {max(value):.3f}"
        rows[name] = {
            "type": kind,
            "holds": _MEANINGS.get(name, ""),
            "in the paper": "yes" if name in _PAPER_FEATURES else "no",
            "first clip": first.decode() if isinstance(first, bytes) else str(first),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature")


def data_facts(data: DataSet) -> pd.DataFrame:
    """The manifest of a data set, for people."""
    pitches = data.vocabulary("pitch")
    used = [f"{effect['name']} ({effect['engine']})" for effect in data.manifest["effects"]]
    files = {
        f"{name} (SHA-256)": f"{file['sha256']}, {file['bytes']:,} bytes"
        for name, file in data.manifest["files"].items()
    }
    return facts_table(
        {
            "settings of the data": data.settings_hash,
            "pitches": f"{pitches[0]} to {pitches[-1]}",
            "instruments": listed(data.vocabulary("instrument")),
            "effects": listed(used),
            **files,
        }
    )
