"""``reverbsynth bundle``."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo


def bundle(
    run: Annotated[Path, Argument(help="A run with at least one finished stage.")],
    directory: Annotated[
        Path, Argument(metavar="BUNDLE", help="Folder to write, such as book/results/NAME.")
    ],
    data: Annotated[
        Path | None, Option(help="Data set to evaluate on; by default, the run's own.")
    ] = None,
    seeds: Annotated[
        list[Path] | None,
        Option(
            metavar="RUN",
            help="Another run of the recipe, whose numbers are kept: of another training.seed, or "
            "of another split (seed). May be repeated.",
        ),
    ] = None,
    replace: Annotated[
        bool, Option("--replace", help="Replace a bundle that is already there.")
    ] = False,
) -> None:
    """Write the small part of a run that a book needs. Evaluates the run if it has no report."""
    from reverbsynth.book.bundle import bundle as write_bundle

    write_bundle(run, directory, data, replace=replace, seeds=seeds or ())
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    echo(f"{directory}: {size / 1e6:.1f} MB; show it with: make book RUN={directory}")
