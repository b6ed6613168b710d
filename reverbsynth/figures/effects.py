"""What the effects of a data set do, as pictures (chapter 1)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reverbsynth.data import DataSet
from reverbsynth.data.effects import Effect
from reverbsynth.data.measure import energy_decay, impulse_response, long_term_spectrum
from reverbsynth.figures.style import canvas, effect_color, style
from reverbsynth.settings import SAMPLE_RATE

_SHOWN_SECONDS = 1.5
"""Seconds of an impulse response that are drawn."""


@style()
def responses(effects: Mapping[str, Effect]) -> Figure:
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
def spectra(data: DataSet, split: str = "train") -> Figure:
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
