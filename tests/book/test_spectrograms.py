"""Axes of images show what lies there."""

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.book import spectrograms
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation


class TestAxes:
    @pytest.mark.parametrize("hz", [220.0, 1000.0, 3000.0])
    @pytest.mark.parametrize("kind", ["mel", "linear"])
    def test_a_tone_lies_where_the_frequency_axis_says(self, hz, kind):
        settings = Settings().spectra.model_copy(update={"representation": kind})
        tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(NOTE_LENGTH) / SAMPLE_RATE)
        image = Representation(settings).encode_all(tone[None].astype(np.float32))[0]
        found = image[60, :, 0].argmax()
        assert abs(found - spectrograms.bin_of(hz, kind)) <= 2

    def test_a_click_lies_where_the_time_axis_says(self):
        click = np.zeros((1, NOTE_LENGTH), np.float32)
        click[0, 2 * SAMPLE_RATE] = 1
        image = Representation(Settings().spectra).encode_all(click)[0]
        frame = image[:, :, 0].mean(axis=1).argmax()
        assert abs(spectrograms.frame_time(frame) - 2) < 512 / SAMPLE_RATE
