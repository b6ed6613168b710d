"""``reverbsynth apply``: a recorded note with a learned effect."""

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

from reverbsynth.cli import options
from reverbsynth.errors import DataError, SettingsError

LONGEST = 60.0  # Seconds of silence before a recorded note at most.


def apply(
    source: options.Source,
    recording: Annotated[
        Path, Argument(help="A sound file that holds one note.", metavar="NOTE.wav")
    ],
    effect: Annotated[str, Option(help="The effect, or a mixture such as dry=0.3,reverb=0.7.")],
    output: options.SoundFile = Path("out.wav"),
    pitch: Annotated[
        str | None, Option(help="MIDI pitch or name of the note; estimated by default.")
    ] = None,
    label: Annotated[
        list[str] | None,
        Option(help="Known of the recording: name=value, such as effect=dry. May be repeated."),
    ] = None,
    seed: Annotated[int, Option(min=0, help="Seed of the points that searches start from.")] = 0,
    starts: Annotated[int, Option(min=1, help="Number of searches, run side by side.")] = 4,
    steps: Annotated[int, Option(min=1, help="Gradient steps of each search.")] = 60,
    rate: options.Rate = 16_000,
    stereo: options.Stereo = False,
    loudness: options.Loudness = "true",
    stage: options.Stage = None,
) -> None:
    """Give a recorded note an effect that an instrument has learned.

    The instrument's own version of the note is searched for first; how close it comes is printed.
    The recording is then given what the effect changes in it.
    """
    from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
    from reverbsynth.audio.io import check_suffix, read_sound
    from reverbsynth.audio.output import Output
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.progress import ProgressDisplay

    check_suffix(output)
    written_as = Output(rate, stereo, loudness)
    if output.exists() and recording.exists() and output.samefile(recording):
        raise SettingsError(f"{output}: is the recording itself, expected another --output")
    values = options.assignments(None, label)
    audio = read_sound(recording, seconds=LONGEST + NOTE_LENGTH / SAMPLE_RATE)
    if not audio.any():
        seconds = len(audio) / SAMPLE_RATE
        raise DataError(f"{recording}: is silent for {seconds:.1f} s, expected a note")
    instrument = Instrument.load(source, stage)
    (chosen,) = options.chosen_labels(instrument, {"effect": effect}).values()
    known = options.chosen_labels(instrument, values)
    known["own_effect"] = known.pop("effect", None)
    known = {"seed": seed, "starts": starts, "steps": steps} | known
    with ProgressDisplay() as display:
        known["progress"] = partial(display.count, display.add_task("searching", total=steps))
        applied = instrument.apply_effect(audio, chosen, pitch=pitch, **known)
    if len(audio) > len(applied.audio):
        seconds = len(applied.audio) / SAMPLE_RATE
        echo(f"{recording}: ends at {seconds:.1f} s now, where a note that began with it ends")
    if remark := written_as.write(output, applied.audio):
        echo(remark)
    echo(applied.text())
    echo(str(output))
