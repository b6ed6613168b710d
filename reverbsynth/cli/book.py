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
    """Execute every notebook and render the book, by default of the run that comes with it."""
    from reverbsynth.book.build import build_book

    chosen = resolve(preset, settings, set_) if preset or settings or set_ else ""
    build_book(chosen, run=run, output=output)
