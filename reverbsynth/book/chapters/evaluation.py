"""Chapter 8: what an evaluation measured, as pictures and players."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.artist import Artist
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


def compared(report: Report) -> Markdown:
    """How many notes of each kind are compared, at which stage."""
    facts, notes = report.facts, report.facts["notes"]
    return Markdown(
        f"Here {notes['generated']} generated notes of stage {facts['stage']} are compared with "
        f"{notes['real']} real ones of the validation and the test split, and with these through "
        f"an image. The training split has {notes['training']}. Measures whose value depends on "
        f"how many notes they are taken of (NDB, with {facts['bins']} bins, FID and IS, all three "
        f"explained below) are taken of {notes['matched']} notes of each kind."
    )


def unrecorded(report: Report, run: Run, name: str) -> Captioned | Markdown:
    """Pitch at keys without training notes; a sentence where there are none."""
    if not report["keys.within"].generated.known:
        return Markdown("The run of this book was trained on notes of every key in its range.")
    caption = (
        "**Keys without recordings**: notes of just the keys that the training had none of, by "
        "`data.train_every` or by the split, beside what a sampler would play there, a training "
        "note of the nearest key, resampled. The sampler's notes are real ones."
    )
    return table(report.measures("Keys without recordings"), caption, run, name)


def luck(report: Report, run: Run) -> HTML | Markdown:
    """The trainings of a recipe that are kept, side by side; a sentence where there is one."""
    trainings = seeds(report, run)
    if len(trainings.columns) < 2:
        return Markdown(
            "One training of this run's recipe is kept here, so how much of its numbers is luck "
            "cannot be said. `reverbsynth bundle --seeds` keeps several."
        )
    caption = "**Seeds and splits**: what is judged of generated notes, for each training."
    return table(trainings, caption, run, "evaluation-seeds")


def seeds(report: Report, run: Run) -> pd.DataFrame:
    """What is judged of generated notes, by seed of training, and of another split of the notes."""
    names = [f"seed {seed}" for seed in report.facts.get("training_seeds", [run.manifest["seed"]])]
    splits, rows = other_splits(report, run), {}
    for key in dict.fromkeys(key for rules in CONDITIONS.values() for key, *_ in rules):
        key = key.format(wet=report.facts["wet"], dry=report.facts.get("dry"))
        if key not in report or not report[key].generated.known:
            continue
        row = report[key]
        values = row.generated.seeds or (row.generated.value,)
        rows[row.title] = [row.cell(Measure(value)) for value in values]
        rows[row.title] += [split[key].text("generated") for split in splits]
    columns = [*names, *[f"split {split.facts['seed']}" for split in splits]]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("measure")


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
    cents = np.array(report.values["cents"]["generated"], float)
    left.scatter(requested, cents / 100, s=12, color=KINDS["generated"][1], alpha=0.6, linewidths=0)
    left.set(xlabel="asked pitch (MIDI)")
    for kind, (name, color, line) in KINDS.items():
        values = np.abs(np.array(report.values["cents"][kind], float))
        values = np.maximum(values[np.isfinite(values)], 0.1)
        if len(values):
            width = 2.0 if kind == "generated" else 1.1
            right.ecdf(values, linestyle=line, color=color, label=name, linewidth=width)
    right.set(xscale="log", xlabel="absolute error (cents)", ylabel="share of notes")
    _finish(figure, axes, "error (semitones)")
    right.axvline(50, color=OTHER[3], linestyle=":", linewidth=1)
    return figure


def show_closest_pairs(
    pairs: Sequence[tuple[dict, np.ndarray, Note]], instrument: Instrument, run: Run
) -> Captioned | Markdown:
    """Each pair that `reverbsynth.evaluation.evaluate.closest_notes` found; a sentence if none."""
    if not pairs:
        return Markdown("The notes that this run was trained on are not on this machine.")
    facts, generated, notes = zip(*pairs, strict=True)
    waves = {"generated": generated, "training": [note.audio for note in notes]}
    encode, kind = instrument.representation.encode_all, instrument.spectra.representation
    images = {row: encode(np.stack(several)) for row, several in waves.items()}
    labels = [f"generated, {note_name(pair['pitch'])}" for pair in facts]
    labels += [f"training, {note_name(note.pitch)}, {note.effect}" for note in notes]
    titles, limits = [f"{pair['distance']:.1f} dB" for pair in facts], images["training"]
    figure = image_grid(images, titles, kind, limits=magnitude_limits(limits))
    caption = (
        "**The closest pairs**: above, the generated notes nearest to a training note; below, that "
        "note; titles say how far apart they are. The nearest note may have another pitch: what "
        "counts most in this distance is how loud bands are, and for how long."
    )
    alt = "Spectrograms in two rows: generated notes above, the nearest training notes below."
    sounds, name = labelled(labels, [*generated, *waves["training"]]), "evaluation-pairs"
    return show(figure, caption, run, name, alt, sounds, columns=len(pairs))


def _finish(figure: Figure, axes: np.ndarray, label: str) -> None:
    """Label the vertical axis, mark empty axes, and put one legend below for all."""
    mark_empty(axes, "too few notes")
    axes[0, 0].set_ylabel(label)
    handles: dict[str, Artist] = {}
    for ax in axes.flat:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    if handles:
        place: Any = {"loc": "outside lower center", "ncols": len(KINDS)}
        figure.legend(list(handles.values()), list(handles), **place)
