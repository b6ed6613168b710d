"""The options that commands share."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from reverbsynth.errors import SettingsError
from reverbsynth.settings import Settings, parse_overrides, presets

if TYPE_CHECKING:
    from reverbsynth.instrument.instrument import Instrument

DEFAULT_PRESET = "tiny"

Preset = Annotated[
    str | None,
    Option(
        help=f"One of {', '.join(presets())}. If none is named, what is there already has its own "
        f"settings, and what is new those of {DEFAULT_PRESET}."
    ),
]

SettingsFile = Annotated[Path | None, Option(help="A settings file in place of a preset.")]

Overrides = Annotated[
    list[str] | None, Option("--set", help="Override a setting: dotted.key=value. May be repeated.")
]


def resolve(
    preset: str | None,
    settings: Path | None,
    set_: list[str] | None,
    options: Mapping[str, Any] | None = None,
    own: Settings | None = None,
) -> Settings:
    """The settings that the options of a command select; those of ``options`` go below ``set_``.

    Where no preset and no file is named, they start from ``own``, or else the default preset.
    """
    overrides = {**(options or {}), **parse_overrides(set_ or [])}
    if own is not None and preset is None and settings is None:
        return own.replace(**overrides)
    if settings is None:
        return Settings.preset(preset or DEFAULT_PRESET, **overrides)
    if preset is not None:
        raise SettingsError("--preset and --settings: expected one of them")
    return Settings.load(settings, **overrides)


Source = Annotated[
    Path,
    Argument(
        help="A run directory, an instrument's file, or the name of one that comes with the "
        "package, such as laptop.",
        metavar="RUN_OR_INSTRUMENT",
    ),
]

Stage = Annotated[int | None, Option(min=0, max=12, help="Stage of the run; the last by default.")]

SoundFile = Annotated[
    Path, Option("--output", "-o", help="Sound file to write: .wav, .flac or .ogg.")
]

Rate = Annotated[int, Option(help="Sample rate of the file: 16000, 44100 or 48000.")]

Stereo = Annotated[bool, Option("--stereo", help="Two equal channels.")]

Loudness = Annotated[
    str,
    Option(
        help="true: as generated; peak: the loudest sample at -1 dB; or LUFS, such as -16. "
        "What would be beyond full scale is turned down."
    ),
]


def assignments(effect: str | None, labels: list[str] | None) -> dict[str, str]:
    """Values of labels as text, from ``--effect`` and ``--label name=value``; not of pitch."""
    result = {} if effect is None else {"effect": effect}
    for assignment in labels or []:
        name, separator, value = assignment.partition("=")
        if not separator or name == "pitch":
            raise SettingsError(f"--label {assignment}: expected name=value, and not pitch")
        if name in result:
            other = "--effect" if name == "effect" and effect is not None else "another --label"
            raise SettingsError(f"--label {assignment}: expected it or {other}, not both")
        result[name] = value
    return result


def chosen_labels(instrument: "Instrument", values: dict[str, str]) -> dict[str, Any]:
    """The result of `assignments` as values and mixtures of an instrument's labels."""
    from reverbsynth.instrument.label_mixture import parse

    instrument.check_labels(values)
    return {name: parse(name, text, instrument.labels[name]) for name, text in values.items()}
