"""``reverbsynth book``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.cli.options import PresetOption, SetOption, SettingsOption, resolve


def book(
    preset: PresetOption = None,
    settings: SettingsOption = None,
    set_: SetOption = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Show this finished run instead of training one.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="Folder to build in.")] = Path("_build"),
) -> None:
    """Execute every notebook and render the book."""
    from reverbsynth.book.build import build_book

    build_book(resolve(preset, settings, set_), run=run, output=output)
