"""``reverbsynth book``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.commands import PresetOption, SetOption, SettingsOption, resolve


def book(
    preset: PresetOption = None,
    settings: SettingsOption = None,
    set_: SetOption = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Show this finished run; train nothing.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="Folder to build in.")] = Path("_build"),
) -> None:
    """Execute every notebook and render the book."""
    from reverbsynth.book import build_book

    build_book(resolve(preset, settings, set_), run=run, output=output)


def pdf(
    output: Annotated[Path, typer.Option("--output", help="Folder of the built book.")] = Path(
        "_build"
    ),
) -> None:
    """Print the chapters of a built book to one PDF, with Chromium."""
    from reverbsynth.book import ROOT
    from reverbsynth.printing import print_book

    target = output / "reverbsynth.pdf"
    sheets = print_book(output / "html", ROOT / "_toc.yml", target)
    typer.echo(f"{target}: {sheets} sheets, {target.stat().st_size / 1e6:.1f} MB")
