"""``reverbsynth export``: an instrument as a model, a web page, or for a sampler."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Context, Option, echo

from reverbsynth.cli import options
from reverbsynth.errors import ReverbSynthError, SettingsError

if TYPE_CHECKING:
    from reverbsynth.instrument.instrument import Instrument
    from reverbsynth.training.run import Run

_SAMPLERS = (".sfz", ".dspreset", ".sf2")
_SAMPLING = ("keys", "effect", "by_velocity", "round_robins", "seed", "loops", "rate")
_FILES = {"float16": (".safetensors", ".onnx")} | dict.fromkeys(("sounds", "stereo"), _SAMPLERS[:2])
_FOR = dict.fromkeys(_SAMPLING, _SAMPLERS) | _FILES  # options that only these have a use for


def export(
    context: Context,
    source: options.Source,
    output: Annotated[
        Path,
        Option(
            "--output",
            "-o",
            help="An instrument (.safetensors), an ONNX model (.onnx), a sampler's instrument "
            "(.sfz, .dspreset or .sf2), or a folder for a page.",
        ),
    ],
    stage: options.Stage = None,
    float16: Annotated[bool, Option("--float16", help="Keep the weights in float16.")] = False,
    projections: Annotated[
        int | None, Option(min=0, help="Griffin-Lim steps of a note in place of its own number.")
    ] = None,
    keys: Annotated[
        str, Option(help="Keys to sample: E1..E3, every third (/3), or both (E1..E3/3).")
    ] = "/1",
    effect: Annotated[
        list[str] | None,
        Option(help="An effect or mixture to sample. May be repeated; all by default."),
    ] = None,
    by_velocity: Annotated[
        bool,
        Option("--by-velocity", help="Effects are layers of velocity, in place of key switches."),
    ] = False,
    round_robins: Annotated[
        int, Option(min=1, max=16, help="Similar notes of a key that take turns; in .sf2, banks.")
    ] = 1,
    seed: Annotated[int, Option(min=0, help="Seed of the samples' timbre.")] = 0,
    loops: Annotated[
        bool | None,
        Option(
            "--loops/--no-loops",
            help="Whether a held key loops its note, where that can be done. By default it does, "
            "but in .sf2, where a looped note ends without its own tail.",
        ),
    ] = None,
    sounds: Annotated[str, Option(help="Files beside .sfz and .dspreset: flac or wav.")] = "flac",
    rate: options.Rate = 16_000,
    stereo: options.Stereo = False,
) -> None:
    """Save an instrument as a file or model, for a sampler, or as a page to play it on."""
    from reverbsynth.audio.output import Output
    from reverbsynth.instrument.export import check_page, write_onnx, write_page
    from reverbsynth.instrument.instrument import Instrument

    known = (".safetensors", ".onnx", *_SAMPLERS, "")
    if output.suffix not in known:
        raise SettingsError(f"{output}: expected {', '.join(known[:-1])} or a folder's name")
    for name, suffixes in _FOR.items():
        given = getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
        if given and output.suffix not in suffixes:
            option = "--" + name.replace("_", "-")
            raise SettingsError(f"{option}: is for {', '.join(suffixes)}, found {output}")
    if output.suffix == "":
        check_page(output)
    written_as = Output(rate, stereo)
    instrument = Instrument.load(source, stage).decoded_by(projections=projections)
    if output.suffix in _SAMPLERS:
        if sounds not in ("flac", "wav"):
            raise SettingsError(f"--sounds: found {sounds}, expected flac or wav")
        made: dict[str, Any] = {"by_velocity": by_velocity, "robins": round_robins, "seed": seed}
        made |= {"output": written_as, "suffix": f".{sounds}"}
        made["loops"] = output.suffix != ".sf2" if loops is None else loops
        _write_samples(instrument, output, keys, effect, **made)
    elif output.suffix == ".safetensors":
        instrument.save(output, float16=float16)
    elif output.suffix == ".onnx":
        write_onnx(instrument, output, float16=float16)
    else:
        output = write_page(instrument, output, *_name_and_run(source))
    echo(str(output))


def _write_samples(
    instrument: "Instrument", path: Path, keys: str, effects: list[str] | None, **made: Any
) -> None:
    from reverbsynth.files.atomic import check_file
    from reverbsynth.instrument.label_mixture import shown
    from reverbsynth.instrument.sampler import WRITERS
    from reverbsynth.instrument.sampler.samples import parse_keys, sample_set
    from reverbsynth.progress import ProgressDisplay

    check_file(path)
    chosen: dict[str, Any] = {}
    for effect in effects or ():
        value = options.chosen_labels(instrument, {"effect": effect})
        name = shown(value["effect"])
        chosen[effect if name in chosen else name] = value
    with ProgressDisplay() as display:
        made["progress"] = partial(display.count, display.add_task("sampling", total=None))
        sampled = parse_keys(keys, instrument.keys)
        notes = sample_set(instrument, path.stem, sampled, chosen or None, **made)
    WRITERS[path.suffix](notes, path)
    looped = sum(sample.loop is not None for sample in notes.samples)
    echo(f"{len(notes.samples)} samples, {looped} of them looped")
    for i, (choice, key) in enumerate(zip(notes.choices, notes.switches, strict=False), 1):
        echo(f"{choice}: {f'program {i}' if path.suffix == '.sf2' else f'key {key}'}")
    if path.suffix == ".sf2" and notes.robins > 1:
        echo(f"variations, in place of round robins: banks 1 to {notes.robins - 1}")


def _name_and_run(source: Path) -> "tuple[str, Run | None]":
    """What an instrument is called, and the run that it lies in, if it does."""
    from reverbsynth.instrument.shipped import find
    from reverbsynth.training.run import INSTRUMENT, MANIFEST, Run

    path = find(source).resolve()
    folder = path.parent if path.name == INSTRUMENT else path
    name = path.stem if path.is_file() and path.name != INSTRUMENT else folder.name
    try:
        return name, Run.open(folder)
    except ReverbSynthError as error:
        if (folder / MANIFEST).exists():
            echo(f"the card tells nothing of its run: {error}")
        return name, None
