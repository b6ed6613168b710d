"""What is heard of a generated note when its key is let go.

A generated note lasts 4 s and its key is let go at 3.0 s, as in the training set; what follows is
its tail, which an effect shapes. A key that is let go earlier has two ways to end:

``fade``, as in GANSynth
    The note fades out in 0.3 s, linearly, and its own tail is not heard.
``tail``, the default of an instrument with effects
    The note goes on from its own release. This is the whole rule, in samples x[n] at 16 kHz; a web
    page can follow it while it plays. Let h be the sample at which the key is let go.

    1. From h = 47,680 on (20 ms before the release) the note is heard as it is, to its end.
    2. a is x from h on, 320 samples. For each lag from 320 to 912, b is x from 48,000 - lag on,
       320 samples, all before the release. The lag with the largest ``a·b / |b|`` is taken: there
       the two are in phase (Verhelst and Roelants, "WSOLA", 1993). 912 - 320 samples are a period
       of 27 Hz.
    3. The gain is ``|a| / |b|`` and at most 10, so that the tail is as loud as a tail of a note
       let go at that level would be; 1 where b is silent.
    4. x is heard up to h, then 320 samples of (1 - i/320) a[i] + (i/320) · gain · b[i] for i from
       0, then gain · x from 48,000 - lag + 320 on, to the end of the note.

In both, the first 10 ms fade in; with ``tail`` the last 10 ms of the note fade out.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.errors import SettingsError
from reverbsynth.gan.labels import LabelSpace

ATTACK, RELEASE = 0.010, 0.3  # Seconds of a note's fade-in, and of its fade-out after its end.
LONGEST = NOTE_OFF  # Seconds after which a note's release begins at the latest.
_OFF, _CROSSFADE, _FARTHEST = int(NOTE_OFF * SAMPLE_RATE), 320, 912
_LOUDEST = 10.0


def chosen_release(release: str | None, labels: LabelSpace) -> str:
    """The way that was asked for; by default, ``tail`` where there are effects."""
    if release is None:
        return "tail" if "effect" in labels else "fade"
    if release not in ("fade", "tail"):
        raise SettingsError(f"release: found {release}, expected fade or tail")
    return release


def longest_release(release: str) -> float:
    """Seconds that a note may be heard after its key was let go."""
    return RELEASE if release == "fade" else 1.0 + _FARTHEST / SAMPLE_RATE


def released(wave: np.ndarray, seconds: float, release: str = "fade") -> np.ndarray:
    """A note [shape=(64000,)] whose key is let go after some seconds, by the rule above."""
    attack = ending = round(ATTACK * SAMPLE_RATE)
    if release == "tail":
        result = _with_tail(wave, round(seconds * SAMPLE_RATE))
    else:
        ending = round(RELEASE * SAMPLE_RATE)
        result = wave[: round(min(seconds, LONGEST) * SAMPLE_RATE) + ending].copy()
    result[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    result[-ending:] *= np.linspace(1, 0, ending, dtype=np.float32)
    return result


def _with_tail(wave: np.ndarray, held: int) -> np.ndarray:
    """Points 1 to 4 of the rule."""
    if held >= _OFF - _CROSSFADE:
        return wave.copy()
    before = wave[held : held + _CROSSFADE]
    choices = sliding_window_view(wave[_OFF - _FARTHEST : _OFF], _CROSSFADE)
    norms = np.linalg.norm(choices, axis=1)
    # Backwards, so that of equal ones the shortest lag counts, as where all are silent.
    best = len(norms) - 1 - int(np.argmax((choices @ before / np.maximum(norms, 1e-12))[::-1]))
    gain = min(np.linalg.norm(before) / norms[best], _LOUDEST) if norms[best] > 0 else 1.0
    tail = wave[_OFF - _FARTHEST + best :] * np.float32(gain)
    share = np.arange(_CROSSFADE, dtype=np.float32) / _CROSSFADE
    tail[:_CROSSFADE] = (1 - share) * before + share * tail[:_CROSSFADE]
    return np.concatenate([wave[:held], tail])
