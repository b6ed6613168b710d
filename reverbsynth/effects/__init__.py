"""Forms of processing.

A new one is a module in this folder that subclasses `Effect`; no other file changes.

>>> class Louder(Effect):
...     kind: ClassVar[str] = "louder"
...     def process(self, audio, ids):
...         return 2 * audio
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.errors import SettingsError, did_you_mean
from reverbsynth.seeds import generator
from reverbsynth.settings import EffectSettings, one_line


class Effect(BaseModel, frozen=True, extra="forbid"):
    """A form of processing; subclasses declare their parameters as fields, and set ``kind``.

    A note's output depends on parameters and seed alone, not on the notes processed with it.
    """

    kind: ClassVar[str]

    name: str = Field(default="", description="label of the processed notes")
    seed: int = Field(default=0, ge=0, lt=2**32)
    gain: float = Field(default=1.0, gt=0, le=100, description="factor on every processed note")

    def prepare(self) -> dict[str, Any]:
        """Check that the effect can run, and describe it for the manifest by its ``engine``."""
        return {"engine": "scipy"}

    def inputs(self) -> dict[str, str]:
        """SHA-256 of the files that the effect reads, by path."""
        return {}

    def process(self, audio: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Process notes, float32 [shape=(notes, 64000)], without the gain, cut to their length."""
        raise NotImplementedError

    def __call__(self, audio: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Process notes, with the gain, as float32 [shape=(notes, 64000)]."""
        processed = np.asarray(self.process(audio, ids))
        if processed.shape != audio.shape:
            made = f"made shape {processed.shape} of {audio.shape}"
            raise SettingsError(f"effect {self.name or self.kind}: {made}")
        return (self.gain * processed).astype(np.float32)

    def impulse_response(self, name: str = "impulse") -> np.ndarray:
        """What it makes of a single sample of 1, in a note of id ``name`` [shape=(64000,)]."""
        return self(np.eye(1, NOTE_LENGTH, dtype=np.float32), [name])[0]

    def generator(self, *names: str) -> np.random.Generator:
        """A random generator for one use of this effect, such as the id of a note."""
        return generator(self.seed, "effect", self.name or self.kind, *names)


def kinds() -> dict[str, type[Effect]]:
    """Every effect of this folder and every other subclass of `Effect`, by kind."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    known, queue = {}, Effect.__subclasses__()
    while queue:
        effect = queue.pop()
        queue += effect.__subclasses__()
        if "kind" in vars(effect):
            known[effect.kind] = effect
    return dict(sorted(known.items()))


def effect(kind: str, parameters: Mapping[str, Any] | None = None, **common: Any) -> Effect:
    """The effect called ``kind``; a `SettingsError` where its parameters are none of its own."""
    known = kinds()
    if kind not in known:
        expected = f"expected one of {', '.join(known)}{did_you_mean(kind, known)}"
        raise SettingsError(f"setting data.effects: found kind {kind!r}, {expected}")
    for beside in {"name", "of"} & set(parameters or {}):
        found = f"setting data.effects: effect {kind}: found {beside} among the parameters"
        raise SettingsError(f"{found}, expected it beside kind")
    try:
        return known[kind](**{**common, **(parameters or {})})
    except ValidationError as error:
        origin = f"setting data.effects: effect {kind}"
        raise SettingsError(one_line(error, origin, "parameter", known[kind])) from None


def effects(settings: Sequence[EffectSettings], seed: int) -> list[Effect]:
    """The effects of a data set, in order; a parameter ``seed`` replaces the data set's for one."""

    def made(each: EffectSettings) -> Effect:
        own = each.parameters.get("seed", seed)
        parts: dict[str, Any] = {"of": effects(each.of, own)} if each.of else {}
        return effect(each.kind, each.parameters, name=each.label, seed=seed, **parts)

    return [made(each) for each in settings]


def described(effect: Effect) -> dict[str, Any]:
    """What a data set's manifest says of an effect; a mistake in it is an error."""
    return {
        "name": effect.name,
        "kind": effect.kind,
        "parameters": effect.model_dump(mode="json", exclude={"name", "of"}),
        **effect.prepare(),
        **({"inputs": inputs} if (inputs := effect.inputs()) else {}),
    }
