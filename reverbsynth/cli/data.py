"""``reverbsynth data``: build a data set."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, echo

from reverbsynth.cli import options
from reverbsynth.errors import DataError
from reverbsynth.files.reading import read_json, user_path
from reverbsynth.settings import Settings

SourceKind = Literal["soundfont", "nsynth", "folder"]


def data(
    directory: Annotated[Path, Argument(help="Folder of the data set: a new or its own.")],
    preset: options.Preset = None,
    settings: options.SettingsFile = None,
    set_: options.Overrides = None,
    source: Annotated[
        SourceKind | None, Option(help="Where notes come from (data.source).")
    ] = None,
    path: Annotated[
        Path | None, Option(help="The source's file or folder (data.source.path).")
    ] = None,
    check: Annotated[
        bool, Option("--check", help="Build nothing: report on the notes, and write a sheet.")
    ] = False,
    strict: Annotated[
        bool, Option("--strict", help="Stop at the first unusable note, rather than leave it out.")
    ] = False,
    rebuild: Annotated[
        bool, Option("--rebuild", help="Replace a data set whose settings or source changed.")
    ] = False,
) -> None:
    """Build a data set: notes from a source, and a twin of each for every effect.

    What is left out or doubtful is printed, and shown in the page sheet.html with all notes.
    """
    from reverbsynth.data.build import build_data, check_data
    from reverbsynth.data.preflight import CHECKED, SHEET

    given = {"data.source.kind": source, "data.source.path": path and str(path)}
    named = {name: value for name, value in given.items() if value is not None}
    own = _built_with(directory) if preset is None and settings is None else None
    chosen = options.resolve(preset, settings, set_, named, own)
    built = None if check else build_data(chosen, directory, strict, rebuild)
    manifest = built.manifest if built else check_data(chosen, directory, strict)
    pitches = manifest["report"].get("pitches", {}).values()
    if told := Counter(sound["pitch_from"] for sound in pitches):
        echo(f"pitches by {', '.join(f'{origin}: {n}' for origin, n in told.items())}")
    for note in manifest["skipped"]:
        echo(f"left out: {note['reason']}")
    for notice in manifest.get("notices", ()):
        echo(f"note: {notice}")
    sheet = directory / CHECKED if check and (directory / CHECKED).exists() else directory / SHEET
    if sheet.exists():
        echo(f"all notes, to look at and listen to: {sheet}")
    if built is None:
        echo(f"{len(manifest['split'])} notes can be used; nothing was built")
        return
    where = chosen.data.source.path
    if where is not None and not user_path(where).exists():
        echo(f"warning: {where}: not found; the data set is as it was built")
    counts = ", ".join(f"{built.count(split)} {split}" for split in built.splits)
    keys, noted = len(built.vocabulary("pitch")), len(built.keys(*built.splits))
    trained = len(built.keys("train"))
    if noted < keys:
        echo(f"warning: {noted} of {keys} keys have notes ({trained} in train)")
    elif trained < keys:
        echo(f"{trained} of {keys} keys are trained; data.split keeps the others for evaluate")
    echo(f"{directory}: {counts} notes ({', '.join(map(str, built.vocabulary('effect')))})")
    for label in chosen.gan.labels:
        built.vocabulary(label)  # An error where notes lack a label that a training needs.


def _built_with(directory: Path) -> Settings | None:
    """The settings of the data set that is there, if one is."""
    from reverbsynth.data.dataset import FORMAT, MANIFEST, note_files

    if not (note_files(directory) and (directory / MANIFEST).exists()):
        return None
    manifest = read_json(directory / MANIFEST, FORMAT, DataError)
    own = {"data": manifest.get("settings", {}), "seed": manifest.get("seed", 0)}
    return Settings.preset(options.DEFAULT_PRESET, **own)
