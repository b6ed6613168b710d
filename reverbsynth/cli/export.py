"""``reverbsynth export``: an instrument as an ONNX model or a web page."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.cli.options import SourceArgument, StageOption
from reverbsynth.errors import SettingsError


def export(
    source: SourceArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="An instrument (.safetensors), an ONNX model (.onnx), or a folder for a page.",
        ),
    ],
    stage: StageOption = None,
    float16: Annotated[
        bool, typer.Option("--float16", help="Keep the weights in float16.")
    ] = False,
    projections: Annotated[
        int | None,
        typer.Option(
            "--projections", min=0, help="Griffin-Lim steps of a note in place of its own number."
        ),
    ] = None,
) -> None:
    """Save an instrument as one file, as an ONNX model, or as a playable page in a folder."""
    from reverbsynth.instrument.instrument import Instrument

    if output.suffix not in (".safetensors", ".onnx", ""):
        raise SettingsError(f"{output}: expected .safetensors, .onnx or a folder's name")
    if output.suffix == "":
        from reverbsynth.instrument.export import check_page

        check_page(output)
    instrument = Instrument.open(source, stage).decoded_by(projections=projections)
    if output.suffix == ".safetensors":
        instrument.save(output, float16=float16)
    elif output.suffix == ".onnx":
        from reverbsynth.instrument.export import write_onnx

        write_onnx(instrument, output, float16=float16)
    else:
        from reverbsynth.instrument.export import write_page

        output = write_page(instrument, output)
    typer.echo(str(output))
