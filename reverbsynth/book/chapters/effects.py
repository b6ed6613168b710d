"""Chapter 9: the effect asked for by name: switched, dialled, and applied to recordings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, listed, show, table
from reverbsynth.book.chapters.synthesis import generated_toggle
from reverbsynth.book.players import labelled
from reverbsynth.book.slides import image_slides, show_slides
from reverbsynth.book.spectrograms import image_grid, magnitude_limits
from reverbsynth.book.style import KINDS, canvas, effect_color, mark_empty, note_name, style
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.effect_transfer import METHODS, TransferTrials
from reverbsynth.evaluation.evaluate import kept_report
from reverbsynth.evaluation.metrics.paired import DIAL, monotone, reference_first
from reverbsynth.evaluation.metrics.transfer import DISTANCES
from reverbsynth.evaluation.report import Report
from reverbsynth.gan.architecture import condition_size
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.schedule import LAST_STAGE
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.label_mixture import mix_labels
from reverbsynth.seeds import evenly_spaced
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

_NO_EFFECTS = "This instrument has no label for the effect: it cannot be asked for one."
_MOST_NOTES = 40  # pairs that are drawn; more hide each other


def labels(run: Run) -> pd.DataFrame:
    """What a network can be asked for."""
    weights: dict[Any, float] = {**run.settings.losses.label_weights}
    gan, rows = run.settings.gan, []
    for name, v in run.labels.items():
        if name == "pitch":
            rows.append((f"{v[0]} to {v[-1]}", condition_size(gan, LabelSpace({name: v}))))
        else:
            rows.append((", ".join(map(str, v)), len(v)))
    frame = pd.DataFrame(rows, pd.Index(run.labels, name="label"), ["values", "inputs"])
    return frame.assign(
        **{"relative weight of its loss": [weights.get(name, 1.0) for name in run.labels]}
    )


@style()
def paired_changes(report: Report) -> Figure:
    """The tail without an effect and with it: a line a pair, a column a kind, a row an effect."""
    dry, *others = _effects(report)
    others = others or [""]
    figure, axes = canvas(len(others), 3, 2.6 * len(others), sharey=True)
    for row, effect in zip(axes, others, strict=True):
        for ax, (kind, (name, color, _)) in zip(row, KINDS.items(), strict=True):
            values = report.twins.get(kind, {})
            if effect in values:
                _slopes(ax, values[dry]["ratio"], values[effect]["ratio"], color)
                ax.set_xticks([0, 1], [dry, effect])
            ax.set(xlim=(-0.25, 1.25), title=name)
        row[0].set_ylabel("tail-to-sustain ratio (dB)")
    mark_empty(axes)
    return figure


def answer(report: Report) -> Markdown:
    """What the paired test and the dial say, in sentences."""
    wet = report.facts.get("wet")
    key = f"paired.ratio.{wet}"
    if key not in report or not report[key].generated.known:
        return Markdown(f"The paired test has no answer: {_NO_EFFECTS[0].lower()}{_NO_EFFECTS[1:]}")
    change, heard = report[key], report["paired.heard"].text("generated")
    text = (
        f"With nothing but the label changed from {_effects(report)[0]} to {wet}, the generated "
        f"tail changes by {change.text('generated')} dB. Between real twins it changes by "
        f"{change.text('real')} dB, and between these, through an image of the stage's resolution, "
        f"by {change.text('ceiling')} dB."
    )
    if (late := f"paired.late.{wet}") in report:
        generated, real, ceiling = (report[late].text(x) for x in ("generated", "real", "ceiling"))
        if report.facts["stage"] < LAST_STAGE:
            text += " Below full size, an image smears the end of a dry note into that window."
        text += (
            f" From 3.2 s on the three changes are {generated} dB, {real} dB and {ceiling} dB. For "
            "real notes it depends on where silence is put, at −80 dB."
        )
    text += f" The classifier hears the effect that was asked for in {heard} % of these notes."
    curves = report.dial.get("generated", {}).get(wet, [])
    if len(curves):
        rising = sum(monotone(np.asarray(curve, float)) > 0.9 for curve in curves)
        linear = report[f"dial.linear.{wet}"].text("generated")
        text += (
            f" Turned up in {len(DIAL)} steps, the tail rises steadily (rank correlation above "
            f"0.9) in {rising} of {len(curves)} notes. A straight line in dB explains {linear} of "
            "its course; it is no goal, since a crossfade of real twins is not straight either."
        )
    return Markdown(text)


@style()
def dial_curves(report: Report) -> Figure:
    """Level of the tail while the effect is turned up, a line for each note and their median."""
    figure, axes = canvas(1, 3, 2.8, sharey=True)
    effects = _effects(report)
    for ax, (kind, (name, *_)) in zip(axes[0], KINDS.items(), strict=True):
        for effect, curves in report.dial.get(kind, {}).items():
            color = effect_color(effect, effects)
            curves = np.asarray(curves, float).reshape(-1, len(DIAL))
            ax.plot(DIAL, curves[:_MOST_NOTES].T, color=color, alpha=0.25, linewidth=0.8)
            if len(curves):
                ax.plot(DIAL, np.median(curves, axis=0), color=color, label=effect, lw=2.2)
        ax.set(xlabel="amount of the effect", title=name)
    mark_empty(axes)
    axes[0, 0].set_ylabel("tail-to-sustain ratio (dB)")
    if axes[0, 0].lines:
        axes[0, 0].legend(title="effect")
    return figure


def show_dial(
    instrument: Instrument, pitch: int, seed: int, run: Run, name: str, steps: int = 5
) -> Captioned | Markdown:
    """A slider from the first effect to the wet one: picture and sound of one note."""
    effects = reference_first(list(instrument.labels.get("effect", [""])))
    if len(effects) < 2:
        return Markdown(_NO_EFFECTS)
    dry, wet = effects[0], "reverb" if "reverb" in effects else effects[1]
    amounts = np.linspace(0, 1, steps).round(6).tolist()
    mixed = [mix_labels(dry, wet, amount) for amount in amounts]
    z, pitches = instrument.latents(1, seed)[0], [pitch] * steps
    images = instrument.images(pitches, z=z, effect=mixed)
    waves = instrument.notes(pitches, z=z, effect=mixed, velocities=100)
    labels = [f"{amount:.0%} {wet}" for amount in amounts]
    pictures, sounds = (dict(zip(labels, part[:, None], strict=True)) for part in (images, waves))
    kind = instrument.spectra.representation
    slides = image_slides(pictures, sounds, [note_name(pitch)], kind)
    caption = f"**The dial**: one latent vector and pitch, from {dry} to {wet}."
    return show_slides("slider", f"Amount of {wet}", slides, caption, run, name)


def several(runs: Sequence[Run], seed: int) -> HTML | Markdown:
    """What a network with several effects makes of them: of these runs, the last that has some.
    The first is shown already.
    """
    chosen = [run for run in runs if len(run.labels.get("effect", ())) > 2]
    if runs[0] in chosen:
        return Markdown("The run that this page shows is such a run; the figures above are of it.")
    if not chosen:
        return Markdown("None is shown here; the book of the run that comes with it has one.")
    run, report = chosen[-1], kept_report(chosen[-1])
    instrument = Instrument.from_run(run)
    pitches = [instrument.pitches[i] for i in evenly_spaced(len(instrument.pitches), 2, ends=False)]
    caption = "**Several effects**: the paired test of each, as above."
    alt = "A row for each effect: lines from the tail's level without it to its level with it."
    drawn = show(paired_changes(report), caption, run, "several-paired", alt)
    caption = "**Changes by each effect alone**: medians over pairs."
    numbers = table(report.measures("Same note, other effect"), caption, run, "several-changes")
    heard = generated_toggle(instrument, pitches, seed, run, "several-heard")
    return HTML(drawn.data + numbers.data + heard.data)


def applied_tables(trials: TransferTrials, run: Run, settings: Settings) -> HTML | Markdown:
    """Distances to the true twin by method, and how much nearer each comes."""
    if not trials.trials:
        return Markdown(_NO_EFFECTS)
    found = trials.table(settings)
    named = ["method"] if found["effect"].nunique() == 1 else ["effect", "method"]
    of_distance = [name for name in DISTANCES.values() if name in found]
    gained = [name for name in found if name not in ("effect", "method", *of_distance)]
    caption = (
        "**Distances to the true twin**: medians over held-out notes, with 95 % bootstrap "
        "intervals. T20 is compared octave by octave, within 5 %, which ISO 3382-1 takes to be "
        "just noticeable."
    )
    gains = (
        "**What that is worth**: how much each method lowers the log-spectral distance, in mean, "
        "as a share of what the estimated impulse response does (less than 0 % comes out farther "
        "away than nothing done; undefined where that response does), and in how many trials it "
        "is the nearer one. Where several counts stand in a row, each is of one seed."
    )
    distances = table(found[named + of_distance], caption, run, "effects-applied")
    return HTML(distances.data + table(found[named + gained], gains, run, "effects-gained").data)


def applied_answer(trials: TransferTrials) -> Markdown:
    """Whether the network's effect is worth having, in a few sentences."""
    if not trials.trials:
        return Markdown(_NO_EFFECTS)
    seeds = (trials, *trials.seeds)
    middle = {
        method: np.mean([np.median([t.spectrum(method) for t in each.trials]) for each in seeds])
        for method in ("network", "image", "nothing")
    }
    nearer = _nearer(trials, "network", "nothing")
    against = [
        f"The {METHODS[method]} comes nearer than the network in {found}."
        for method in ("response", "delays")
        if (found := _nearer(trials, method, "network"))
    ]
    return Markdown(
        f"Left as it was, the recording is {middle['nothing']:.1f} dB from its true twin; with the "
        f"network's effect it is {middle['network']:.1f} dB away, and nearer than before in "
        f"{nearer}. The twin itself, through an image of this resolution, is "
        f"{middle['image']:.1f} dB away (medians of log-spectral distances). {' '.join(against)}"
    )


def _nearer(trials: TransferTrials, method: str, other: str) -> str:
    """In how many trials of each seed a method comes nearer than another; empty without it."""
    counts = [
        sum(trial.spectrum(method) < trial.spectrum(other) for trial in each.trials)
        for each in (trials, *trials.seeds)
    ]
    tried = sum(np.isfinite(trial.spectrum(method)) for trial in trials.trials)
    of_seeds = " of each seed" if trials.seeds else ""
    return f"{listed(counts)} of {tried} trials{of_seeds}" if tried else ""


def show_applied(
    trials: TransferTrials, instrument: Instrument, data: DataSet, run: Run, name: str
) -> Captioned | Markdown:
    """Of the trial with the median result: recording, reconstruction, result, true twin."""
    if not trials.trials:
        return Markdown(_NO_EFFECTS)
    by_distance = sorted(trials.trials, key=lambda trial: trial.spectrum("network"))
    trial = by_distance[len(by_distance) // 2]
    twins = trial.notes(data)
    if trial.effect not in twins:
        return Markdown("The notes that this run was trained on are not on this machine.")
    recording = next(note for note in twins.values() if note.id == trial.id)
    made = trial.play(instrument, recording.audio)
    waves = np.stack([recording.audio, *made, twins[trial.effect].audio])
    images = instrument.representation.encode_all(waves)
    titles = ["recording", "reconstruction", "result", "true twin"]
    kind, limits = instrument.spectra.representation, magnitude_limits(images[:1])
    figure = image_grid({"": images}, titles, kind, limits=limits)
    heard = [f"with {trial.effect}, by the network", f"with {trial.effect}, the true twin"]
    away, before = (trial.spectrum(method) for method in ("network", "nothing"))
    caption = (
        f"**A recording with {trial.effect} from the network**: a held-out note, "
        f"{note_name(trial.pitch)}. The result is {away:.1f} dB from its true twin, the recording "
        f"itself {before:.1f} dB. Of all trials this one lies in the middle."
    )
    alt = "Log magnitude of a recording, its reconstruction, the result, and the true twin."
    return show(figure, caption, run, name, alt, labelled([*titles[:2], *heard], waves))


def _effects(report: Report) -> list[str]:
    """Effects of the paired test, dry first."""
    return reference_first(list(next(iter(report.twins.values()), [])) or [""])


def _slopes(ax: Axes, before: Sequence, after: Sequence, color: str) -> None:
    """A line from each note's tail without the effect to its tail with it, and their median."""
    pairs = np.array([before, after], float)
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    ax.plot([0, 1], pairs[:, :_MOST_NOTES], "o-", color=color, alpha=0.3, lw=0.9, markersize=3)
    if pairs.size:
        ax.plot([0, 1], np.median(pairs, axis=1), color=color, linewidth=2.6)
