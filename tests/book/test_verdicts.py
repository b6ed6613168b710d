"""What an instrument does, in words from its evaluation."""

import pytest

from reverbsynth.book.verdicts import sounds_like
from reverbsynth.evaluation.report import Report, Verdict


def report(verdict: str) -> Report:
    facts = {"stage": 8, "images_seen": 1234, "notes": {"generated": 24}, "wet": None}
    evidence = "pitch accuracy (%): 50.0 [40.0, 60.0] (ceiling 99.0)"
    return Report(facts, [], [Verdict("pitch", "It plays.", "", verdict, "", evidence, ["more"])])


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("reproduced", "It plays the pitch"),
        ("not reproduced", "It does not reliably play"),
        ("not testable", "could not be told"),
    ],
)
def test_words_follow_the_verdict(verdict, words):
    text = sounds_like(report(verdict)).data
    assert words in text
    assert "stage 8 after 1,234 images, in 24 notes" in text
    assert "Pitch accuracy (%): 50.0 [40.0, 60.0] (ceiling 99.0). Asked for, and missed: " in text
