"""What the effects of a data set do, as pictures (chapter 1)."""

from collections.abc import Mapping, Sequence

import librosa
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.reverberation import audible, decay_by_octave, energy_decay, fit_decay
from reverbsynth.audio.spectrum import long_term_spectrum
from reverbsynth.book.captions import facts_table, listed
from reverbsynth.book.chapters.training import _MEANING, _OWN
from reverbsynth.book.style import OTHER, canvas, effect_color, style
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.tfrecord import decode, read
from reverbsynth.effects import Effect
from reverbsynth.effects.impulse import impulse_response

_SHOWN_SECONDS = 1.5
"""Seconds of an impulse response that are drawn."""


@style()
def impulse_responses(effects: Mapping[str, Effect]) -> Figure:
    """The impulse response of each effect, and how its energy decays.

    Parameters
    ----------
    effects : dict
        Effects by name; dry, which answers an impulse with itself, is best left out.
    """
    figure, axes = canvas(1, 2, 2.6)
    until = int(_SHOWN_SECONDS * SAMPLE_RATE)
    time = np.arange(until) / SAMPLE_RATE
    for name, effect in effects.items():
        response = impulse_response(effect)
        color = effect_color(name, list(effects))
        axes[0, 0].plot(time, response[:until], color=color, linewidth=0.5, label=name)
        axes[0, 1].plot(time, energy_decay(response)[:until], color=color, label=name)
    axes[0, 0].set(xlabel="time (s)", ylabel="amplitude")
    axes[0, 1].set(xlabel="time (s)", ylabel="energy to come (dB)", ylim=(-70, 3))
    axes[0, 1].legend()
    return figure


@style()
def average_spectra(data: DataSet, split: str = "train") -> Figure:
    """The long-term average spectrum of a split's clips, for each effect."""
    names = data.vocabulary("effect")
    audio: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for note in data.notes(split):
        audio[note.effect].append(note.audio)
    figure, axes = canvas(1, 1, 2.6)
    for name in names:
        hz, power = long_term_spectrum(np.stack(audio[name]))
        axes[0, 0].plot(hz[1:], power[1:], color=effect_color(name, names), label=name)
    axes[0, 0].set(xlabel="frequency (Hz)", ylabel="mean power (dB)", xscale="log", xlim=(30, 8000))
    axes[0, 0].set_xticks([50, 200, 1000, 5000])
    axes[0, 0].xaxis.set_major_formatter(FuncFormatter(lambda hz, _: f"{hz:,.0f}"))
    axes[0, 0].minorticks_off()
    axes[0, 0].legend()
    return figure


_SPLITS = {"train": OTHER[3], "valid": OTHER[2], "test": OTHER[1]}

_SMOOTH = 0.02
"""Seconds over which a level is averaged."""


@style()
def pitch_counts(index: Mapping[str, Sequence[Mapping]]) -> Figure:
    """How many clips of each pitch every split has.

    Parameters
    ----------
    index : dict
        For each split the metadata of its clips, as `DataSet.index` gives it.
    """
    figure, axes = canvas(1, 1, 2.2)
    every = sorted({row["pitch"] for rows in index.values() for row in rows})
    below = np.zeros(len(every))
    for split, rows in index.items():
        counts = np.array([sum(row["pitch"] == pitch for row in rows) for pitch in every])
        axes[0, 0].bar(every, counts, bottom=below, color=_SPLITS[split], label=split, width=0.8)
        below += counts
    axes[0, 0].set(xlabel="MIDI pitch", ylabel="clips")
    axes[0, 0].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


@style()
def note_and_twins(audio: Mapping[str, np.ndarray]) -> Figure:
    """A note and its twins: waveforms, levels and spectra.

    Parameters
    ----------
    audio : dict
        Samples [shape=(64000,)] by effect.
    """
    figure, axes = canvas(1, 3, 2.6)
    for order, (effect, wave) in enumerate(audio.items()):
        color = effect_color(effect, list(audio))
        time = np.arange(len(wave)) / SAMPLE_RATE
        axes[0, 0].plot(
            time, wave, color=color, linewidth=0.4, label=effect, zorder=2.9 - order / 10
        )
        axes[0, 1].plot(time, level(wave), color=color, linewidth=1)
        hz, spectrum = average_spectrum(wave)
        axes[0, 2].plot(hz, spectrum, color=color, linewidth=0.8)
    for ax in axes[0, :2]:
        ax.axvline(NOTE_OFF, color=OTHER[3], linestyle=":", linewidth=1)
    axes[0, 0].set(xlabel="time (s)", ylabel="amplitude")
    axes[0, 1].set(xlabel="time (s)", ylabel="level (dB of full scale)", ylim=(-80, 0))
    axes[0, 2].set(
        xlabel="frequency (Hz)", ylabel="level (dB of the peak)", xscale="log", xlim=(30, 8000)
    )
    axes[0, 2].set_ylim(-100, 3)
    axes[0, 2].set_xticks([50, 200, 1000, 5000])
    axes[0, 2].xaxis.set_major_formatter(FuncFormatter(lambda hz, _: f"{hz:,.0f}"))
    axes[0, 2].minorticks_off()
    for line in axes[0, 0].legend(loc="lower right").get_lines():
        line.set_linewidth(2)
    return figure


def level(wave: np.ndarray) -> np.ndarray:
    """Level over time in dB of full scale above 20 Hz, averaged over 20 ms [shape as wave]."""
    width = int(_SMOOTH * SAMPLE_RATE)
    power = np.convolve(np.square(audible(wave)), np.ones(width) / width, mode="same")
    return 10 * np.log10(np.maximum(power, 1e-12))


def average_spectrum(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz, and the average magnitude there in dB of its peak."""
    magnitude = np.abs(librosa.stft(wave, n_fft=4096, hop_length=1024)).mean(axis=1)
    hz = librosa.fft_frequencies(sr=SAMPLE_RATE, n_fft=4096)
    return hz[1:], 20 * np.log10(
        np.maximum(magnitude[1:], 1e-7 * magnitude.max()) / magnitude.max()
    )


def record_table(data: DataSet) -> pd.DataFrame:
    """The features of a record, read off the first one of the training split."""
    _, payload = next(read(data.path("train")))
    rows = {}
    for name, value in sorted(
        decode(payload).items(), key=lambda item: (item[0] not in _OWN, item[0])
    ):
        first = value[0]
        kind = {np.float32: "float", int: "int64"}.get(type(first), "bytes")
        several = len(value) > 1
        shown = f"{value.min():.3f} … {value.max():.3f}" if several else first
        rows[name] = {
            "type": f"{kind} ({len(value):,})" if several else kind,
            "holds": _MEANING.get(name, ""),
            "in the paper": "yes" if name in _OWN else "no",
            "first clip": shown.decode() if isinstance(shown, bytes) else str(shown),
        }
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "feature"
    return frame


def data_counts(data: DataSet) -> pd.DataFrame:
    """Clips in each split, by effect, and the source notes behind them."""
    rows = {}
    for split in data.splits:
        index = data.index(split)
        effects = {
            effect: sum(row["effect"] == effect for row in index)
            for effect in data.vocabulary("effect")
        }
        rows[split] = {"source notes": len({row["origin"] for row in index}), **effects}
        rows[split]["clips"] = len(index)
    frame = pd.DataFrame(rows).T
    frame.index.name = "split"
    return frame


def data_facts(data: DataSet) -> pd.DataFrame:
    """The manifest of a data set, for people."""
    pitches = data.vocabulary("pitch")
    facts = {
        "settings of the data": data.settings_hash,
        "pitches": f"{pitches[0]} to {pitches[-1]}",
        "instruments": listed(data.vocabulary("instrument")),
        "effects": listed(
            [f"{effect['name']} ({effect['engine']})" for effect in data.manifest["effects"]]
        ),
        **{
            f"{name} (SHA-256)": f"{file['sha256']}, {file['bytes']:,} bytes"
            for name, file in data.manifest["files"].items()
        },
    }
    return facts_table(facts)


def decay_times(effects: Mapping[str, Effect]) -> pd.DataFrame:
    """Seconds in which each effect's impulse response falls by 60 dB, whole and by octave.

    From the fall between -5 and -25 dB (T20, ISO 3382-1), as `reverbsynth.audio.reverberation`
    takes it; nothing where the response does not fall that far, or at once.
    """
    rows = {}
    for name, effect in effects.items():
        response = impulse_response(effect)
        octaves = {f"{hz:g} Hz": seconds for hz, seconds in decay_by_octave(response).items()}
        rows[name] = {"whole": fit_decay(response, straightness=0).seconds, **octaves}
    frame = pd.DataFrame(rows)
    frame.index.name = "band"
    return frame
