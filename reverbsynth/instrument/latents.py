"""Latent vectors: the way from one to another, and the seeds that they are drawn by."""

import numpy as np

from reverbsynth.errors import SettingsError


def slerp(start: np.ndarray, stop: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Spherical interpolation from one latent vector to another (a share of 0 to 1).

    Shoemake, "Animating rotation with quaternion curves" (1985), as in GANSynth. Along the straight
    line between two Gaussian vectors the middle is shorter than any that training saw. The result
    is float32 [shape=(latent_size,) or, for n shares, (n, latent_size)].
    """
    share = np.asarray(share, np.float64)[..., np.newaxis]
    a, b = np.asarray(start, np.float64), np.asarray(stop, np.float64)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    cosine = np.clip(a @ b / lengths, -1, 1) if lengths > 0 else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:
        return ((1 - share) * a + share * b).astype(np.float32)
    weight_a, weight_b = np.sin((1 - share) * angle), np.sin(share * angle)
    return ((weight_a * a + weight_b * b) / np.sin(angle)).astype(np.float32)


def check_seed(seed: int | None) -> None:
    """Refuse a seed that no random generator takes: below 0, or not a whole number."""
    if seed is None or (isinstance(seed, int | np.integer) and seed >= 0):
        return
    raise SettingsError(f"seed: found {seed!r}, expected a whole number from 0")
