"""Where chapter 9 shows a network of several effects; the rest is tested with evaluations."""

from types import SimpleNamespace

from reverbsynth.book.chapters import effects

TWO, THREE = (SimpleNamespace(labels={"effect": range(count)}) for count in (2, 3))


def test_a_run_with_several_effects_is_not_said_to_be_missing():
    assert "that this page shows is such a run" in effects.several([THREE, TWO], 0).data
    assert "None is shown here" in effects.several([TWO, SimpleNamespace(labels={})], 0).data
