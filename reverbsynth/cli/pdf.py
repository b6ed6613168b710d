"""``reverbsynth pdf``: the chapters as one printed document."""

from pathlib import Path
from typing import Annotated

from typer import Option, echo


def pdf(output: Annotated[Path, Option(help="Folder of the built book.")] = Path("_build")) -> None:
    """Print the chapters of a built book to one PDF file, with headless Chromium."""
    from reverbsynth.book.build import ROOT
    from reverbsynth.book.pdf import print_book

    target = output / "reverbsynth.pdf"
    sheets = print_book(output / "html", ROOT / "_toc.yml", target)
    echo(f"{target}: {sheets} sheets, {target.stat().st_size / 1e6:.1f} MB")
