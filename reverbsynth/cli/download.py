"""``reverbsynth download``: NSynth's archives."""

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, echo


def download(
    directory: Annotated[Path, Argument(help="Folder to put the archive in.")],
    split: Annotated[
        Literal["train", "valid", "test"], Option(help="NSynth's own split.")
    ] = "train",
    form: Annotated[
        Literal["jsonwav", "tfrecord"], Option(help="JSON and WAV files, or one TFRecord file.")
    ] = "jsonwav",
) -> None:
    """Download an archive of NSynth (CC BY 4.0), going on where an interrupted one stopped."""
    from reverbsynth.data.download import download_nsynth

    echo(f"{download_nsynth(directory, split, form)}")
