"""What is known of an NSynth note, in each of NSynth's forms, and which notes are wanted."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.data import tfrecord
from reverbsynth.data.notes import UNKNOWN_INSTRUMENT, UNKNOWN_VELOCITY, Locator, NoteRef, Rejected
from reverbsynth.data.sources.files import json_pairs
from reverbsynth.data.tfrecord import Features, scalar
from reverbsynth.errors import DataError, SettingsError
from reverbsynth.settings import NSynthSource

QUALITIES = (
    "bright",
    "dark",
    "distortion",
    "fast_decay",
    "long_release",
    "multiphonic",
    "nonlinear_env",
    "percussive",
    "reverb",
    "tempo-synced",
)
"""NSynth's qualities, in the order of its bits (NSynth's data page, "Note Qualities")."""

_NAME = re.compile(
    r"(?P<instrument>(?P<family>[a-z_]+)_(?P<source>acoustic|electronic|synthetic)_\d+)"
    r"-(?P<pitch>\d{3})-(?P<velocity>\d{3})"
)

_FIELDS: dict[str, tuple[str, type[int] | type[str]]] = {
    "pitch": ("pitch", int),
    "velocity": ("velocity", int),
    "instrument": ("instrument_str", str),
    "family": ("instrument_family_str", str),
    "source": ("instrument_source_str", str),
}
"""Key and type, in JSON and in records, of what a note's name tells too."""


@dataclass(frozen=True)
class Description:
    """What is known of a note; None is unknown."""

    id: str
    pitch: int | None = None
    velocity: int | None = None
    instrument: str | None = None
    family: str | None = None
    source: str | None = None
    qualities: frozenset[str] | None = None

    def reference(self, locator: Locator) -> NoteRef:
        """The note as its source refers to it; a ValueError where its values are no note's."""
        if self.pitch is None:
            raise ValueError("pitch is missing, expected one integer")
        velocity = UNKNOWN_VELOCITY if self.velocity is None else self.velocity
        for name, value in (("pitch", self.pitch), ("velocity", velocity)):
            if not 0 <= value <= 127:
                raise ValueError(f"{name} is {value}, expected 0 to 127")
        instrument = self.instrument or UNKNOWN_INSTRUMENT
        return NoteRef(self.id, self.pitch, velocity, instrument, locator)


def from_name(name: str) -> Description | None:
    """What a name such as ``bass_acoustic_000-040-100`` tells, or None for other names."""
    if (match := _NAME.fullmatch(name)) is None:
        return None
    told: dict[str, Any] = match.groupdict()
    numbers = {field: int(told[field]) for field in ("pitch", "velocity")}
    return Description(name, **told | numbers)


def from_json(name: str, values: Any) -> Description:
    """What one value of ``examples.json`` tells, which is called ``name`` there.

    A ValueError where the name is none of a file, or a field is missing, of the wrong type, or
    contradicts the name.
    """
    if "/" in name or "\\" in name or name.startswith("."):
        raise ValueError("its name is not a file name")
    if not isinstance(values, dict):
        raise ValueError(f"found {type(values).__name__}, expected a mapping")
    for field, expected in (("note_str", name), ("sample_rate", SAMPLE_RATE)):
        if values.get(field, expected) != expected:
            raise ValueError(f"{field} is {values[field]!r}, expected {expected!r}")
    qualities = values.get("qualities_str")
    if qualities is not None:
        if not (isinstance(qualities, list) and all(isinstance(each, str) for each in qualities)):
            raise ValueError(f"qualities_str is {qualities!r}, expected a list of names")
        qualities = frozenset(qualities)
    if values.get("pitch") is None:
        raise ValueError("pitch is missing")
    named = from_name(name)
    known: dict[str, Any] = {}
    for field, (key, kind) in _FIELDS.items():
        known[field] = value = values.get(key)
        if value is not None and type(value) is not kind:
            raise ValueError(f"{key} is {value!r}, expected {kind.__name__}")
        if named and value not in (None, getattr(named, field)):
            raise ValueError(f"{field} is {value!r}, but its name says {getattr(named, field)!r}")
    return Description(name, **known, qualities=qualities)


def from_features(features: Features, name: str) -> Description:
    """What a record tells of NSynth's TFRecord files, of ours, or of the paper's (pitch alone).

    A ValueError where a field has the wrong type.
    """
    qualities = None
    if (bits := features.get("qualities")) is not None:
        if len(bits) != len(QUALITIES):
            raise ValueError(f"qualities holds {len(bits)} values, expected {len(QUALITIES)}")
        qualities = frozenset(name for name, bit in zip(QUALITIES, bits, strict=True) if bit)
    known: dict[str, Any] = {
        field: scalar(features, key, kind) for field, (key, kind) in _FIELDS.items()
    }
    # NSynth's own ``instrument`` is a number.
    named = isinstance(next(iter(features.get("instrument", ())), None), bytes)
    if not known["instrument"] and named:
        known["instrument"] = scalar(features, "instrument", str)
    id = scalar(features, "note_str", str) or scalar(features, "id", str) or name
    return Description(id, **known, qualities=qualities)


def from_prepared(labels: Mapping[str, list[str]], features: Features, name: str) -> Description:
    """What a record of a folder tells that tensorflow-datasets prepared.

    ``labels`` are the names that its integers stand for, by feature (``instrument/family``, ...).
    A ValueError where a field is missing or has the wrong type.
    """

    def label(field: str) -> str:
        number = scalar(features, field, int)
        if number is None or not 0 <= number < len(labels[field]):
            raise ValueError(f"{field} is {number}, expected 0 to {len(labels[field]) - 1}")
        return labels[field][number]

    return Description(
        scalar(features, "id", str) or name,
        scalar(features, "pitch", int),
        scalar(features, "velocity", int),
        label("instrument/label"),
        label("instrument/family"),
        label("instrument/source"),
        frozenset(name for name in QUALITIES if scalar(features, f"qualities/{name}", int)),
    )


Found = Iterator[tuple[Description, Locator]]


def described_json(file: IO[bytes], place: str, reject: Rejected) -> Iterator[Description]:
    """The notes of an ``examples.json`` that errors call ``place``; wrong ones are rejected."""
    for name, values in json_pairs(file, place):
        try:
            described = from_json(name, values)
        except ValueError as error:
            reject(name, f"{place}: note {name}: {error}")
        else:
            yield described


def described_records(
    records: Iterable[tuple[int, bytes]],
    place: str,
    file_name: str,
    reject: Rejected,
    describe: Callable[[Features, str], Description] = from_features,
) -> Iterator[tuple[int, bytes, Description]]:
    """Records with their byte offset and what they tell; wrong ones are rejected.

    A note without an id is called after the file and its number in it.
    """
    stem = file_name.split(".tfrecord")[0]
    for number, (offset, payload) in enumerate(records):
        try:
            described = describe(tfrecord.decode(payload), f"{stem}-{number:06d}")
        except ValueError as error:
            record = f"{place}: record at byte {offset}"
            reject(record, f"{record}: {error}")
        else:
            yield offset, payload, described


class Selection:
    """The notes that settings ask for."""

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
        self._tests = {field: test for field, test in tests.items() if test}
        if unknown := sorted(wanted - set(QUALITIES)):
            raise SettingsError(
                f"setting data.source.qualities: found {unknown[0]!r}, expected of "
                + ", ".join(QUALITIES)
            )

    def __str__(self) -> str:
        return ", ".join(self._tests) or "everything"

    def wants(self, note: Description, place: str | None = None) -> bool:
        """Whether a note is wanted, as far as is known.

        Where ``place`` is what errors call it, a `DataError` says what should be known and is not.
        """
        for field, test in self._tests.items():
            value = getattr(note, field)
            if value is None and place is not None:
                raise DataError(
                    f"{place}: tells no {field}, which data.source selects by (null selects all)"
                )
            if value is not None and not test(value):
                return False
        return True
