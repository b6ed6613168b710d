"""Instruments for samplers, read and rendered by software that is not ours."""

import io
import shutil
import subprocess
import xml.etree.ElementTree as ET

import midirenderer
import numpy as np
import pretty_midi
import pytest
import soundfile
import soxr
from sf2utils.sf2parse import Sf2File
from sfzen import SFZ
from typer.testing import CliRunner

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.output import PEAK, loudness
from reverbsynth.audio.pitch import cents
from reverbsynth.audio.tails import longest_measurable_decay, measure_tails
from reverbsynth.cli import app
from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.sampler.samples import find_loop, loop, parse_keys, sample_set

KEYS = [40, 46, 52, 58, 64]
TIME = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE


@pytest.fixture(scope="module")
def instrument():
    return Instrument.load("laptop")


def export(path, *options):
    arguments = ["export", "laptop", "-o", str(path), "--keys", "E2..E4/6", *map(str, options)]
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("samplers")
    said = export(path / "my bass.sfz", "--rate", 44_100, "--round-robins", 2, "--stereo")
    assert said.splitlines()[1:3] == ["dry: key 24", "reverb: key 25"]
    export(path / "bass.dspreset", "--sounds", "wav", "--by-velocity")
    said = export(path / "bass.sf2", "--rate", 48_000)
    assert said.splitlines()[1:3] == ["dry: program 1", "reverb: program 2"]
    return path


def value(region, name: str):
    """The value of a region's opcode, its group's or the file's."""
    opcode = region.iopcode(name)
    return None if opcode is None else opcode.value


class TestSfz:
    def test_every_opcode_is_known_and_every_sample_is_there(self, folder):
        sfz = SFZ(str(folder / "my bass.sfz"))
        assert not sfz.errors
        regions = list(sfz.regions())
        notes = [each for each in regions if value(each, "trigger") != "release"]
        assert len(notes) == 2 * 2 * len(KEYS)
        keys = [value(each, "pitch_keycenter") for each in notes]
        assert sorted(set(keys)) == KEYS
        audio, rate = soundfile.read(folder / "my_bass_samples" / "040-reverb-2.flac")
        assert (audio.shape, rate) == ((176_400, 2), 44_100)

    def test_each_key_plays_one_sample_of_its_effect_and_turn(self, folder):
        regions = [
            each
            for each in SFZ(str(folder / "my bass.sfz")).regions()
            if value(each, "trigger") != "release"
        ]
        for key in range(28, 78):
            for switch in (24, 25):
                for turn in (1, 2):
                    playing = [
                        each
                        for each in regions
                        if value(each, "lokey") <= key <= value(each, "hikey")
                        and value(each, "sw_last") == switch
                        and value(each, "seq_position") == turn
                    ]
                    assert len(playing) == 1

    def test_looped_notes_have_their_tail(self, folder):
        text = (folder / "my bass.sfz").read_text()
        tails = [line for line in text.splitlines() if "rt_decay" in line]
        assert len(tails) == text.count("loop_continuous") > 10
        assert all(f"offset={round((NOTE_OFF - 0.02) * 44_100)} " in line for line in tails)


def test_a_decentsampler_preset_names_its_samples_groups_and_layers(folder):
    root = ET.parse(folder / "bass.dspreset").getroot()
    assert root.tag == "DecentSampler"
    samples = root.findall("groups/group/sample")
    assert all((folder / each.get("path")).is_file() for each in samples)
    layers = {(each.get("loVel"), each.get("hiVel")) for each in samples}
    assert layers == {("0", "63"), ("64", "127")}
    assert [group.get("trigger") for group in root.findall("groups/group")] == [
        *(None, "release"),
        *(None, "release"),
    ]
    assert not root.findall("midi/note")


def test_decentsampler_switches_leave_one_effect_enabled(tmp_path):
    export(tmp_path / "bass.dspreset", "--effect", "dry", "--effect", "0.5")
    root = ET.parse(tmp_path / "bass.dspreset").getroot()
    enabled = [group.get("enabled") for group in root.findall("groups/group")]
    assert enabled == ["true", "true", "false", "false"]
    for number, note in enumerate(root.findall("midi/note")):
        states = [binding.get("translationValue") for binding in note.findall("binding")]
        assert states == [str(position // 2 == number).lower() for position in range(4)]
    assert len(root.findall("ui/tab/menu/option")) == 2


def score(program: int) -> bytes:
    """Each key of the SoundFont, held beyond the end of its sample, 6 s apart."""
    piece, player = pretty_midi.PrettyMIDI(resolution=480), pretty_midi.Instrument(program)
    for number, key in enumerate([*KEYS, KEYS[0]]):
        player.notes.append(pretty_midi.Note(127, key, 6 * number, 6 * number + 5))
    # Players add reverb and chorus of their own, unless they are told not to.
    player.control_changes += [pretty_midi.ControlChange(number, 0, 0) for number in (91, 93)]
    piece.instruments.append(player)
    file = io.BytesIO()
    piece.write(file)
    return file.getvalue()


def notes_of(wave: np.ndarray, rate: int, generated: np.ndarray) -> np.ndarray:
    """The notes of a rendered score at 16 kHz, each where it is most like the generated one."""
    mono = soxr.resample(wave.mean(axis=1), rate, SAMPLE_RATE, quality="VHQ")
    mono = np.pad(mono, (1600, 0))
    notes = []
    for number, note in enumerate(generated):
        slot = mono[6 * number * SAMPLE_RATE :]
        at = int(np.argmax(np.correlate(slot[: 4800 + 3200], note[:4800], "valid")))
        notes.append(slot[at : at + len(note)])
    return np.stack(notes)


class TestSoundFont:
    def test_a_parser_reads_what_was_written(self, folder):
        with open(folder / "bass.sf2", "rb") as file:
            font = Sf2File(file)
            names = [preset.name for preset in font.presets]
            assert names[:2] == ["dry", "reverb"]
            samples = font.samples[:-1]
            assert [sample.original_pitch for sample in samples] == KEYS * 2
            assert {sample.sample_rate for sample in samples} == {48_000}
            bags = font.instruments[0].bags
            assert [tuple(bag.key_range) for bag in bags] == [
                *((28, 43), (44, 49), (50, 55)),
                *((56, 61), (62, 77)),
            ]

    def compare(self, wave: np.ndarray, rate: int, instrument, effect: str) -> None:
        generated = instrument.notes(KEYS, instrument.latents(1, 0)[0], effect=effect)
        rendered = notes_of(wave, rate, generated)
        assert np.abs(cents(rendered, np.array(KEYS))).max() < 5
        ours, theirs = measure_tails(rendered), measure_tails(generated)
        # A tail that is too slow to be measured counts as the longest that is not.
        both = np.isfinite(ours.t20) & (theirs.t20 < longest_measurable_decay())
        assert both.any()
        assert np.allclose(ours.t20[both], theirs.t20[both], atol=0.05)
        if effect == "reverb":  # The renderer gives up voices as quiet as the end of a dry note.
            assert np.median(np.abs(ours.ratio - theirs.ratio)) < 0.5

    @pytest.mark.parametrize("effect", ["dry", "reverb"])
    def test_the_renderer_of_data_sets_plays_it_in_tune_with_its_tails(
        self, folder, instrument, effect
    ):
        program = ["dry", "reverb"].index(effect)
        font = (folder / "bass.sf2").read_bytes()
        wave = midirenderer.render_wave_from(font, score(program))
        self.compare(*soundfile.read(io.BytesIO(wave)), instrument, effect)

    @pytest.mark.skipif(not shutil.which("fluidsynth"), reason="FluidSynth is not installed")
    def test_fluidsynth_plays_it_in_tune_with_its_tails(self, folder, instrument, tmp_path):
        (tmp_path / "score.mid").write_bytes(score(1))
        command = ["fluidsynth", "-ni", "-R", "0", "-C", "0", "-g", "1", "-r", "48000"]
        files = [tmp_path / "out.wav", folder / "bass.sf2", tmp_path / "score.mid"]
        subprocess.run([*command, "-F", *files], check=True, capture_output=True)
        self.compare(*soundfile.read(files[0]), instrument, "reverb")


class TestSamples:
    def test_all_keys_and_effects_are_equally_loud(self, instrument):
        samples = sample_set(instrument, "bass", KEYS, loops=False).samples
        levels = [loudness(sample.wave[: round(0.6 * SAMPLE_RATE)]) for sample in samples]
        assert np.ptp(levels) < 0.1
        peaks = [np.abs(sample.wave).max() for sample in samples]
        assert max(peaks) == pytest.approx(PEAK, rel=1e-4)

    def test_round_robins_are_neighbours(self, instrument):
        first, second = sample_set(instrument, "bass", [40], {"dry": {}}, robins=2).samples
        other = sample_set(instrument, "bass", [40], {"dry": {}}, seed=1).samples[0]

        def spectrum(sample):
            return np.log(np.abs(np.fft.rfft(sample.wave[:16_000]))[:2000] + 1e-3)

        near, far = (np.abs(spectrum(first) - spectrum(each)).mean() for each in (second, other))
        assert 0 < near < far

    def test_a_loop_holds_a_note_in_tune_and_level(self):
        decay = 10 ** (-6 * TIME / 20)
        wave = sum(decay * np.sin(2 * np.pi * 82.7 * h * TIME) / h for h in (1, 2, 3))
        wave = wave.astype(np.float32)
        start, end = find_loop(wave)
        looped = loop(wave, SAMPLE_RATE, start, end)
        held = np.tile(looped[start:end], 40)[: 4 * SAMPLE_RATE]
        assert abs(cents(held[None], np.array([69 + 12 * np.log2(82.7 / 440)]))[0]) < 5
        levels = np.square(held.reshape(-1, 3200)).mean(axis=1)
        assert 10 * np.log10(levels.max() / levels.min()) < 1
        assert np.abs(np.diff(held)).max() < 1.1 * np.abs(np.diff(wave)).max()

    def test_noise_has_no_loop(self):
        noise = np.random.default_rng(0).standard_normal(len(TIME)).astype(np.float32)
        assert find_loop(noise) is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("/4", [40, 44, 48]),
            ("E2..G2", [40, 41, 42, 43]),
            ("41..47/3", [41, 44, 47]),
            ("E2..E2", [40]),
        ],
    )
    def test_keys_are_a_range_a_step_or_both(self, text, expected):
        assert parse_keys(text, range(40, 49)) == expected

    @pytest.mark.parametrize(
        "text", ["", "E2", "/0", "E2..", "G2..E2", "E2..H9", "0..50", "40.5..42"]
    )
    def test_other_keys_are_refused_in_one_line(self, text):
        with pytest.raises(ReverbSynthError, match="found"):
            parse_keys(text, range(40, 49))


def test_wrong_requests_write_nothing(tmp_path):
    with pytest.raises(ReverbSynthError, match="--sounds: found mp3, expected flac or wav"):
        export(tmp_path / "a.sfz", "--sounds", "mp3")
    with pytest.raises(ReverbSynthError, match="rate: found 22050"):
        export(tmp_path / "a.sfz", "--rate", 22_050)
    with pytest.raises(ReverbSynthError, match="effect: found hall"):
        export(tmp_path / "a.sf2", "--effect", "hall")
    assert not list(tmp_path.iterdir())
