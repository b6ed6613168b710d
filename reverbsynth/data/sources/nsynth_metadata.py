"""What is known of an NSynth note, in each of NSynth's forms, and which notes are wanted."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, get_args

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.data import tfrecord
from reverbsynth.data.notes import UNKNOWN_INSTRUMENT, UNKNOWN_VELOCITY, Locator, NoteRef, Rejected
from reverbsynth.data.sources.files import json_pairs
from reverbsynth.errors import DataError
from reverbsynth.settings import NSynthSource
from reverbsynth.settings.data import Quality

#: In the order of NSynth's bits (its data page, "Note Qualities").
QUALITIES: tuple[str, ...] = get_args(Quality)
_NAME = re.compile(
    r"(?P<instrument>(?P<family>[a-z_]+)_(?P<source>acoustic|electronic|synthetic)_\d+)"
    r"-(?P<pitch>\d{3})-(?P<velocity>\d{3})"
)

_FAMILIES = (
    *("bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string"),
    *("synth_lead", "vocal"),
)
# Fields that older files hold as a number alone, and what it stands for (NSynth's data page).
_NUMBERED = {"family": _FAMILIES, "source": ("acoustic", "electronic", "synthetic")}

# Key and type, in JSON and in records, of what a note's name tells too.
_FIELDS: dict[str, tuple[str, type[int] | type[str]]] = {
    "pitch": ("pitch", int),
    "velocity": ("velocity", int),
    "instrument": ("instrument_str", str),
    "family": ("instrument_family_str", str),
    "source": ("instrument_source_str", str),
}


@dataclass(frozen=True)
class Description:
    """What is known of a note; None is unknown."""

    id: str
    pitch: int
    velocity: int | None = None
    instrument: str | None = None
    family: str | None = None
    source: str | None = None
    qualities: frozenset[str] | None = None

    def entry(self, locator: Locator) -> NoteRef:
        known = (self.velocity or UNKNOWN_VELOCITY, self.instrument or UNKNOWN_INSTRUMENT)
        return NoteRef(self.id, self.pitch, *known, locator)


def from_name(name: str) -> Description | None:
    """What a name such as ``bass_acoustic_000-040-100`` tells, or None for other names."""
    if (match := _NAME.fullmatch(name)) is None:
        return None
    told: dict[str, Any] = match.groupdict()
    numbers = {field: int(told[field]) for field in ("pitch", "velocity")}
    return Description(name, **told | numbers)


def described(id: str, values: Mapping[str, Any]) -> Description:
    """What plain values, in NSynth's or our fields, tell; a ValueError where they are wrong."""
    if (rate := values.get("sample_rate", SAMPLE_RATE)) != SAMPLE_RATE:
        raise ValueError(f"sample_rate is {rate!r}, expected {SAMPLE_RATE}")
    named = from_name(id)
    known: dict[str, Any] = {}
    for field, (key, kind) in _FIELDS.items():
        value, number = values.get(key), values.get(key.removesuffix("_str"))
        names = _NUMBERED.get(field, ())
        if value is None and type(number) is int and 0 <= number < len(names):
            value = names[number]
        elif value is None and isinstance(number, str):  # Our own records' instrument.
            value = number
        if value is not None and type(value) is not kind:
            raise ValueError(f"{key} is {value!r}, expected {kind.__name__}")
        if isinstance(value, int) and not 0 <= value <= 127:
            raise ValueError(f"{key} is {value}, expected 0 to 127")
        if named and value not in (None, getattr(named, field)):
            raise ValueError(f"{field} is {value!r}, but its name says {getattr(named, field)!r}")
        known[field] = value
    if known["pitch"] is None:
        raise ValueError("pitch is missing, expected one integer")
    return Description(id, **known, qualities=_qualities(values))


def _qualities(values: Mapping[str, Any]) -> frozenset[str] | None:
    """Names of qualities, of ten bits or of a list of names."""
    names, bits = values.get("qualities_str"), values.get("qualities")
    if names is None and bits is not None:
        if not isinstance(bits, list) or len(bits) != len(QUALITIES):
            raise ValueError(f"qualities is {bits!r}, expected {len(QUALITIES)} values")
        names = [name for name, bit in zip(QUALITIES, bits, strict=True) if bit]
    if names is None:
        return None
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
        raise ValueError(f"qualities_str is {names!r}, expected a list of names")
    return frozenset(names)


def prepared_values(labels: Mapping[str, list[str]], values: dict[str, Any]) -> dict[str, Any]:
    """A record by tensorflow-datasets in NSynth's fields; ``labels`` name its features' numbers."""
    told = dict(values)
    for field, names in labels.items():
        number = values.get(field)
        if type(number) is not int or not 0 <= number < len(names):
            raise ValueError(f"{field} is {number}, expected 0 to {len(names) - 1}")
        told[f"{field.replace('/label', '').replace('/', '_')}_str"] = names[number]
    return told | {"qualities": [values.get(f"qualities/{name}") for name in QUALITIES]}


Found = Iterator[tuple[Description, Locator]]


def described_json(file: IO[bytes], place: str, reject: Rejected) -> Iterator[Description]:
    """The notes of an ``examples.json`` that errors call ``place``; wrong ones are rejected."""
    for name, values in json_pairs(file, place):
        try:
            if "/" in name or "\\" in name or name.startswith("."):
                raise ValueError("its name is not a file name")
            if not isinstance(values, dict):
                raise ValueError(f"found {type(values).__name__}, expected a mapping")
            if (told := values.get("note_str", name)) != name:
                raise ValueError(f"note_str is {told!r}, expected {name!r}")
            note = described(name, values)
        except ValueError as error:
            reject(name, f"{place}: note {name}: {error}")
        else:
            yield note


def described_records(
    records: Iterable[tuple[int, bytes]],
    place: str,
    file_name: str,
    reject: Rejected,
    translate: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> Iterator[tuple[int, bytes, Description]]:
    """Records with their byte offset and what they tell; wrong ones are rejected."""
    stem = file_name.replace(".tfrecord", "", 1)  # Of a shard with its number.
    for number, (offset, payload) in enumerate(records):
        try:
            values = translate(tfrecord.decode(payload))
            if isinstance(quality := values.get("qualities_str"), str):
                values["qualities_str"] = [quality]  # A list of one, as records have it.
            if values.get("effect", "dry") != "dry":
                continue  # Of a data set of ours, twins; they are made anew.
            names = (values.get(name) for name in ("note_str", "origin", "id"))
            id = next(filter(None, names), f"{stem}-{number:06d}")
            note = described(str(id), values)
        except ValueError as error:
            record = f"{place}: record at byte {offset}"
            reject(record, f"{record}: {error}")
        else:
            yield offset, payload, note


class Selection:
    """The notes that settings ask for; ``dropped`` counts those known to be none of them."""

    def __init__(self, settings: NSynthSource):
        low, high = settings.pitches or (0, 127)
        wanted = frozenset(settings.qualities)
        tests = {
            "family": settings.family and (lambda family: family == settings.family),
            "source": settings.source and (lambda source: source == settings.source),
            "pitch": settings.pitches and (lambda pitch: low <= pitch <= high),
            "velocity": settings.velocities and (lambda velo: velo in settings.velocities),
            "qualities": wanted and (lambda qualities: qualities >= wanted),
        }
        self.dropped = 0
        self._tests = {field: test for field, test in tests.items() if test}

    def __str__(self) -> str:
        return ", ".join(self._tests) or "everything"

    def wants(self, note: Description, place: str | None = None) -> bool:
        """Whether a note is wanted; with a ``place``, for errors, all must be known of it."""
        for field, test in self._tests.items():
            value = getattr(note, field)
            if value is None and place is not None:
                why = "which data.source selects by (null selects all)"
                raise DataError(f"{place}: tells no {field}, {why}")
            if value is not None and not test(value):
                self.dropped += place is not None
                return False
        return True
