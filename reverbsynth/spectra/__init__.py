"""Waveform, spectrum and image: pure functions over `keras.ops`."""

from reverbsynth.spectra.representation import IMAGE_SHAPE, Representation

__all__ = ["IMAGE_SHAPE", "Representation"]
