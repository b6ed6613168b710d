"""The paper's reverb: Schroeder allpass filters in series (REFERENCE: SuperCollider's AllpassN)."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from scipy.signal import lfilter

from reverbsynth.data.effects import Effect
from reverbsynth.settings import SAMPLE_RATE


class Reverb(Effect):
    """Schroeder allpass filters in series, each with a random delay.

    The paper's chain has four, each with a delay drawn uniformly from 0 to 50 ms and a decay time
    of 1 s. An allpass filter keeps the energy of every frequency, so with a gain of 1 the twin of a
    note is as loud as the note (but for what its tail carries past the end of the clip).
    """

    kind: ClassVar[str] = "reverb"

    delays: Literal["dataset", "note"] = Field(
        "dataset", description="drawn once for the data set, or anew for every note (the paper)"
    )
    stages: Annotated[int, Field(ge=1, le=64)] = 4
    max_delay: Annotated[float, Field(gt=0, le=4)] = Field(0.05, description="seconds")
    decay: Annotated[float, Field(gt=0, le=60)] = Field(
        1.0, description="seconds in which each filter's echoes fall by 60 dB"
    )

    def process(self, audio, ids):
        if self.delays == "dataset":
            return allpass_chain(audio, self.draw(), self.decay)
        return np.stack(
            [allpass_chain(note, self.draw(id), self.decay) for note, id in zip(audio, ids)]
        )

    def draw(self, *names: str) -> np.ndarray:
        """The filters' delays in seconds, float32 of shape (stages,)."""
        random = self.generator("delays", *names)
        return random.uniform(0, self.max_delay, self.stages).astype(np.float32)


def allpass_chain(audio: np.ndarray, delays: np.ndarray, decay: float) -> np.ndarray:
    """Filter ``audio`` (samples last) through one `allpass` for each delay, in series."""
    wave = np.asarray(audio, np.float64)
    for delay in np.asarray(delays, np.float32):
        wave = allpass(wave, delay, decay)
    return wave.astype(np.float32)


def allpass(audio: np.ndarray, delay: np.float32, decay: float) -> np.ndarray:
    """A Schroeder allpass filter, as SuperCollider's ``AllpassN`` computes it.

    ``y[n] = -g x[n] + x[n - d] + g y[n - d]``, of which every ``d``-th sample is a first-order
    filter of its own, so that SciPy runs ``d`` of them side by side.

    Parameters
    ----------
    audio
        Samples in the last axis, at 16 kHz.
    delay
        Seconds. ``d`` is the whole part of its product with the sample rate in single precision,
        at least 1 (AllpassN does not interpolate).
    decay
        Seconds in which the echoes fall by 60 dB: ``g = 10^(-3 delay / decay)``.
    """
    period = max(int(np.float32(delay) * np.float32(SAMPLE_RATE)), 1)
    feedback = 10 ** (-3 * float(delay) / decay)
    samples = audio.shape[-1]
    padding = [(0, 0)] * (audio.ndim - 1) + [(0, -samples % period)]
    phases = np.pad(audio, padding).reshape(*audio.shape[:-1], -1, period)
    filtered = lfilter([-feedback, 1.0], [1.0, -feedback], phases, axis=-2)
    return filtered.reshape(*audio.shape[:-1], -1)[..., :samples]
