"""``reverbsynth import-original``: an original GANSynth checkpoint as an instrument."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from reverbsynth.errors import SettingsError


def import_original(
    directory: Annotated[Path, Argument(help="Training directory of the original GANSynth.")],
    output: Annotated[Path, Option("--output", "-o", help="Instrument's file to write.")] = Path(
        "original.safetensors"
    ),
    lowest_pitch: Annotated[
        str | None, Option(help="Pitch of the first class; C1 (24) by default, as in GANSynth.")
    ] = None,
    float16: Annotated[bool, Option("--float16", help="Keep the weights in float16.")] = False,
) -> None:
    """Turn an original GANSynth checkpoint into an instrument."""
    from reverbsynth.audio.pitch import parse_pitch
    from reverbsynth.instrument.instrument import Instrument

    if output.suffix != ".safetensors":
        raise SettingsError(f"{output}: expected a file that ends with .safetensors")
    lowest = None if lowest_pitch is None else parse_pitch(lowest_pitch)
    if lowest is not None and lowest % 1:
        raise SettingsError(f"--lowest-pitch: found {lowest_pitch}, expected a whole MIDI pitch")
    instrument = Instrument.from_original(directory, None if lowest is None else int(lowest))
    instrument.save(output, float16=float16)
    echo(str(output))
