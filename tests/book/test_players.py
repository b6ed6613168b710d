"""Sounds beside the page."""

import re

import numpy as np
import pytest
import soundfile

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.output import loudness
from reverbsynth.book.players import LOUDNESS, MEDIA, Players, Sound


class TestPlayers:
    def test_sounds_are_equally_loud_and_say_by_which_gain(self, here):
        tone = np.sin(np.arange(NOTE_LENGTH) / 20).astype(np.float32)
        shown = [Sound("soft", 1e-4 * tone), Sound("loud", 3.0 * tone)]
        text = Players("two", shown)._repr_html_()
        gains = list(map(float, re.findall(r'data-gain="([-+.\d]+)"', text)))
        for number, (sound, gain) in enumerate(zip(shown, gains, strict=True), 1):
            stored, rate = soundfile.read(MEDIA / f"two-{number}.wav", dtype="float32")
            assert rate == SAMPLE_RATE
            assert loudness(stored) == pytest.approx(LOUDNESS, abs=0.1)
            np.testing.assert_allclose(stored, sound.audio * 10 ** (gain / 20), atol=1e-3)
        assert gains[0] - gains[1] == pytest.approx(20 * np.log10(3e4), abs=0.2)
        assert f"{gains[0]:+.0f} dB" in text
        assert 'src="media/two-1.wav"' in text
        assert 'preload="none"' in text

    def test_a_click_is_not_clipped(self, here):
        Players("click", [Sound("click", np.eye(1, NOTE_LENGTH)[0] * 3)])
        stored, _ = soundfile.read(MEDIA / "click-1.wav")
        assert stored.max() == pytest.approx(1.0, abs=1e-3)
        assert stored[1:].max() < 1e-3

    def test_labels_are_text(self, here):
        text = Players("x", [Sound('<b> & "c"', np.zeros(4))])._repr_html_()
        assert "<b>" not in text
        assert "&lt;b&gt; &amp; &quot;c&quot;" in text

    def test_colab_gets_the_sound_itself(self, here, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "google.colab", object())
        text = Players("x", [Sound("x", np.zeros(4))])._repr_html_()
        assert 'src="data:audio/wav;base64,UklGR' in text

    def test_a_sound_that_is_not_finite_is_still_a_file(self, here):
        Players("x", [Sound("x", np.array([np.nan, 0.5], np.float32))])
        stored, _ = soundfile.read(MEDIA / "x-1.wav")
        assert stored[0] == 0 < stored[1]
