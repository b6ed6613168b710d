"""The command line, a module for each command, and the options they share."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings, parse_overrides, presets

DEFAULT_PRESET = "tiny"

PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset", help=f"One of {', '.join(presets())} ({DEFAULT_PRESET} if none is named)."
    ),
]
SettingsOption = Annotated[
    Path | None, typer.Option("--settings", help="A settings file in place of a preset.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a setting: dotted.key=value. May be repeated."),
]


def resolve(preset: str | None, settings: Path | None, set_: list[str] | None) -> Settings:
    """The settings that a command's options name.

    Raises
    ------
    ReverbSynthError
        When both a preset and a file are named, or either is wrong.
    """
    overrides = parse_overrides(set_ or [])
    if settings is None:
        return Settings.preset(preset or DEFAULT_PRESET, **overrides)
    if preset is not None:
        raise ReverbSynthError("--preset and --settings: expected one of them")
    return Settings.load(settings, **overrides)
