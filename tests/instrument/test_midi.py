"""MIDI: what the reader hears, what is rendered, and damaged files."""

import io
from dataclasses import replace

import mido
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.io import write_audio
from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.examples import BASS_LINE
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.midi import PEAK, part_lines, render
from reverbsynth.instrument.midi_file import MidiNote, choose, read_midi
from reverbsynth.instrument.release import released
from reverbsynth.instrument.resampling import transposed
from tests.instrument.bass_line import bass_line


@pytest.fixture(scope="module")
def instrument(fixtures):
    return Instrument.from_original(fixtures / "original_run")


HEADER = b"MThd\0\0\0\6\0\1\0\1\0\x60"
NOTE = b"\0\x90\x28\x40\x60\x80\x28\x40"


def track(events: bytes) -> bytes:
    return b"MTrk" + len(events).to_bytes(4, "big") + events


def on(note, time=0, channel=0, velocity=100):
    return mido.Message("note_on", note=note, velocity=velocity, time=time, channel=channel)


def off(note, time=0, channel=0):
    return mido.Message("note_off", note=note, time=time, channel=channel)


def pedal(value, time=0, channel=0):
    return mido.Message("control_change", control=64, value=value, time=time, channel=channel)


def saved(path, *tracks, kind=1, ticks=100):
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for messages in tracks:
        track = mido.MidiTrack(messages)
        file.tracks.append(track)
    file.save(path)
    return path


def times(notes):
    return [(round(note.start, 4), round(note.end, 4), note.pitch) for note in notes]


def test_tempo_changes_hold_for_all_tracks(tmp_path):
    tempi = [
        mido.MetaMessage("set_tempo", tempo=500_000),
        mido.MetaMessage("set_tempo", tempo=1_000_000, time=100),
    ]
    path = saved(tmp_path / "a.mid", tempi, [on(40), off(40, 100), on(41), off(41, 100)])
    assert times(choose(read_midi(path))) == [(0, 0.5, 40), (0.5, 1.5, 41)]


def test_a_pedal_holds_notes_until_it_is_lifted_or_they_are_struck_again(tmp_path):
    path = saved(
        tmp_path / "a.mid",
        [
            *(pedal(127), on(40), off(40, 100), on(43, 100), off(43, 100)),
            *(on(40, 100), off(40, 100), pedal(0, 100)),
        ],
    )
    expected = [(0, 2, 40), (1, 3, 43), (2, 3, 40)]
    assert times(choose(read_midi(path))) == expected


def test_a_pedal_on_another_track_of_the_channel_counts(tmp_path):
    path = saved(tmp_path / "a.mid", [pedal(127), pedal(0, 400)], [on(40), off(40, 100)])
    assert times(choose(read_midi(path))) == [(0, 2, 40)]


def wheel(share, time=0, channel=0):
    return mido.Message("pitchwheel", pitch=int(8191.5 * share), time=time, channel=channel)


def control(number, value):
    return mido.Message("control_change", control=number, value=value)


def test_wheels_bend_notes_by_their_range(tmp_path):
    twelve = [control(101, 0), control(100, 0), control(6, 12), control(38, 50)]
    path = saved(
        tmp_path / "a.mid",
        [on(40), wheel(0.5, 50), wheel(0, 200), off(40, 10)],
        [*twelve, wheel(-1, 400), on(40), off(40, 100)],
        [on(43, channel=1), off(43, 600, channel=1)],
    )
    first, second, other = choose(read_midi(path))[::2] + choose(read_midi(path))[1:2]
    assert other.bend == ((0.0, 0.0),)
    seconds, semitones = np.transpose(first.bend)
    # The last bends its tail.
    assert seconds.tolist() == [0, 0.25, 1.25, 2.0]
    assert semitones == pytest.approx([0, 6.25, 0, -12.5], abs=2e-3)
    assert second.bend == ((2.0, pytest.approx(-12.5, abs=2e-3)),)


def test_other_parameters_leave_the_range(tmp_path):
    tuning = [control(101, 0), control(100, 1), control(6, 64)]
    path = saved(tmp_path / "a.mid", [*tuning, wheel(1), on(40), off(40, 100)])
    (note,) = choose(read_midi(path))
    assert note.bend[0][1] == pytest.approx(2, abs=1e-3)
    # After a maker's own parameter (NRPN) nothing sets the range until it is chosen again.
    makers = [control(101, 0), control(100, 0), control(99, 1), control(98, 8), control(6, 64)]
    path = saved(tmp_path / "b.mid", [*makers, wheel(1), on(40), off(40, 100)])
    assert choose(read_midi(path))[0].bend == note.bend


def test_overlapping_notes_of_one_pitch_end_in_order(tmp_path):
    path = saved(tmp_path / "a.mid", [on(40), on(40, 100), off(40, 100), off(40, 100)])
    assert times(choose(read_midi(path))) == [(0, 1, 40), (0.5, 1.5, 40)]


def test_a_note_without_an_end_lasts_to_the_end_of_the_piece(tmp_path):
    end = mido.MetaMessage("end_of_track", time=400)
    path = saved(tmp_path / "a.mid", [on(40), on(43, 100), off(43, 100), end])
    assert times(choose(read_midi(path))) == [(0, 3, 40), (0.5, 1, 43)]


def test_drums_are_left_out_and_parts_can_be_chosen(tmp_path):
    path = saved(
        tmp_path / "a.mid",
        [mido.MetaMessage("track_name", name="line"), on(40), off(40, 100)],
        [on(36, channel=9), off(36, 100, channel=9)],
        [on(52), off(52, 100)],
    )
    parts = read_midi(path)
    assert [(part.number, part.name, part.drums) for part in parts] == [
        (1, "line", False),
        (2, "", True),
        (3, "", False),
    ]
    assert [note.pitch for note in choose(parts)] == [40, 52]
    assert [note.pitch for note in choose(parts, [3])] == [52]
    assert [note.pitch for note in choose(parts, ["Line", "3"])] == [40, 52]
    assert part_lines(parts, {1: "laptop", 3: "laptop, reverb"}) == [
        "1  line     channel 1   1 notes  E2 to E2  laptop",
        "2  unnamed  channel 10  1 notes  C2 to C2  skipped: drums",
        "3  unnamed  channel 1   1 notes  E3 to E3  laptop, reverb",
    ]
    with pytest.raises(ReverbSynthError, match=r"track: found 4, expected one of 1 \(line\)"):
        choose(parts, [4])


def test_the_example_is_what_its_function_writes():
    written = io.BytesIO()
    bass_line().save(file=written)
    assert written.getvalue() == BASS_LINE.read_bytes()
    assert len(choose(read_midi(BASS_LINE))) == 32


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty, expected a MIDI file"),
        (b"Twelve bars", "begins with 'Twelve bars', expected a MIDI file"),
        (b"RIFF1234WAVE", "begins with 'RIFF1234WAVE', expected"),
        (HEADER[:9], "is cut off: its header has 9 of 14 bytes"),
        (HEADER + b"MTrk\0\0\0\x54\0\x90\x28\x40", "a track has 4 of its 84 bytes"),
        (HEADER + b"MTrk\0\0\0\3\0\x90\x28", "track 1 ends within an event"),
        (HEADER + b"MTrk\0\0\0\3\0\x28\x40", "track 1 begins with data"),
        (b"MThd\0\0\0\6\0\2\0\0\0\x60", "format 2"),
        (b"MThd\0\0\0\6\0\1\0\0\0\0", "0 ticks a beat"),
        (b"MThd\0\0\0\6\0\1\0\0\xe7\x28", "SMPTE"),
        (b"MThd\0\0\0\6\0\1\0\0\0\x60", "found no notes"),
    ],
)
def test_files_that_are_no_piece_are_refused_in_one_line(tmp_path, content, reason):
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    with pytest.raises(ReverbSynthError, match=reason) as caught:
        read_midi(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_piece_of_days_is_refused(tmp_path):
    path = saved(tmp_path / "a.mid", [on(40), off(40, 0x0FFFFFF)], ticks=1)
    with pytest.raises(ReverbSynthError, match="expected at most 2 hours"):
        read_midi(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(HEADER + track(b"\0\xff\x59\2\x20\7" + NOTE), id="a key with 32 sharps"),
        pytest.param(HEADER + track(b"\0\xff\x51\1\1" + NOTE), id="a tempo of one byte"),
        pytest.param(HEADER + track(b"\0\xff\x58\0" + NOTE), id="a metre of no bytes"),
        pytest.param(HEADER + track(b"\0\xff\x03\2\xe9\xff" + NOTE), id="a name in Latin-1"),
        pytest.param(HEADER + b"XFIH\0\0\0\2ab" + track(NOTE), id="a foreign chunk"),
        pytest.param(HEADER + track(NOTE) + b"XF", id="two bytes too many"),
        pytest.param(
            HEADER + track(b"\0\x90\x28\x40\0\xf0\2\x7e\xf7\x60\x28\0"),
            id="running status after a system message",
        ),
        pytest.param(
            b"RIFF\0\0\0\0RMIDINFO\1\0\0\0x\0data"
            + len(HEADER + track(NOTE)).to_bytes(4, "little")
            + HEADER
            + track(NOTE),
            id="rmi",
        ),
        pytest.param(HEADER + track(NOTE + b"\xff\xff\xff\x7f\xff\x2f\0"), id="an end days away"),
        pytest.param(HEADER + track(NOTE + b"\xff\xff\xff\x7f\xb0\7\0"), id="a volume days away"),
    ],
)
def test_what_makes_no_sound_costs_no_sound(tmp_path, content):
    path = tmp_path / "a.mid"
    path.write_bytes(content)
    assert times(choose(read_midi(path))) == [(0, 0.5, 40)]


@pytest.mark.parametrize("ending", [120, 121, 123])
def test_every_controller_that_ends_sound_ends_it(tmp_path, ending):
    last = mido.Message("control_change", control=ending, time=100)
    end = mido.MetaMessage("end_of_track", time=400)
    path = saved(tmp_path / "a.mid", [pedal(127), on(40), off(40, 100), last, end])
    assert times(choose(read_midi(path))) == [(0, 1, 40)]


def test_a_reset_turns_the_wheel_back(tmp_path):
    path = saved(tmp_path / "a.mid", [wheel(1), control(121, 0), on(40), off(40, 100)])
    assert choose(read_midi(path))[0].bend[0][1] == 0


def test_volume_and_expression_set_the_level_of_notes_that_follow(tmp_path, instrument):
    levels = [control(7, 50), on(40), control(11, 0), off(40, 100)]
    silent = [on(43), control(121, 0), off(43, 100)]
    path = saved(tmp_path / "a.mid", [*levels, *silent, on(43), off(43, 100)])
    notes = choose(read_midi(path))
    assert [note.level for note in notes] == [0.25, 0, 0.25]
    quiet = notes[0].level * render(instrument, [replace(notes[0], level=1.0)], seed=1).mix
    assert np.allclose(render(instrument, notes[:1], seed=1).mix, quiet, atol=1e-6)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ReverbSynthError, match=r"none\.mid: cannot be read"):
        read_midi(tmp_path / "none.mid")


def read_or_reason(path):
    """Notes, or what the refusal says."""
    try:
        return [note for part in read_midi(path) for note in part.notes], None
    except ReverbSynthError as error:
        return [], str(error)


damage = st.lists(
    st.tuples(st.integers(0, 400), st.binary(max_size=4), st.integers(0, 6)), max_size=6
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=damage, length=st.integers(0, 500))
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path_factory, edits, length):
    content = bytearray(BASS_LINE.read_bytes())
    for place, inserted, removed in edits:
        content[place : place + removed] = inserted
    path = tmp_path_factory.getbasetemp() / "damaged.mid"
    path.write_bytes(bytes(content[:length]))
    notes, reason = read_or_reason(path)
    assert bool(notes) != bool(reason)
    if reason:
        assert "\n" not in reason
        assert reason.startswith(str(path))
    assert all(0 <= note.start <= note.end for note in notes)
    assert all(0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 for note in notes)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=200))
def test_noise_after_a_header_is_read_or_refused_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "noise.mid"
    header = b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk" + len(content).to_bytes(4, "big")
    path.write_bytes(header + content)
    notes, reason = read_or_reason(path)
    assert bool(notes) != bool(reason)
    assert "\n" not in (reason or "")


def test_the_envelope_is_the_originals():
    note = np.ones(NOTE_LENGTH, np.float32)
    gain = released(note, 1.0)
    assert len(gain) == 1.3 * SAMPLE_RATE
    assert gain[0] == 0
    assert gain[160] == 1
    assert gain[16_000] == 1
    assert gain[-1] == 0
    assert len(released(note, 9.0)) == round(3.3 * SAMPLE_RATE)


def test_a_piece_is_normalized_and_as_long_as_its_notes(instrument):
    notes = [MidiNote(0.0, 0.5, 40, 127), MidiNote(0.4, 1.0, 47, 30), MidiNote(0.4, 9.0, 52, 60)]
    done = render(instrument, notes, seed=1)
    assert done.audio.dtype == np.float32
    assert len(done.audio) == round(3.7 * SAMPLE_RATE) + 1
    assert np.abs(done.audio).max() == pytest.approx(PEAK, rel=1e-5)
    assert (done.notes, done.generated) == (3, 3)
    assert np.array_equal(done.audio, render(instrument, notes, seed=1).audio)
    assert not np.array_equal(done.audio, render(instrument, notes, seed=2).audio)


def test_parts_rendered_apart_sound_together(instrument):
    notes = [MidiNote(0.0, 0.5, 40, 127), MidiNote(0.4, 1.0, 47, 30)]
    both = render(instrument, notes, seed=1, every=0)
    first, second = (render(instrument, [note], seed=1, every=0) for note in notes)
    apart = first + second
    assert np.abs(both.audio - apart.audio).max() < 1e-6
    assert (apart.notes, apart.generated) == (2, 2)


def test_repeated_notes_are_generated_once_and_sound_alike(instrument):
    notes = [MidiNote(0.0, 0.2, 40, 100), MidiNote(1.0, 1.2, 40, 100), MidiNote(1.0, 1.2, 40, 100)]
    steady = render(instrument, notes, seed=1, every=0)
    assert (steady.notes, steady.generated) == (3, 1)
    second = steady.audio[SAMPLE_RATE : SAMPLE_RATE + 8000]
    assert np.allclose(second, 2 * steady.audio[:8000], atol=1e-6)
    moving = render(instrument, notes, seed=1, every=2.0)
    assert moving.generated == 2


def test_bends_transpose_notes_and_glide(instrument):
    steady, bent = (
        render(instrument, [MidiNote(0.0, 3.0, pitch, 127, bend)], seed=1)
        for pitch, bend in ((42, ((0.0, 0.0),)), (40, ((0.0, 2.0),)))
    )
    assert np.array_equal(steady.audio, bent.audio)
    glide = MidiNote(0.0, 3.0, 42, 127, ((0.0, 0.0), (1.0, 12.0)))
    done = render(instrument, [glide], seed=1, every=0)
    wave = instrument.notes([42], z=instrument.latents(1, 1)[0])[0]
    # After 3 s it has come to what it is after 5 s, or would be: its release has begun before.
    ended = released(wave, 5.0)
    expected = transposed(ended, np.where(np.arange(len(ended)) < SAMPLE_RATE, 0.0, 12.0))
    expected *= PEAK / np.abs(expected).max()
    assert np.abs(done.audio[: len(ended)] - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("pitch", "semitones", "held"), [(77, 6, 1.0), (77, 3, 0.4), (28, -7, 0.5)]
)
def test_a_resampled_note_goes_on_from_its_own_release(pitch, semitones, held):
    """Which lies earlier in it the higher it is played; a web page resamples as it plays, too."""
    laptop, wet = Instrument.load("laptop"), {"effect": "reverb"}
    note = MidiNote(0.0, held, pitch, 127)
    done = render(laptop, [note], seed=1, every=0, tune=100 * semitones, release="tail", **wet)
    wave = laptop.notes([pitch], z=laptop.latents(1, 1)[0], **wet)[0]
    speed = 2 ** (semitones / 12)
    ended = released(wave, held * speed, "tail")
    expected = transposed(np.pad(ended, (0, len(ended))), semitones)[: len(done.audio)]
    expected *= PEAK / np.abs(expected).max()
    assert np.abs(done.audio[: len(expected)] - expected).max() < 1e-3
    # A second of tail, faster or slower, and little less where the release lies before its end.
    heard = np.flatnonzero(np.abs(done.audio) > 1e-6)[-1] / SAMPLE_RATE
    assert 1.0 / speed <= heard - held <= 1.0 / speed + 0.06


def test_a_note_that_is_bent_down_is_heard_to_its_end(instrument):
    notes = [MidiNote(0.0, 1.0, 40, 127, ((0.0, 0.0), (0.5, -12.0)))]
    heard = np.flatnonzero(np.abs(render(instrument, notes, seed=1).audio) > 1e-4)
    assert heard[-1] / SAMPLE_RATE == pytest.approx(0.5 + 0.25 / 0.5 + 0.3 / 0.5, abs=0.05)


def test_what_the_network_does_not_draw_is_reported(instrument):
    notes = [MidiNote(0.0, 0.1, 40, 100), MidiNote(0.0, 0.1, 43, 100, ((0.0, 0.5),))]
    done = render(instrument, notes, seed=1)
    assert done.report() == ["1 notes resampled from the nearest trained pitch (pitches 43)"]
    tuned = render(instrument, notes[:1], seed=1, tune=25)
    assert tuned.resampled == {40: 1}
    assert not np.array_equal(tuned.audio, render(instrument, notes[:1], seed=1).audio)


def test_progress_ends_at_the_number_of_generated_notes(instrument):
    seen = []
    notes = [MidiNote(i / 10, i / 10 + 0.1, 40 + i, 100) for i in range(3)]
    render(instrument, notes, seed=1, progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_pitches_outside_are_transposed_or_left_out_and_reported(instrument):
    low, high = instrument.pitches[0], instrument.pitches[-1]
    notes = [
        MidiNote(0.0, 0.1, low - 1, 100),
        MidiNote(0.0, 0.1, low, 100),
        MidiNote(0.0, 0.1, high + 1, 100),
    ]
    moved = render(instrument, notes, seed=1)
    assert moved.notes == 3
    assert moved.report() == [f"2 notes transposed by octaves (pitches {low - 1}, {high + 1})"]
    dropped = render(instrument, notes, seed=1, outside="omit")
    assert dropped.notes == 1
    assert dropped.report() == [f"2 notes left out (pitches {low - 1}, {high + 1})"]
    with pytest.raises(ReverbSynthError, match="no note to play"):
        render(instrument, notes[:1], outside="omit")


def test_a_wrong_label_is_refused_before_anything_is_generated(instrument):
    with pytest.raises(ReverbSynthError, match="label 'effect'"):
        render(instrument, [MidiNote(0, 1, 40, 100)], effect="reverb")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_sound_files_read_back(tmp_path, suffix):
    audio = (0.5 * np.sin(np.arange(300_000) * 0.05)).astype(np.float32)
    path = tmp_path / f"a{suffix}"
    write_audio(path, audio)
    found, rate = soundfile.read(path, dtype="float32")
    assert rate == SAMPLE_RATE
    assert len(found) == len(audio)
    assert np.abs(found - audio).max() < (0.05 if suffix == ".ogg" else 1e-4)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ReverbSynthError, match=r"found suffix '.mp3', expected one of .wav"):
        write_audio(tmp_path / "a.mp3", np.zeros(10))
    assert not list(tmp_path.iterdir())


def test_a_bend_counts_as_long_as_its_note_can_be_heard(tmp_path):
    held = [mido.Message("note_on", note=40), mido.Message("pitchwheel", pitch=-8192, time=5000)]
    path = saved(tmp_path / "held.mid", [*held, off(40, time=1000)])
    (part,) = read_midi(path)
    assert part.notes[0].end == pytest.approx(30)
    assert part.notes[0].bend == ((0.0, 0.0),)


def test_a_number_of_many_bytes_is_as_large_as_numbers_get(tmp_path):
    path = tmp_path / "far.mid"
    path.write_bytes(HEADER + track(NOTE + b"\xff" * 160 + b"\x7f\xff\x2f\0"))
    assert len(read_midi(path)[0].notes) == 1
    path.write_bytes(HEADER + track(NOTE + b"\xff" * 160 + b"\x7f" + NOTE[1:]))
    with pytest.raises(ReverbSynthError, match="lasts"):
        read_midi(path)


def test_notes_at_a_level_of_nothing_are_told(instrument):
    notes = [MidiNote(0, 1, 60, 100, level=0.0), MidiNote(0, 1, 60, 100), MidiNote(1, 2, 61, 1)]
    played = render(instrument, notes, seed=0, every=0)
    assert played.silent == {60: 1}
    assert any(line.startswith("1 notes silent, as their") for line in played.report())


def test_a_name_that_ends_with_nul_is_without_it(tmp_path):
    path = saved(
        tmp_path / "a.mid", [mido.MetaMessage("track_name", name="Bass\0"), on(40), off(40)]
    )
    assert [part.name for part in read_midi(path)] == ["Bass"]
