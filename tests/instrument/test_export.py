"""ONNX models and pages: what is written sounds as the instrument does."""

import base64
import gzip
import io
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
from typer.testing import CliRunner

from reverbsynth.cli import app
from reverbsynth.instrument.export import SEEDS, check_page, web_keyboard, write_onnx, write_page
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import SpectraSettings
from tests.instruments import untrained


def thin(stage: int, progress: float, kind: str = "mel", size: int = 3) -> Instrument:
    """A small untrained instrument with two effects."""
    return untrained(
        {"pitch": range(40, 45), "effect": ["dry", "reverb"]},
        stage,
        progress=progress,
        spectra=SpectraSettings(representation=kind),
        filters_base=128,
        filters_max=16,
        kernel_size=size,
    )


@pytest.fixture(scope="module")
def imported(fixtures) -> Instrument:
    return Instrument.from_original(fixtures / "original_run")


def run(path, z, condition):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wave, image = session.run(["wave", "image"], {"z": z, "condition": condition})
    return wave, image


def check(instrument, path, played, pitches, **labels):
    """Waves and images of the model at ``path`` are those of the instrument ``played``."""
    z = instrument.latents(len(pitches), seed=3)
    waves, images = run(path, z, instrument.condition(pitches, **labels))
    expected = played.notes(pitches, z=z, **labels)
    assert waves.shape == expected.shape
    for found, wave in zip(waves, expected, strict=True):
        assert np.abs(found - wave).max() <= 1e-3 * max(1.0, np.abs(wave).max())
    full = played.images(pitches, z=z, **labels)
    factor = full.shape[1] // images.shape[2]
    assert np.abs(images.transpose(0, 2, 3, 1) - full[:, ::factor, ::factor]).max() <= 1e-3


@pytest.mark.parametrize(
    ("stage", "progress", "kind", "size"),
    [
        (0, 0.0, "mel", 3),
        (4, 2.0, "linear", 3),
        (5, 2.3, "mel", 3),
        (6, 3.0, "phase", 3),
        (4, 2.0, "mel", 5),
    ],
)
def test_a_model_sounds_as_its_instrument(tmp_path, stage, progress, kind, size):
    instrument = thin(stage, progress, kind, size)
    write_onnx(instrument, tmp_path / "a.onnx")
    onnx.checker.check_model(tmp_path / "a.onnx", full_check=True)
    check(instrument, tmp_path / "a.onnx", instrument, [40, 43], effect="reverb")


def test_a_model_says_what_it_is(tmp_path, imported):
    write_onnx(imported, tmp_path / "a.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    stored = session.get_modelmeta().custom_metadata_map
    found = {name: json.loads(text) for name, text in stored.items()}
    assert found["labels"] == [["pitch", list(range(24, 85))]]
    assert found["pitch_input"] == "one-hot"
    assert found["trained_pitches"] == list(range(24, 85))
    assert found["sample_rate"] == 16_000
    assert found["stage"] == imported.stage
    assert found["provenance"] == imported.facts


def test_an_imported_checkpoint_sounds_alike(tmp_path, imported):
    write_onnx(imported, tmp_path / "a.onnx")
    check(imported, tmp_path / "a.onnx", imported, [40, 47, 60])


def test_half_a_model_is_half_the_size_and_plays_the_halved_instrument(tmp_path, imported):
    for half in (False, True):
        write_onnx(imported, tmp_path / f"{half}.onnx", half)
    whole, half = ((tmp_path / f"{name}.onnx").stat().st_size for name in (False, True))
    assert half < 0.6 * whole
    check(imported, tmp_path / "True.onnx", imported.in_float16(), [40, 47])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "keyboard"
    instrument = thin(4, 2.0)
    return instrument, folder, web_keyboard(instrument, folder)


def handed_over(path) -> bytes:
    """The bytes that a script of the page hands over."""
    return gzip.decompress(base64.b64decode(path.read_text().split('"')[1]))


def test_a_keyboard_brings_all_its_files(written):
    _, folder, snippet = written
    manifest = json.loads((folder / "manifest.json").read_text())
    # The labels' order is that of the one-hot blocks, not the alphabet's.
    assert manifest["labels"] == [["pitch", [40, 41, 42, 43, 44]], ["effect", ["dry", "reverb"]]]
    assert manifest["image"] == [8, 64]
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    network = set(manifest["files"].values())
    assert files == {
        *(clip["file"] for clip in manifest["clips"]),
        *(clip["sound"] for clip in manifest["clips"] if "sound" in clip),
        *network,
        *("keyboard.js", "keyboard.css", "picture.js", "manifest.json", "LICENSE-onnxruntime.txt"),
    }
    # Names that every server serves.
    assert {name.rsplit(".")[-1] for name in files} == {"js", "css", "json", "txt", "flac"}
    assert manifest["bytes"] == sum((folder / name).stat().st_size for name in network)
    assert all((folder / name).stat().st_size < 20e6 for name in files)
    inside = snippet.split('<script type="application/json">')[1].split("</script>")[0]
    assert json.loads(inside) == manifest
    assert 'src="keyboard/keyboard.js"' in snippet


def test_its_scripts_hand_over_the_model_and_its_timbres(written, tmp_path):
    instrument, folder, _ = written
    (tmp_path / "a.onnx").write_bytes(handed_over(folder / "network" / "model.js"))
    check(instrument, tmp_path / "a.onnx", instrument.in_float16(), [40, 43], effect="reverb")
    latents = handed_over(folder / "network" / "latents.js")
    timbres = np.frombuffer(latents, "<f4").reshape(SEEDS, -1)
    assert np.array_equal(timbres[11], instrument.latents(1, 11)[0])


def test_its_clips_are_notes_for_every_effect(written):
    instrument, folder, _ = written
    clips = json.loads((folder / "manifest.json").read_text())["clips"]
    assert {clip["labels"]["effect"] for clip in clips} == {"dry", "reverb"}
    assert {clip["pitch"] for clip in clips} == set(instrument.pitches)
    sounds = [clip for clip in clips if "sound" in clip]
    assert [(clip["pitch"], clip["labels"]["effect"]) for clip in sounds] == [
        (42, "dry"),
        (42, "reverb"),
    ]
    for clip in (clips[-1], sounds[0]):
        wave = instrument.in_float16().notes([clip["pitch"]], seed=0, **clip["labels"])[0]
        found, rate = soundfile.read(io.BytesIO(handed_over(folder / clip["file"])))
        assert rate == 16_000
        assert np.abs(clip["gain"] * found - wave).max() < 1e-3 * np.abs(wave).max()
    found, _ = soundfile.read(folder / sounds[0]["sound"])
    assert np.abs(found).max() == pytest.approx(0.8, abs=1e-3)


def test_its_first_picture_and_axes_are_the_instruments(written):
    instrument, folder, _ = written
    manifest = json.loads((folder / "manifest.json").read_text())
    shown = np.frombuffer(handed_over(folder / manifest["picture"]["file"]), np.uint8)
    image, _ = instrument.in_float16().image_and_wave(42, instrument.latents(1, 0)[0], effect="dry")
    magnitude, frequency = shown.reshape(2, *manifest["image"]) / 255
    assert np.abs(2 * frequency - 1 - np.clip(image[..., 1], -1, 1)).max() < 5e-3
    assert np.unravel_index(magnitude.argmax(), magnitude.shape) == np.unravel_index(
        image[..., 0].argmax(), image.shape[:2]
    )
    assert manifest["picture"]["name"] == "F♯2, dry"
    shares = [share for _, share in manifest["frequency_ticks"]]
    assert manifest["frequency_ticks"][0][0] == "8 kHz"
    assert shares == sorted(shares, reverse=True)


def test_a_page_names_what_it_is(tmp_path):
    page = write_page(thin(0, 0.0), tmp_path / "page", title="A <bass>")
    text = page.read_text()
    assert "<title>A &lt;bass&gt;</title>" in text
    assert 'lang="en"' in text
    # Its card is shown, and lies beside it for hubs.
    assert "<h2>Data and licence</h2>" in text
    assert (page.parent / "README.md").read_text().startswith("---\nlicense: other")


def test_a_card_takes_the_place_of_its_own_and_of_no_other(tmp_path):
    page = write_page(thin(0, 0.0), tmp_path, title="first")
    write_page(thin(0, 0.0), tmp_path, title="second")
    assert "# second" in (page.parent / "README.md").read_text()
    (tmp_path / "README.md").write_text("my own")
    write_page(thin(0, 0.0), tmp_path, title="third")
    assert (tmp_path / "README.md").read_text() == "my own"
    assert "# third" in (tmp_path / "keyboard" / "README.md").read_text()


def test_a_page_of_someone_else_stays(tmp_path, monkeypatch):
    instrument = thin(0, 0.0)
    instrument.save(tmp_path / "bass.safetensors")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("my own page")
    monkeypatch.chdir(tmp_path / "mine")
    done = CliRunner().invoke(app, ["export", "../bass.safetensors", "-o", "."])
    assert "index.html: another page is there" in str(done.exception)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["index.html"]
    assert (tmp_path / "mine" / "index.html").read_text() == "my own page"
    page = write_page(instrument, tmp_path / "ours")
    check_page(page.parent)


def test_an_instrument_whose_run_cannot_be_read_still_has_a_page(tmp_path):
    run = tmp_path / "old"
    run.mkdir()
    thin(0, 0.0).save(run / "instrument.safetensors")
    (run / "manifest.json").write_text('{"format": 2}')
    source, page = run / "instrument.safetensors", tmp_path / "page"
    done = CliRunner().invoke(app, ["export", str(source), "-o", str(page)])
    assert done.exit_code == 0, done.exception
    assert "the card tells nothing of its run:" in done.output
    assert "<title>old</title>" in (page / "index.html").read_text()
