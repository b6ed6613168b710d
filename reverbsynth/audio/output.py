"""How a sound leaves the package: its sample rate, channels and loudness."""

import warnings
from dataclasses import dataclass
from math import inf, log10
from pathlib import Path

import numpy as np
import soxr

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.io import write_audio
from reverbsynth.errors import SettingsError

OUTPUT_RATES = (16_000, 44_100, 48_000)

PEAK = 10 ** (-1 / 20)  #: Loudest sample of a sound brought to its peak: -1 dB of full scale.
_BLOCK = 0.4  # Seconds that BS.1770 measures at once.


@dataclass(frozen=True)
class Output:
    """How sounds at 16 kHz are written: at one of `OUTPUT_RATES`, ``stereo`` as two equal channels.

    ``loudness`` is ``true`` (as generated), ``peak`` (the loudest sample at -1 dB of full scale) or
    in LUFS (ITU-R BS.1770), such as ``-16``. What would be beyond full scale is turned down.
    """

    rate: int = SAMPLE_RATE
    stereo: bool = False
    loudness: str = "true"

    def __post_init__(self) -> None:
        if self.rate not in OUTPUT_RATES:
            known = ", ".join(map(str, OUTPUT_RATES))
            raise SettingsError(f"rate: found {self.rate}, expected one of {known}")
        try:
            right = self.loudness in ("true", "peak") or -70 < float(self.loudness) <= 0
        except ValueError:
            right = False
        if not right:
            expected = "expected true, peak or LUFS such as -16"
            raise SettingsError(f"loudness: found {self.loudness}, {expected}")

    def write(self, path: Path | str, audio: np.ndarray) -> str:
        """Write a sound [shape=(n,)]; returns what was done about its level, or nothing."""
        audio = self.resampled(audio)
        loudest = float(np.abs(audio).max(initial=0))
        limit, wanted = (1.0, loudest) if self.loudness == "true" else (PEAK, PEAK)
        if self.loudness not in ("true", "peak") and loudest > 0:
            found = loudness(audio, self.rate) + (10 * log10(2) if self.stereo else 0)
            # What is too quiet to have a loudness is left as it is.
            gain = (float(self.loudness) - found) / 20 if found > -inf else 0.0
            wanted = loudest * 10**gain
        self.write_raw(path, audio * (min(wanted, limit) / loudest) if loudest > 0 else audio)
        if wanted <= limit:
            return ""
        return (
            f"scaled down: the loudest sample would be {wanted:.2f}, expected {limit:.2f} at most"
        )

    def write_raw(self, path: Path | str, audio: np.ndarray) -> None:
        """Write a sound that is at this rate already, at its own level."""
        write_audio(path, np.column_stack([audio, audio]) if self.stereo else audio, self.rate)

    def resampled(self, audio: np.ndarray) -> np.ndarray:
        """A sound at this rate, float32 [shape=(samples,)]."""
        if self.rate == SAMPLE_RATE:
            return audio
        return soxr.resample(np.asarray(audio, np.float32), SAMPLE_RATE, self.rate, quality="VHQ")


def loudness(audio: np.ndarray, rate: int = SAMPLE_RATE) -> float:
    """Integrated loudness of a sound [shape=(n,)] in LUFS (ITU-R BS.1770-4); -inf for silence."""
    import pyloudnorm

    padded = np.pad(audio, (0, max(0, int(_BLOCK * rate) + 1 - len(audio))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of silence, whose logarithm is taken
        return float(pyloudnorm.Meter(rate).integrated_loudness(padded))
