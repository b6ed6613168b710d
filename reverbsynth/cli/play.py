"""``reverbsynth play``, ``import-original`` and ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.cli.options import SourceArgument, StageOption, assignments, chosen_labels
from reverbsynth.errors import ReverbSynthError


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
    from reverbsynth.audio.io import check_suffix, write_audio
    from reverbsynth.instrument.instrument import Instrument

    check_suffix(output)
    if outside not in ("transpose", "omit"):
        raise ReverbSynthError(f"--outside: found {outside}, expected transpose or omit")
    if midi is not None and (pitch or velocity):
        raise ReverbSynthError("--pitch and --velocity are for single notes, not for a MIDI file")
    asked = assignments(effect, label)
    if midi is not None:
        from reverbsynth.instrument.midi import choose, read_midi

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


def _render(instrument, notes, seed: int, every: float, outside: str, labels: dict):
    from reverbsynth.instrument.midi import render
    from reverbsynth.progress import progress

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
