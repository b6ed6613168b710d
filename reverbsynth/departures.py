"""Where a run departs from the paper, and what the departures of preset `laptop` are worth."""

from typing import Any

import pandas as pd
from IPython.display import Markdown

from reverbsynth.figures import table
from reverbsynth.figures.captions import Captioned, Origin
from reverbsynth.settings import Settings
from reverbsynth.workspace import recipes

_GROUPS = ("spectra", "gan", "losses", "augmentation", "optimizer", "training")
_BOOKKEEPING = ("checkpoint_minutes", "samples", "consistency_every")

_COLUMNS = {
    "recipe": "recipe",
    "images": "images",
    "images_at_stage": "at the last stage",
    "pitch_heard": "pitch heard (%)",
    "within_50_cents": "within 50 cents (%)",
    "effect_heard": "effect heard (%)",
    "tail_dry": "tail, dry (dB)",
    "tail_reverb": "tail, reverb (dB)",
    "overfitting": "overfitting",
}


def departures(settings: Settings) -> pd.DataFrame:
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
                    "the paper": _shown(other),
                    "here": _shown(value),
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
    frame["overfitting"] = [f"{r:.2f}" if pd.notna(r) else "" for r in frame["overfitting"]]
    caption = (
        "**Recipes at equal processor time**: preset laptop with the settings of each, "
        f"{chosen['cpu_minutes']:.0f} CPU-minutes up to stage {chosen['stage']:.0f}, judged on "
        f"{chosen['notes']:.0f} generated notes. Tails: level after the note's end, medians. "
        "Overfitting: where the critic's scores of held-out notes lie, from those of notes it was "
        "trained on (0) to those of generated ones (1), where augmentation adapts to it."
    )
    return table(frame, caption, origin, "recipes", digits=0)


def _shown(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(each)}" for name, each in value.items()) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
