"""The format of a note: its sample rate, length and release."""

SAMPLE_RATE = 16_000  #: Samples per second (paper, section on data; NSynth).
NOTE_LENGTH = 64_000  #: Samples in a note: 4 s.
NOTE_OFF = 3.0  #: Seconds from a note's start to its release (NSynth); the tail follows.

#: Hz. Sounds are measured above it, since notes may carry a constant offset that nobody hears.
LOWEST_AUDIBLE = 20.0
