"""``reverbsynth book``."""

from pathlib import Path
from typing import Annotated

from typer import Option

from reverbsynth.cli import options


def book(
    preset: options.Preset = None,
    settings: options.SettingsFile = None,
    set_: options.Overrides = None,
    run: Annotated[
        Path | None, Option(help="Show this finished run instead of training one.")
    ] = None,
    output: Annotated[Path, Option(help="Folder to build in.")] = Path("_build"),
) -> None:
    """Execute every notebook and render the book, by default of the run that comes with it."""
    from reverbsynth.book.build import build_book

    chosen = options.resolve(preset, settings, set_) if preset or settings or set_ else ""
    build_book(chosen, run=run, output=output)
