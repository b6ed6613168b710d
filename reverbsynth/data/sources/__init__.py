"""Where notes come from: a SoundFont, NSynth in every form, a folder of sounds."""
