"""Chapter 4: how a run trained, where it departs from the paper, and what that is worth."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from IPython.display import Markdown
from matplotlib.figure import Figure

from reverbsynth.book.captions import Captioned, Origin, listed, table
from reverbsynth.book.style import canvas, images_axis, stage_color, stage_size, style
from reverbsynth.book.workspace import Workspace, results_table
from reverbsynth.evaluation import curves
from reverbsynth.gan.schedule import Schedule, is_transition
from reverbsynth.settings import Settings, presets
from reverbsynth.training.metrics import curve_names
from reverbsynth.training.run import Run

_FOLDER = Path(__file__).parent
TABLE_5 = pd.read_csv(_FOLDER / "table_5.csv", index_col=0, dtype=str)  #: as the paper prints it
TEXT = pd.read_csv(_FOLDER / "text_parameters.csv", index_col=0, dtype=str)  #: of section 3.3

CORE_HOUR = 0.05  #: US dollars that a rented processor core is taken to cost for an hour
_GROUPS = ("spectra", "gan", "losses", "optimizer", "training")
_BOOKKEEPING = ("checkpoint_minutes", "samples", "griffin_lim_every", "seed")

_LIVE_WIDTH = {"filters_base": 256, "filters_max": 32}
_LIVE_SHARES = (0, 0, 0, 0, 0.25, 0.15, 0.6)  # of the minutes, a stage each

_RECIPE_COLUMNS = {"recipe": "recipe", "images": "images", "images_at_stage": "in the last stage"}
_RECIPE_COLUMNS |= {
    column: f"{column.replace('_', ' ')} (%)"
    for column in ("pitch_heard", "within_50_cents", "effect_heard", "heard_wet")
}
_RECIPE_COLUMNS |= {"tail_dry": "tail, dry (dB)", "tail_reverb": "tail, reverb (dB)"}


@style()
def schedule_figure(schedule: Schedule) -> Figure:
    """Progress against images seen, coloured by stage; by the clock, of the finished stages."""
    figure, axes = canvas(1, 1, 2.5)
    ax = axes[0, 0]
    for stage in range(schedule.last_stage + 1):
        span, rise = schedule.span(stage), 0.5 if is_transition(stage) else 0.0
        look = {"color": stage_color(stage), "linewidth": 4, "solid_capstyle": "butt"}
        ax.plot(span, (stage / 2 - rise, stage / 2 + rise), **look)
        if not rise:
            place = {"textcoords": "offset points", "ha": "center", "fontsize": 8}
            ax.annotate(stage_size(stage), (sum(span) / 2, stage / 2), (0, 6), **place)
    ax.set(ylabel="progress (blocks)", ylim=(-0.3, schedule.last_stage / 2 + 0.7))
    images_axis(ax)
    return figure


def parameter_table(settings: Settings, printed: pd.DataFrame = TABLE_5) -> pd.DataFrame:
    """Parameters as ``printed``, as the preset ``paper`` has them, and as these settings do."""
    columns = {"preset paper": Settings.preset("paper")}
    if settings != columns["preset paper"]:
        known = settings.name in presets() and settings == Settings.preset(settings.name)
        columns[f"preset {settings.name}" if known else "this run"] = settings
    return printed.join(pd.DataFrame({name: _parameters(each) for name, each in columns.items()}))


def deviations_from_paper(settings: Settings) -> pd.DataFrame:
    """Every setting of networks and training that is not the paper's, a row each."""
    paper, rows = Settings(), {}
    for group in _GROUPS:
        ours, theirs = getattr(settings, group), getattr(paper, group)
        for name, field in type(ours).model_fields.items():
            here, there = getattr(ours, name), getattr(theirs, name)
            if here != there and name not in _BOOKKEEPING:
                rows[f"{group}.{name}"] = (_text(there), _text(here), field.description)
    columns = ["the paper", "here", "what it is"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("setting")


def recipe_table(name: str = "recipes") -> Captioned | Markdown:
    """Recipes at equal processor time, as ``benchmarks/recipe.py`` measured them."""
    measured = results_table("recipes.csv")
    if measured.empty:
        return Markdown("*The table of recipes comes with a checkout of the repository.*")
    laptop = measured[measured["recipe"] == "laptop"].dropna(subset="commit").iloc[0]
    frame = measured.reindex(columns=list(_RECIPE_COLUMNS)).rename(columns=_RECIPE_COLUMNS)
    origin = Origin("recipes", "laptop", laptop["settings"], laptop["commit"], "")
    caption = (
        "**Recipes at equal processor time**: `laptop`, with one departure at a time taken back, "
        f"one training each. {laptop['cpu_minutes']:.1f} CPU-minutes up to stage "
        f"{laptop['stage']:.0f}, judged on {laptop['notes']:.0f} generated notes, so a share is "
        f"known to at most ±{98 / laptop['notes'] ** 0.5:.0f} points (95 %). Effect heard: as it "
        "was asked for; heard wet: with reverb, asked for or not; tails: median tail-to-sustain "
        "ratios of dry and of wet notes."
    )
    return table(frame, caption, origin, name, digits=0)


def live(workspace: Workspace, minutes: float) -> Run:
    """Train, or find trained, the recipe of ``laptop`` with thinner networks, from stage 4 to 6,
    for so many minutes, compiling aside, on the workspace's data; in the book of a smoke run that
    run's own, for a tenth of the minutes.
    """
    minutes = minutes / 10 if workspace.smoke else minutes
    data = workspace.data_settings.data.model_dump(mode="json")
    stages = [round(minutes * share, 3) for share in _LIVE_SHARES]
    schedule = {"last_stage": len(stages) - 1, "stage_minutes": stages}
    base = Settings.preset(workspace.settings.name if workspace.smoke else "laptop")
    settings = base.replace(
        name="live",
        seed=workspace.data_settings.seed,
        data=data,
        gan=_LIVE_WIDTH,
        training=schedule,
    )
    return replace(workspace, settings=settings, data_settings=settings, given_run=None).run


def run_facts(run: Run) -> pd.DataFrame:
    """The manifest of a run, for people; what its training cost by an assumed price."""
    made = run.manifest
    cores, hours = made.get("cores", 1), made["wall_seconds"] / 3600
    facts = {
        "preset": made["preset"],
        "settings": made["settings_hash"],
        "seed": str(made["seed"]),
        "commit": made["commit"],
        "data (SHA-256)": made["data_sha256"],
        "labels": listed([f"{name} ({len(values)})" for name, values in run.labels.items()]),
        "begun from": _origin(made.get("origin")),
        "images seen": f"{made['images_seen']:,}",
        "backend and device": f"{made.get('backend', '?')}, {made.get('device', '?')}, "
        f"{cores} cores",
        "training time": f"{60 * hours:.0f} minutes, {cores * hours:.2f} core-hours",
        f"cost at {CORE_HOUR:g} US dollars a core-hour": f"{cores * hours * CORE_HOUR:.2f} dollars",
        "versions": listed(list(map(" ".join, made["versions"].items()))),
    }
    return pd.DataFrame(facts.items(), columns=["", " "])


def stage_history(run: Run) -> pd.DataFrame:
    """What each stage of a run did: resolution, images, steps and seconds."""
    stages = run.metrics().assign(steps=curves.steps).groupby("stage")
    ends, numbers = stages[["images", "seconds"]].last(), list(map(int, stages.groups))
    columns = {
        "kind": ["blends in" if is_transition(stage) else "stable" for stage in numbers],
        "resolution": [stage_size(stage).rpartition(" ")[2] for stage in numbers],
        "steps": stages["steps"].sum().astype(int),
        "images seen at its end": ends["images"].astype(int),
        "seconds": ends["seconds"].diff().fillna(ends["seconds"]),
    }
    return pd.DataFrame(columns).rename_axis("stage")


def changes(run: Run) -> pd.DataFrame:
    """Mean of each curve over the first and the last tenth of its measurements, a row each."""
    names = curve_names(run.labels)
    return curves.changes(run.metrics(), names).rename(index=names).rename_axis("curve")


def _origin(origin: dict | None) -> str:
    """What a run was begun from, whose images, time and cost its own are on top of."""
    if origin is None:
        return "nothing"
    images = origin["facts"].get("images_seen")
    seen = "" if images is None else f", {images:,} images, which come on top"
    return f"{origin['name']}, stage {origin['stage']}{seen}"


def _text(value: Any) -> str:
    """A setting's value for people."""
    if isinstance(value, tuple | list):
        return ", ".join(map(_text, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(inner)}" for name, inner in value.items()) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _parameters(settings: Settings) -> dict[str, str]:
    """The rows of Table 5 and of the text for these settings."""
    training, optimizer, losses = settings.training, settings.optimizer, settings.losses
    images = [training.total_images, training.stable_images, training.transition_images]
    lengths = [f"{count:,}" for count in images]
    if training.stage_minutes is not None:
        lengths = ["by the clock"] * 3
    elif training.stage_images is not None:
        lengths = [f"{min(sum(training.stage_images), images[0]):,}", *["by stage"] * 2]
    values = (
        settings.spectra.representation,
        *lengths,
        *map(str, (training.batch, settings.gan.latent_size, settings.gan.kernel_size)),
        f"True ({stage_size(0)})",
        f"Adam ({optimizer.beta_1:g}, {optimizer.beta_2:g})",
        _both(optimizer.generator_rate, optimizer.discriminator_rate),
        _both(losses.generator_label, losses.discriminator_label),
    )
    return dict(zip([*TABLE_5.index, *TEXT.index], values, strict=True))


def _both(generator: float, discriminator: float) -> str:
    """One number where both networks have the same."""
    both = f"{generator:g} (generator), {discriminator:g} (discriminator)"
    return f"{generator:g}" if generator == discriminator else both
