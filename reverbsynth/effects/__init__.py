"""Forms of processing. A new one is a module in this folder that subclasses `Effect`; no other
file changes.

>>> class Louder(Effect):
...     kind: ClassVar[str] = "louder"
...     def process(self, audio, ids):
...         return 2 * audio
"""

import difflib
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reverbsynth.errors import ReverbSynthError
from reverbsynth.seeds import generator
from reverbsynth.settings import EffectSettings


class Effect(BaseModel):
    """A form of processing: a name, parameters, a seed and one function.

    Subclasses declare their parameters as fields, which are validated, and set ``kind``. The same
    parameters and seed give the same output for a note, whatever other notes are processed with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]

    name: str = Field("", description="label of the processed notes")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    gain: Annotated[float, Field(gt=0, le=100)] = Field(
        1.0, description="factor on the processed audio, the same for every note"
    )

    def prepare(self) -> dict[str, Any]:
        """Check that the effect can run; what the manifest should tell of it.

        ``engine`` is what renders it; ``inputs`` are the SHA-256 of the files it reads.

        Raises
        ------
        ReverbSynthError
            When a file or a program it needs is missing or unusable.
        """
        return {"engine": "scipy"}

    def process(self, audio: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Process notes, without the gain.

        Parameters
        ----------
        audio
            float32 of shape (notes, 64000), at 16 kHz.
        ids
            Id of each note.

        Returns
        -------
        np.ndarray
            Of the same shape, cut to the input's length; samples may leave [-1, 1].
        """
        raise NotImplementedError

    def __call__(self, audio: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Process notes: float32 of shape (notes, 64000), with the gain."""
        processed = np.asarray(self.process(audio, ids))
        if processed.shape != audio.shape:
            raise ReverbSynthError(
                f"effect {self.name or self.kind}: made shape {processed.shape} of {audio.shape}"
            )
        return (self.gain * processed).astype(np.float32)

    def generator(self, *names: str) -> np.random.Generator:
        """A random generator for this effect's use called ``names`` (a note's id, for one)."""
        return generator(self.seed, "effect", self.name or self.kind, *names)


def kinds() -> dict[str, type[Effect]]:
    """Every effect of this folder and every other subclass of `Effect`, by kind."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found, queue = {}, Effect.__subclasses__()
    while queue:
        effect = queue.pop()
        queue += effect.__subclasses__()
        if "kind" in vars(effect):
            found[effect.kind] = effect
    return dict(sorted(found.items()))


def effect(kind: str, parameters: Mapping[str, Any] | None = None, **common: Any) -> Effect:
    """The effect called ``kind``, with its parameters checked.

    Raises
    ------
    ReverbSynthError
        For an unknown kind or parameter, or a value out of range.
    """
    known = kinds()
    if kind not in known:
        raise ReverbSynthError(
            f"setting data.effects: found kind {kind!r}, expected one of {', '.join(known)}"
            + _hint(kind, known)
        )
    parameters = dict(parameters or {})
    try:
        if "name" in parameters:
            raise ReverbSynthError(
                f"setting data.effects: effect {kind}: found name among the parameters, "
                "expected it beside kind"
            )
        return known[kind](**{**common, **parameters})
    except ValidationError as error:
        raise ReverbSynthError(_one_line(error, kind, known[kind])) from None


def effects(settings: Sequence[EffectSettings], seed: int) -> list[Effect]:
    """The effects of a data set, in the order of its settings; see `effect` for what is raised.

    ``seed`` is the settings'; a parameter called ``seed`` takes its place for one effect.
    """
    return [effect(one.kind, one.parameters, name=one.label, seed=seed) for one in settings]


def _one_line(error: ValidationError, kind: str, known: type[Effect]) -> str:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if not first["loc"]:
        return f"setting data.effects: effect {kind}: parameter {message}"
    parameter = ".".join(map(str, first["loc"]))
    place = f"setting data.effects: effect {kind}: parameter {parameter}"
    if first["type"] == "extra_forbidden":
        return f"{place}: no such parameter{_hint(parameter, known.model_fields)}"
    if first["type"] == "missing":
        return f"{place}: missing, expected a value"
    return f"{place}: found {first['input']!r}, {message}"


def _hint(found: str, known) -> str:
    close = difflib.get_close_matches(found, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
