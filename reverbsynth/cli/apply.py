"""``reverbsynth apply``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.cli.options import SourceArgument, StageOption

LONGEST = 60.0
"""Seconds of a recording in which its note is looked for."""


def apply(
    source: SourceArgument,
    recording: Annotated[
        Path, typer.Argument(help="A sound file that holds one note.", metavar="NOTE.wav")
    ],
    effect: Annotated[
        str, typer.Option("--effect", help="reverb, or a mixture such as dry=0.3,reverb=0.7.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Sound to write: .wav, .flac or .ogg.")
    ] = Path("out.wav"),
    pitch: Annotated[
        int | None, typer.Option("--pitch", help="MIDI pitch of the note; estimated if unset.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            help="What is known of the recording: name=value; effect=dry, if it was recorded dry.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the starts.")] = 0,
    starts: Annotated[int, typer.Option("--starts", min=1, help="Searches side by side.")] = 6,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps of each search.")] = 200,
    stage: StageOption = None,
) -> None:
    """Play a recorded note with an effect that an instrument has learned.

    The instrument's own version of the note is searched for first; how close it comes is printed.
    """
    from reverbsynth.audio.io import check_suffix, read_sound, write_audio
    from reverbsynth.cli.options import assignments, chosen_labels
    from reverbsynth.instrument.instrument import Instrument, at_peak
    from reverbsynth.progress import progress

    check_suffix(output)
    known = assignments(None, label)
    audio = read_sound(recording, seconds=LONGEST)
    instrument = Instrument.open(source, stage)
    (asked,) = chosen_labels(instrument, {"effect": effect}).values()
    known = chosen_labels(instrument, known)
    own_effect = known.pop("effect", None)
    with progress() as display:
        task = display.add_task("searching", total=steps)
        done = instrument.apply_effect(
            audio,
            asked,
            pitch=pitch,
            seed=seed,
            starts=starts,
            steps=steps,
            progress=lambda step, _: display.update(task, completed=step),
            own_effect=own_effect,
            **known,
        )
    loudest = float(abs(done.audio).max())
    if loudest > 1:
        typer.echo(f"scaled down: the loudest sample was {loudest:.2f}, full scale is 1")
    write_audio(output, at_peak(done.audio, min(loudest, 1.0)))
    typer.echo(done.text())
    typer.echo(str(output))
