"""Where a run departs from the paper, and what the departures of preset `laptop` are worth."""

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from reverbsynth.book.captions import Captioned, Origin, facts_table, listed, table
from reverbsynth.book.style import canvas, stage_color, style
from reverbsynth.book.workspace import recipes
from reverbsynth.gan.schedule import (
    RecordedSchedule,
    Schedule,
    is_transition,
    stage_resolution,
)
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run, curve_names

_GROUPS = ("spectra", "gan", "losses", "optimizer", "training")
_BOOKKEEPING = ("checkpoint_minutes", "samples", "griffin_lim_every")

_COLUMNS = {
    "recipe": "recipe",
    "images": "images",
    "images_at_stage": "at the last stage",
    "pitch_heard": "pitch heard (%)",
    "within_50_cents": "within 50 cents (%)",
    "effect_heard": "effect heard (%)",
    "tail_dry": "tail, dry (dB)",
    "tail_reverb": "tail, reverb (dB)",
}


def deviations_from_paper(settings: Settings) -> pd.DataFrame:
    """Every setting of networks and training that is not the paper's.

    Returns
    -------
    DataFrame
        One row a setting: ``the paper``, ``here``, and ``what it is``.
    """
    paper, rows = Settings(), {}
    for group in _GROUPS:
        ours, theirs = getattr(settings, group), getattr(paper, group)
        for name, field in type(ours).model_fields.items():
            value, other = getattr(ours, name), getattr(theirs, name)
            if value != other and name not in _BOOKKEEPING:
                rows[f"{group}.{name}"] = {
                    "the paper": _value_text(other),
                    "here": _value_text(value),
                    "what it is": field.description,
                }
    frame = pd.DataFrame.from_dict(
        rows, orient="index", columns=["the paper", "here", "what it is"]
    )
    frame.index.name = "setting"
    return frame


def recipe_table() -> Captioned | Markdown:
    """Recipes at equal processor time, as ``benchmarks/recipe.py`` measured them."""
    measured = recipes()
    if measured.empty:
        return Markdown("*The table of recipes comes with a checkout of the repository.*")
    tried = measured.dropna(subset=["commit"])
    chosen = tried[tried["recipe"] == "laptop"].iloc[0]
    settings = Settings.preset("laptop")
    origin = Origin(
        "recipes", settings.name, chosen["settings"], chosen["commit"], settings.to_yaml()
    )
    frame = measured.reindex(columns=[*_COLUMNS]).rename(columns=_COLUMNS)
    for column in ("images", "at the last stage"):
        frame[column] = [f"{count:,.0f}" if pd.notna(count) else "" for count in frame[column]]
    caption = (
        "**Recipes at equal processor time**: preset laptop with the settings of each, "
        f"{chosen['cpu_minutes']:.0f} CPU-minutes up to stage {chosen['stage']:.0f}, judged on "
        f"{chosen['notes']:.0f} generated notes. Tails: level after the note's end, medians. "
    )
    return table(frame, caption, origin, "recipes", digits=0)


def _value_text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_value_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value_text(each)}" for name, each in value.items()) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


STATED = {
    "data_type": "mel",
    "total images": "11,000,000",
    "images of a stable stage": "800,000",
    "images of a transition": "10,000",
    "batch": "64",
    "latent vector": "256",
    "kernel": "3",
    "first resolution": "2×16",
    "optimizer": "Adam",
    "learning rate": "0.0008",
    "auxiliary classifier's weight": "10",
}
"""Table 5 as the paper prints it."""

_OWN = ("audio", "pitch")

_MEANING = {
    "audio": "samples in [-1, 1] at 16 kHz",
    "pitch": "MIDI pitch",
    "velocity": "MIDI velocity",
    "id": "name of the clip",
    "origin": "source note, shared by its twins",
    "instrument": "what plays it",
    "effect": "dry, or what was done to it",
}


def parameter_table(settings: Settings) -> pd.DataFrame:
    """Table 5 as printed, as the preset `paper` has it, and as these settings do."""
    frame = pd.DataFrame(
        {
            "Table 5": STATED,
            "preset paper": _parameters(Settings.preset("paper")),
            f"this book ({settings.name})": _parameters(settings),
        }
    )
    frame.index.name = "parameter"
    return frame


def _parameters(settings: Settings) -> dict[str, str]:
    training, optimizer, losses = settings.training, settings.optimizer, settings.losses
    by_clock = training.stage_minutes is not None
    frames, bins = stage_resolution(0)
    values = (
        settings.spectra.representation,
        "by the clock" if by_clock else f"{training.total_images:,}",
        "by the clock" if by_clock else f"{training.stable_images:,}",
        "by the clock" if by_clock else f"{training.transition_images:,}",
        str(training.batch),
        str(settings.gan.latent_size),
        str(settings.gan.kernel_size),
        f"{frames}×{bins}",
        f"Adam ({optimizer.beta_1:g}, {optimizer.beta_2:g})",
        _both(optimizer.generator_rate, optimizer.discriminator_rate),
        _both(losses.generator_label, losses.discriminator_label),
    )
    return dict(zip(STATED, values, strict=True))


def _both(generator: float, discriminator: float) -> str:
    """One number where both networks have the same."""
    if generator == discriminator:
        return f"{generator:g}"
    return f"{generator:g} (generator), {discriminator:g} (discriminator)"


@style()
def schedule_figure(of: Schedule | RecordedSchedule) -> Figure:
    """Progress against images seen, coloured by stage, with each stage's resolution.

    Of a run by the clock, the stages that are finished.
    """
    figure, axes = canvas(1, 1, 2.5)
    ax = axes[0, 0]
    for stage in range(of.last_stage + 1):
        start, end = of.span(stage)
        if is_transition(stage):
            ends = ((stage - 1) / 2, (stage + 1) / 2)
        else:
            ends = (stage / 2, stage / 2)
        ax.plot([start, end], ends, color=stage_color(stage), linewidth=4, solid_capstyle="butt")
        frames, bins = stage_resolution(stage)
        if not is_transition(stage):
            ax.annotate(
                f"{frames}×{bins}",
                ((start + end) / 2, ends[0]),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
    ax.set(xlabel="images seen", ylabel="progress (blocks)")
    ax.set_ylim(-0.3, of.last_stage / 2 + 0.7)
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    return figure


_SHARE = 10
"""A run's beginning and end: its first and last tenth."""

_STEPS = "steps"
"""Column of thinned metrics: steps that a row is the mean of."""


def changes(run: Run) -> pd.DataFrame:
    """Mean of each curve over the first and the last tenth of its measurements.

    Returns
    -------
    DataFrame
        One row a curve: ``first``, ``last`` and ``change``.
    """
    metrics, rows = run.metrics(), {}
    steps = _steps(metrics)
    for column, name in curve_names(run.labels).items():
        known = metrics[column].notna()
        values, weights = metrics.loc[known, column].to_numpy(), steps[known].to_numpy()
        first = _mean_of_first(values, weights)
        last = _mean_of_first(values[::-1], weights[::-1])
        rows[name] = {"first": first, "last": last, "change": last - first}
    frame = pd.DataFrame(rows).T
    frame.index.name = "curve"
    return frame


def curves_that_fell(run: Run) -> Markdown:
    """Which curves fell from a run's first tenth to its last, and by how much."""
    table = changes(run)
    fell = [_fall(name, row) for name, row in table.iterrows() if row["change"] < 0]
    rose = [name for name, row in table.iterrows() if row["change"] >= 0]
    chance = np.log(len(run.labels["pitch"]))
    last = table.loc["real AC loss", "last"]
    sentences = [
        f"From the first tenth of the run to the last, {len(fell)} of {len(table)} curves fell: "
        + listed(fell)
        + "."
    ]
    if rose:
        sentences.append(f"The others did not: {listed(rose)}.")
    sentences.append(
        f"A critic that guesses among {len(run.labels['pitch'])} pitches has an AC loss of "
        f"ln {len(run.labels['pitch'])} = {chance:.2f}; on real notes this one ends at {last:.2f}."
    )
    metrics = run.metrics().assign(steps=_steps)
    best = metrics.groupby("stage")[["real_pitch_loss", _STEPS]].apply(
        lambda part: np.average(part["real_pitch_loss"], weights=part[_STEPS])
    )
    sentences.append(
        f"Averaged over whole stages it was lowest in stage {best.idxmin()}, at {best.min():.2f}."
    )
    return Markdown(" ".join(sentences))


def stage_history(run: Run) -> pd.DataFrame:
    """What each stage of a run did: resolution, images, steps and seconds."""
    metrics, rows, before = run.metrics(), {}, 0.0
    for stage, part in metrics.groupby("stage"):
        frames, bins = stage_resolution(int(stage))
        rows[int(stage)] = {
            "kind": "blends in" if is_transition(int(stage)) else "stable",
            "resolution": f"{frames}×{bins}",
            "steps": int(_steps(part).sum()),
            "images seen at its end": int(part["images"].iloc[-1]),
            "seconds": part["seconds"].iloc[-1] - before,
        }
        before = part["seconds"].iloc[-1]
    frame = pd.DataFrame(rows).T.infer_objects()
    frame.index.name = "stage"
    return frame


def run_facts(run: Run) -> pd.DataFrame:
    """The manifest of a run, for people."""
    manifest = run.manifest
    facts = {
        "preset": manifest["preset"],
        "settings": manifest["settings_hash"],
        "seed": str(manifest["seed"]),
        "commit": manifest["commit"],
        "data (SHA-256)": manifest["data_sha256"],
        "labels": listed([f"{name} ({len(values)})" for name, values in run.labels.items()]),
        "images seen": f"{manifest['images_seen']:,}",
        "training time": f"{manifest['wall_seconds']:,.0f} s",
        "backend and device": f"{manifest.get('backend', '?')}, {manifest.get('device', '?')}",
        "versions": listed([f"{name} {found}" for name, found in manifest["versions"].items()]),
    }
    return facts_table(facts)


def _steps(metrics: pd.DataFrame) -> pd.Series:
    """Steps that each row stands for: one, but in a results bundle."""
    return metrics.get(_STEPS, pd.Series(1, index=metrics.index))


def _mean_of_first(values: np.ndarray, weights: np.ndarray) -> float:
    """Mean over the first tenth of all steps."""
    wanted = max(weights.sum() // _SHARE, 1)
    before = np.cumsum(weights) - weights
    return float(np.average(values, weights=np.clip(wanted - before, 0, weights)))


def _fall(name: str, row: pd.Series) -> str:
    text = f"the {name} from {row['first']:.3g} to {row['last']:.3g}".replace(" -", " −")
    if row["last"] > 0:
        text += f" (by {1 - row['last'] / row['first']:.0%})"
    return text
