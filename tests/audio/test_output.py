"""How a sound is written: rate, channels, loudness."""

import numpy as np
import pyloudnorm
import pytest
import soundfile

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.output import OUTPUT_RATES, PEAK, Output, loudness
from reverbsynth.errors import SettingsError

TONE = (0.25 * np.sin(2 * np.pi * 997 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
@pytest.mark.parametrize("rate", OUTPUT_RATES)
def test_a_tone_keeps_pitch_length_and_level_at_every_rate(tmp_path, rate, suffix):
    path = tmp_path / f"tone{suffix}"
    assert Output(rate, stereo=True).write(path, TONE) == ""
    found, found_rate = soundfile.read(path)
    assert (found_rate, found.shape) == (rate, (rate, 2))
    spectrum = np.abs(np.fft.rfft(found[:, 0] * np.hanning(rate)))
    assert int(spectrum.argmax()) == 997
    assert spectrum.max() * 4 / rate == pytest.approx(0.25, abs=0.005)


def test_loudness_is_that_of_the_recommendation():
    """A full-scale sine of 997 Hz is -3.01 LUFS (ITU-R BS.1770); a meter may err by 0.1 (EBU)."""
    assert loudness(4 * TONE) == pytest.approx(-3.01, abs=0.1)
    assert loudness(np.zeros(100, np.float32)) == -np.inf


def test_the_level_is_as_generated_or_at_the_peak_or_as_loud_as_asked_for(tmp_path):
    def written(audio, **options) -> tuple[np.ndarray, str]:
        remark = Output(**options).write(tmp_path / "a.wav", audio)
        return soundfile.read(tmp_path / "a.wav")[0], remark

    assert np.abs(written(TONE)[0]).max() == pytest.approx(0.25, abs=1e-3)
    assert np.abs(written(TONE, loudness="peak")[0]).max() == pytest.approx(PEAK, abs=1e-3)
    assert loudness(written(TONE, loudness="-20")[0]) == pytest.approx(-20, abs=0.05)
    both, _ = written(TONE, loudness="-20", stereo=True)
    assert pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(both) == pytest.approx(-20, abs=0.05)
    too_loud, remark = written(TONE, loudness="-1")
    assert np.abs(too_loud).max() == pytest.approx(PEAK, abs=1e-3)
    assert remark.startswith("scaled down: the loudest sample would be 1.27, expected 0.89 at")
    assert not written(0 * TONE, loudness="-20")[0].any()
    faint, remark = written(TONE / 1000, loudness="-20")  # below the gate: it has no loudness
    assert (np.abs(faint).max() < 1e-3, remark) == (True, "")
    short, _ = written(TONE[:800], loudness="-20")
    assert 0 < np.abs(short).max() <= 1


def test_what_cannot_be_written_is_refused():
    with pytest.raises(SettingsError, match="rate: found 22050, expected one of 16000"):
        Output(22_050)
    for wrong in ("loud", "3", "-90"):
        with pytest.raises(SettingsError, match=f"loudness: found {wrong}, expected true, peak"):
            Output(loudness=wrong)
