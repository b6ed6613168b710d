"""Chapter 8: what an evaluation measured, as pictures and players."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, show, table
from reverbsynth.book.players import Players, Sound, labelled
from reverbsynth.book.spectrograms import image_grid, magnitude_limits
from reverbsynth.book.style import KINDS, OTHER, canvas, mark_empty, note_name, style
from reverbsynth.book.workspace import Workspace
from reverbsynth.data.notes import Note
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.claims import CONDITIONS
from reverbsynth.evaluation.report import Report
from reverbsynth.evaluation.seeds import other_splits
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.training.run import Run

UNRECORDED = "Keys without recordings"  #: a group of the report's measures
_SIZES = {
    "real": "held-out notes (those of validation and test)",
    "generated": "generated ones",
    "training": "training notes",
    "matched": "of each for NDB, FID and IS",
}


def seeds(report: Report, run: Run) -> pd.DataFrame:
    """What is judged of generated notes, by seed of training, and of another split of the notes."""
    names = [f"seed {seed}" for seed in report.facts.get("training_seeds", [run.manifest["seed"]])]
    splits, rows = other_splits(report, run), {}
    for key in dict.fromkeys(key for rules in CONDITIONS.values() for key, *_ in rules):
        key = key.format(wet=report.facts["wet"])
        if key not in report or not report[key].generated.known:
            continue
        row = report[key]
        values = row.generated.seeds or (row.generated.value,)
        cells = [row.cell(Measure(value)) for value in values]
        cells += [split[key].text("generated") for split in splits]
        rows[row.title] = cells
    columns = [*names, *[f"split {split.facts['seed']}" for split in splits]]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("measure")


def sizes(report: Report) -> Markdown:
    """How many notes of each kind the report is of."""
    notes = report.facts["notes"]
    counts = ", ".join(f"{notes[kind]} {name}" for kind, name in _SIZES.items() if kind in notes)
    return Markdown(
        f"This report is of stage {report.facts['stage']}, and of {counts}. NDB has "
        f"{report.facts['bins']} bins."
    )


def unrecorded(report: Report, run: Run, name: str) -> Captioned | Markdown:
    """Pitch at keys without training notes; a sentence where there are none."""
    rows = [row for row in report.rows if row.group == UNRECORDED]
    if not any(row.generated.known for row in rows):
        return Markdown("The run of this book was trained on notes of every key in its range.")
    caption = "**Pitch at keys without training notes**; the baseline's notes are real ones."
    return table(report.measures(UNRECORDED), caption, run, name)


def luck(report: Report) -> Markdown:
    """Whether the kept trainings can say what another would come to."""
    count = len(report.facts.get("training_seeds", ()))
    if count < 2:
        return Markdown("One training is kept here, so this book cannot say what another gives.")
    return Markdown(f"All numbers of generated notes in this chapter are of {count} trainings.")


def example_sounds(report: Report, instrument: Instrument, effects: Sequence[str]) -> list[Sound]:
    """Generated notes of the report for each effect, played once more."""
    places = {place: effect for effect in effects for place in report.examples(effect)}
    waves = report.play(instrument, list(places)) if places else np.empty(0)
    pitches = [note_name(report.asked["pitch"][place]) for place in places]
    names = zip(places.values(), pitches, strict=True)
    return labelled([f"generated, {effect}, {pitch}" for effect, pitch in names], waves)


def real_players(workspace: Workspace, name: str, count: int = 2) -> Players:
    """Players of held-out notes and their twins."""
    notes = [note for pair in workspace.twins(count, "test") for note in pair.values()]
    labels = [f"real, {note.effect}, {note_name(note.pitch)}" for note in notes]
    return Players(name, labelled(labels, [note.audio for note in notes]))


@style()
def decay_curves(report: Report, effects: list[str]) -> Figure:
    """Level around the release, by effect: the median over notes, and the middle half of them."""
    figure, axes = canvas(1, len(effects), 3.0, sharey=True)
    for ax, effect in zip(axes[0], effects, strict=True):
        for kind, (name, color, line) in KINDS.items():
            if curve := report.curves.get(f"{kind} {effect}"):
                seconds = curve["seconds"]
                ax.fill_between(seconds, curve["low"], curve["high"], color=color, alpha=0.15, lw=0)
                ax.plot(seconds, curve["median"], line, color=color, label=name)
        ax.set(xlabel="seconds from the release", title=effect, ylim=(-83, 12))
    _finish(figure, axes, "level (dB of the held note)")
    for ax in axes[0]:
        ax.axvline(0, color=OTHER[3], linestyle=":", linewidth=1)
    return figure


@style()
def pitch_errors(report: Report) -> Figure:
    """Error of each generated note's estimated pitch against the pitch that was asked for."""
    figure, axes = canvas(1, 2, 2.7)
    left, right = axes[0]
    requested = np.asarray(report.asked["pitch"])[report.values["place"]["generated"]]
    cents = _numbers(report.values["cents"]["generated"])
    left.scatter(requested, cents / 100, s=12, color=KINDS["generated"][1], alpha=0.6, linewidths=0)
    left.set(xlabel="asked pitch (MIDI)")
    for kind, (name, color, _) in KINDS.items():
        values = np.abs(_numbers(report.values["cents"][kind]))
        _cumulative(right, np.maximum(values, 0.1), kind, color, name)
    right.set(xscale="log", xlabel="absolute error (cents)", ylabel="share of notes")
    _finish(figure, axes, "error (semitones)")
    right.axvline(50, color=OTHER[3], linestyle=":", linewidth=1)
    return figure


def show_closest_pairs(
    pairs: Sequence[tuple[np.ndarray, Note]], report: Report, instrument: Instrument, run: Run
) -> Captioned | Markdown:
    """Each pair that `reverbsynth.evaluation.evaluate.closest_notes` found; a sentence if none."""
    if not pairs:
        return Markdown("The notes that this run was trained on are not on this machine.")
    generated, notes = zip(*pairs, strict=True)
    known = {note.id for note in notes}
    facts = [pair for pair in report.pairs if pair["training"] in known]
    waves = {"generated": generated, "training": [note.audio for note in notes]}
    encode, kind = instrument.representation.encode_all, instrument.spectra.representation
    images = {row: encode(np.stack(several)) for row, several in waves.items()}
    labels = [f"generated, {note_name(pair['pitch'])}" for pair in facts]
    labels += [f"training, {note_name(note.pitch)}, {note.effect}" for note in notes]
    titles, limits = [f"{pair['distance']:.1f} dB" for pair in facts], images["training"]
    figure = image_grid(images, titles, kind, limits=magnitude_limits(limits))
    caption = (
        "**The closest pairs**: the generated notes nearest to a training note, and that note."
    )
    alt = "Spectrograms in two rows: generated notes above, the nearest training notes below."
    sounds, name = labelled(labels, [*generated, *waves["training"]]), "evaluation-pairs"
    return show(figure, caption, run, name, alt, sounds, columns=len(pairs))


def _cumulative(ax: Axes, values: np.ndarray, kind: str, color: str, label: str) -> None:
    """Draw the share of notes whose value is at most so much."""
    values = np.sort(values[np.isfinite(values)])
    if len(values):
        steps = np.r_[values[0], values], np.arange(len(values) + 1) / len(values)
        width, line = 2.0 if kind == "generated" else 1.1, KINDS[kind][2]
        ax.step(*steps, line, where="post", color=color, label=label, linewidth=width)


def _numbers(values: list) -> np.ndarray:
    """Numbers of a report that may have been through JSON, where None stands for NaN."""
    return np.array([np.nan if value is None else value for value in values], float)


def _finish(figure: Figure, axes: np.ndarray, label: str) -> None:
    """Label the vertical axis, mark empty axes, and put one legend below for all."""
    mark_empty(axes, "too few notes")
    axes[0, 0].set_ylabel(label)
    handles: dict[str, Artist] = {}
    for ax in axes.flat:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    if handles:
        columns = 3 if len(handles) <= len(KINDS) else 2  # longer names have an effect in them
        place: dict[str, Any] = {"loc": "outside lower center", "ncols": columns}
        figure.legend(list(handles.values()), list(handles), **place)
