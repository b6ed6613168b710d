"""``reverbsynth play``: notes, or a MIDI file."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reverbsynth.cli.options import (
    SoundOption,
    SourceArgument,
    StageOption,
    assignments,
    chosen_labels,
    write_sound,
)
from reverbsynth.errors import SettingsError

if TYPE_CHECKING:
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.midi import Rendering
    from reverbsynth.instrument.midi_file import MidiNote


def play(
    source: SourceArgument,
    midi: Annotated[
        Path | None,
        typer.Argument(
            help="A MIDI file; without it, single notes are played.", metavar="SONG.mid"
        ),
    ] = None,
    output: SoundOption = Path("out.wav"),
    pitch: Annotated[
        list[str] | None,
        typer.Option(
            "--pitch",
            help="Pitch of a note: C#3, 49 or 49.5; a middle one by default. May be repeated: "
            "notes are played one after another.",
        ),
    ] = None,
    velocity: Annotated[
        int | None,
        typer.Option(
            "--velocity", min=1, max=127, help="Velocity of single notes, which sets their peak."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the timbre.")] = 0,
    effect: Annotated[
        str | None,
        typer.Option(
            "--effect",
            help="The effect, if the instrument has several: its name, such as reverb; a mixture, "
            "such as dry=0.3,reverb=0.7; or the share of the second of two, such as 0.7.",
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            help="Any other label: name=value. The value may be a mixture. May be repeated.",
        ),
    ] = None,
    track: Annotated[
        list[int] | None,
        typer.Option(
            "--track",
            help="Number of a part of the MIDI file. May be repeated; all but drums by default.",
        ),
    ] = None,
    every: Annotated[
        float,
        typer.Option(
            "--every",
            min=0,
            help="Seconds from one timbre to the next in a MIDI file; 0 keeps one timbre.",
        ),
    ] = 2.0,
    outside: Annotated[
        str,
        typer.Option(
            "--outside",
            help="What to do with pitches outside the instrument's range: transpose by octaves, "
            "or omit.",
        ),
    ] = "transpose",
    tune: Annotated[
        float,
        typer.Option(
            "--tune", min=-1200, max=1200, help="Cents that everything sounds above its pitch."
        ),
    ] = 0.0,
    a4: Annotated[
        float, typer.Option("--a4", min=220, max=880, help="Frequency of A4 in Hz.")
    ] = 440.0,
    stage: StageOption = None,
) -> None:
    """Play notes or a MIDI file."""
    from reverbsynth.audio.io import check_suffix
    from reverbsynth.audio.pitch import parse_pitch
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.midi_file import choose, read_midi

    check_suffix(output)
    if outside not in ("transpose", "omit"):
        raise SettingsError(f"--outside: found {outside}, expected transpose or omit")
    if midi is not None and (pitch or velocity):
        raise SettingsError("--pitch and --velocity are for single notes, not for a MIDI file")
    values = assignments(effect, label)
    notes = [] if midi is None else choose(read_midi(midi), track)
    instrument = Instrument.open(source, stage)
    labels = chosen_labels(instrument, values)
    tune += 1200 * math.log2(a4 / 440)
    if midi is None:
        z = instrument.latents(1, seed)[0]
        pitches = pitch or [str(instrument.middle_pitch)]
        audio = instrument.notes(pitches, z, velocities=velocity, tune=tune, **labels).reshape(-1)
        for name in dict.fromkeys(pitches):
            if remark := instrument.remark(parse_pitch(name) + tune / 100):
                typer.echo(f"pitch {name}: {remark}")
    else:
        rendering = _render(instrument, notes, seed, every, outside, tune=tune, **labels)
        for line in rendering.report():
            typer.echo(line)
        audio = rendering.audio
    write_sound(output, audio)
    typer.echo(str(output))


def _render(
    instrument: "Instrument",
    notes: "Sequence[MidiNote]",
    seed: int,
    every: float,
    outside: str,
    **options: Any,
) -> "Rendering":
    from reverbsynth.instrument.midi import render
    from reverbsynth.progress import ProgressDisplay

    with ProgressDisplay() as display:
        task = display.add_task("playing", total=None)
        return render(
            instrument,
            notes,
            seed,
            every,
            outside,
            lambda done, total: display.update(task, completed=done, total=total),
            **options,
        )
