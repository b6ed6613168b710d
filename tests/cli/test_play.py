"""``reverbsynth play``, ``import-original`` and ``export`` as commands."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pyloudnorm
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from reverbsynth.cli.export import export
from reverbsynth.cli.import_original import import_original
from reverbsynth.cli.play import instruments, play
from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.examples import BASS_LINE
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.midi import render
from reverbsynth.instrument.midi_file import MidiNote

app = typer.Typer()
for command in (play, import_original, export, instruments):
    app.command()(command)


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refusal(*arguments) -> str:
    result = invoke(*arguments)
    assert isinstance(result.exception, ReverbSynthError), result.output
    return str(result.exception)


@pytest.fixture(scope="module")
def instrument(fixtures, tmp_path_factory):
    path = tmp_path_factory.mktemp("play") / "bass.safetensors"
    result = invoke("import-original", fixtures / "original_run", "-o", path, "--float16")
    assert result.exit_code == 0, result.output
    return path


def test_import_original_keeps_its_weights(instrument, fixtures):
    original = Instrument.from_original(fixtures / "original_run").in_float16()
    found = Instrument.load(instrument)
    assert np.array_equal(found.notes([40], seed=1), original.notes([40], seed=1))


def test_notes_one_after_the_other(instrument, tmp_path):
    path = tmp_path / "out.wav"
    result = invoke(
        *("play", instrument, "-o", path, "--pitch", 40, "--pitch", 43, "--seed", 7),
        *("--velocity", 64),
    )
    assert result.exit_code == 0, result.output
    audio, rate = soundfile.read(path, dtype="float32")
    loaded = Instrument.load(instrument)
    expected = loaded.notes([40, 43], z=loaded.latents(1, 7)[0], velocities=64).reshape(-1)
    assert (len(audio), rate) == (128_000, 16_000)
    assert np.abs(audio - expected).max() <= 1 / 32_000


def test_a_loud_note_is_scaled_and_says_so(instrument, tmp_path):
    result = invoke("play", instrument, "-o", tmp_path / "out.wav", "--pitch", 40)
    assert result.exit_code == 0, result.output
    loaded = Instrument.load(instrument)
    loudest = np.abs(loaded.notes([40], z=loaded.latents(1, 0)[0])).max()
    assert ("scaled down" in result.output) == (loudest > 1)
    audio, _ = soundfile.read(tmp_path / "out.wav")
    assert np.abs(audio).max() == pytest.approx(min(loudest, 1), abs=1e-3)


def played(tmp_path, instrument, *options) -> tuple[np.ndarray, str]:
    result = invoke("play", instrument, "-o", tmp_path / "out.wav", *options)
    assert result.exit_code == 0, result.output
    return soundfile.read(tmp_path / "out.wav", dtype="float32")[0], result.output


def test_pitches_have_names_and_the_middle_one_is_the_default(instrument, tmp_path):
    by_name, said = played(tmp_path, instrument, "--pitch", "F#3")
    assert np.array_equal(by_name, played(tmp_path, instrument, "--pitch", 54)[0])
    assert np.array_equal(by_name, played(tmp_path, instrument)[0])
    assert "resampled" not in said
    message = "found X3, expected a name such as C#3 or a MIDI number such as 60.5"
    assert message in refusal("play", instrument, "-o", tmp_path / "a.wav", "--pitch", "X3")


def test_another_tuning(instrument, tmp_path):
    between, said = played(tmp_path, instrument, "--pitch", "40.5")
    assert "pitch 40.5: E2 resampled" in said
    tuned, said = played(tmp_path, instrument, "--pitch", 40, "--tune", 50)
    assert np.array_equal(tuned, between)
    assert "pitch 40: E2 resampled" in said
    higher = 440 * 2 ** (0.5 / 12)
    by_a4, _ = played(tmp_path, instrument, "--pitch", "E2", "--a4", higher)
    assert np.abs(by_a4 - between).max() < 1e-3
    _, said = played(tmp_path, instrument, BASS_LINE, "--every", 0, "--tune", -10)
    assert "32 notes resampled from the nearest trained pitch" in said


def test_the_lowest_pitch_of_an_original_may_be_a_name(fixtures, tmp_path):
    path = tmp_path / "bass.safetensors"
    source = fixtures / "original_run"
    assert invoke("import-original", source, "-o", path, "--lowest-pitch", "C2").exit_code == 0
    assert Instrument.load(path).pitches == list(range(36, 97))
    refused = refusal("import-original", source, "-o", path, "--lowest-pitch", "36.5")
    assert refused == "--lowest-pitch: found 36.5, expected a whole MIDI pitch"


def test_rate_channels_and_loudness(instrument, tmp_path):
    path = tmp_path / "out.flac"
    result = invoke(
        *("play", instrument, "-o", path, "--rate", 44_100, "--stereo", "--loudness", "-23")
    )
    assert result.exit_code == 0, result.output
    audio, rate = soundfile.read(path, dtype="float32")
    assert (audio.shape, rate) == ((176_400, 2), 44_100)
    assert np.array_equal(audio[:, 0], audio[:, 1])
    assert pyloudnorm.Meter(rate).integrated_loudness(audio) == pytest.approx(-23, abs=0.1)


def test_an_instrument_that_comes_with_the_package_plays_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        "- pitch: E1 to F5 (MIDI 28 to 77)\n- effect: dry, reverb" in invoke("instruments").output
    )
    audio, _ = played(tmp_path, "laptop", "--effect", "reverb")
    (expected,) = Instrument.load("laptop").notes(
        [53], Instrument.load("laptop").latents(1, 0)[0], effect="reverb"
    )
    assert np.abs(audio - expected).max() < 1e-4
    assert "no such file or folder, expected a run" in refusal("play", "lap", "-o", "a.wav")
    assert "song.mid: expected an instrument first" in refusal("play", "song.mid", "-o", "a.wav")


def test_the_first_note_from_the_shell_is_quick_and_quiet(tmp_path):
    note = tmp_path / "note.wav"
    command = [sys.executable, "-m", "reverbsynth.cli", "play", "laptop", "-o", str(note)]
    talkative = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=talkative, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.stdout, done.stderr) == (f"{note}\n", "")
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_parts_have_voices_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("reverb").mkdir()  # An effect is meant all the same.
    song = tmp_path / "song.mid"
    file = mido.MidiFile(type=1, ticks_per_beat=100)
    for name, pitch, channel in (("Bass", 40, 0), ("Lead", 64, 1), ("Kit", 36, 9)):
        on, off = ("note_on", 0), ("note_off", 100)
        file.tracks.append(
            mido.MidiTrack(
                [
                    mido.MetaMessage("track_name", name=name),
                    *(
                        mido.Message(kind, note=pitch, time=time, channel=channel)
                        for kind, time in (on, off)
                    ),
                ]
            )
        )
    file.save(song)
    own = ("--track", "Bass=reverb", "--track", "lead=laptop:0.5")
    both, said = played(tmp_path, "laptop", song, *own, "--every", 0)
    assert said.splitlines()[:3] == [
        "1  Bass  channel 1   1 notes  E2 to E2  laptop, reverb",
        "2  Lead  channel 2   1 notes  E4 to E4  laptop, 50 % dry, 50 % reverb",
        "3  Kit   channel 10  1 notes  C2 to C2  skipped: drums",
    ]
    loaded = Instrument.load("laptop")
    effects = {40: "reverb", 64: {"dry": 0.5, "reverb": 0.5}}
    bass, lead = (
        render(loaded, [MidiNote(0, 0.5, pitch, 64)], seed=0, every=0, effect=effect)
        for pitch, effect in effects.items()
    )
    assert np.abs(both - (bass + lead).audio).max() < 1e-3
    # The wet tail is heard, unless it is not wanted.
    faded, _ = played(tmp_path, "laptop", song, *own, "--every", 0, "--release", "fade")
    assert len(faded) / 16_000 == pytest.approx(0.8, abs=0.01)
    assert len(both) / 16_000 > 1.5
    assert "effect: found hall" in refusal("play", "laptop", song, "--track", "Bass=hall")
    mistyped = refusal("play", "laptop", song, "--track", "Bass=lapdog")
    assert mistyped.startswith("--track lapdog: effect: found lapdog, expected one of dry, reverb;")
    assert mistyped.endswith("or an instrument: a file or run, effects, laptop, studio")


@pytest.mark.parametrize(
    ("asked", "track", "plays"),
    [
        (("--effect", "reverb"), "1=laptop", "laptop, reverb"),
        (("--effect", "reverb"), "1=laptop:dry", "laptop, dry"),
        (
            ("--effect", "chorus", "--label", "instrument=fretless_bass"),
            "1=effects:delay",
            "effects, delay, fretless_bass",
        ),
        (
            ("--effect", "chorus", "--label", "instrument=fretless_bass"),
            "1=laptop:dry",
            "laptop, dry",
        ),
    ],
)
def test_a_parts_instrument_is_asked_for_what_all_are_where_it_has_it(
    tmp_path, asked, track, plays
):
    source = "effects" if "chorus" in asked else "laptop"
    _, said = played(tmp_path, source, BASS_LINE, *asked, "--track", track)
    assert said.splitlines()[0].endswith(plays)
    if "chorus" in asked:
        refused = refusal("play", source, BASS_LINE, *asked, "--track", "1=laptop")
        assert refused.startswith("--track laptop: effect: found chorus, expected one of dry")


def test_a_part_of_which_nothing_can_be_played_does_not_end_the_others(tmp_path):
    """Where parts have voices of their own; all of one voice are played at once."""
    song = tmp_path / "song.mid"
    for pitches in ((40, 100), (20, 100)):
        file = mido.MidiFile(type=1)
        for channel, pitch in enumerate(pitches):
            ends = (("note_on", 0), ("note_off", 100))
            notes = [mido.Message(k, note=pitch, time=t, channel=channel) for k, t in ends]
            file.tracks.append(mido.MidiTrack(notes))
        file.save(song)
        command = (song, "--track", "1=reverb", "--track", "2=dry", "--outside", "omit")
        if 40 in pitches:
            assert "1 notes left out (pitches 100)" in played(tmp_path, "laptop", *command)[1]
    assert "no note to play within the instr" in refusal("play", "laptop", *command)


def test_a_midi_file(instrument, tmp_path):
    path = tmp_path / "song.flac"
    result = invoke("play", instrument, BASS_LINE, "-o", path, "--seed", 3, "--every", 0)
    assert result.exit_code == 0, result.output
    audio, rate = soundfile.read(path)
    # The last note lasts 2.86 s and 0.3 s of release.
    assert len(audio) / rate == pytest.approx(18.51, abs=0.01)
    assert np.abs(audio).max() == pytest.approx(0.9, abs=1e-3)


def test_wrong_requests_are_one_line_and_write_nothing(instrument, tmp_path):
    out = tmp_path / "out.wav"
    assert "expected one of .wav" in refusal("play", instrument, "-o", tmp_path / "out.mp3")
    assert "pitch: found 9" in refusal("play", instrument, "-o", out, "--pitch", 9)
    assert "label 'effect'" in refusal("play", instrument, "-o", out, "--effect", "reverb")
    for parameter in ("tune=3", "seed=3", "z=0"):
        said = refusal("play", "laptop", "-o", out, "--label", parameter)
        assert said.endswith(": this instrument has pitch, effect")
    assert "--label x" in refusal("play", instrument, "-o", out, "--label", "x")
    assert "--outside: found up" in refusal(
        "play", instrument, BASS_LINE, "-o", out, "--outside", "up"
    )
    assert "not for a MIDI file" in refusal("play", instrument, BASS_LINE, "-o", out, "--pitch", 40)
    for option in ("--track=1", "--release=tail", "--every=0", "--outside=omit"):
        assert "for a MIDI file" in refusal("play", instrument, "-o", out, option)
    assert "track: found 9" in refusal("play", instrument, BASS_LINE, "-o", out, "--track", 9)
    assert "expected .safetensors" in refusal("export", instrument, "-o", tmp_path / "a.txt")
    stereo = refusal("export", instrument, "-o", tmp_path / "a.sf2", "--stereo")
    assert stereo.startswith("--stereo: is for .sfz, .dspreset, found ")
    wrong = refusal("import-original", instrument, "-o", tmp_path / "a.onnx")
    assert wrong.endswith("a.onnx: expected a file that ends with .safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["again.safetensors", "bass.onnx", "page"])
def test_export(instrument, tmp_path, name):
    result = invoke("export", instrument, "-o", tmp_path / name)
    assert result.exit_code == 0, result.output
    written = tmp_path / name
    assert (written / "index.html" if name == "page" else written).is_file()


def test_export_with_another_inverse(instrument, tmp_path):
    path = tmp_path / "again.safetensors"
    assert invoke("export", instrument, "-o", path, "--projections", 2).exit_code == 0
    assert Instrument.load(path).spectra.projections == 2
