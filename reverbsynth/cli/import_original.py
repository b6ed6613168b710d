"""``reverbsynth import-original``: an original GANSynth checkpoint as an instrument."""

from pathlib import Path
from typing import Annotated

import typer


def import_original(
    directory: Annotated[Path, typer.Argument(help="Training directory of the original GANSynth.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Instrument's file to write.")
    ] = Path("original.safetensors"),
    lowest_pitch: Annotated[
        int | None,
        typer.Option(
            "--lowest-pitch", help="MIDI pitch of the first class; 24 by default, as in GANSynth."
        ),
    ] = None,
    float16: Annotated[
        bool, typer.Option("--float16", help="Keep the weights in float16.")
    ] = False,
) -> None:
    """Turn an original GANSynth checkpoint into an instrument."""
    from reverbsynth.instrument.instrument import Instrument

    Instrument.from_original(directory, lowest_pitch).save(output, float16=float16)
    typer.echo(str(output))
