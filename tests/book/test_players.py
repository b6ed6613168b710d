"""Sounds beside the page."""

import numpy as np
import soundfile

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.book.players import MEDIA, Players, Sound


class TestPlayers:
    def test_sounds_are_as_loud_in_the_file_as_in_the_array(self, here):
        wave = 0.25 * np.sin(np.arange(NOTE_LENGTH) / 20).astype(np.float32)
        text = Players("sine", [Sound("a sine", wave)])._repr_html_()
        stored, rate = soundfile.read(MEDIA / "sine-1.wav", dtype="float32")
        assert rate == SAMPLE_RATE
        np.testing.assert_allclose(stored, wave, atol=1 / 32768)
        assert 'src="media/sine-1.wav"' in text
        assert 'preload="none"' in text
        assert "controls" in text
        assert "clipped" not in text

    def test_what_clips_says_so(self, here):
        text = Players("loud", [Sound("loud", np.array([0.0, 2.0, -3.0]))])._repr_html_()
        assert "loud (clipped)" in text
        stored, _ = soundfile.read(MEDIA / "loud-1.wav")
        np.testing.assert_allclose(stored, [0, 1, -1], atol=1e-4)

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
        np.testing.assert_allclose(stored, [0, 0.5], atol=1e-4)
