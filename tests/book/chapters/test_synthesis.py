"""Playing the instrument."""

from typing import ClassVar

import numpy as np

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.book.chapters import synthesis
from reverbsynth.settings import Settings


class TestToggles:
    def test_only_the_effect_changes_between_generated_slides(self, here, run, monkeypatch):
        class Played:
            labels: ClassVar = {"pitch": [36, 40], "effect": ["dry", "reverb"]}
            spectra = Settings().spectra
            asked: ClassVar = []

            def latents(self, n, seed):
                return np.full((n, 3), seed, np.float32)

            def images(self, pitches, z, effect):
                return np.zeros((len(pitches), 128, 1024, 2), np.float32)

            def notes(self, pitches, z, effect):
                self.asked.append((tuple(pitches), tuple(z), effect))
                return np.zeros((len(pitches), NOTE_LENGTH), np.float32)

        synthesis.generated_toggle(Played(), [36, 40], 5, run, "toggle")
        assert Played.asked == [
            ((36, 40), (5.0, 5.0, 5.0), "dry"),
            ((36, 40), (5.0, 5.0, 5.0), "reverb"),
        ]

    def test_an_instrument_without_the_label_says_so(self, run):
        class Deaf:
            labels: ClassVar = {"pitch": [36]}

        assert "no label" in synthesis.generated_toggle(Deaf(), [36], 0, run, "toggle").data
