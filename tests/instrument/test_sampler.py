"""Instruments for samplers, read and rendered by software that is not ours."""

import io
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import midirenderer
import mido
import numpy as np
import pytest
import soundfile
import soxr
from sf2utils.sf2parse import Sf2File
from sfzen import SFZ
from typer.testing import CliRunner

from reverbsynth.audio.format import NOTE_OFF, SAMPLE_RATE
from reverbsynth.audio.output import PEAK, Output, loudness
from reverbsynth.audio.pitch import cents
from reverbsynth.audio.tails import levels, longest_measurable_decay, measure_tails
from reverbsynth.cli import app
from reverbsynth.errors import ReverbSynthError
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.sampler import WRITERS
from reverbsynth.instrument.sampler.samples import (
    Sample,
    SampleSet,
    _finished,
    find_loop,
    loop,
    parse_keys,
    sample_set,
)
from reverbsynth.instrument.sampler.sf2 import write_sf2
from tests.instruments import untrained

KEYS = [40, 46, 52, 58, 64]
QUIET = ((91, 0), (93, 0))  # Controllers of effects.
TIME = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE


@pytest.fixture(scope="module")
def instrument():
    return Instrument.load("laptop")


def test_keys_that_are_not_drawn_are_left_to_the_sampler():
    """A resampled note's release is not where samplers expect it."""
    labels = {"pitch": range(40, 46)}
    gapped = untrained(labels, 4, trained_pitches=(40, 43), filters_base=64, filters_max=8)
    for keys in (None, [41, 42, 44]):
        notes = sample_set(gapped, "bass", keys)
        spans = [(sample.key, sample.low, sample.high) for sample in notes.samples]
        assert spans == [(40, gapped.keys[0], 41), (43, 42, gapped.keys[-1])]


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
    export(path / "switched.dspreset", "--effect", "dry", "--effect", "0.5", "--round-robins", 2)
    said = export(path / "bass.sf2", "--rate", 48_000)
    assert said.splitlines()[1:3] == ["dry: program 1", "reverb: program 2"]
    said = export(path / "loops.sf2", "--round-robins", 2, "--loops", "--effect", "reverb")
    assert said.splitlines()[1] == "variations, in place of round robins: banks 1 to 1"
    return path


def value(region, name: str):
    """The value of a region's opcode, its group's or the file's."""
    opcode = region.iopcode(name)
    return None if opcode is None else opcode.value


def sfzlint(wheel, folder, tmp_path) -> list[str]:
    """What sfzlint says of the SFZ files in a folder.

    It comes as a fixture: installed, its parser would take the place of JupyterLab's. What else it
    needs tells it the folder for a cache.
    """
    with zipfile.ZipFile(wheel) as files:
        files.extractall(tmp_path)
    (tmp_path / "appdirs.py").write_text(f"user_cache_dir = lambda *_: {str(tmp_path)!r}\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from sfzlint.cli import sfzlint"
    command = [sys.executable, "-c", f"{code}; sfzlint()", folder]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


class TestSfz:
    def test_sfzlint_knows_every_opcode_and_finds_every_sample(self, folder, fixtures, tmp_path):
        wheel = fixtures / "sfzlint-0.1.4-py3-none-any.whl"
        assert sfzlint(wheel, folder, tmp_path) == []
        bad = "<region> sample=none.flac unheard_of=1\n"
        (tmp_path / "bad").mkdir()
        (tmp_path / "bad" / "bad.sfz").write_text(bad)
        assert len(sfzlint(wheel, tmp_path / "bad", tmp_path)) == 2

    def test_every_opcode_is_known_and_every_sample_is_there(self, folder):
        sfz = SFZ(str(folder / "my bass.sfz"))
        assert not sfz.errors
        regions = list(sfz.regions())
        notes = [each for each in regions if value(each, "trigger") != "release"]
        assert len(notes) == 2 * 2 * len(KEYS)
        keys = [value(each, "pitch_keycenter") for each in notes]
        assert sorted(set(keys)) == KEYS
        audio, rate = soundfile.read(folder / "my_bass.sfz_samples" / "040-reverb-2.flac")
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
        tails = [line for line in text.splitlines() if "loop_mode=no_loop" in line]
        assert len(tails) == text.count("loop_continuous") > 0
        assert all(f"offset={round((NOTE_OFF - 0.02) * 44_100)} " in line for line in tails)


# Elements and some of their attributes, as DecentSampler's Developers' Guide has them.
DOCUMENTED = {
    "DecentSampler": ("minVersion",),
    "ui": ("width", "height"),
    "tab": ("name",),
    "menu": ("x", "y", "width", "height", "value"),
    "option": ("name",),
    "binding": (
        *("type", "level", "position", "parameter", "translation", "translationValue"),
        *("translationOutputMin", "translationOutputMax", "translationReversed", "enabled"),
    ),
    "groups": (),
    "group": ("enabled", "ampVelTrack", "trigger", "volume", "tags", "groupTuning"),
    "sample": (
        *("path", "rootNote", "loNote", "hiNote", "loVel", "hiVel", "start", "end", "tuning"),
        *("volume", "pan", "pitchKeyTrack", "trigger", "releaseTriggerDecay", "tags"),
        *("loopStart", "loopEnd", "loopCrossfade", "loopCrossfadeMode", "loopEnabled"),
        *("attack", "decay", "sustain", "release", "attackCurve", "decayCurve", "releaseCurve"),
        *("seqMode", "seqLength", "seqPosition"),
    ),
    "midi": (),
    "note": ("note",),
}
INSIDE = {"ui": "DecentSampler", "tab": "ui", "menu": "tab", "option": "menu", "group": "groups"}
INSIDE |= {"groups": "DecentSampler", "midi": "DecentSampler", "sample": "group", "note": "midi"}


@pytest.mark.parametrize("name", ["bass", "switched"])
def test_a_decentsampler_preset_keeps_to_the_documented_format(folder, name):
    root = ET.parse(folder / f"{name}.dspreset").getroot()
    for parent in root.iter():
        assert set(parent.attrib) <= set(DOCUMENTED[parent.tag])
        for child in parent:
            assert INSIDE.get(child.tag, parent.tag) == parent.tag
    for sample in root.iter("sample"):
        length = soundfile.info(folder / sample.get("path")).frames
        assert sample.get("seqMode") in ("round_robin", "always")
        low, root_note, high = (int(sample.get(key)) for key in ("loNote", "rootNote", "hiNote"))
        assert 1 <= low <= root_note <= high <= 127
        if sample.get("loopEnabled") == "true":
            assert 0 < int(sample.get("loopStart")) < int(sample.get("loopEnd")) < length
        assert 0 <= int(sample.get("start", 0)) < length
    for binding in root.iter("binding"):
        kind = {"group": ("general", "ENABLED"), "ui": ("control", "VALUE")}[binding.get("level")]
        assert (binding.get("type"), binding.get("parameter")) == kind
        count = len(root.findall("groups/group" if kind[0] == "general" else "ui/tab/*"))
        assert 0 <= int(binding.get("position")) < count


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


def test_decentsampler_switches_leave_one_effect_enabled(folder):
    root = ET.parse(folder / "switched.dspreset").getroot()
    enabled = [group.get("enabled") for group in root.findall("groups/group")]
    assert enabled == ["true", "true", "false", "false"]
    options = root.findall("ui/tab/menu/option")
    assert [option.get("name") for option in options] == ["dry", "50 % dry, 50 % reverb"]
    for number, option in enumerate(options):
        states = [binding.get("translationValue") for binding in option.findall("binding")]
        assert states == [str(position // 2 == number).lower() for position in range(4)]
    # Keys choose from the menu, which then shows the choice.
    chosen = [note.find("binding").get("translationValue") for note in root.findall("midi/note")]
    assert chosen == ["1", "2"]


def score(program: int, bank: int = 0) -> bytes:
    """Each key of the SoundFont, held beyond the end of its sample, 6 s apart."""
    # Players add reverb and chorus of their own, unless they are told not to.
    controls = (mido.Message("control_change", control=n, value=v) for n, v in ((0, bank), *QUIET))
    events = [*controls, mido.Message("program_change", program=program)]
    second, rest = 960, 0  # In ticks.
    for key in [*KEYS, KEYS[0]]:
        events.append(mido.Message("note_on", note=key, velocity=127, time=rest))
        events.append(mido.Message("note_off", note=key, time=5 * second))
        rest = second
    piece, file = mido.MidiFile(ticks_per_beat=480, tracks=[mido.MidiTrack(events)]), io.BytesIO()
    piece.save(file=file)
    return file.getvalue()


def notes_of(wave: np.ndarray, rate: int, generated: np.ndarray) -> np.ndarray:
    """The notes of a rendered score at 16 kHz, each where it begins most like the generated one.

    That is sought within 4 ms of where the score has it, by the first 50 ms: later it is behind or
    ahead, having been tuned.
    """
    mono = soxr.resample(wave.mean(axis=1), rate, SAMPLE_RATE, quality="VHQ")
    mono = np.pad(mono, (32, 0))
    notes = []
    for number, note in enumerate(generated):
        slot = mono[6 * number * SAMPLE_RATE :]
        at = int(np.argmax(np.correlate(slot[: 800 + 96], note[:800], "valid")))
        notes.append(slot[at : at + len(note)])
    return np.stack(notes)


def fluidsynth(font, score: bytes, folder) -> tuple[np.ndarray, int]:
    """What FluidSynth makes of a score, without effects of its own."""
    (folder / "score.mid").write_bytes(score)
    command = ["fluidsynth", "-ni", "-R", "0", "-C", "0", "-g", "1", "-r", "48000"]
    files = [folder / "out.wav", font, folder / "score.mid"]
    subprocess.run([*command, "-F", *files], check=True, capture_output=True)
    return soundfile.read(files[0])


needs_fluidsynth = pytest.mark.skipif(
    not shutil.which("fluidsynth"), reason="FluidSynth is not installed"
)


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
        # A note that is tuned is longer or shorter, and so ends later or earlier.
        speeds = 2 ** (-cents(generated, np.array(KEYS)) / 1200)
        places = np.arange(generated.shape[1])
        pairs = zip(speeds, generated, strict=True)
        tuned = [np.interp(places * speed, places, note) for speed, note in pairs]
        # Down to 25 dB below the held note a tail has its own level. The line of a decay time would
        # hang on what is below, where FluidSynth gives up a voice.
        (seconds, ours), (_, theirs) = levels(rendered), levels(np.stack(tuned))
        for played, own in zip(ours, theirs, strict=True):
            heard = (seconds > 0) & (own > -25)
            assert heard.any()
            assert np.median(np.abs(played - own)[heard]) < 1
        if effect == "reverb":
            ours, theirs = (measure_tails(notes).ratio for notes in (rendered, np.stack(tuned)))
            assert np.median(np.abs(ours - theirs)) < 0.5

    def test_the_renderer_of_data_sets_plays_it_in_tune_with_its_tails(self, folder, instrument):
        """Those of the reverb: it fades a dry note out where FluidSynth plays it on."""
        wave = midirenderer.render_wave_from((folder / "bass.sf2").read_bytes(), score(1))
        self.compare(*soundfile.read(io.BytesIO(wave)), instrument, "reverb")

    @needs_fluidsynth
    @pytest.mark.parametrize("effect", ["dry", "reverb"])
    def test_fluidsynth_plays_it_in_tune_with_its_tails(self, folder, instrument, effect, tmp_path):
        program = ["dry", "reverb"].index(effect)
        played = fluidsynth(folder / "bass.sf2", score(program), tmp_path)
        self.compare(*played, instrument, effect)

    def test_round_robins_are_variations_in_banks(self, folder):
        with open(folder / "loops.sf2", "rb") as file:
            font = Sf2File(file)
            places = [(preset.bank, preset.preset) for preset in font.presets[:-1]]
            assert places == [(0, 0), (1, 0)]
            first, second = (
                {bag.sample.name for bag in font.instruments[bank].bags if bag.sample}
                for bank in (0, 1)
            )
            assert first == {f"{key:03d}-reverb-1" for key in KEYS}
            assert second == {f"{key:03d}-reverb-2" for key in KEYS}

    @needs_fluidsynth
    def test_loops_hold_notes_in_tune_and_level_and_end_as_fast_as_their_tails(
        self, folder, instrument, tmp_path
    ):
        held, tails, keys = self.looped(folder / "loops.sf2", 0, tmp_path)
        again, _, others = self.looped(folder / "loops.sf2", 1, tmp_path)
        for notes, pitches in (held, keys), (again, others):
            # A loop of even harmonics is as much an octave higher; no sampler tunes by an octave.
            off = (cents(notes, pitches) + 600) % 1200 - 600
            assert np.abs(off).max() < 5
        assert again.shape != held.shape or np.abs(held - again).max() > 0.1 * np.abs(held).max()
        first, second = (
            np.square(held[:, at : at + SAMPLE_RATE // 2]).mean(axis=1) for at in (27_200, 46_400)
        )
        assert np.abs(10 * np.log10(second / first)).max() < 1
        z = instrument.latents(1, 0)[0]
        expected = measure_tails(instrument.notes(keys, z, effect="reverb")).t20
        quick = expected < longest_measurable_decay()
        assert np.allclose(measure_tails(tails).t20[quick], expected[quick], rtol=0.2)

    def looped(self, path, bank: int, folder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Looped notes as FluidSynth plays them, from 1.5 s and from 2 s on; and their keys.

        They are held to 5 s.
        """
        with open(path, "rb") as file:
            zones = [bag for bag in Sf2File(file).instruments[bank].bags if bag.sample]
            loops = [bool(zone.sample_loop) for zone in zones]
        wave, rate = fluidsynth(path, score(0, bank), folder)
        mono = soxr.resample(wave.mean(axis=1), rate, SAMPLE_RATE, quality="VHQ")
        notes = mono[: 6 * SAMPLE_RATE * len(KEYS)].reshape(len(KEYS), -1)[loops]
        return notes[:, 24_000:88_000], notes[:, 32_000:], np.array(KEYS)[loops]

    def test_more_samples_than_it_can_count_are_one_line(self, tmp_path):
        sample = Sample("a", np.zeros(64, np.float32), 40, 0, 127, 1, 127, 0, 1)
        many = SampleSet("a", (sample,) * 10_923, ("dry",), range(0), 1, Output())
        with pytest.raises(ReverbSynthError, match="found 10923 samples, expected at most 10922"):
            write_sf2(many, tmp_path / "a.sf2")


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


def test_samplers_of_one_name_have_sounds_of_their_own(tmp_path):
    for suffix, rate in ((".sfz", 16_000), (".dspreset", 48_000)):
        export(tmp_path / f"bass{suffix}", "--rate", rate)
    for suffix, rate in ((".sfz", 16_000), (".dspreset", 48_000)):
        sounds = list((tmp_path / f"bass{suffix}_samples").iterdir())
        assert {soundfile.info(sound).samplerate for sound in sounds} == {rate}


def test_wrong_requests_write_nothing(tmp_path):
    with pytest.raises(ReverbSynthError, match="--sounds: found mp3, expected flac or wav"):
        export(tmp_path / "a.sfz", "--sounds", "mp3")
    with pytest.raises(ReverbSynthError, match="rate: found 22050"):
        export(tmp_path / "a.sfz", "--rate", 22_050)
    with pytest.raises(ReverbSynthError, match="effect: found hall"):
        export(tmp_path / "a.sf2", "--effect", "hall")
    with pytest.raises(ReverbSynthError, match=r"--keys: is for .sfz, .dspreset, .sf2, found"):
        export(tmp_path / "page")
    with pytest.raises(ReverbSynthError, match=r"--sounds: is for .sfz, .dspreset, found .*a.sf2"):
        export(tmp_path / "a.sf2", "--sounds", "wav")
    with pytest.raises(ReverbSynthError, match=r"--float16: is for .safetensors, .onnx, found"):
        export(tmp_path / "a.sfz", "--float16")
    assert not list(tmp_path.iterdir())


def test_instruments_of_any_script_have_folders_of_their_own(instrument, tmp_path):
    notes = sample_set(instrument, "bass", [40], loops=False)
    assert {notes.write_sounds(tmp_path / name) for name in ("ベース.sfz", "ピアノ.sfz")} == {
        "ベース.sfz_samples",
        "ピアノ.sfz_samples",
    }


@pytest.mark.parametrize(("loss", "gain"), [(0.0, 0.0), (4.0, 2.0), (20.0, 6.0)])
def test_a_looped_notes_tail_lies_halfway_between_that_of_a_short_and_a_long_one(loss, gain):
    """Of a note that loses so many dB before its loop, and nothing in it; SFZ allows 6 dB."""
    wave = 0.3 * np.sin(2 * np.pi * 110 * TIME)
    start = find_loop(wave.astype(np.float32))[0] / SAMPLE_RATE
    wave = wave * 10 ** (-loss / 20 * np.minimum(TIME / start, 1))
    sample = Sample("a", wave.astype(np.float32), 45, 45, 45, 0, 127, 0, 1)
    found = _finished(sample, Output(), loops=True)
    assert found.loop is not None
    assert found.gain == pytest.approx(gain, abs=0.3)


@pytest.mark.parametrize(("suffix", "tune"), [(".sfz", "tune=-30 "), (".dspreset", 'tuning="-0.3')])
def test_tuning_and_loops_are_written_as_they_are(suffix, tune, tmp_path):
    wave = np.zeros(4 * SAMPLE_RATE, np.float32)
    sample = Sample("a", wave, 40, 40, 40, 0, 127, 0, 1, cents=30.0, loop=(1000, 2000), gain=1.5)
    notes = SampleSet("bass", (sample,), ("dry",), range(0), 1, Output())
    WRITERS[suffix](notes, tmp_path / f"a{suffix}")
    text = (tmp_path / f"a{suffix}").read_text()
    assert tune in text
    for written in ("1000", "1999", "1.50"):
        assert written in text
