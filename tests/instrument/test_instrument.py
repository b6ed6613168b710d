"""Instruments: original checkpoints, playing, and the file they are kept in."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import ops
from safetensors.numpy import save_file

from reverbsynth.errors import ReverbSynthError, RunError, SettingsError
from reverbsynth.files.tensors import load_tensors
from reverbsynth.gan.architecture import condition_size
from reverbsynth.gan.networks import Generator
from reverbsynth.instrument import file as instrument_file
from reverbsynth.instrument.instrument import Instrument, at_peak
from reverbsynth.instrument.label_mixture import parse
from reverbsynth.instrument.latents import slerp
from reverbsynth.instrument.midi import render
from reverbsynth.instrument.midi_file import MidiNote
from reverbsynth.instrument.resampling import transposed
from reverbsynth.settings import SpectraSettings
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run
from tests.instruments import untrained, untrained_generator

SHIPPED = Path(__file__).parents[2] / "book" / "results" / "laptop"


def snr(reference: np.ndarray, found: np.ndarray) -> float:
    noise = np.sum((reference.astype(np.float64) - found) ** 2)
    return 10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / noise)


def as_in_training(generator, z, condition) -> tuple[np.ndarray, np.ndarray]:
    """De-normalized images and waves by the network that trains and the spectra it trains on."""
    representation = Representation(generator.spectra)
    size = condition_size(generator.gan, generator.labels)
    network = Generator(generator.gan, size, generator.stage, representation=representation)
    for name, variable in network.named_variables().items():
        variable.assign(generator.weights[name])
    progress = ops.convert_to_tensor(generator.progress, "float32")
    images = representation.denormalize(network(z, condition, progress))
    waves = representation.decode(images)
    return ops.convert_to_numpy(images), ops.convert_to_numpy(waves)


@pytest.fixture(scope="module")
def imported(fixtures):
    return Instrument.from_original(fixtures / "original_run")


@pytest.fixture(scope="module")
def expected(fixtures):
    return dict(np.load(fixtures / "original_run_expected.npz"))


def test_original_checkpoint_plays_as_the_original(imported, expected):
    waves = imported.notes(expected["pitches"], z=expected["z"])
    assert waves.shape == expected["waves"].shape
    for reference, found in zip(expected["waves"], waves, strict=True):
        assert snr(reference, found) >= 60


def test_original_checkpoint_paints_as_the_original(imported, expected):
    images = imported.images(expected["pitches"], z=expected["z"])[:, ::16, ::16]
    stored = expected["melspecgram_subsampled"]
    assert np.abs(images - stored).max() <= 1e-4 * np.abs(stored).max()


@pytest.mark.both_backends
@pytest.mark.parametrize("source", ["run", "bundle", "original"])
def test_waves_are_those_of_the_network_that_trains(source, imported, small_run):
    """A few stages of a run, the shipped results, and an imported original."""
    instruments = {
        "run": lambda: [Instrument.from_run(small_run, stage) for stage in small_run.stages],
        "bundle": lambda: [Instrument.from_run(SHIPPED)],
        "original": lambda: [imported],
    }[source]()
    for instrument in instruments:
        z, pitches = instrument.latents(2, 3), instrument.pitches[:2]
        labels = {name: values[-1] for name, values in instrument.labels.items() if name != "pitch"}
        condition = instrument.condition(pitches, **labels)
        images, waves = as_in_training(instrument.generator, z, condition)
        factor = 128 // images.shape[1]
        found = instrument.images(pitches, z, **labels)[:, ::factor, ::factor]
        assert np.abs(found - images).max() <= 1e-3
        notes = instrument.notes(pitches, z, **labels)
        assert min(map(snr, waves, notes)) >= 60
        if source == "run":
            # A last digit of their few frames, which stand for up to 64 each, adds up in the phase:
            # samples are held to the image that is seen.
            representation = Representation(instrument.spectra)
            waves = ops.convert_to_numpy(representation.decode(ops.convert_to_tensor(found)))
        # Networks that are not trained to the end are up to 19 times as loud as full scale.
        limit = 1e-4 if source == "bundle" else 2e-4 * max(1, np.abs(waves).max())
        assert np.abs(notes - waves).max() <= limit


LABELS = {"pitch": range(40, 45)}


@pytest.mark.both_backends
@pytest.mark.parametrize(
    ("upscaling", "projections"), [("nearest", 0), ("nearest", 3), ("linear", 1)]
)
def test_another_inverse_is_the_same_everywhere(tmp_path, upscaling, projections):
    """In the graph, where several notes are decoded at once, as in the spectra's own code."""
    shipped = Instrument.from_run(SHIPPED)
    original = shipped.decoded_by(mel_inverse="transpose", upscaling="nearest", projections=0)
    inverse = {"mel_inverse": "nnls", "upscaling": upscaling, "projections": projections}
    instrument = shipped.decoded_by(**inverse)
    z, condition = instrument.latents(3, 1), instrument.condition([40, 47, 60])
    _, expected = as_in_training(instrument.generator, z, condition)
    (waves,) = instrument._session.run(["wave"], {"z": z, "condition": condition})
    assert snr(expected, waves) >= 60
    assert snr(expected, original.notes([40, 47, 60], z)) < 30
    instrument.save(tmp_path / "other.safetensors")
    again = Instrument.load(tmp_path / "other.safetensors")
    assert snr(expected, again.notes([40, 47, 60], z)) >= 60


def test_an_inverse_that_there_is_not_is_refused_in_one_line(imported):
    with pytest.raises(SettingsError, match=r"spectra.projections: found -1, expected"):
        imported.decoded_by(projections=-1)
    assert imported.decoded_by().spectra == imported.spectra


@pytest.mark.both_backends
@pytest.mark.parametrize(
    ("stage", "progress", "settings"),
    [
        (0, 0.0, {}),
        (1, 0.4, {"filters_max": 64}),
        (2, 1.0, {"filters_max": 64}),
        (6, 3.0, {"filters_base": 512, "filters_max": 40}),
        (8, 4.0, {"filters_max": 32}),
        (7, 3.25, {"filters_base": 256, "filters_max": 16}),
        (9, 5.0, {"filters_base": 256, "filters_max": 16}),
        (4, 2.0, {"filters_max": 16, "kernel_size": 5, "label_scale": 3.0}),
        (7, 3.25, {"filters_base": 256, "filters_max": 16, "skip_latent": True}),
        (3, 1.5, {"filters_max": 16, "kernel_size": 1}),
    ],
)
def test_images_are_the_networks(stage, progress, settings):
    generator = untrained_generator(LABELS, stage, progress=progress, latent_size=24, **settings)
    rng = np.random.default_rng(stage)
    for name, value in generator.weights.items():
        if name.endswith("/bias"):
            value[:] = 0.1 * rng.standard_normal(value.shape)
    instrument = Instrument(generator)
    z = instrument.latents(3, 0)
    expected, _ = as_in_training(generator, z, instrument.condition([40, 41, 42]))
    factor = 128 // expected.shape[1]
    found = instrument.images([40, 41, 42], z)[:, ::factor, ::factor]
    scale = np.abs(expected).max(axis=(0, 1, 2))
    assert (np.abs(found - expected).max(axis=(0, 1, 2)) <= 2e-4 * scale).all()


@pytest.mark.both_backends
@pytest.mark.parametrize(
    ("stage", "progress", "kind", "side", "timbres", "keyed"),
    [
        (1, 0.4, "mel", 3, 8, True),
        (5, 1.6, "mel", 3, 2, True),
        (8, 4.0, "mel", 3, 3, False),
        (12, 6.0, "mel", 3, 0, False),
        (8, 4.0, "linear", 5, 5, False),
        (4, 2.0, "phase", 1, 0, True),
    ],
)
def test_a_pitch_told_as_a_number_is_drawn_as_in_training(
    stage, progress, kind, side, timbres, keyed
):
    generator = untrained_generator(
        {"pitch": range(30, 61), "effect": ["dry", "reverb"]},
        stage,
        progress=progress,
        spectra=SpectraSettings(representation=kind),
        pitch_input="harmonic",
        latent_size=8,
        timbres=timbres,
        key_shares=keyed,
        label_scale=4.0 if keyed else 1.0,
        skip_latent=keyed,
        filters_max=12,
        kernel_size=side,
    )
    instrument, pitches = Instrument(generator), [30, 41.37, 60]
    z = instrument.latents(3, 0)
    condition = instrument.condition(pitches, effect="reverb")
    assert np.array_equal(condition[:, [0, -2, -1]], np.float32([[p, 0, 1] for p in pitches]))
    assert condition.shape == (3, 3 + 31 * keyed)
    expected, waves = as_in_training(generator, z, condition)
    factor = 128 // expected.shape[1]
    found = instrument.images(pitches, z, effect="reverb")[:, ::factor, ::factor]
    scale = np.abs(expected).max(axis=(0, 1, 2))
    # XLA rounds the comb's angles otherwise: of up to 100 turns, they are 5e-5 rad apart. Single
    # pixels of a network with initial weights make thousandths of that (at stage 12 5.0e-3 of the
    # peak were seen), and phases add up what is off in 128 frames: there the wave says nothing.
    exact = keras.backend.backend() == "tensorflow"
    limit = 2e-4 if exact else 5e-3
    error = np.abs(found - expected)
    assert (error.max(axis=(0, 1, 2)) <= limit * scale).all()
    assert (error.mean(axis=(0, 1, 2)) <= 1e-4 * scale).all()
    if exact:
        found = instrument.notes(pitches, z, effect="reverb")
        assert np.abs(found - waves).max() <= limit * max(1, np.abs(waves).max())


def gapped(**options) -> Instrument:
    """Five keys, trained on the outer three."""
    labels = {"pitch": range(40, 45)}
    trained = {"trained_pitches": (40, 42, 44), "filters_base": 64, "filters_max": 8}
    return untrained(labels, 4, **{**trained, **options})


def test_a_one_hot_instrument_resamples_the_nearest_trained_pitch():
    instrument = gapped()
    assert instrument.pitches == [40, 42, 44]
    z = instrument.latents(1, 1)[0]
    first, third = instrument.notes([40, 42], z=z)
    requests = ["F2", 40.25, 40, 44]
    found = instrument.notes(requests, z=z)
    for wave, (source, semitones) in zip(
        found, [(first, 1), (first, 0.25), (first, None)], strict=False
    ):
        expected = source if semitones is None else transposed(source, semitones)
        assert np.array_equal(wave, expected)
    assert np.array_equal(instrument.notes([42], z=z, tune=-50)[0], transposed(third, -0.5))
    assert np.array_equal(instrument.images([41], z=z), instrument.images([40], z=z))
    remarks = {41: "no training notes, E2 resampled", 42: "", 41.5: "F♯2 resampled"}
    assert {pitch: instrument.remark(pitch) for pitch in remarks} == remarks


def test_an_instrument_told_numbers_draws_every_pitch_between_its_trained_ones():
    instrument = gapped(pitch_input="harmonic", trained_pitches=(41, 44))
    assert instrument.pitches == [41, 42, 43, 44]
    z = instrument.latents(1, 1)[0]
    waves = instrument.notes([42.5, 42, 40, 44], z=z, tune=[0, 50, 0, 30])
    assert np.array_equal(waves[0], waves[1])
    assert not np.array_equal(waves[0], instrument.notes([42], z=z)[0])
    ends = instrument.notes([41, 44], z=z)
    assert np.array_equal(waves[2], transposed(ends[0], -1))
    assert np.allclose(waves[3], transposed(ends[1], 0.3), atol=1e-6)
    assert instrument.remark(42) == "no training notes"
    assert instrument.remark(42.5) == instrument.remark(44) == ""


def test_trained_pitches_are_kept(small_run, tmp_path):
    instrument = gapped()
    instrument.save(tmp_path / "bass.safetensors")
    assert Instrument.load(tmp_path / "bass.safetensors").pitches == [40, 42, 44]
    assert Instrument.from_run(small_run).generator.trained_pitches == (40, 41, 42)
    with pytest.raises(RunError, match="trained pitches are not among its pitches"):
        gapped(trained_pitches=(40, 50))


def test_threads_do_not_change_a_note():
    generator = untrained_generator(LABELS, 4, filters_max=40)
    one, three = (Instrument(generator, threads).notes([40, 41], seed=1) for threads in (1, 3))
    assert np.abs(one - three).max() <= 1e-5


def test_a_note_does_not_depend_on_its_company():
    instrument = untrained(LABELS, 4, filters_max=40)
    z = instrument.latents(3, 1)
    together = instrument.notes([40, 41, 42], z)
    alone = [instrument.notes([40 + i], z[i])[0] for i in range(3)]
    assert np.array_equal(together, alone)


def test_many_notes_are_made_as_they_are_taken():
    """Notes enough for an hour of sound and 256 MB, of which only one is held."""
    instrument = untrained(LABELS, 0, filters_max=16)
    instrument.notes([40], seed=0)  # What is loaded once is not counted.
    before = resident_bytes()
    waves = instrument.stream([40] * 1000, seed=0)
    for _ in range(200):
        next(waves)
    assert resident_bytes() - before < 200 * 64_000 * 4 / 2


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


NO_FRAMEWORK = """
import sys
from pathlib import Path
from reverbsynth.cli import app
app(sys.argv[1:], standalone_mode=False)
loaded = {name.split(".")[0] for name in sys.modules}
heavy = {"keras", "tensorflow", "jax", "librosa", "numba", "scipy", "pandas", "matplotlib"}
print(sorted(loaded & heavy))
"""


def test_playing_needs_no_framework_no_cache_and_no_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    folder = tmp_path / "out"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TF_", "XDG_", "KERAS_", "ORT_")) and name != "HOME"
    }
    for setting in ({}, {"HOME": str(home)}, {"HOME": "/nowhere"}):
        out = folder / f"{len(setting)}.wav"
        done = subprocess.run(
            [sys.executable, "-c", NO_FRAMEWORK, "play", SHIPPED, "--pitch", "40", "-o", out],
            env={**environment, **setting},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        assert done.stdout == f"{out}\n[]\n"
        assert out.stat().st_size > 64_000 * 2
    assert not list(home.iterdir())


def test_round_trip_gives_identical_waves(imported, expected, tmp_path):
    imported.save(tmp_path / "bass.safetensors")
    again = Instrument.load(tmp_path / "bass.safetensors")
    assert again.labels == imported.labels
    assert again.generator.progress == imported.generator.progress
    assert again.facts == imported.facts
    assert np.array_equal(again.notes([40, 41], seed=1), imported.notes([40, 41], seed=1))


def test_half_a_file_plays_the_halved_instrument(imported, tmp_path):
    imported.save(tmp_path / "whole.safetensors")
    imported.save(tmp_path / "half.safetensors", float16=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.6 * sizes[0]
    again = Instrument.load(tmp_path / "half.safetensors")
    assert np.array_equal(again.notes([40], seed=1), imported.in_float16().notes([40], seed=1))
    again.save(tmp_path / "again.safetensors", float16=True)
    third = Instrument.load(tmp_path / "again.safetensors")
    assert np.array_equal(third.notes([40], seed=1), again.notes([40], seed=1))


@pytest.fixture(scope="module")
def saved(imported, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "bass.safetensors"
    imported.save(path, float16=True)
    return path.read_bytes()


def refusal(path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ReverbSynthError) as caught:
        Instrument.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("share", [0, 0.0001, 0.01, 0.5, 0.999999])
def test_a_truncated_file_is_refused(saved, tmp_path, share):
    assert "not a whole safetensors file" in refusal(
        tmp_path / "a.safetensors", saved[: int(share * len(saved))]
    )


@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.99])
def test_one_changed_weight_is_noticed(saved, tmp_path, share):
    content = bytearray(saved)
    header = 8 + int.from_bytes(saved[:8], "little")
    content[header + int(share * (len(saved) - header))] ^= 1
    assert "SHA-256 differs" in refusal(tmp_path / "a.safetensors", bytes(content))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.floats(0, 1), bit=st.integers(0, 7))
def test_any_changed_bit_of_the_header_is_refused(saved, tmp_path_factory, place, bit):
    header = 8 + int.from_bytes(saved[:8], "little")
    content = bytearray(saved)
    content[int(place * (header - 1))] ^= 1 << bit
    assert refusal(tmp_path_factory.getbasetemp() / "a.safetensors", bytes(content))


def test_foreign_files_are_refused(tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    save_file({"x": np.zeros(3, np.float32)}, foreign)
    assert "not an instrument" in refusal(foreign, foreign.read_bytes())
    assert "not a whole safetensors file" in refusal(tmp_path / "a", b"RIFF" + bytes(60))
    assert "expected an instrument first" in refusal(tmp_path / "a.wav", b"RIFF" + bytes(60))
    with pytest.raises(ReverbSynthError, match=r"none\.safetensors: no such file"):
        Instrument.load(tmp_path / "none.safetensors")
    with pytest.raises(ReverbSynthError, match="not a run"):
        Instrument.load(tmp_path)


@pytest.mark.parametrize(
    ("version", "remedy"), [(1, "train it anew"), (4, "train it anew"), (99, "update the package")]
)
def test_another_version_says_so_and_what_to_do(imported, tmp_path, version, remedy):
    path = tmp_path / "other.safetensors"
    gan = {**imported.gan.model_dump(mode="json"), "pitch_input": "harmonic"}
    document = {"version": version, "gan": gan}
    metadata = {"format": "reverbsynth-instrument", "instrument": json.dumps(document)}
    save_file(imported.generator.weights, path, metadata)
    message = refusal(path, path.read_bytes())
    assert f"instrument of version {version}, this package reads version" in message
    assert remedy in message


def test_a_one_hot_instrument_of_the_version_before_plays_as_it_did(imported, tmp_path):
    imported.save(tmp_path / "new.safetensors")
    weights, metadata = load_tensors(tmp_path / "new.safetensors")
    text = json.dumps({**json.loads(metadata["instrument"]), "version": 4}, sort_keys=True)
    metadata |= {"instrument": text, "sha256": instrument_file._digest(text, weights)}
    save_file(weights, tmp_path / "old.safetensors", metadata)
    old = Instrument.load(tmp_path / "old.safetensors")
    pitch = old.pitches[0]
    np.testing.assert_array_equal(*(each.notes([pitch], seed=0) for each in (old, imported)))


def test_weights_that_are_not_finite_are_refused(imported):
    weights = dict(imported.generator.weights)
    name = next(iter(weights))
    weights[name] = np.full_like(weights[name], np.nan)
    with pytest.raises(RunError, match=f"weight {name} holds values that are not finite"):
        replace(imported.generator, weights=weights)


def test_weights_too_large_for_float16_are_not_written(imported, tmp_path):
    weights = {name: value.copy() for name, value in imported.generator.weights.items()}
    next(iter(weights.values())).flat[0] = 1e6
    large = Instrument(replace(imported.generator, weights=weights))
    with pytest.raises(ReverbSynthError, match="do not fit float16"):
        large.save(tmp_path / "a.safetensors", float16=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda bass: bass.notes(40), "pitches: found 40, expected a list"),
        (lambda bass: bass.images(40), "pitches: found 40, expected a list"),
        (lambda bass: bass.notes([40], seed=-1), "seed: found -1, expected a whole number from 0"),
        (lambda bass: bass.notes([40], seed=0.5), r"seed: found 0\.5"),
        (lambda bass: bass.walk([3], every=0), r"every: found 0, expected seconds, at least 0\.05"),
        (lambda bass: bass.walk([3], every=1e-9), "every: found 1e-09, expected seconds"),
        (lambda bass: bass.walk([np.nan]), r"seconds: found \[nan\], expected times from 0"),
        (lambda bass: bass.walk([0, -1]), r"seconds: found \[0, -1\]"),
    ],
)
def test_what_cannot_be_played_is_one_line(imported, asked, message):
    with pytest.raises(ReverbSynthError, match=message):
        asked(imported)


def test_seeds_decide_the_notes(imported):
    notes = imported.notes([40, 41, 42], seed=5)
    assert np.array_equal(notes, imported.notes([40, 41, 42], seed=5))
    assert not np.array_equal(notes, imported.notes([40, 41, 42], seed=6))
    assert np.array_equal(notes[1:2], imported.notes([41], z=imported.latents(3, 5)[1]))


def test_a_stream_gives_the_same_notes(imported):
    streamed = np.stack(list(imported.stream([40, 41, 42], seed=5)))
    assert np.array_equal(streamed, imported.notes([40, 41, 42], seed=5))
    assert imported.notes([]).shape == (0, 64_000)


def test_velocity_as_a_label_chooses_the_nearest_that_was_trained(tmp_path):
    """So that it changes timbre and not only gain; values read from a file are still numbers."""
    made = untrained({"pitch": range(40, 43), "velocity": [25, 75, 127]}, 4, latent_size=8)
    made.save(tmp_path / "made")
    instrument = Instrument.load(tmp_path / "made")
    assert instrument.trained_velocities([1, 60, 90, 126]) == {"velocity": [25, 75, 75, 127]}
    z = instrument.latents(1, 0)[0]
    soft, hard = instrument.notes([40, 40], z, velocities=[30, 120])
    for wave, velocity, peak in ((soft, 25, 30), (hard, 127, 120)):
        (plain,) = instrument.notes([40], z, velocity=velocity)
        np.testing.assert_allclose(wave, at_peak(plain, peak / 127), atol=1e-6)
    (middle,) = instrument.notes([40], z)
    np.testing.assert_array_equal(middle, instrument.notes([40], z, velocity=75)[0])
    assert not np.allclose(at_peak(soft, 1.0), at_peak(hard, 1.0), atol=0.01)
    given = parse("velocity", "127", instrument.labels["velocity"])
    assert (given, parse("velocity", "25=0.5,75=0.5", [25, 75])) == (127, {25: 0.5, 75: 0.5})
    notes = [MidiNote(0.0, 0.5, 40, 30), MidiNote(1.0, 1.5, 40, 120)]
    played = render(instrument, notes, seed=0, every=0)
    assert played.generated == 2
    assert render(instrument, notes, seed=0, every=0, velocity=75).generated == 1


def test_velocity_is_a_notes_peak(imported):
    notes = imported.notes([40, 41], seed=1, velocities=[127, 50])
    assert np.abs(notes).max(axis=1) == pytest.approx([1, 50 / 127], rel=1e-5)
    plain = imported.notes([41], z=imported.latents(2, 1)[1])[0]
    assert np.allclose(notes[1] * np.abs(plain).max() * 127 / 50, plain, atol=1e-5)
    with pytest.raises(ReverbSynthError, match="velocity: found 128"):
        imported.notes([40], velocities=128)
    with pytest.raises(ReverbSynthError, match="velocity: found 1 values, expected 2"):
        imported.notes([40, 41], velocities=[100])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pitches": [9]}, "pitch: found 9, expected 24 to 84"),
        ({"pitches": 40}, "pitches: found 40, expected a list of them"),
        ({"pitches": [float("nan")]}, "pitch: found nan, expected 24 to 84"),
        ({"pitches": [40], "tune": float("nan")}, "tune: found nan, expected"),
        ({"pitches": [40], "tune": [1, 2]}, "tune: found 2 values, expected 1"),
        ({"pitches": [40], "velocities": 128}, "velocity: found 128, expected 0 to 127"),
        ({"pitches": [40], "effect": "reverb"}, "label 'effect': this instrument has pitch"),
        ({"pitches": [40], "z": np.zeros((2, 3))}, r"z: found shape \(2, 3\)"),
    ],
)
def test_wrong_requests_are_refused(imported, arguments, message):
    with pytest.raises(ReverbSynthError, match=message):
        imported.notes(**arguments)


def test_a_file_is_of_one_stage(imported, tmp_path):
    imported.save(tmp_path / "bass.safetensors")
    assert Instrument.load(tmp_path / "bass.safetensors").stage == imported.stage
    with pytest.raises(ReverbSynthError, match="expected 8"):
        Instrument.load(tmp_path / "bass.safetensors", stage=8)


def test_interpolation_is_spherical(imported):
    path = imported.between(1, 2, 5)
    first, last = imported.latents(1, 1)[0], imported.latents(1, 2)[0]
    assert np.allclose(path[[0, -1]], [first, last], atol=1e-5)
    lengths = np.linalg.norm(path, axis=1)
    ends = sorted([lengths[0], lengths[-1]])
    # Along a straight line the middle would be shorter by a factor of about sqrt(2).
    assert 0.9 * ends[0] < lengths[2] < 1.1 * ends[1]
    steps = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairwise(path)]
    assert np.ptp(np.arccos(steps)) < 0.05


def test_interpolation_between_equal_or_opposite_vectors_is_finite():
    vector = np.arange(1, 5, dtype=np.float32)
    assert np.allclose(slerp(vector, vector, 0.3), vector)
    assert np.isfinite(slerp(vector, -vector, np.linspace(0, 1, 5))).all()
    assert np.isfinite(slerp(np.zeros(4), vector, 0.5)).all()


def test_a_walk_passes_a_new_timbre_every_few_seconds(imported):
    timbres = imported.latents(4, seed=3)
    found = imported.walk([0, 2, 4, 6], every=2.0, seed=3)
    assert found.dtype == np.float32
    assert np.allclose(found, timbres, atol=1e-5)
    between = imported.walk([1.0], every=2.0, seed=3)
    assert np.allclose(between, [slerp(timbres[0], timbres[1], 0.5)])
    assert imported.walk([], seed=3).shape == (0, imported.gan.latent_size)


@pytest.mark.both_backends
def test_blocks_of_labels_lie_as_in_training(small_run):
    """In the order of the settings, which is not the alphabet's."""
    found = Instrument.from_run(Run.open(small_run.directory))
    assert tuple(found.labels) == small_run.settings.gan.labels == ("pitch", "effect")
    z = found.latents(1, 1)
    pitch = np.float32([value == found.pitches[1] for value in found.labels["pitch"]])
    condition = np.concatenate([pitch, np.float32([0, 1])])[np.newaxis]  # the pitch, then reverb
    expected, _ = as_in_training(found.generator, z, condition)
    image, _ = found.image_and_wave(found.pitches[1], z[0], effect="reverb")
    assert np.allclose(image, expected[0], atol=1e-3)
