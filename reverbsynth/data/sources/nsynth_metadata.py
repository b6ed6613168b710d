"""What is known of an NSynth note, in each of NSynth's forms, and which notes are wanted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.data.dataset import integer, text
from reverbsynth.data.notes import UNKNOWN_INSTRUMENT, UNKNOWN_VELOCITY, NoteRef
from reverbsynth.errors import ReverbSynthError
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

    def entry(self, *where: str | int) -> NoteRef:
        """The note as an entry; a note without a pitch has none.

        Raises
        ------
        ValueError
            When the pitch is unknown or a value is out of range.
        """
        if self.pitch is None:
            raise ValueError("pitch is missing, expected one integer")
        for name, value in (("pitch", self.pitch), ("velocity", self.velocity or 0)):
            if not 0 <= value <= 127:
                raise ValueError(f"{name} is {value}, expected 0 to 127")
        velocity = UNKNOWN_VELOCITY if self.velocity is None else self.velocity
        return NoteRef(self.id, self.pitch, velocity, self.instrument or UNKNOWN_INSTRUMENT, where)


def from_name(name: str) -> Description | None:
    """What a name such as ``bass_acoustic_000-040-100`` tells, or None for other names."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    parts = match.groupdict()
    return Description(
        name, **{**parts, "pitch": int(parts["pitch"]), "velocity": int(parts["velocity"])}
    )


def from_json(name: str, values: Any) -> Description:
    """One value of ``examples.json``, called ``name`` there.

    Raises
    ------
    ValueError
        When a field is missing, of the wrong type, or contradicts the name.
    """
    if not isinstance(values, dict):
        raise ValueError(f"found {type(values).__name__}, expected a mapping")
    if values.get("note_str", name) != name:
        raise ValueError(f"note_str is {values['note_str']!r}, expected {name!r}")
    if values.get("sample_rate", SAMPLE_RATE) != SAMPLE_RATE:
        raise ValueError(f"sample_rate is {values['sample_rate']!r}, expected {SAMPLE_RATE}")
    qualities = values.get("qualities_str")
    if qualities is not None and not (
        isinstance(qualities, list) and all(isinstance(one, str) for one in qualities)
    ):
        raise ValueError(f"qualities_str is {qualities!r}, expected a list of names")
    found = Description(
        name,
        _typed(values, "pitch", int),
        _typed(values, "velocity", int),
        _typed(values, "instrument_str", str),
        _typed(values, "instrument_family_str", str),
        _typed(values, "instrument_source_str", str),
        None if qualities is None else frozenset(qualities),
    )
    if (told := from_name(name)) is not None:
        for field in ("pitch", "velocity", "instrument", "family", "source"):
            value, expected = getattr(found, field), getattr(told, field)
            if value not in (None, expected):
                raise ValueError(f"{field} is {value!r}, but its name says {expected!r}")
    return found


def from_features(features: Mapping[str, Any], name: str) -> Description:
    """A record of NSynth's TFRecord files, of ours, or of the paper's (audio and pitch alone).

    Raises
    ------
    ValueError
        When a field has the wrong type.
    """
    bits = features.get("qualities")
    if bits is not None and len(bits) != len(QUALITIES):
        raise ValueError(f"qualities holds {len(bits)} values, expected {len(QUALITIES)}")
    return Description(
        text(features, "note_str") or text(features, "id") or name,
        integer(features, "pitch"),
        integer(features, "velocity"),
        text(features, "instrument_str")
        or (text(features, "instrument") if _is_text(features.get("instrument")) else None),
        text(features, "instrument_family_str"),
        text(features, "instrument_source_str"),
        None
        if bits is None
        else frozenset(quality for quality, bit in zip(QUALITIES, bits, strict=True) if bit),
    )


def from_prepared(
    features: Mapping[str, Any], labels: Mapping[str, list[str]], name: str
) -> Description:
    """A record of a folder that tensorflow-datasets prepared.

    ``labels`` are the names that its integers stand for, by feature (``instrument/family``, ...).

    Raises
    ------
    ValueError
        When a field is missing or has the wrong type.
    """

    def label(field: str) -> str:
        place = integer(features, field)
        if place is None or not 0 <= place < len(labels[field]):
            raise ValueError(f"{field} is {place}, expected 0 to {len(labels[field]) - 1}")
        return labels[field][place]

    return Description(
        text(features, "id") or name,
        integer(features, "pitch"),
        integer(features, "velocity"),
        label("instrument/label"),
        label("instrument/family"),
        label("instrument/source"),
        frozenset(quality for quality in QUALITIES if integer(features, f"qualities/{quality}")),
    )


class Selection:
    """The notes that settings ask for."""

    def __init__(self, settings: NSynthSource):
        low, high = settings.pitches or (0, 127)
        self._tests = {
            "family": settings.family and (lambda found: found == settings.family),
            "source": settings.source and (lambda found: found == settings.source),
            "pitch": settings.pitches and (lambda found: low <= found <= high),
            "velocity": settings.velocities and (lambda found: found in settings.velocities),
            "qualities": settings.qualities and (lambda found: found >= set(settings.qualities)),
        }
        self._tests = {field: test for field, test in self._tests.items() if test}
        unknown = sorted(set(settings.qualities) - set(QUALITIES))
        if unknown:
            raise ReverbSynthError(
                f"setting data.source.qualities: found {unknown[0]!r}, expected of "
                + ", ".join(QUALITIES)
            )

    def __str__(self) -> str:
        return ", ".join(self._tests) or "everything"

    def wants(self, found: Description, place: str) -> bool:
        """Whether the note is wanted; ``place`` is what errors call it.

        Raises
        ------
        ReverbSynthError
            When the note does not tell what the selection asks for.
        """
        for field, test in self._tests.items():
            value = getattr(found, field)
            if value is None:
                raise ReverbSynthError(
                    f"{place}: tells no {field}, which data.source selects by (null selects all)"
                )
            if not test(value):
                return False
        return True

    def may_want(self, found: Description) -> bool:
        """Whether what is known of the note so far does not rule it out."""
        return all(
            getattr(found, field) is None or test(getattr(found, field))
            for field, test in self._tests.items()
        )


def _typed(values: Mapping[str, Any], name: str, kind: type) -> Any:
    value = values.get(name)
    if value is None:
        if name == "pitch":
            raise ValueError("pitch is missing")
        return None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, expected {kind.__name__}")
    return value


def _is_text(values: Any) -> bool:
    return bool(values) and isinstance(values[0], bytes)
