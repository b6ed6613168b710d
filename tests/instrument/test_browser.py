"""The published page's keyboard, in headless Chromium against a local server."""

import functools
import http.server
import json
import threading

import numpy as np
import pytest

from reverbsynth.instrument.export import write_page
from reverbsynth.instrument.instrument import Instrument
from tests import chromium
from tests.instruments import untrained

pytestmark = pytest.mark.browser

PITCHES = list(range(36, 61))
UNTRAINED = 41


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    """An untrained instrument of the laptop's size at stage 8, with two effects."""
    labels = {"pitch": PITCHES, "effect": ["dry", "reverb"]}
    trained = [pitch for pitch in PITCHES if pitch != UNTRAINED]
    sizes = {"filters_base": 1024, "filters_max": 64}
    return untrained(labels, 8, seed=1, trained_pitches=trained, **sizes)


def serve(folder):
    """The address of a page in a folder, and its server."""
    handler = functools.partial(_Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/index.html", server


@pytest.fixture(scope="module")
def folder(instrument, tmp_path_factory):
    return write_page(instrument, tmp_path_factory.mktemp("page")).parent


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(folder):
    served, server = serve(folder)
    with server:
        yield served
        server.shutdown()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with chromium.Page(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def started(page, address):
    """The page after its start button was pressed; before that it has loaded nothing."""
    page.open(address)
    before = list(page.requests)
    assert not [url for url in before if "onnx" in url or "wasm" in url or "latents" in url]
    assert "MB" in page.evaluate("document.querySelector('.rs-start').textContent")
    return start(page)


def start(page):
    page.evaluate("document.querySelector('.rs-start').click()")
    page.wait_for("ReverbSynth.keyboards[0].mode !== 'idle'", 120)
    assert page.evaluate("ReverbSynth.keyboards[0].mode") == "live", page.errors
    return page


def test_keys_without_training_notes_say_so_and_play_the_nearest(started, instrument):
    name = f"document.querySelector('[data-pitch=\"{UNTRAINED}\"]').ariaLabel"
    assert started.evaluate(name) == "F2, MIDI 41, no training notes, E2 resampled"
    assert started.evaluate("document.querySelectorAll('.rs-untrained').length") == 1
    condition = started.evaluate(
        "{ const k = ReverbSynth.keyboards[0]; Array.from(k.condition(41, k.chosen())) }"
    )
    assert condition == instrument.condition([UNTRAINED])[0].tolist()
    started.evaluate("document.querySelector('[data-pitch=\"41\"]').click()")
    started.wait_for("ReverbSynth.keyboards[0].sounding.get(41)?.source")
    tuned = "ReverbSynth.keyboards[0].sounding.get(41).source.detune.value"
    assert started.evaluate(tuned) == 100
    started.evaluate("ReverbSynth.keyboards[0].wheel(-2)")
    assert started.evaluate(tuned) == -100
    started.evaluate("ReverbSynth.keyboards[0].wheel(0); ReverbSynth.keyboards[0].releaseAll()")


def test_a_pitch_told_as_a_number_is_drawn_as_in_python(tmp_path):
    labels = {"pitch": PITCHES, "effect": ["dry", "reverb"]}
    sizes = {"filters_base": 256, "filters_max": 16, "latent_size": 16}
    instrument = untrained(labels, 6, pitch_input="harmonic", trained_pitches=(40, 50), **sizes)
    folder = write_page(instrument, tmp_path / "page").parent
    z, (address, server) = instrument.latents(1, 7)[0], serve(folder)
    with server, chromium.Page(tmp_path / "profile") as page:
        page.open(address)
        start(page)
        for pitch in (40, 45.3, 50):
            wave = instrument.in_float16().notes([pitch], z=z, effect="reverb")[0]
            found = page.evaluate(
                f"ReverbSynth.keyboards[0].generate({pitch}, Float32Array.from({z.tolist()}), "
                "{effect: 'reverb'}).then(({wave}) => Array.from(wave))"
            )
            assert np.abs(np.asarray(found) - wave).max() <= 1e-3 * max(1, np.abs(wave).max())
        assert page.evaluate("ReverbSynth.keyboards[0].remark(45)") == ", no training notes"
        server.shutdown()


def test_waves_equal_pythons(started, instrument):
    z = instrument.latents(1, 7)[0]
    asked, effects = [40, 47, 42], ["dry", "reverb", {"dry": 0.4, "reverb": 0.6}]
    expected = instrument.in_float16().notes(asked, z=z, effect=effects)
    for pitch, effect, wave in zip(asked, effects, expected, strict=True):
        found = started.evaluate(
            f"ReverbSynth.keyboards[0].generate({pitch}, Float32Array.from({z.tolist()}), "
            f"{json.dumps({'effect': effect})}).then(({{wave}}) => Array.from(wave))"
        )
        peak = max(1.0, np.abs(wave).max())
        assert len(found) == 64_000
        assert np.abs(np.asarray(found) - wave).max() <= 1e-3 * peak


def test_its_seeds_are_pythons(started, instrument):
    found = started.evaluate("Array.from(ReverbSynth.keyboards[0].latent(42))")
    assert np.array_equal(np.float32(found), instrument.latents(1, 42)[0])


def test_between_two_seeds_it_interpolates_as_python(started, instrument):
    started.evaluate(
        "{ const k = ReverbSynth.keyboards[0]; k.first.value = 3; k.second.value = 5; "
        "k.blend.value = 0.5; }"
    )
    found = started.evaluate("ReverbSynth.keyboards[0].note(45).then(({wave}) => Array.from(wave))")
    z = instrument.between(3, 5, 3)[1]
    wave = instrument.in_float16().notes([45], z=z)[0]
    assert np.abs(np.asarray(found) - wave).max() <= 1e-3 * max(1.0, np.abs(wave).max())


def test_a_slider_sets_how_much_reverb_there_is(started, instrument):
    name = started.evaluate("ReverbSynth.keyboards[0].dial.labels[0].textContent.trim()")
    assert name == "Amount of reverb"
    found = []
    for share in (0, 0.7, 1):
        started.evaluate(
            f"{{ const d = ReverbSynth.keyboards[0].dial; d.value = {share}; "
            "d.dispatchEvent(new Event('input')); }"
        )
        found.append(started.evaluate("ReverbSynth.keyboards[0].chosen().effect"))
    assert found[::2] == ["dry", "reverb"]
    assert found[1] == pytest.approx({"dry": 0.3, "reverb": 0.7})
    assert started.evaluate("ReverbSynth.keyboards[0].dial.ariaValueText") == "100 %"
    started.evaluate("ReverbSynth.keyboards[0].dial.value = 0.5")
    condition = started.evaluate(
        "{ const k = ReverbSynth.keyboards[0]; Array.from(k.condition(40, k.chosen())) }"
    )
    assert condition == instrument.condition([40], effect={"dry": 0.5, "reverb": 0.5})[0].tolist()
    started.evaluate("ReverbSynth.keyboards[0].dial.value = 0")


def test_only_its_own_server_is_asked(started, address):
    host = address.rsplit("/", 1)[0]
    asked = [url for url in started.requests if not url.startswith(("data:", "blob:"))]
    assert any("keyboard/latents.bin" in url for url in asked)
    assert all(url.startswith((host, "about:")) for url in asked)


def test_computer_keys_play_and_draw(started):
    started.evaluate("document.body.focus()")
    started.press("a", "KeyA")
    lowest = started.evaluate("ReverbSynth.keyboards[0].lowest")
    started.wait_for("/^Image of C/.test(document.querySelector('.rs-keyboard canvas').ariaLabel)")
    assert lowest % 12 == 0
    colours = started.evaluate(
        "(() => { const c = document.querySelector('.rs-keyboard canvas');"
        "return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size })()"
    )
    assert colours > 50


def test_enter_on_a_focused_key_plays_it(started):
    started.evaluate("document.querySelector('.rs-key:not(:disabled)').focus()")
    pitch = int(started.evaluate("document.activeElement.dataset.pitch"))
    started.evaluate("ReverbSynth.keyboards[0].say('')")
    started.press("Enter", "Enter")
    started.wait_for("document.querySelector('.rs-status').textContent !== ''")
    assert started.evaluate(f"ReverbSynth.keyboards[0].sounding.has({pitch})")


def test_every_control_has_a_name(started):
    unnamed = started.evaluate(
        "[...document.querySelectorAll('.rs-keyboard :is(button, input, select, canvas)')]"
        ".filter((e) => !(e.ariaLabel || e.labels?.length || e.textContent.trim()))"
        ".map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_it_fits_a_phone(started, tmp_path):
    started.call(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=740,
        deviceScaleFactor=1,
        mobile=True,
    )
    assert started.evaluate("document.documentElement.scrollWidth") <= 360
    narrowest = started.evaluate(
        "Math.min(...[...document.querySelectorAll('.rs-key:not(.rs-black)')]"
        ".map((key) => key.offsetWidth).filter(Boolean))"
    )
    assert narrowest >= 24
    started.call("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(started, scheme):
    started.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
    text = started.evaluate("getComputedStyle(document.querySelector('.rs-status')).color")
    # The themes' page is white, or nearly black.
    assert _contrast(text, (255, 255, 255) if scheme == "light" else (18, 18, 18)) >= 4.5


def test_without_webassembly_clips_stand_in(page, address, folder):
    script = page.call("Page.addScriptToEvaluateOnNewDocument", source="delete window.WebAssembly")[
        "identifier"
    ]
    page.open(address + "?clips")
    assert page.evaluate("ReverbSynth.keyboards[0].mode") == "clips"
    assert "no WebAssembly" in page.evaluate("document.querySelector('.rs-status').textContent")
    pitch = page.evaluate("document.querySelector('.rs-key:not(:disabled)').dataset.pitch")
    page.evaluate(f"ReverbSynth.keyboards[0].strike({pitch})")
    page.wait_for(f"ReverbSynth.keyboards[0].sounding.get({pitch}).player.currentTime > 0")
    page.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script)


def test_opened_from_a_file_clips_stand_in(page, folder):
    page.open((folder / "index.html").as_uri())
    assert page.evaluate("ReverbSynth.keyboards[0].mode") == "clips"
    pitch = page.evaluate("document.querySelector('.rs-key:not(:disabled)').dataset.pitch")
    page.evaluate(f"ReverbSynth.keyboards[0].strike({pitch})")
    page.wait_for(f"ReverbSynth.keyboards[0].sounding.get({pitch}).player.currentTime > 0")


def _contrast(text: str, page: tuple[int, int, int]) -> float:
    """WCAG's contrast ratio of ``rgb(…)`` on a page colour."""

    def luminance(colour) -> float:
        parts = [part / 255 for part in colour]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    colour = [float(part) for part in text[text.index("(") + 1 : -1].split(",")[:3]]
    high, low = sorted([luminance(colour), luminance(page)], reverse=True)
    return (high + 0.05) / (low + 0.05)
