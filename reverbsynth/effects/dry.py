"""No processing: the note as its source gave it."""

from typing import ClassVar

from reverbsynth.effects import Effect


class Dry(Effect):
    """The note itself."""

    kind: ClassVar[str] = "dry"

    def prepare(self):
        return {"engine": "none"}

    def process(self, audio, ids):
        return audio
