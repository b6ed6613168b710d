"""What the name of a sound file tells: pitch and velocity, in the ways of sample libraries."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
_STEPS |= {"do": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11}
_SHIFTS = dict.fromkeys(("#", "♯", "s", "is", "sharp"), 1) | {"": 0}
_SHIFTS |= dict.fromkeys(("b", "♭", "es", "flat"), -1)
_STEP = "sol|do|re|mi|fa|la|si|[a-h]"
_ACCIDENTAL = "#|♯|♭|is|sharp|es|flat|s|b|"
_END = r"(?![a-z0-9])"
_DYNAMICS = {"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 127}
_DYNAMICS |= {"soft": 40, "medium": 80, "hard": 112, "loud": 112, "l": 40, "m": 80, "h": 112}
_WORDS = r"ppp|pp|mp|mf|fff|ff|soft|medium|hard|loud"
_WORDS += r"|(?<!in[-_ ])(?-i:[pf])(?![-_ ]?\d)"  # Not a horn in F.
_V, _LAYER = r"v(?:el(?:ocity)?)?[-_ ]?", r"\d{1,3}|[lmh]"
_AFTER = rf"(?={_END}|{_V}(?:{_LAYER}){_END}|(?:rr|take)[-_]?\d|(?:{_WORDS}|[lr]){_END})"
_FLAGS = re.IGNORECASE | re.ASCII
_SPELLED = re.compile(rf"({_STEP})({_ACCIDENTAL})(-?\d)([#♯♭]?)", _FLAGS)
_TIGHT = re.compile(rf"(?<![a-z0-9#])({_STEP})({_ACCIDENTAL})(\d)([#♯♭]?){_AFTER}", _FLAGS)
_LOOSE = re.compile(rf"(?<![a-z0-9#])({_STEP})({_ACCIDENTAL})[-_](\d)(){_AFTER}", _FLAGS)
_NSYNTH = re.compile(r"[a-z_]+_(?:acoustic|electronic|synthetic)_\d+-(\d{3})-(\d{3})", _FLAGS)
_MIDI = re.compile(r"(?<![a-z0-9])midi[ _-]?(\d{1,3})(?!\d)", _FLAGS)
_COUNTER = re.compile(
    r"(?<![a-z0-9])(?:note|pitch|key)[ _-]?(\d{1,3})(?!\d)|-(\d{3})-\d{3}\Z|\A(\d+)\Z", _FLAGS
)
_VELOCITY = re.compile(
    # Letters of layers only behind an octave: at the beginning of a name, vl is a violin.
    rf"(?<![a-z])(?:{_V}(\d{{1,3}})|(?:(?<=\d)|(?<=\d[-_ ])){_V}([lmh])|({_WORDS})){_END}"
    r"|-\d{3}-(\d{3})\Z",
    _FLAGS,
)


@dataclass(frozen=True)
class NameHints:
    """What a name tells in MIDI's numbers, None where it tells nothing or two things.

    ``doubtful`` is a pitch that may be a counter or a variant (``E-1``, ``note_40``, ``40``),
    ``velocity`` that of a dynamic (``mf``, ``soft``, ``vH``) or as NSynth writes it, ``layer`` the
    number after a ``v``: of a layer of velocity, or the velocity itself.
    """

    pitch: int | None = None
    doubtful: int | None = None
    velocity: int | None = None
    layer: int | None = None


def read_name(name: str, middle_c: int = 4, german: bool = False) -> NameHints:
    """What a file's name, without its suffix, tells; ``middle_c`` is the octave of MIDI 60.

    Notes may be named in English (``C#3``, ``Cs3``, ``Bb2``, ``C3#``), German (``Cis3``, ``Es3``)
    or by syllables (``Sol#3``), with a layer or a repetition behind (``A0v10``, ``C4rr2``). A minus
    before the octave is a separator. A whole name of NSynth's gives its pitch and velocity. In
    ``german`` names, B is a semitone below H, and As below A.

    >>> read_name("take 3, C#2 pp")
    NameHints(pitch=37, doubtful=None, velocity=33, layer=None)
    """
    if whole := _NSYNTH.fullmatch(name):
        pitch, velocity = map(int, whole.groups())
        return NameHints(_checked({pitch}), None, _checked({velocity}, 1))
    sure = {_pitch(parts, middle_c, german) for parts in _TIGHT.findall(name)}
    sure |= {int(number) for number in _MIDI.findall(name)}
    loose = {_pitch(parts, middle_c, german) for parts in _LOOSE.findall(name)}
    loose = loose or {int("".join(groups)) for groups in _COUNTER.findall(name)}
    found = _VELOCITY.findall(name)
    layers = {int(layer) for layer, *_ in found if layer}
    words = {_DYNAMICS[w.lower()] for _, letter, word, _ in found if (w := letter or word)}
    endings = {int(ending) for *_, ending in found if ending}
    return NameHints(
        _checked(sure),
        None if sure else _checked(loose),
        _checked(words or (set() if sure else endings), 1),
        _checked(layers),
    )


def spelled_pitch(text: str, middle_c: int = 4, german: bool = False) -> int | None:
    """The pitch of a whole text that is a note's name with its octave, which may be negative."""
    match = _SPELLED.fullmatch(text.strip())
    return _pitch(match.groups(), middle_c, german) if match else None


def are_german(names: Iterable[str]) -> bool:
    """Whether one of the names calls its only note H."""
    return ["h"] in ([step.lower() for step, *_ in _TIGHT.findall(name)] for name in names)


def _pitch(parts: tuple[str, ...], middle_c: int, german: bool) -> int:
    step, before, octave, after = (part.lower() for part in parts)
    accidental = before or after
    flats = ("es", "as", "b") if german else ("es",)
    shift = -1 if step + accidental in flats else _SHIFTS[accidental]
    return _STEPS[step] + shift + 12 * (int(octave) + 5 - middle_c)


def _checked(values: set[int], least: int = 0) -> int | None:
    """The only one of the values, where it is one that MIDI has."""
    value = next(iter(values)) if len(values) == 1 else -1
    return value if least <= value <= 127 else None
