"""What an evaluation found, as pictures (chapter 8)."""

from collections.abc import Sequence

import numpy as np
from IPython.display import Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, show
from reverbsynth.book.players import Sound
from reverbsynth.book.spectrograms import magnitude_limits, two_rows
from reverbsynth.book.style import GENERATED, OTHER, REAL, canvas, effect_color, note_name, style
from reverbsynth.data.notes import Note
from reverbsynth.evaluation.report import Report
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.training.run import Run

KINDS = {"real": "real", "ceiling": "real, through an image", "generated": "generated"}
"""Kinds of notes, as legends have them."""

_COLORS = {"real": REAL, "ceiling": OTHER[3], "generated": GENERATED}
_LINES = {"real": "-", "ceiling": "--", "generated": "-"}
_NOTHING = "too few notes"


@style()
def decay_curves(report: Report, effects: list[str]) -> Figure:
    """Level around the release, by effect: real notes, the same through an image, generated.

    The line is the median over notes and the band the middle half of them.
    """
    figure, axes = canvas(1, len(effects), 3.0, sharey=True)
    for ax, effect in zip(axes[0], effects, strict=True):
        for kind, name in KINDS.items():
            curve = report.curves.get(f"{kind} {effect}")
            if curve is None:
                continue
            seconds = np.asarray(curve["seconds"])
            color = _COLORS[kind]
            ax.fill_between(seconds, curve["low"], curve["high"], color=color, alpha=0.15, lw=0)
            ax.plot(seconds, curve["median"], _LINES[kind], color=color, label=name)
        _mark_empty(ax)
        ax.axvline(0, color=OTHER[3], linestyle=":", linewidth=1)
        ax.set(xlabel="seconds from the release", title=effect, ylim=(-83, 12))
    axes[0, 0].set_ylabel("level (dB of the held note)")
    _legend(figure, axes)
    return figure


@style()
def tails(report: Report, effects: list[str]) -> Figure:
    """Cumulative distributions of the tail-to-sustain ratio and of T20, by effect."""
    figure, axes = canvas(1, 2, 2.8, sharey=True)
    labels = {"ratio": "tail-to-sustain ratio (dB)", "t20": "T20 (s)"}
    for ax, (name, label) in zip(axes[0], labels.items(), strict=True):
        for effect in effects:
            for kind in KINDS:
                values = _of_effect(report, name, kind, effect)
                color = effect_color(effect, effects)
                _cumulative(ax, values, color, _LINES[kind], f"{effect}, {KINDS[kind]}", kind)
        ax.set(xlabel=label)
        _mark_empty(ax)
    axes[0, 0].set_ylabel("share of notes")
    _legend(figure, axes, columns=2)
    return figure


@style()
def pitch_errors(report: Report) -> Figure:
    """Error of each generated note's estimated pitch against the pitch that was asked for."""
    figure, axes = canvas(1, 2, 2.7)
    asked = np.asarray(report.asked["pitch"])[np.asarray(report.values["place"]["generated"], int)]
    cents = _numbers(report.values["cents"]["generated"])
    axes[0, 0].scatter(asked, cents / 100, s=12, color=GENERATED, alpha=0.6, linewidths=0)
    axes[0, 0].set(xlabel="asked pitch (MIDI)", ylabel="error (semitones)")
    for kind, name in KINDS.items():
        values = np.abs(_numbers(report.values["cents"][kind]))
        _cumulative(axes[0, 1], np.maximum(values, 0.1), _COLORS[kind], _LINES[kind], name, kind)
    for ax in axes[0]:
        _mark_empty(ax)
    axes[0, 1].axvline(50, color=OTHER[3], linestyle=":", linewidth=1)
    axes[0, 1].set(xscale="log", xlabel="absolute error (cents)", ylabel="share of notes")
    _legend(figure, axes[:, 1:])
    return figure


@style()
def spectra_and_memory(report: Report) -> Figure:
    """Cumulative distributions: treble, distance to real notes of the pitch, and to training."""
    figure, axes = canvas(1, 3, 2.7, sharey=True)
    labels = {
        "treble": "energy above 4 kHz (dB)",
        "nearest": "distance at the same pitch (dB)",
        "training": "distance to training (dB)",
    }
    for ax, (name, label) in zip(axes[0], labels.items(), strict=True):
        for kind, legend in KINDS.items():
            values = _numbers(report.values[name][kind])
            _cumulative(ax, values, _COLORS[kind], _LINES[kind], legend, kind)
        ax.set(xlabel=label)
        _mark_empty(ax)
    axes[0, 0].set_ylabel("share of notes")
    _legend(figure, axes)
    return figure


def closest_pairs(
    generated: np.ndarray, training: np.ndarray, titles: list[str], kind: str = "mel"
) -> Figure:
    """Generated notes above the training notes nearest to them, as log-magnitude images.

    Parameters
    ----------
    generated, training : ndarray [shape=(n, 128, 1024, 2)]
        De-normalized.
    titles : list of str
        Of each pair.
    kind : {"mel", "linear", "phase"}
        The representation.
    """
    rows = {"generated": generated, "training": training}
    return two_rows(rows, titles, kind, magnitude_limits(training))


def _cumulative(ax: Axes, values: np.ndarray, color: str, line: str, label: str, kind: str) -> None:
    values = np.sort(values[np.isfinite(values)])
    if not len(values):
        return
    shares = np.arange(1, len(values) + 1) / len(values)
    width = 2.0 if kind == "generated" else 1.1
    steps = np.r_[values[0], values], np.r_[0, shares]
    ax.step(*steps, line, where="post", color=color, label=label, linewidth=width)


def _of_effect(report: Report, name: str, kind: str, effect: str) -> np.ndarray:
    chosen = np.asarray(report.values["effect"][kind], object) == effect
    return _numbers(report.values[name][kind])[chosen]


def _numbers(values: list) -> np.ndarray:
    """Numbers of a report that may have been through JSON, where None stands for NaN."""
    return np.array([np.nan if value is None else value for value in values], float)


def _mark_empty(ax: Axes) -> None:
    if not ax.has_data():
        ax.text(0.5, 0.5, _NOTHING, transform=ax.transAxes, ha="center", va="center")


def _legend(figure: Figure, axes: np.ndarray, columns: int = 3) -> None:
    """One legend below for all axes."""
    found = {}
    for ax in axes.ravel():
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    if found:
        figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=columns)


def show_closest_pairs(
    pairs: Sequence[tuple[np.ndarray, Note]], report: Report, instrument: Instrument, run: Run
) -> Captioned | Markdown:
    """A captioned figure with players, or a sentence where the training notes are not here.

    Parameters
    ----------
    pairs
        Generated samples [shape=(64000,)] and the training note nearest to them, as
        `reverbsynth.evaluation.evaluate.closest_notes` gives them.
    """
    if not pairs:
        return Markdown("The notes that this run was trained on are not on this machine.")
    generated, notes = zip(*pairs, strict=True)
    known = {note.id for note in notes}
    shown = [pair for pair in report.pairs if pair["training"] in known]
    encode = instrument.representation.encode_all
    return show(
        closest_pairs(
            encode(np.stack(generated)),
            encode(np.stack([note.audio for note in notes])),
            [f"{pair['distance']:.1f} dB" for pair in shown],
            instrument.spectra.representation,
        ),
        "**The closest pairs**: the generated notes that are nearest to a training note, "
        "and that note.",
        run,
        "evaluation-pairs",
        alt="Spectrograms in two rows: generated notes above, the training note nearest to each "
        "below.",
        sounds=[
            *(
                Sound(f"generated, {note_name(pair['pitch'])}", wave)
                for pair, wave in zip(shown, generated, strict=True)
            ),
            *(
                Sound(f"training, {note_name(note.pitch)}, {note.effect}", note.audio)
                for note in notes
            ),
        ],
        columns=len(pairs),
    )
