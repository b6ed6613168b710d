"""``reverbsynth book`` and ``pdf``: built, and printed."""

from pathlib import Path
from typing import Annotated

from typer import Option, echo

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


def pdf(output: Annotated[Path, Option(help="Folder of the built book.")] = Path("_build")) -> None:
    """Print the chapters of a built book to one PDF file, with headless Chromium."""
    from reverbsynth.book.build import ROOT
    from reverbsynth.book.pdf import print_book

    target = output / "reverbsynth.pdf"
    sheets = print_book(output / "html", ROOT / "_toc.yml", target)
    echo(f"{target}: {sheets} sheets, {target.stat().st_size / 1e6:.1f} MB")
