"""Sound analysis without a model: reading and writing, pitch, spectrum, reverberation."""
