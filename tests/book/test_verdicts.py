"""What an instrument does, in words from its evaluation."""

import pytest

from reverbsynth.book.verdicts import sounds_like
from reverbsynth.evaluation.bootstrap import Measure
from reverbsynth.evaluation.report import Report, Row, Verdict


class TestVerdicts:
    def report(self, verdict: str) -> Report:
        known, unknown = Measure(0.5, 0.4, 0.6, 9), Measure(missing_reason="too few notes")
        rows = [
            Row("pitch.accuracy", "Pitch", "pitch accuracy", "%", 1, known, known, known),
            Row("pitch.cents", "Pitch", "cents", "cents", 1, known, known, unknown),
        ]
        facts = {"stage": 8, "images_seen": 1234, "notes": {"generated": 24}, "wet": None}
        verdicts = [Verdict("pitch", "It plays.", "", verdict, "", "")]
        return Report(facts, rows, verdicts)

    @pytest.mark.parametrize(
        ("verdict", "words"),
        [
            ("reproduced", "It plays the pitch"),
            ("not reproduced", "It does not reliably play"),
            ("not testable", "could not be told"),
        ],
    )
    def test_words_follow_the_verdict(self, verdict, words):
        text = sounds_like(self.report(verdict)).data
        assert words in text
        assert "stage 8 after 1,234 images, in 24 notes" in text
        share = "50.0 [40.0, 60.0]\u00a0%"
        assert f"requested pitch in {share} (ceiling {share})" in text

    def test_what_was_not_measured_is_left_out(self):
        assert "cents" not in sounds_like(self.report("reproduced")).data
