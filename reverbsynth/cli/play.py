"""``reverbsynth play`` and ``instruments``: notes or a MIDI file, and what there is to play on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Context, Option, echo

from reverbsynth.cli import options
from reverbsynth.errors import ReverbSynthError, SettingsError

if TYPE_CHECKING:
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.midi import Rendering
    from reverbsynth.instrument.midi_file import Part


def play(
    context: Context,
    source: options.Source,
    midi: Annotated[
        Path | None,
        Argument(help="A MIDI file; without it, single notes are played.", metavar="SONG.mid"),
    ] = None,
    output: options.SoundFile = Path("out.wav"),
    pitch: Annotated[
        list[str] | None,
        Option(help="C#3, 49 or 49.5; a middle one by default. Several are played in turn."),
    ] = None,
    velocity: Annotated[
        int | None,
        Option(min=1, max=127, help="Velocity of single notes: peak and, where a label, timbre."),
    ] = None,
    seed: Annotated[int, Option(min=0, help="Seed of the timbre.")] = 0,
    effect: Annotated[
        str | None,
        Option(
            help="The effect, if the instrument has several: its name, such as reverb; a mixture, "
            "such as dry=0.3,reverb=0.7; or the share of the second of two, such as 0.7."
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        Option(help="Any other label: name=value. The value may be a mixture. May be repeated."),
    ] = None,
    track: Annotated[
        list[str] | None,
        Option(
            help="Number or name of a part of the MIDI file, also with what plays it: "
            "Bass=reverb, Bass=laptop or Bass=laptop:reverb. May be repeated; all but drums by "
            "default."
        ),
    ] = None,
    every: Annotated[
        float,
        Option(min=0, help="Seconds from one timbre to the next in a MIDI file; 0 keeps one."),
    ] = 2.0,
    outside: Annotated[
        str, Option(help="Pitches outside the instrument's range: transpose by octaves, or omit.")
    ] = "transpose",
    tune: Annotated[
        float, Option(min=-1200, max=1200, help="Cents that everything sounds above its pitch.")
    ] = 0.0,
    a4: Annotated[float, Option(min=220, max=880, help="Frequency of A4 in Hz.")] = 440.0,
    release: Annotated[
        str | None,
        Option(
            help="How notes of a MIDI file end: fade, in 0.3 s; or tail, with the note's own "
            "reverberation, the default of instruments with effects."
        ),
    ] = None,
    rate: options.Rate = 16_000,
    stereo: options.Stereo = False,
    loudness: options.Loudness = "true",
    stage: options.Stage = None,
) -> None:
    """Play notes or a MIDI file."""
    from reverbsynth.audio.io import check_suffix
    from reverbsynth.audio.output import Output
    from reverbsynth.audio.pitch import parse_pitch
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.midi import part_lines
    from reverbsynth.instrument.midi_file import read_midi

    check_suffix(output)
    written_as = Output(rate, stereo, loudness)
    if outside not in ("transpose", "omit"):
        raise SettingsError(f"--outside: found {outside}, expected transpose or omit")
    if midi is not None and (pitch or velocity):
        raise SettingsError("--pitch and --velocity are for single notes, not for a MIDI file")
    for name in ("track", "every", "outside", "release"):
        given = getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
        if given and midi is None:
            raise SettingsError(f"--{name} is for a MIDI file, and none is named")
    values = options.assignments(effect, label)
    parts = [] if midi is None else read_midi(midi)
    instrument = Instrument.load(source, stage)
    labels = options.chosen_labels(instrument, values)
    tune += 1200 * math.log2(a4 / 440)
    if midi is None:
        z = instrument.latents(1, seed)[0]
        pitches = pitch or [str(instrument.middle_pitch)]
        audio = instrument.notes(pitches, z, velocities=velocity, tune=tune, **labels).reshape(-1)
        for name in dict.fromkeys(pitches):
            if remark := instrument.remark(parse_pitch(name) + tune / 100):
                echo(f"pitch {name}: {remark}")
    else:
        voices = _voices(parts, track, Voice(source.stem, instrument, labels))
        for line in part_lines(parts, {n: voice.text() for n, voice in voices.items()}):
            echo(line)
        how = {"seed": seed, "every": every, "outside": outside, "tune": tune, "release": release}
        rendering = _rendered(parts, voices, **how)
        for line in rendering.report():
            echo(line)
        audio = rendering.audio
    if remark := written_as.write(output, audio):
        echo(remark)
    echo(str(output))


def instruments() -> None:
    """List the instruments that come with the package; play them by name."""
    from reverbsynth.instrument.card import plays
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.shipped import shipped

    for name, path in shipped().items():
        echo("\n".join([f"{name}: {path}", *plays(Instrument.load(path))]))


@dataclass(frozen=True)
class Voice:
    """What plays a part: an instrument, its name, and values of its labels."""

    name: str
    instrument: "Instrument"
    labels: dict[str, Any]

    def text(self) -> str:
        from reverbsynth.instrument.label_mixture import shown

        return ", ".join([self.name, *map(shown, self.labels.values())])


def _voices(parts: "Sequence[Part]", tracks: list[str] | None, voice: Voice) -> dict[int, Voice]:
    """What plays each chosen part, by its number: this voice, or the one that a track names."""
    from reverbsynth.instrument.midi_file import chosen_parts

    if not tracks:
        return {part.number: voice for part in chosen_parts(parts)}
    voices: dict[int, Voice] = {}
    for name, _, text in (track.partition("=") for track in tracks):
        own = _voice(text, voice) if text else voice
        voices |= {part.number: own for part in chosen_parts(parts, [name])}
    return voices


def _voice(text: str, voice: Voice) -> Voice:
    """An effect of the same instrument, or another instrument, or both: ``laptop:reverb``."""
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.instrument.shipped import shipped

    own_effect = text in map(str, voice.instrument.labels.get("effect", ()))
    whole = not own_effect and (text in shipped() or Path(text).exists())
    source, _, effect = (text, "", "") if whole else text.rpartition(":")
    if source:
        other = Instrument.load(source)
        shared = {name: value for name, value in voice.labels.items() if name in other.labels}
        voice = Voice(Path(source).stem, other, shared)
    try:
        own = options.chosen_labels(voice.instrument, {"effect": effect} if effect else {})
        voice = replace(voice, labels={**voice.labels, **own})
        voice.instrument.condition(voice.instrument.pitches[:1], **voice.labels)
    except ReverbSynthError as error:
        known = ", ".join(["a file or run", *shipped()])
        raise SettingsError(f"--track {text}: {error}; or an instrument: {known}") from None
    return voice


def _rendered(parts: "Sequence[Part]", voices: dict[int, Voice], **how: Any) -> "Rendering":
    """Parts with the same voice are rendered at once, so that they share their timbres."""
    import numpy as np

    from reverbsynth.instrument.midi import Rendering, in_range, render
    from reverbsynth.instrument.midi_file import choose
    from reverbsynth.progress import ProgressDisplay

    numbers: dict[str, list[int]] = {}
    for number, voice in voices.items():
        numbers.setdefault(f"{id(voice.instrument)} {voice.labels}", []).append(number)
    renderings = []
    with ProgressDisplay() as display:
        for shared in numbers.values():
            voice, notes = voices[shared[0]], choose(parts, shared)
            playable, _, left_out = in_range(notes, voice.instrument.keys, how["outside"])
            if not playable and len(numbers) > 1:  # Others may have some.
                renderings.append(Rendering(np.zeros(1), 0, 0, left_out=left_out))
                continue
            how["progress"] = partial(display.count, display.add_task("playing", total=None))
            renderings.append(render(voice.instrument, notes, **how, **voice.labels))
    whole = reduce(add, renderings)
    if not whole.notes:
        raise SettingsError("no note to play within the instruments' pitches")
    return whole
