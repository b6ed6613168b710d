import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverbsynth.audio.note_names import NameHints, are_german, read_name, spelled_pitch

STEPS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]


@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        ("bass_acoustic_000-040-100", 40),
        ("midi40", 40),
        ("Bass midi_38 v2", 38),
        ("bass_A1", 33),
        ("Upright E1 soft", 28),
        ("C4", 60),
        ("c0", 12),
        ("F#2_take", 42),
        ("Fs2", 42),
        ("Ds4", 63),
        ("D♯4", 63),
        ("Eb4", 63),
        ("E♭4", 63),
        ("C4#", 61),
        ("CSharp4", 61),
        ("bass Bb2", 46),
        ("G9", 127),
        ("A0v10", 21),
        ("C4vH", 60),
        ("C4rr2", 60),
        ("Gb3_v3_rr1", 54),
        ("D3L", 50),
        ("Piano.ff.A4", 69),
        ("Bass.arco.mf.sulC.C2.stereo", 36),
        ("Fis3", 54),
        ("Cis2", 37),
        ("Es3", 51),
        ("Des3 leise", 49),
        ("H2", 47),
        ("Sol#3", 56),
        ("Sib3", 58),
        ("Do4", 60),
        ("060_C4", 60),
        ("note_03_E1", 28),
        ("Note 1 A1", 33),
        ("E1_take-001-002", 28),
        ("C3-vel-100-001", 48),
        ("07 - E1", 28),
        ("note2 midi40", 40),
        ("midi_40_C3", None),
        ("A9", None),
        ("C10", None),
        ("midi128", None),
        ("bass", None),
        ("take 2", None),
        ("A1 to B1", None),
        ("Bass2", None),
        ("A1b", None),
    ],
)
def test_names_of_notes(name, pitch):
    assert read_name(name).pitch == pitch


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("bass-E-1", 28),
        ("kit_A_2", 45),
        ("note-7", 7),
        ("40", 40),
        ("01", 1),
        ("bass-033-100", 33),
        ("marimba_000-060-050", 60),
        ("note_3-040-100", None),
        ("C4 note 7", None),
    ],
)
def test_what_may_be_a_counter_or_a_variant_is_doubtful(name, number):
    assert read_name(name).doubtful == number
    assert number is None or read_name(name).pitch is None


@pytest.mark.parametrize(
    ("name", "velocity", "layer"),
    [
        ("A0v10", None, 10),
        ("C4vH", 112, None),
        ("C4_vel100", None, 100),
        ("Piano.pp.A4", 33, None),
        ("C4 soft", 40, None),
        ("C4mf", 80, None),
        ("C4_p", 49, None),
        ("C4f", 96, None),
        ("Piano.p.A4", 49, None),
        ("Horn F C4", None, None),
        ("F_2", None, None),
        ("bass p2 C4", None, None),
        ("bass_acoustic_000-040-025", 25, None),
        ("marimba_000-060-050", 50, None),
        ("C4", None, None),
        ("Vibes C4", None, None),
        ("C4_vL", 40, None),
        ("Vl_A4", None, None),
        ("solo vl A4", None, None),
        ("Vl_A4_f", 96, None),
        ("horn_in_f_C4", None, None),
        ("C4_v0", None, 0),
        ("soft and loud C4", None, None),
    ],
)
def test_velocities(name, velocity, layer):
    assert (read_name(name).velocity, read_name(name).layer) == (velocity, layer)


@pytest.mark.parametrize(("middle_c", "pitch"), [(3, 60), (4, 48), (5, 36)])
def test_the_octave_of_middle_c(middle_c, pitch):
    assert read_name("C3", middle_c).pitch == pitch
    assert spelled_pitch("C3", middle_c) == pitch


@pytest.mark.parametrize(
    ("name", "english", "german"),
    [("B2", 47, 46), ("Bass_B2", 47, 46), ("As2", 46, 44), ("H2", 47, 47), ("Bb2", 46, 46)],
)
def test_german_names(name, english, german):
    assert read_name(name).pitch == english
    assert read_name(name, german=True).pitch == german
    assert spelled_pitch(name.removeprefix("Bass_"), german=True) == german


def test_one_h_makes_names_german():
    assert are_german(["C2", "Bass H1v2"])
    assert not are_german(["C2", "B1", "Horn", "Hat", "vH", "h", "Zoom H6 C3"])


def test_a_whole_text_may_name_an_octave_below_0():
    assert (spelled_pitch("C-1"), spelled_pitch("F♯3"), spelled_pitch("x C3")) == (0, 54, None)
    assert spelled_pitch("C4#") == spelled_pitch("C#4") == 61


@given(st.integers(12, 127))
def test_every_pitch_has_a_name(pitch):
    assert read_name(f"x {STEPS[pitch % 12]}{pitch // 12 - 1} y").pitch == pitch


@given(st.integers(12, 127), st.integers(0, 999), st.sampled_from(["note", "pitch", "take", ""]))
def test_a_counter_beside_a_pitch_by_name_does_not_count(pitch, number, word):
    spelled = f"{STEPS[pitch % 12]}{pitch // 12 - 1}"
    for name in (
        f"{word}_{number}_{spelled}",
        f"{spelled} {word}{number:02d}",
        f"{spelled}_{word}-{number:03d}-{number:03d}",
    ):
        assert read_name(name).pitch == pitch


@given(st.integers(0, 127), st.integers(1, 127), st.sampled_from(["bass", "synth_lead"]))
def test_a_whole_name_of_nsynths_tells_its_pitch_and_velocity(pitch, velocity, family):
    name = f"{family}_acoustic_012-{pitch:03d}-{velocity:03d}"
    assert read_name(name) == NameHints(pitch, None, velocity)


@given(st.text(max_size=30))
def test_any_name_tells_what_midi_has_or_nothing(name):
    hints = read_name(name)
    for value in (hints.pitch, hints.doubtful, hints.velocity, hints.layer):
        assert value is None or 0 <= value <= 127
