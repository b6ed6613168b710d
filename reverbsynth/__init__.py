"""ReverbSynth: a progressive GAN over IF-Mel spectrograms, as a reproducible paper."""
