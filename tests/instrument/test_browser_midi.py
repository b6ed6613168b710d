"""The page's MIDI: keyboards, files, and recordings, in headless Chromium."""

import base64
import io
import json

import mido
import numpy as np
import pytest
import soundfile

from reverbsynth.instrument.midi_file import read_midi
from tests.instrument.conftest import KEYBOARD

pytestmark = pytest.mark.browser


def parts_of(page, content: bytes) -> list[dict]:
    """What the page reads from a MIDI file."""
    text = base64.b64encode(content).decode()
    return page.evaluate(
        f"ReverbSynth.readMidi(Uint8Array.from(atob('{text}'), (c) => c.charCodeAt(0)).buffer)"
    )


def written(file: mido.MidiFile) -> bytes:
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def assert_read_as_in_python(page, content: bytes, path):
    path.write_bytes(content)
    expected, found = read_midi(path), parts_of(page, content)
    assert [(part["name"], part["channel"], part["drums"]) for part in found] == [
        (part.name, part.channel + 1, part.drums) for part in expected
    ]
    for part, like in zip(found, expected, strict=True):
        for note, wanted in zip(part["notes"], like.notes, strict=True):
            times = [note["start"], note["end"], *np.ravel(note["bends"])]
            asked = [wanted.start, wanted.end, *np.ravel(wanted.bend)]
            assert times == pytest.approx(asked, abs=1e-6)
            assert (note["pitch"], note["velocity"]) == (wanted.pitch, wanted.velocity)
            assert note["level"] == pytest.approx(wanted.level)


def piece() -> mido.MidiFile:
    """Two tempos, a pedal, a bent note at half its level, a controller that ends all, drums."""
    file = mido.MidiFile(ticks_per_beat=480)
    tempo, bass = mido.MidiTrack(), mido.MidiTrack()
    file.tracks += [tempo, bass]
    tempo += [
        mido.MetaMessage("set_tempo", tempo=500_000),
        mido.MetaMessage("set_tempo", tempo=250_000, time=960),
    ]
    bass += [
        mido.MetaMessage("track_name", name="Bass"),
        mido.Message("note_on", note=40, velocity=90),
        mido.Message("control_change", control=64, value=127, time=240),
        mido.Message("note_off", note=40, time=240),
        mido.Message("control_change", control=64, value=0, time=480),
        mido.Message("control_change", control=7, value=71),
        mido.Message("note_on", note=100, velocity=60),
        mido.Message("pitchwheel", pitch=4096, time=120),
        mido.Message("control_change", control=123, time=360),
        mido.Message("note_on", channel=9, note=36, velocity=100),
        mido.Message("note_off", channel=9, note=36, time=480),
        # What makes no sound does not count, however far away it is.
        mido.MetaMessage("end_of_track", time=0x0FFFFFFF),
    ]
    return file


def test_files_are_read_as_in_python(unstarted, tmp_path):
    whole = written(piece())
    # Running status: a note struck and ended by four events with one status byte.
    events = b"\0\xff\x03\2\xe9\xff"  # A name in Latin-1.
    events += bytes.fromhex("00 90 28 64 60 28 00 00 f0 02 01 f7 00 2b 64 60 2b 00 00 ff 2f 00")
    track = b"MTrk" + len(events).to_bytes(4) + events
    header = b"MThd" + bytes.fromhex("00000006 0000 0001 0060")
    alien = b"XFIH" + (3).to_bytes(4) + b"abc"
    running = header + alien + track
    size = len(running) + 8 + 4 + 10
    riff = b"RIFF" + size.to_bytes(4, "little") + b"RMIDINFO\1\0\0\0x\0data"
    riff += len(running).to_bytes(4, "little")
    for content in (whole, running, riff + running):
        assert_read_as_in_python(unstarted, content, tmp_path / "a.mid")
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert_read_as_in_python(unstarted, written(_random(rng)), tmp_path / "a.mid")


def _random(rng: np.random.Generator) -> mido.MidiFile:
    """Notes, pedals, wheels and their range, and other controllers, in any order."""
    file = mido.MidiFile(ticks_per_beat=int(rng.integers(24, 960)))
    for _ in range(rng.integers(1, 4)):
        track = mido.MidiTrack([mido.Message("note_on", note=50, velocity=1)])
        for _ in range(60):
            channel, time = int(rng.integers(0, 2)) * 9, int(rng.integers(0, 500))
            note, value = int(rng.integers(40, 44)), int(rng.integers(0, 128))
            kind = rng.choice(["note_on", "note_off", "control_change", "pitchwheel", "set_tempo"])
            if kind == "set_tempo":
                track.append(mido.MetaMessage(kind, tempo=int(rng.integers(1e5, 1e6)), time=time))
            elif kind == "pitchwheel":
                bend = int(rng.integers(-8192, 8192))
                track.append(mido.Message(kind, channel=channel, pitch=bend, time=time))
            elif kind == "control_change":
                control = int(
                    rng.choice([6, 7, 11, 38, 64, 64, 64, 98, 100, 101, 120, 121, 123, 126, 1])
                )
                value = 0 if control > 99 else value
                options = {"channel": channel, "time": time}
                track.append(mido.Message(kind, control=control, value=value, **options))
            else:
                options = {"channel": channel, "time": time}
                track.append(mido.Message(kind, note=note, velocity=value, **options))
        file.tracks.append(track)
    return file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty, expected a MIDI file"),
        (b"no MIDI file at all", "not a MIDI file"),
        (written(piece())[:90], "cut off"),
    ],
)
def test_what_is_no_midi_file_is_told(unstarted, content, said):
    drop(unstarted, content, "a.mid")
    unstarted.wait_for("/^a.mid: /.test(document.querySelector('.rs-status').textContent)")
    assert said in unstarted.evaluate("document.querySelector('.rs-status').textContent")


def drop(page, content: bytes, name: str) -> None:
    """Drop a file onto the keyboard."""
    text = base64.b64encode(content).decode()
    page.evaluate(
        "(() => { const data = new DataTransfer();"
        f"const bytes = Uint8Array.from(atob('{text}'), (c) => c.charCodeAt(0));"
        f"data.items.add(new File([bytes], {json.dumps(name)}));"
        "document.querySelector('.rs-keyboard').dispatchEvent("
        "new DragEvent('drop', { dataTransfer: data, bubbles: true })); })()"
    )


def notes(*lengths: tuple[int, int]) -> mido.MidiFile:
    """Notes held and rested for so many ticks, of 960 a second."""
    file = mido.MidiFile(ticks_per_beat=480, tracks=[mido.MidiTrack()])
    for held, rest in lengths:
        file.tracks[0] += [
            mido.Message("note_on", note=40, velocity=90),
            mido.Message("note_off", note=40, time=held),
            mido.Message("note_off", note=40, time=rest),
        ]
    return file


def saved(page) -> tuple[np.ndarray, int]:
    """The WAV file that the newest result offers to save."""
    text = page.evaluate(
        "fetch(document.querySelector('.rs-result a').href).then((r) => r.arrayBuffer())"
        ".then((b) => btoa(Array.from(new Uint8Array(b), (c) => String.fromCharCode(c)).join('')))"
    )
    return soundfile.read(io.BytesIO(base64.b64decode(text)))


def test_a_file_can_be_chosen_again(unstarted):
    """Browsers tell of a file that is chosen only where the field held another."""
    unstarted.evaluate(
        f"window.opened = []; window.pieces = {KEYBOARD}.pieces;"
        "pieces.open = (file) => window.opened.push(file.name);"
        "window.field = pieces.root.querySelector('input'); 0"
    )
    for _ in range(2):
        unstarted.evaluate(
            "var chosen = new DataTransfer();"
            "chosen.items.add(new File(['x'], 'a.mid'));"
            "window.field.files = chosen.files;"
            "window.field.dispatchEvent(new Event('change')); 0"
        )
        assert unstarted.evaluate("window.field.files.length") == 0
    assert unstarted.evaluate("window.opened") == ["a.mid", "a.mid"]
    unstarted.evaluate("delete pieces.open")


def test_a_dropped_file_becomes_a_wav(started):
    drop(started, written(piece()), "song.mid")
    started.wait_for("document.querySelector('.rs-result a')")
    assert started.evaluate("document.querySelector('.rs-result a').download") == "song.wav"
    lines = started.evaluate(
        "[...document.querySelectorAll('.rs-result li')].map((l) => l.textContent)"
    )
    assert lines == [
        "Bass (channel 1): 2 notes",
        "Bass (channel 10): 1 note, drums, skipped",
        "1 note transposed by octaves, into the instrument's range",
    ]
    audio, rate = saved(started)
    assert rate == 48_000
    assert np.abs(audio).max() == pytest.approx(0.9, abs=0.01)
    # Two notes: from 0 to 1 s, and from there to 1.25 s; then their tails.
    assert 1.25 < len(audio) / rate < 2.4
    started.evaluate("document.querySelector('.rs-results').replaceChildren()")


def test_a_staccato_note_is_as_loud_as_a_held_one(started):
    """At one velocity, as in Python, although its wave is let go before it has its full level."""
    drop(started, written(notes((480, 2400), (10, 2400))), "staccato.mid")  # 500 and 10 ms.
    started.wait_for("document.querySelector('.rs-result a')")
    audio, rate = saved(started)
    held, staccato = np.abs(audio[: 2 * rate]).max(), np.abs(audio[2 * rate :]).max()
    assert staccato / held == pytest.approx(1, abs=0.03)
    started.evaluate("document.querySelector('.rs-results').replaceChildren()")


def test_a_piece_sounds_as_the_controls_were_when_it_began(started):
    started.evaluate(
        f"var {{ pieces, controls }} = {KEYBOARD}, {{ prepared }} = pieces, sounds = [];"
        "var turn = (by) => { controls.first.value = by; controls.dial.value = by;"
        f"{KEYBOARD}.mode = by ? 'clips' : 'live';"
        "controls.ring.checked = controls.even.checked = !by; };"
        "pieces.prepared = async (...note) => {"
        "sounds.push(await prepared(...note)); turn(1); return sounds.at(-1); }; 0"
    )
    drop(started, written(notes((480, 0), (480, 0))), "twice.mid")
    started.wait_for("document.querySelector('.rs-result a')")
    same = "['wave', 'level', 'tail'].map((name) => sounds[0][name] === sounds[1][name])"
    assert started.evaluate(same) == [True, True, True]
    started.evaluate(
        "pieces.prepared = prepared; turn(0);"
        "document.querySelector('.rs-results').replaceChildren()"
    )


def test_a_long_piece_takes_no_more_at_once_than_its_longest_note(started):
    started.evaluate(
        "window.Offline = OfflineAudioContext; window.seconds = [];"
        "window.OfflineAudioContext = class extends Offline { constructor(channels, size, rate) {"
        "super(channels, size, rate); seconds.push(size / rate); } }; 0"
    )
    drop(started, written(notes((480, 120_000), (480, 0))), "long.mid")
    started.wait_for("document.querySelector('.rs-result a')")
    started.evaluate("window.OfflineAudioContext = Offline")
    audio, rate = saved(started)
    assert len(audio) > 120 * rate
    assert max(started.evaluate("seconds")) < 5
    started.evaluate("document.querySelector('.rs-results').replaceChildren()")


def test_a_note_that_starts_bent_is_drawn_so(started):
    heard = []
    for pitch, wheel in ((40, 0), (42, -8192)):  # Down by two semitones.
        file = notes((480, 0))
        file.tracks[0][0].note = pitch
        file.tracks[0].insert(0, mido.Message("pitchwheel", pitch=wheel))
        drop(started, written(file), "bent.mid")
        started.wait_for("document.querySelector('.rs-result a')")
        heard.append(saved(started)[0])
        started.evaluate("document.querySelector('.rs-results').replaceChildren()")
    assert np.array_equal(*heard)


def test_there_is_a_piece_to_begin_with(started):
    started.evaluate(
        "var told = []; new MutationObserver(([{ target }]) => {"
        "if (/, note /.test(target.textContent)) told.push(performance.now()); })"
        ".observe(document.querySelector('.rs-status'), { childList: true });"
        "[...document.querySelectorAll('.rs-buttons button')]"
        ".find((b) => b.textContent === 'Play our bass line').click()"
    )
    started.wait_for("document.querySelector('.rs-result a')", 60)
    started.wait_for("!document.querySelector('.rs-result audio').paused")
    assert started.evaluate("document.querySelector('.rs-result a').download") == "bass_line.wav"
    audio, rate = saved(started)
    assert 15 < len(audio) / rate < 20
    # A screen reader says each remark.
    assert np.all(np.diff(started.evaluate("told")) > 900)
    started.evaluate("document.querySelector('.rs-results').replaceChildren()")


def test_what_is_played_is_recorded(started):
    record = f"{KEYBOARD}.recorder.button.click()"
    started.evaluate(record)
    assert started.evaluate(f"{KEYBOARD}.recorder.button.textContent") == "Stop recording"
    for pitch in (40, 47):
        started.evaluate(f"{KEYBOARD}.held.hold('test', {pitch})")
        started.wait_for(f"{KEYBOARD}.sounding.get({pitch}).voice")
        started.evaluate("new Promise((done) => setTimeout(done, 300))")
        started.evaluate(f"{KEYBOARD}.held.letGo('test')")
    started.evaluate(record)
    started.wait_for("document.querySelector('.rs-result a')")
    audio, rate = saved(started)
    assert rate == 48_000
    assert len(audio) / rate > 0.6
    assert np.abs(audio).max() == pytest.approx(0.9, abs=0.01)
    started.evaluate("document.querySelector('.rs-results').replaceChildren()")


def test_a_recording_lasts_until_it_is_mixed(started):
    recorder = f"{KEYBOARD}.recorder"
    started.evaluate(f"{recorder}.begin()")
    started.evaluate(f"{KEYBOARD}.held.hold('test', 40)")
    started.wait_for(f"{KEYBOARD}.sounding.get(40).voice")
    started.evaluate(f"{KEYBOARD}.turn(1)")
    started.evaluate(f"{KEYBOARD}.held.letGo('test')")
    started.wait_for(f"!{KEYBOARD}.voices.size")
    started.evaluate(f"{KEYBOARD}.turn(0)")  # When the note is not heard any more.
    assert started.evaluate(f"{recorder}.notes.map(({{bends}}) => bends.length)") == [2]
    started.evaluate(
        "window.Offline = OfflineAudioContext;"
        "window.OfflineAudioContext = class { constructor() { throw new Error('no memory'); } };"
        f"{recorder}.stop()"
    )
    started.wait_for(f"{recorder}.button.textContent === 'Mix the recording again'")
    said = "document.querySelector('.rs-status').textContent"
    assert started.evaluate(said) == "Recording: no memory"
    started.evaluate(f"window.OfflineAudioContext = Offline; {recorder}.button.click()")
    started.wait_for("document.querySelector('.rs-result a')")
    assert started.evaluate(said) == "Recording: ready."
    assert started.evaluate(f"{recorder}.button.textContent") == "Record"
    started.evaluate("document.querySelector('.rs-results').replaceChildren()")


def test_a_recording_ends_by_itself(started):
    started.evaluate(
        "window.later = setTimeout; window.setTimeout = (stop, ms) => later(stop, ms / 1e5);"
        f"{KEYBOARD}.recorder.begin(); window.setTimeout = later; 0"
    )
    started.wait_for(f"{KEYBOARD}.recorder.button.textContent === 'Record'")


def test_a_midi_keyboards_velocity_wheel_and_pedal_count(started):
    def send(*message):
        started.evaluate(f"{KEYBOARD}.midi.take({list(message)})")

    levels = []
    for velocity in (127, 32):
        send(0x90, 40, velocity)
        started.wait_for(f"{KEYBOARD}.sounding.get(40).voice")
        levels.append(started.evaluate(f"{KEYBOARD}.sounding.get(40).voice.note.level"))
        send(0x80, 40, 0)
    assert levels[1] / levels[0] == pytest.approx(32 / 127)
    send(0x90, 40, 100)
    started.wait_for(f"{KEYBOARD}.sounding.get(40).voice")
    send(0xE0, 0, 0)
    assert started.evaluate(f"{KEYBOARD}.sounding.get(40).voice.semitones") == -2
    send(0xE0, 0, 64)
    released = f"Boolean({KEYBOARD}.sounding.get(40).released)"
    send(0xB0, 64, 127)
    started.evaluate("window.dispatchEvent(new Event('blur'))")  # The foot stays where it is.
    send(0x90, 40, 0)
    assert not started.evaluate(released)
    send(0xB0, 64, 0)
    assert started.evaluate(released)
