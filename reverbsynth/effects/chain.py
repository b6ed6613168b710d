"""Several effects, one after another."""

from typing import ClassVar

from pydantic import Field, SerializeAsAny

from reverbsynth.effects import Effect, described


class Chain(Effect):
    """The effects of ``of``, in order, each of what the one before made."""

    kind: ClassVar[str] = "chain"

    of: tuple[SerializeAsAny[Effect], ...] = Field(
        min_length=1, description="the effects; in settings beside kind, not among the parameters"
    )

    def prepare(self):
        parts = [described(part) for part in self.of]
        return {"engine": " ".join(sorted({part["engine"] for part in parts})), "of": parts}

    def inputs(self):
        return {name: digest for part in self.of for name, digest in part.inputs().items()}

    def process(self, audio, ids):
        for part in self.of:
            audio = part(audio, ids)
        return audio
