"""``reverbsynth data``: build a data set."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from reverbsynth.cli.options import PresetOption, SetOption, SettingsOption, resolve

SourceKind = Literal["soundfont", "nsynth", "folder"]


def data(
    directory: Annotated[Path, typer.Argument(help="Folder of the data set: a new or its own.")],
    preset: PresetOption = None,
    settings: SettingsOption = None,
    set_: SetOption = None,
    source: Annotated[
        SourceKind | None, typer.Option("--source", help="Where notes come from (data.source).")
    ] = None,
    path: Annotated[
        Path | None, typer.Option("--path", help="The source's file or folder (data.source.path).")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave unusable notes out, and list them.")
    ] = False,
) -> None:
    """Build a data set: notes from a source, and a twin of each for every effect."""
    from reverbsynth.data.build import build_data

    assignments = list(set_ or [])
    if path is not None:
        assignments.insert(0, f"data.source.path={str(path)!r}")
    if source is not None:
        assignments.insert(0, f"data.source.kind={source}")
    built = build_data(resolve(preset, settings, assignments), directory, skip_bad)
    for skipped in built.manifest["skipped"]:
        typer.echo(f"skipped: {skipped['reason']}")
    counts = ", ".join(f"{built.count(split)} {split}" for split in built.splits)
    keys, noted, trained = (
        len(pitches)
        for pitches in (built.vocabulary("pitch"), built.keys(*built.splits), built.keys("train"))
    )
    if trained < keys:
        typer.echo(f"warning: {noted} of {keys} keys have notes ({trained} in train)")
    typer.echo(f"{directory}: {counts} notes ({', '.join(map(str, built.vocabulary('effect')))})")
