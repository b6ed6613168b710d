"""``reverbsynth download``: NSynth's archives."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Split(StrEnum):
    """NSynth's own splits."""

    train = "train"
    valid = "valid"
    test = "test"


class ArchiveForm(StrEnum):
    """Forms in which NSynth is published."""

    jsonwav = "jsonwav"
    tfrecord = "tfrecord"


def download(
    directory: Annotated[Path, typer.Argument(help="Folder to put the archive in.")],
    split: Annotated[Split, typer.Option("--split", help="NSynth's own split.")] = Split.train,
    form: Annotated[
        ArchiveForm, typer.Option("--form", help="JSON and WAV files, or one TFRecord file.")
    ] = ArchiveForm.jsonwav,
) -> None:
    """Download an archive of NSynth (CC BY 4.0), going on where an interrupted one stopped."""
    from reverbsynth.data.download import download_nsynth

    typer.echo(f"{download_nsynth(directory, split, form)}")
