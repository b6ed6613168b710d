"""The published page's keyboard, in headless Chromium: from a local server and from a file."""

import json

import numpy as np
import pytest

from reverbsynth.instrument.export import write_page
from reverbsynth.instrument.release import released
from reverbsynth.instrument.resampling import transposed
from tests import chromium
from tests.instrument.conftest import KEYBOARD, PITCHES, UNTRAINED, serve, start
from tests.instruments import untrained

pytestmark = pytest.mark.browser

GENERATE = (
    KEYBOARD + ".network.generate({pitch}, Float32Array.from({z}), {labels})"
    ".then(({{wave}}) => Array.from(wave))"
)


def generated(page, pitch, z, **labels):
    """A wave of the page's network."""
    text = GENERATE.format(pitch=pitch, z=z.tolist(), labels=json.dumps(labels))
    return np.asarray(page.evaluate(text))


def assert_alike(found, wave):
    assert len(found) == len(wave)
    assert np.abs(found - wave).max() <= 1e-3 * max(1.0, np.abs(wave).max())


def status(page) -> str:
    return page.evaluate("document.querySelector('.rs-status').textContent")


def on_piano(pitch: int) -> str:
    """The piano's key of a pitch."""
    return f"document.querySelector(`[data-pitch='{pitch}']`)"


def lower_end(page, pitch: int) -> list[float]:
    """Where a key of the piano can be touched."""
    return page.evaluate(
        f"(({{left, width, bottom}}) => [left + width / 2, bottom - 8])"
        f"({on_piano(pitch)}.getBoundingClientRect())"
    )


def lit(page) -> list[int]:
    """The keys that are shown as pressed."""
    keys = "[...document.querySelectorAll('.rs-key.rs-on')].map((k) => Number(k.dataset.pitch))"
    return page.evaluate(keys)


def key(page, kind, code, **options):
    """A key of the computer goes down or up, wherever the focus is."""
    event = json.dumps({"code": code, "bubbles": True, **options})
    page.evaluate(f"document.activeElement.dispatchEvent(new KeyboardEvent('{kind}', {event}))")


def test_before_the_download_every_key_sounds_and_a_picture_is_shown(unstarted, played):
    page = unstarted
    assert not [url for url in page.requests if "/network/" in url]
    assert "MB" in page.evaluate("document.querySelector('.rs-start').textContent")
    assert page.evaluate("document.querySelectorAll('.rs-key:disabled').length") == 0
    for pitch in PITCHES:
        page.evaluate(f"{KEYBOARD}.strike({pitch})")
    sounding = f"[...{KEYBOARD}.sounding.values()].filter(({{voice}}) => voice).length"
    page.wait_for(f"{sounding} === {len(PITCHES)}")
    # Of keys without a clip the nearest one's, resampled.
    shift = f"{KEYBOARD}.sounding.get({PITCHES[1]}).voice.note.shift"
    assert abs(page.evaluate(shift)) == 1
    page.wait_for("/^Log-magnitude of .*, dry$/.test(document.querySelector('canvas').ariaLabel)")
    assert colours(page) > 50
    page.evaluate(f"{KEYBOARD}.controls.dial.value = 1")
    clip = f"{KEYBOARD}.clips.nearest(40, {KEYBOARD}.controls.chosen()).labels.effect"
    assert page.evaluate(clip) == "reverb"


def colours(page) -> int:
    return page.evaluate(
        "(() => { const c = document.querySelector('.rs-keyboard canvas');"
        "return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size })()"
    )


def test_one_player_sounds_at_a_time(unstarted):
    page = unstarted
    assert page.evaluate("document.querySelectorAll('.rs-listen audio').length") == 2
    page.evaluate("document.querySelectorAll('audio')[0].play()")
    page.wait_for("!document.querySelectorAll('audio')[0].paused")
    page.evaluate("document.querySelectorAll('audio')[1].play()")
    page.wait_for("document.querySelectorAll('audio')[0].paused")
    assert not page.evaluate("document.querySelectorAll('audio')[1].paused")
    page.evaluate("document.querySelectorAll('audio')[1].pause()")


@pytest.mark.parametrize(
    "end",
    [
        # Ctrl goes down meanwhile.
        lambda page: key(page, "keyup", "KeyS", ctrlKey=True),
        # A field takes the focus meanwhile.
        lambda page: (
            page.evaluate("document.querySelector('input[type=number]').focus()"),
            key(page, "keyup", "KeyS"),
        ),
        lambda page: page.evaluate("window.dispatchEvent(new Event('blur'))"),
        # macOS tells of no other key while Meta is down.
        lambda page: key(page, "keyup", "MetaLeft", key="Meta"),
        # The octave has moved meanwhile.
        lambda page: (key(page, "keydown", "KeyX"), key(page, "keyup", "KeyS")),
    ],
)
def test_letting_go_of_a_key_always_counts(started, end):
    lowest = started.evaluate(f"{KEYBOARD}.piano.lowest")
    started.evaluate("document.activeElement.blur()")
    key(started, "keydown", "KeyS")
    assert lit(started) == [lowest + 2]
    end(started)
    assert lit(started) == []
    assert started.evaluate(f"{KEYBOARD}.held.holds.size") == 0
    assert started.evaluate(f"{KEYBOARD}.sounding.get({lowest + 2}).released")
    started.evaluate(f"{KEYBOARD}.piano.shift({lowest} - {KEYBOARD}.piano.lowest)")


def test_fingers_slide_and_may_be_taken_away(started):
    def finger(kind, pitch):
        x, y = lower_end(started, pitch)
        options = json.dumps({"clientX": x, "clientY": y, "pointerId": 1, "bubbles": True})
        # An event that is made up has no pointer to capture.
        started.evaluate(
            "HTMLElement.prototype.setPointerCapture = () => {};"
            f"{on_piano(pitch)}.dispatchEvent(new PointerEvent('{kind}', {options}))"
        )

    started.evaluate("document.querySelector('.rs-piano').scrollIntoView()")
    finger("pointerdown", 40)
    assert lit(started) == [40]
    finger("pointermove", 41)
    assert lit(started) == [41]
    finger("pointercancel", 41)
    assert lit(started) == []


def test_the_first_touch_sounds_and_none_before_it(address, tmp_path):
    flags = ("--autoplay-policy=document-user-activation-required", "--touch-events=enabled")
    with chromium.Page(tmp_path / "profile", *flags) as page:
        page.open(address)
        page.evaluate("document.querySelector('.rs-piano').scrollIntoView()")

        def touch(pitch, end):
            x, y = lower_end(page, pitch)
            page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
            page.call("Input.dispatchTouchEvent", type=end, touchPoints=[])

        touch(40, "touchCancel")
        touch(41, "touchEnd")
        page.wait_for(f"{KEYBOARD}.sounding.get(41).voice", 5)
        assert not page.evaluate(f"{KEYBOARD}.sounding.get(40).voice")


def sounded(page, wave: np.ndarray, tail: bool, then: str) -> np.ndarray:
    """8 s of a ``voice`` that plays a wave alone, of which ``then`` says what becomes of it."""
    page.evaluate(f"{KEYBOARD}.strike(40)")
    heard = page.evaluate(
        f"(async () => {{ const Voice = {KEYBOARD}.sounding.get(40).voice.constructor;"
        "const context = new OfflineAudioContext(1, 128000, 16000);"
        f"const wave = Float32Array.from({wave.tolist()});"
        f"const note = {{ wave, rate: 16000, level: 1, shift: 0, tail: {json.dumps(tail)} }};"
        f"const voice = new Voice(context, context.destination, note, 0); {then};"
        "return Array.from((await context.startRendering()).getChannelData(0)); })()"
    )
    page.evaluate(f"{KEYBOARD}.release(40)")
    return np.asarray(heard)


@pytest.mark.parametrize(
    ("release", "seconds"), [("tail", 0.7), ("fade", 0.7), ("fade", 3.5), ("fade", 0)]
)
def test_a_key_let_go_sounds_as_in_python(started, played, release, seconds):
    z = played.latents(1, 7)[0]
    wave = np.float32(generated(started, 40, z, effect="reverb"))
    heard = sounded(started, wave, release == "tail", f"voice.release({seconds})")
    expected = released(wave, seconds, release)
    assert np.abs(heard[: len(expected)] - expected).max() <= 2e-3 * np.abs(wave).max()
    assert not np.any(heard[len(expected) :])


def test_a_resampled_note_goes_on_in_phase(started):
    wave = np.sin(np.arange(64_000, dtype=np.float32) / 13)
    heard = sounded(started, wave, True, "voice.bend(-2, 0); voice.release(0.7)")
    expected = transposed(released(wave, 0.7 * 2 ** (-2 / 12), "tail"), -2)
    # But for the attack, which Python resamples as well.
    assert np.abs(heard[: len(expected)] - expected)[200:].max() < 0.02


def test_a_held_note_without_its_tail_ends_where_its_release_would_begin(started):
    """After 3.3 s of the wave; from 1 s on it is played at half its speed."""
    heard = sounded(started, np.ones(64_000), False, "voice.bend(-12, 1)")
    assert np.flatnonzero(heard)[-1] / 16_000 == pytest.approx(1 + 2 * 2.3, abs=0.01)


def test_instruments_with_effects_ring_out_unless_told_otherwise(started):
    for ring in ("true", "false", "true"):
        started.evaluate(f"{KEYBOARD}.controls.ring.checked = {ring}")
        tail = started.evaluate(f"{KEYBOARD}.prepared(40, 100).then(({{tail}}) => tail)")
        assert tail == (ring == "true")


def test_loudness_is_even_unless_the_true_level_is_asked_for(started):
    prepared = "{}.prepared({}, 127).then((n) => n.level * Math.max(...n.wave.map(Math.abs)))"
    even = [started.evaluate(prepared.format(KEYBOARD, pitch)) for pitch in (40, 55)]
    assert even == pytest.approx([0.5, 0.5], rel=1e-3)
    started.evaluate(f"{KEYBOARD}.controls.even.checked = false")
    assert started.evaluate(f"{KEYBOARD}.prepared(40, 127).then((n) => n.level)") == 1
    started.evaluate(f"{KEYBOARD}.controls.even.checked = true")


def test_keys_without_training_notes_say_so_and_play_the_nearest(started, played):
    assert (
        started.evaluate(f"{on_piano(UNTRAINED)}.ariaLabel")
        == "F2, MIDI 41, no training notes, E2 resampled"
    )
    assert started.evaluate("document.querySelectorAll('.rs-untrained').length") == 1
    condition = started.evaluate(
        f"Array.from({KEYBOARD}.conditions.vector(41, {KEYBOARD}.controls.chosen()))"
    )
    assert condition == played.condition([UNTRAINED])[0].tolist()
    started.evaluate(f"{on_piano(41)}.click()")
    started.wait_for(f"{KEYBOARD}.sounding.get(41)?.voice")
    assert started.evaluate(f"{KEYBOARD}.sounding.get(41).voice.semitones") == 1
    started.evaluate(f"{KEYBOARD}.release(41)")


def test_pitches_told_as_numbers_and_velocities_are_drawn_as_in_python(tmp_path):
    labels = {"pitch": PITCHES, "effect": ["dry", "reverb"], "velocity": [40, 100]}
    sizes = {"filters_base": 256, "filters_max": 16, "latent_size": 16, "timbres": 4}
    sizes["key_shares"] = True
    instrument = untrained(labels, 6, pitch_input="harmonic", trained_pitches=(40, 50), **sizes)
    folder = write_page(instrument, tmp_path / "page").parent
    z, (address, server) = instrument.latents(1, 7)[0], serve(folder)
    with server, chromium.Page(tmp_path / "profile") as page:
        page.open(address)
        start(page)
        for pitch in (40, 45.3, 50):
            wave = instrument.in_float16().notes([pitch], z=z, effect="reverb", velocity=100)[0]
            assert_alike(generated(page, pitch, z, effect="reverb", velocity=100), wave)
        assert page.evaluate(f"{KEYBOARD}.conditions.remark(45)") == ", no training notes"
        for struck, nearest in ((1, 40), (69, 40), (71, 100)):
            found = page.evaluate(f"{KEYBOARD}.conditions.velocity({struck})")
            assert found == {"velocity": nearest}
            assert instrument.trained_velocities([struck]) == {"velocity": [nearest]}
        server.shutdown()


def test_waves_equal_pythons(started, played):
    z = played.latents(1, 7)[0]
    asked, effects = [40, 47, 42], ["dry", "reverb", {"dry": 0.4, "reverb": 0.6}]
    expected = played.in_float16().notes(asked, z=z, effect=effects)
    for pitch, effect, wave in zip(asked, effects, expected, strict=True):
        assert_alike(generated(started, pitch, z, effect=effect), wave)


def test_its_seeds_are_pythons(started, played):
    found = started.evaluate(f"Array.from({KEYBOARD}.network.latent(42))")
    assert np.array_equal(np.float32(found), played.latents(1, 42)[0])


def test_between_two_seeds_it_interpolates_as_python(started, played):
    started.evaluate(
        f"{{ const c = {KEYBOARD}.controls; c.first.value = 3; c.second.value = 5; "
        "c.blend.value = 0.5; }"
    )
    found = started.evaluate(f"{KEYBOARD}.prepared(45, 100).then(({{wave}}) => Array.from(wave))")
    z = played.between(3, 5, 3)[1]
    assert_alike(np.asarray(found), played.in_float16().notes([45], z=z)[0])


def test_a_slider_sets_how_much_reverb_there_is(started, played):
    dial = f"{KEYBOARD}.controls.dial"
    name = started.evaluate(f"{dial}.labels[0].textContent.trim()")
    assert name.startswith("Amount of reverb")
    found = []
    for share in (0, 0.7, 1):
        started.evaluate(f"{dial}.value = {share}; {dial}.dispatchEvent(new Event('input'))")
        found.append(started.evaluate(f"{KEYBOARD}.controls.chosen().effect"))
    assert found[::2] == ["dry", "reverb"]
    assert found[1] == pytest.approx({"dry": 0.3, "reverb": 0.7})
    assert started.evaluate(f"{dial}.ariaValueText") == "100 %"
    started.evaluate(f"{dial}.value = 0.5")
    condition = started.evaluate(
        f"Array.from({KEYBOARD}.conditions.vector(40, {KEYBOARD}.controls.chosen()))"
    )
    assert condition == played.condition([40], effect={"dry": 0.5, "reverb": 0.5})[0].tolist()
    started.evaluate(f"{dial}.value = 0")


def test_only_its_own_server_is_asked(started, address):
    host = address.rsplit("/", 1)[0]
    asked = [url for url in started.requests if not url.startswith(("data:", "blob:"))]
    assert any("network/latents.js" in url for url in asked)
    assert all(url.startswith((host, "about:")) for url in asked)


def test_computer_keys_play_and_draw(started):
    started.evaluate("document.activeElement.blur()")
    started.press("a", "KeyA")
    lowest = started.evaluate(f"{KEYBOARD}.piano.lowest")
    started.wait_for("/^Log-magnitude of C/.test(document.querySelector('canvas').ariaLabel)")
    assert lowest % 12 == 0
    assert colours(started) > 50


def test_letters_play_also_while_a_menu_has_the_focus(started):
    started.evaluate(
        "var menu = document.createElement('select');"
        "menu.append(new Option('a'), new Option('b'), new Option('s'), new Option('x'));"
        f"{KEYBOARD}.controls.root.append(menu); menu.focus(); window.played = [];"
        f"{KEYBOARD}.held.strike = (pitch) => played.push(pitch - {KEYBOARD}.piano.lowest); 0"
    )
    for letter in "sx":
        started.press(letter, f"Key{letter.upper()}", repeat=True)
        started.press(letter, f"Key{letter.upper()}")
    assert started.evaluate("[menu.value, ...played]") == ["a", 2]
    started.press("ArrowDown", "ArrowDown")
    assert started.evaluate("menu.value") == "b"
    started.evaluate(
        f"menu.remove(); {KEYBOARD}.held.strike = (...key) => {KEYBOARD}.strike(...key); 0"
    )


def test_the_piano_stays_where_the_instrument_has_keys(started):
    for by in (-12, 12):
        started.evaluate(f"{KEYBOARD}.piano.shift({by})")
        said = started.evaluate("document.querySelector('.rs-range').value")
        assert said == "from C2; it plays C2 to C4"
    disabled = f"[{KEYBOARD}.piano.down.disabled, {KEYBOARD}.piano.up.disabled]"
    assert started.evaluate(disabled) == [True, True]
    started.evaluate(f"{KEYBOARD}.strike(20)")
    assert status(started) == "G♯0 is none of the instrument's keys, C2 to C4."


def test_a_timbre_that_is_not_there_becomes_the_last(started):
    started.evaluate(
        f"{{ const {{ first }} = {KEYBOARD}.controls; first.value = 500;"
        "first.dispatchEvent(new Event('change')); }"
    )
    assert started.evaluate(f"{KEYBOARD}.controls.first.value") == "99"


def test_enter_on_a_focused_key_plays_it_once(started):
    started.evaluate("document.querySelector('.rs-key:not(:disabled)').focus()")
    pitch = int(started.evaluate("document.activeElement.dataset.pitch"))
    started.evaluate(f"{KEYBOARD}.say('')")
    started.press("Enter", "Enter")
    started.wait_for("document.querySelector('.rs-status').textContent !== ''")
    started.evaluate(f"window.struck = {KEYBOARD}.sounding.get({pitch})")
    started.press("Enter", "Enter", repeat=True)
    assert started.evaluate(f"{KEYBOARD}.sounding.get({pitch}) === struck")
    started.evaluate(f"{KEYBOARD}.release({pitch})")


def test_every_control_has_a_name(started):
    unnamed = started.evaluate(
        "[...document.querySelectorAll('.rs-keyboard :is(button, input, select, canvas, audio)')]"
        ".filter((e) => !(e.ariaLabel || e.labels?.length || e.textContent.trim()))"
        ".map((e) => e.outerHTML)"
    )
    assert unnamed == []


def test_it_fits_a_phone(started):
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
    # One octave is shown, so there is another one above.
    started.wait_for(f"!{KEYBOARD}.piano.up.disabled")
    started.evaluate(f"{KEYBOARD}.held.hold('midi 0 50', 50); {KEYBOARD}.held.hold('KeyA', 36)")
    started.evaluate(f"{KEYBOARD}.piano.up.click()")
    assert started.evaluate(f"{KEYBOARD}.piano.lowest") == 48
    # A key of a MIDI keyboard stays where it is.
    assert lit(started) == started.evaluate(f"[...{KEYBOARD}.held.pitches()]") == [50]
    started.evaluate(f"{KEYBOARD}.held.letGoAll()")
    started.evaluate(f"{KEYBOARD}.piano.down.click()")
    started.call("Emulation.clearDeviceMetricsOverride")
    started.wait_for(f"{KEYBOARD}.piano.up.disabled")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(started, scheme):
    started.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
    text = started.evaluate("getComputedStyle(document.querySelector('.rs-status')).color")
    # The themes' page is white, or nearly black.
    assert _contrast(text, (255, 255, 255) if scheme == "light" else (18, 18, 18)) >= 4.5


def without(page, name: str, address: str) -> None:
    """Open the page in a browser that lacks something."""
    added = page.call("Page.addScriptToEvaluateOnNewDocument", source=f"delete window.{name}")
    page.requests.clear()
    page.open(f"{address}?{name}")
    page.call("Page.removeScriptToEvaluateOnNewDocument", **added)
    assert page.evaluate(f"{KEYBOARD}.mode") == "clips"


def test_without_webassembly_clips_stand_in(page, address):
    without(page, "WebAssembly", address)
    assert "no WebAssembly). The keys play" in status(page)
    page.evaluate(f"{KEYBOARD}.strike(40)")
    page.wait_for(f"{KEYBOARD}.sounding.get(40).voice")


def test_where_no_file_can_be_unpacked_only_the_players_sound(page, address):
    without(page, "DecompressionStream", address)
    assert "too old). The keys are silent; the players" in status(page)
    picture = page.evaluate(f"{KEYBOARD}.manifest.picture.file")
    assert not [url for url in page.requests if picture in url]


def test_a_browser_without_a_way_to_the_loudspeakers_says_so(unstarted):
    unstarted.evaluate(
        "window.AudioContext = class { constructor() { throw new Error('no device'); } };"
        f"{KEYBOARD}.strike(40)"
    )
    assert status(unstarted) == "No sound: no device"
    assert lit(unstarted) == []


def test_a_download_that_failed_can_be_tried_again(unstarted):
    page = unstarted
    page.call("Network.setBlockedURLs", urls=["*model.js*"])
    page.evaluate("document.querySelector('.rs-start').click()")
    page.wait_for(f"{KEYBOARD}.mode === 'clips'")
    page.call("Network.setBlockedURLs", urls=[])
    assert status(page).startswith("The download failed (")
    start(page)


def test_a_network_that_does_not_run_is_not_offered_again(unstarted):
    unstarted.evaluate(
        f"{KEYBOARD}.network.download = async () => [4, 4, 4, 4].map((n) => new Uint8Array(n));"
        "document.querySelector('.rs-start').click()"
    )
    unstarted.wait_for(f"{KEYBOARD}.mode === 'clips'")
    assert status(unstarted).startswith("The network cannot run here (")
    assert unstarted.evaluate("document.querySelector('.rs-start').hidden")


def test_opened_from_a_file_it_does_all_that_a_served_one_does(page, folder, played):
    page.requests.clear()
    page.open((folder / "index.html").as_uri())
    page.evaluate(f"{KEYBOARD}.strike(47)")
    page.wait_for(f"{KEYBOARD}.sounding.get(47).voice")
    start(page)
    z = played.latents(1, 7)[0]
    wave = played.in_float16().notes([40], z=z, effect="reverb")[0]
    assert_alike(generated(page, 40, z, effect="reverb"), wave)
    assert all(url.startswith(("file:", "data:", "blob:")) for url in page.requests)


def _contrast(text: str, page: tuple[int, int, int]) -> float:
    """WCAG's contrast ratio of ``rgb(…)`` on a page colour."""

    def luminance(colour) -> float:
        parts = [part / 255 for part in colour]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    colour = [float(part) for part in text[text.index("(") + 1 : -1].split(",")[:3]]
    high, low = sorted([luminance(colour), luminance(page)], reverse=True)
    return (high + 0.05) / (low + 0.05)
