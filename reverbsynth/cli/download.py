"""``reverbsynth download``: NSynth's archives."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def download(
    directory: Annotated[Path, typer.Argument(help="Folder to put the archive in.")],
    split: Annotated[
        Literal["train", "valid", "test"], typer.Option("--split", help="NSynth's own split.")
    ] = "train",
    form: Annotated[
        Literal["jsonwav", "tfrecord"],
        typer.Option("--form", help="JSON and WAV files, or one TFRecord file."),
    ] = "jsonwav",
) -> None:
    """Download an archive of NSynth (CC BY 4.0), going on where an interrupted one stopped."""
    from reverbsynth.data.download import download_nsynth

    typer.echo(f"{download_nsynth(directory, split, form)}")
