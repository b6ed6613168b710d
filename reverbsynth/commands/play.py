"""``reverbsynth play``, ``import-original`` and ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.errors import ReverbSynthError

SourceArgument = Annotated[
    Path,
    typer.Argument(help="A run directory, or an instrument's file.", metavar="RUN_OR_INSTRUMENT"),
]
StageOption = Annotated[
    int | None,
    typer.Option("--stage", min=0, max=12, help="Stage of the run; the last by default."),
]


def play(
    source: SourceArgument,
    midi: Annotated[
        Path | None, typer.Argument(help="A MIDI file; single notes without.", metavar="SONG.mid")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Sound to write: .wav, .flac or .ogg.")
    ] = Path("out.wav"),
    pitch: Annotated[
        list[int] | None,
        typer.Option("--pitch", help="MIDI pitch of a note; repeated: one after the other."),
    ] = None,
    velocity: Annotated[
        int | None, typer.Option("--velocity", min=1, max=127, help="Peak of single notes, of 127.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the timbre.")] = 0,
    effect: Annotated[
        str | None,
        typer.Option(
            "--effect",
            help="Where the instrument has that label: reverb, dry=0.3,reverb=0.7 for a mixture, "
            "or of two effects the share of the second, such as 0.7.",
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="Any other label: name=value; value may be a mixture."),
    ] = None,
    track: Annotated[
        list[int] | None,
        typer.Option("--track", help="Part of the MIDI file; repeated. All but drums by default."),
    ] = None,
    every: Annotated[
        float, typer.Option("--every", min=0, help="Seconds from one timbre to the next; 0: one.")
    ] = 2.0,
    outside: Annotated[
        str,
        typer.Option("--outside", help="Pitches the instrument has not: transpose or omit."),
    ] = "transpose",
    stage: StageOption = None,
) -> None:
    """Play notes or a MIDI file."""
    from reverbsynth.audio import check_suffix, write_audio
    from reverbsynth.instrument import Instrument

    check_suffix(output)
    if outside not in ("transpose", "omit"):
        raise ReverbSynthError(f"--outside: found {outside}, expected transpose or omit")
    if midi is not None and (pitch or velocity):
        raise ReverbSynthError("--pitch and --velocity are for single notes, not for a MIDI file")
    asked = assignments(effect, label)
    if midi is not None:
        from reverbsynth.midi import choose, read_midi

        notes = choose(read_midi(midi), track)
        instrument = Instrument.open(source, stage)
        labels = chosen_labels(instrument, asked)
        done = _render(instrument, notes, seed, every, outside, labels)
        for line in done.report():
            typer.echo(line)
        audio = done.audio
    else:
        instrument = Instrument.open(source, stage)
        labels = chosen_labels(instrument, asked)
        pitches = pitch or [instrument.pitches[0]]
        z = instrument.latents(1, seed)[0]
        audio = instrument.notes(pitches, z=z, velocities=velocity, **labels).reshape(-1)
        loudest = float(abs(audio).max())
        if loudest > 1:
            typer.echo(f"scaled down: the loudest sample was {loudest:.2f}, full scale is 1")
            audio = audio / loudest
    write_audio(output, audio)
    typer.echo(str(output))


def import_original(
    directory: Annotated[Path, typer.Argument(help="Training directory of the original GANSynth.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Instrument to write.")] = Path(
        "original.safetensors"
    ),
    lowest_pitch: Annotated[
        int | None,
        typer.Option("--lowest-pitch", help="MIDI pitch of the first class, where it is not 24."),
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Keep the weights in float16.")] = False,
) -> None:
    """Turn an original GANSynth checkpoint into an instrument."""
    from reverbsynth.instrument import Instrument

    Instrument.from_original(directory, lowest_pitch).save(output, half=half)
    typer.echo(str(output))


def export(
    source: SourceArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="An instrument (.safetensors), an ONNX model (.onnx) or a folder.",
        ),
    ],
    stage: StageOption = None,
    half: Annotated[bool, typer.Option("--half", help="Keep the weights in float16.")] = False,
) -> None:
    """Save an instrument as one file, as an ONNX model, or as a playable page in a folder."""
    from reverbsynth.instrument import Instrument

    if output.suffix not in (".safetensors", ".onnx", ""):
        raise ReverbSynthError(f"{output}: expected .safetensors, .onnx or a folder's name")
    if output.suffix == "":
        from reverbsynth.export import check_page

        check_page(output)
    instrument = Instrument.open(source, stage)
    if output.suffix == ".safetensors":
        instrument.save(output, half=half)
    elif output.suffix == ".onnx":
        from reverbsynth.export import write_onnx

        write_onnx(instrument, output, half=half)
    else:
        from reverbsynth.export import write_page

        output = write_page(instrument, output)
    typer.echo(str(output))


def _render(instrument, notes, seed: int, every: float, outside: str, labels: dict):
    from reverbsynth.data.progress import progress
    from reverbsynth.midi import render

    with progress() as display:
        task = display.add_task("playing", total=None)
        return render(
            instrument,
            notes,
            seed,
            every,
            outside,
            lambda done, total: display.update(task, completed=done, total=total),
            **labels,
        )


def assignments(effect: str | None, labels: list[str] | None) -> dict[str, str]:
    """Labels and what is asked of them, as text."""
    found = {} if effect is None else {"effect": effect}
    for assignment in labels or []:
        name, separator, value = assignment.partition("=")
        if not separator or name == "pitch":
            raise ReverbSynthError(f"--label {assignment}: expected name=value, and not pitch")
        if name in found:
            other = "--effect" if name == "effect" and effect is not None else "another --label"
            raise ReverbSynthError(f"--label {assignment}: expected it or {other}, not both")
        found[name] = value
    return found


def chosen_labels(instrument, asked: dict[str, str]) -> dict:
    """The same as values and mixtures of an instrument's labels."""
    from reverbsynth.mixtures import parse

    return {name: parse(name, text, instrument.labels.get(name)) for name, text in asked.items()}
