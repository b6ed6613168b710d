import io

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.io import encode_audio
from reverbsynth.data.notes import LOUDEST, Rejected
from reverbsynth.data.sources.soundfont import SoundFont, default_soundfont, presets
from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import SoundFontSource


def source(seed=0, **settings):
    return SoundFont(SoundFontSource(**settings), seed)


def rendered(one, entries, skip=False):
    rejected = Rejected(skip)
    return list(one.read(entries, None, rejected)), rejected.notes


@pytest.fixture(scope="module")
def basses():
    """Every fifth note of the default set: forty, ten of each program."""
    one = source()
    entries = one.index(None, Rejected(False)).entries[::5]
    return rendered(one, entries)[0]


def test_the_default_set():
    entries = source().index(None, Rejected(False)).entries
    assert len(entries) == len({entry.id for entry in entries}) == 200
    assert {entry.instrument for entry in entries} == {
        "acoustic_bass",
        "electric_bass_finger",
        "electric_bass_pick",
        "fretless_bass",
    }
    assert {entry.pitch for entry in entries} == set(range(28, 78))
    assert {entry.velocity for entry in entries} == {25, 50, 75, 100, 127}


def test_velocities_are_drawn_by_the_seed_or_all_taken():
    def drawn(seed):
        entries = source(seed, programs=[33]).index(None, Rejected(False)).entries
        return [entry.velocity for entry in entries]

    assert drawn(0) == drawn(0) != drawn(1)
    every = source(programs=[33], pitches=[40, 41], every_velocity=True)
    assert len(every.index(None, Rejected(False)).entries) == 10


def test_notes_are_in_tune(basses):
    """Within 5 cents of the asked pitch, over the second half second."""
    for note in basses:
        f0 = librosa.yin(
            note.audio[8000:24_000], fmin=25, fmax=1000, sr=SAMPLE_RATE, frame_length=4096
        )
        cents = 1200 * np.log2(np.median(f0) / librosa.midi_to_hz(note.pitch))
        assert abs(cents) < 5, note.id


def test_peaks_follow_the_velocity(basses):
    for note in basses:
        peak = np.abs(note.audio).max()
        assert peak == pytest.approx(LOUDEST * note.velocity / 127, rel=1e-5)
        assert note.audio.dtype == np.float32


def test_notes_start_at_once_and_are_released(basses):
    release = round(NOTE_OFF * SAMPLE_RATE)
    sounding = 0
    for note in basses:
        level = np.abs(note.audio) / np.abs(note.audio).max()
        assert np.argmax(level > 0.05) < 0.02 * SAMPLE_RATE
        before, after = level[release - 4000 : release].max(), level[release + 8000 :].max()
        sounding += before > 0.01
        assert after < 0.1 * before or before < 0.01
    assert sounding > 20


def test_a_note_is_the_same_wherever_it_is_rendered(basses):
    one = source()
    entries = one.index(None, Rejected(False)).entries
    chosen = [entries[place] for place in (45, 5, 20)]
    for note in rendered(one, chosen)[0]:
        (same,) = [other for other in basses if other.id == note.id]
        np.testing.assert_array_equal(note.audio, same.audio)


def test_quiet_notes_are_as_clean_as_loud_ones():
    """In this font velocity is a pure gain, so that all velocities are one wave."""
    one = source(programs=[34], pitches=[40, 40], every_velocity=True)
    notes, _ = rendered(one, one.index(None, Rejected(False)).entries)
    waves = np.stack([note.audio / np.abs(note.audio).max() for note in notes])
    assert np.abs(waves - waves[-1])[:, :32_000].max() < 2e-3


def test_a_note_that_the_font_cannot_sound_is_rejected(monkeypatch):
    one = source(programs=[33], pitches=[40, 41])
    entries = one.index(None, Rejected(False)).entries
    silence = encode_audio(np.zeros(480_000), ".wav", 48_000)
    monkeypatch.setattr("midirenderer.render_wave_from", lambda *_: silence)
    with pytest.raises(
        ReverbSynthError, match=r"\.sf2: note acoustic_bass-040-.*: audio is silent"
    ):
        rendered(one, entries)
    assert rendered(one, entries, skip=True)[0] == []


def test_a_font_that_cannot_be_rendered_is_no_bad_note(monkeypatch):
    one = source(programs=[33], pitches=[40, 41])
    entries = one.index(None, Rejected(False)).entries

    def fail(*arguments):
        raise RuntimeError("broken")

    monkeypatch.setattr("midirenderer.render_wave_from", fail)
    with pytest.raises(ReverbSynthError, match=r"\.sf2: cannot be rendered \(broken\)"):
        rendered(one, entries, skip=True)


def test_presets_of_the_default_font():
    found = presets(default_soundfont().read_bytes())
    assert {(0, program) for program in range(128)} <= found
    assert (128, 0) in found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"", "not a SoundFont"),
        (b"RIFF\0\0\0\0sfbk", "has no program 33 in bank 0"),
    ],
)
def test_fonts_that_are_none(tmp_path, content, message):
    path = tmp_path / "some.sf2"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReverbSynthError, match=rf"some\.sf2: {message}"):
        source(path=path)


def test_a_bank_that_the_font_lacks():
    with pytest.raises(ReverbSynthError, match="has no program 33 in bank 77"):
        source(bank=77)


@pytest.fixture(scope="module")
def font():
    """The start of a real font, to be broken."""
    return default_soundfont().read_bytes()


@given(data=st.data())
@hypothesis_settings(max_examples=15, deadline=None)
def test_corrupted_fonts_render_or_are_one_line(font, tmp_path_factory, attempt, data):
    """Bytes changed near the start and in the tables at the end, and cuts."""
    content = bytearray(font)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(12, 300) | st.integers(len(content) - 60_000, len(content) - 9))
        content[at : at + 8] = data.draw(st.binary(min_size=8, max_size=8))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(len(content) - 60_000, len(content))) :]
    path = tmp_path_factory.mktemp("fonts") / "some.sf2"
    path.write_bytes(content)

    def render():
        one = source(path=path, programs=[33], pitches=[40, 40])
        return rendered(one, one.index(None, Rejected(False)).entries)

    found, message = attempt(render)
    assert "\n" not in message
    assert found is not None or "some.sf2: " in message


def test_the_default_font_is_read_in_place():
    assert "pretty_midi" in str(default_soundfont())
    assert io.BytesIO(default_soundfont().read_bytes()).read(4) == b"RIFF"
