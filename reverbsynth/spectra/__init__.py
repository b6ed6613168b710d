"""Waveform, spectrum and image: pure functions over `keras.ops`."""
