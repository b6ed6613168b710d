"""``reverbsynth bundle``."""

from pathlib import Path
from typing import Annotated

import typer


def bundle(
    run: Annotated[Path, typer.Argument(help="A run with at least one finished stage.")],
    directory: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="The bundle, such as book/results/NAME.")
    ],
    data: Annotated[
        Path | None, typer.Option("--data", help="Data set; the one it was trained on if unset.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a bundle that is there.")
    ] = False,
) -> None:
    """Write what a book needs of a run into a small folder; evaluate the run if it is not yet."""
    from reverbsynth.book.bundle import bundle as write_bundle

    write_bundle(run, directory, data, replace=replace)
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    typer.echo(f"{directory}: {size / 1e6:.1f} MB; show it with: make book RUN={directory}")
