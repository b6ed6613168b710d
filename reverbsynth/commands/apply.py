"""``reverbsynth apply``."""

from pathlib import Path
from typing import Annotated

import typer

from reverbsynth.commands.play import SourceArgument, StageOption


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
        typer.Option("--label", help="What else is known of the recording: name=value."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the starts.")] = 0,
    starts: Annotated[int, typer.Option("--starts", min=1, help="Searches side by side.")] = 6,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps of each search.")] = 200,
    stage: StageOption = None,
) -> None:
    """Play a recorded note with an effect that an instrument has learned.

    The instrument's own version of the note is searched for first; how close it comes is printed.
    """
    from reverbsynth.audio import check_suffix, write_audio
    from reverbsynth.commands.play import assignments, chosen_labels
    from reverbsynth.data.progress import progress
    from reverbsynth.data.sounds import read_sound
    from reverbsynth.instrument import Instrument, at_peak

    check_suffix(output)
    audio = read_sound(recording)
    instrument = Instrument.open(source, stage)
    labels = chosen_labels(instrument, assignments(effect, label))
    effect = labels.pop("effect")
    with progress() as display:
        task = display.add_task("searching", total=steps)
        done = instrument.apply_effect(
            audio,
            effect,
            pitch=pitch,
            seed=seed,
            starts=starts,
            steps=steps,
            progress=lambda step, _: display.update(task, completed=step),
            **labels,
        )
    loudest = float(abs(done.audio).max())
    write_audio(output, at_peak(done.audio, min(loudest, 1.0)))
    typer.echo(done.text())
    typer.echo(str(output))
