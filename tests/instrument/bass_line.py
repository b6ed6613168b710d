"""The example piece ``bass_line.mid`` as it was written."""

import mido

TICKS = 480

# Pitch (0 is a rest), length in eighths, velocity. A walking line in E minor, then a slower end.
BARS = (
    ((40, 2, 100), (43, 2, 80), (47, 2, 90), (45, 1, 70), (43, 1, 75)),
    ((40, 2, 100), (38, 1, 70), (40, 1, 80), (43, 2, 90), (42, 2, 75)),
    ((45, 2, 100), (48, 2, 80), (52, 2, 90), (50, 1, 70), (48, 1, 75)),
    ((47, 2, 100), (45, 2, 80), (43, 2, 85), (42, 2, 75)),
    ((40, 3, 110), (0, 1, 0), (40, 1, 70), (43, 1, 80), (45, 1, 85), (46, 1, 95)),
    ((47, 3, 110), (0, 1, 0), (50, 2, 90), (47, 2, 80)),
    ((45, 2, 95), (43, 2, 85), (42, 2, 80), (47, 2, 90)),
    ((40, 8, 110),),
)

TEMPI = {0: 112, 6: 96, 7: 84}
"""Beats a minute from a bar on: the piece slows down at its end."""


def bass_line() -> mido.MidiFile:
    """The example as a MIDI file of two tracks: tempi, and the line."""
    tempi, line = mido.MidiTrack(), mido.MidiTrack()
    tempi.append(mido.MetaMessage("track_name", name="Walking in E"))
    waited = 0
    for bar in range(len(BARS)):
        if bar in TEMPI:
            tempi.append(
                mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(TEMPI[bar]), time=waited)
            )
            waited = 0
        waited += 4 * TICKS
    line.append(mido.MetaMessage("track_name", name="Bass"))
    line.append(mido.Message("program_change", program=32))
    rest = 0
    for bar in BARS:
        for pitch, eighths, velocity in bar:
            length = eighths * TICKS // 2
            if pitch == 0:
                rest += length
                continue
            line.append(mido.Message("note_on", note=pitch, velocity=velocity, time=rest))
            line.append(mido.Message("note_off", note=pitch, velocity=0, time=length))
            rest = 0
    return mido.MidiFile(type=1, ticks_per_beat=TICKS, tracks=[tempi, line])
