import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reverbsynth.audio.io import encode_audio, read_nsynth_wav, read_sound, root_key, write_audio
from reverbsynth.audio.pitch import estimated_pitch
from reverbsynth.errors import ReverbSynthError

FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("FLAC", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("MP3", "MPEG_LAYER_III"),
    ("OGG", "VORBIS"),
]


def encoded(audio, rate, form, subtype):
    file = io.BytesIO()
    soundfile.write(file, audio, rate, subtype, format=form)
    return file.getvalue()


@pytest.mark.parametrize(("form", "subtype"), FORMATS)
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_every_format_at_any_rate(form, subtype, rate, tone):
    """A stereo file whose channels have the tone at two levels."""
    wave = tone(45, rate=rate)
    found = read_sound(encoded(np.stack([wave, 0.5 * wave], axis=1), rate, form, subtype), "x")
    assert found.shape == (64_000,)
    assert found.dtype == np.float32
    expected = 0.75 * tone(45)
    inside = slice(200, -200)
    tolerance = {"OGG": 0.02, "MP3": 0.03}.get(form, 2e-3)
    assert np.abs(found - expected)[inside].max() < tolerance


def test_long_sounds_are_cropped_and_short_ones_are_not_padded(tone):
    assert len(read_sound(encoded(tone(45, seconds=6.0), 16_000, "WAV", "PCM_16"), "x")) == 64_000
    assert len(read_sound(encoded(tone(45, seconds=1.0), 16_000, "WAV", "PCM_16"), "x")) == 16_000


def test_sounds_above_full_scale_are_turned_down(tone):
    found = read_sound(encoded(4 * tone(45), 16_000, "WAV", "FLOAT"), "x")
    np.testing.assert_allclose(found, 2 * tone(45), atol=1e-6)


def broken(change):
    return lambda wave: encoded(change(wave), 16_000, "WAV", "FLOAT")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda wave: b"", "not a readable sound file"),
        (lambda wave: b"RIFF" + bytes(100), "not a readable sound file"),
        (lambda wave: encoded(wave[:0], 16_000, "WAV", "PCM_16"), "holds no audio"),
        (lambda wave: encoded(wave, 1000, "WAV", "PCM_16"), "sample rate is 1000, expected 4000"),
        (
            lambda wave: encoded(np.zeros((10, 65)), 16_000, "WAV", "PCM_16"),
            "has 65 channels, expected at most 64",
        ),
        (broken(lambda wave: wave * np.float32(np.nan)), "audio holds NaN or infinity"),
        (broken(lambda wave: wave / np.float32(0)), "audio holds NaN or infinity"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_unusable_sounds(make, message, tone):
    with pytest.raises(ReverbSynthError, match=f"some sound: {message}"):
        read_sound(make(tone(45)), "some sound")


@pytest.mark.parametrize(("form", "subtype"), FORMATS[:-1])
def test_truncated_sounds_are_noticed(form, subtype, tone):
    """All but Ogg, whose pages tell no length ahead."""
    content = encoded(tone(45), 16_000, form, subtype)
    with pytest.raises(ReverbSynthError, match="x: "):
        read_sound(content[: len(content) // 2], "x")


def with_size(content, mark, offset, size):
    """A file whose size field, so many bytes behind a mark, holds other bytes."""
    at = content.index(mark) + offset
    return content[:at] + size + content[at + len(size) :]


UNKNOWN = [
    *(("WAV", b"data", 4, size.to_bytes(4, "little")) for size in (2**32 - 1, 2**31 - 1, 0)),
    ("WAV", b"data", 4, (0x7FFFF000).to_bytes(4, "little")),  # SoX
    ("WAV", b"data", 4, (2**32 - 37).to_bytes(4, "little")),
    ("AIFF", b"SSND", 4, bytes(4)),
    ("AIFF", b"SSND", 4, b"\xff" * 4),
    ("AIFF", b"COMM", 10, bytes(4)),
    ("AU", b".snd", 8, b"\xff" * 4),
    ("CAF", b"data", 4, b"\xff" * 8),
    ("RF64", b"ds64", 16, bytes(8)),
    ("RF64", b"ds64", 16, b"\xff" * 8),
    ("W64", b"data", 16, b"\xff" * 8),
    ("FLAC", b"fLaC", 22, bytes(4)),
]


@pytest.mark.parametrize(("form", "mark", "offset", "size"), UNKNOWN)
def test_sounds_of_unknown_length_are_read_to_their_end(form, mark, offset, size, tone, tmp_path):
    """As programs write them to a pipe, when they cannot come back to the header."""
    content = with_size(encoded(tone(45), 16_000, form, "PCM_16"), mark, offset, size)
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    for found in (read_sound(content, "x"), read_sound(path)):
        assert len(found) == 64_000
        np.testing.assert_allclose(found, tone(45), atol=1e-4)


@pytest.mark.parametrize("rate", [44_100, 16_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_mp3_of_variable_bit_rate_that_tells_no_length(rate, channels, tone, noise):
    """Its first frame, of noise, is long: by it alone, the tone behind would be taken for less."""
    wave = np.concatenate([np.resize(0.3 * noise[0], rate), tone(45, seconds=1.0, rate=rate)])
    file = io.BytesIO()
    options = {"bitrate_mode": "VARIABLE", "compression_level": 0.3}
    soundfile.write(
        file, np.stack([wave] * channels, axis=1), rate, "MPEG_LAYER_III", format="MP3", **options
    )
    whole = file.getvalue()
    cut = whole[whole.index(whole[:2], 4) :]  # Without the frame that tells its length.
    tag = b"ID3\4\0\0\0\0\1\0" + bytes(128)
    for content in (cut, tag + cut + b"TAG" + bytes(125)):
        assert soundfile.info(io.BytesIO(content)).frames < 0.7 * len(wave)
        found = read_sound(content, "x")
        assert 32_000 <= len(found) < 33_200
        assert estimated_pitch(found[17_000:])[0] == 45
    assert len(read_sound(whole, "x")) == 32_000


@pytest.mark.parametrize(("content", "key"), [(b"", None), (b"RIFF\0\0\0\0WAVEsmpl", None)])
def test_files_without_a_root_key(content, key, tmp_path):
    (tmp_path / "x.wav").write_bytes(content)
    assert root_key(tmp_path / "x.wav") == key


@given(st.sampled_from([b"RIFF", b"FORM", b"RF64"]), st.binary(max_size=80))
@hypothesis_settings(max_examples=100)
def test_any_header_has_a_root_key_or_none(tmp_path_factory, form, content):
    path = tmp_path_factory.mktemp("keys") / "x"
    path.write_bytes(form + bytes(8) + content)
    assert root_key(path) is None or 0 < root_key(path) <= 127


def test_a_sound_on_disk_is_named_by_its_path(tmp_path, tone):
    with pytest.raises(ReverbSynthError, match=r"gone\.wav: cannot be read \(No such file"):
        read_sound(tmp_path / "gone.wav")


def test_nsynth_wavs_are_taken_as_they_are(wav):
    audio = read_nsynth_wav(wav(45), "x")
    samples, _ = soundfile.read(io.BytesIO(wav(45)), dtype="float32")
    np.testing.assert_array_equal(audio, samples)
    stereo = encoded(np.zeros((64_000, 2)), 16_000, "WAV", "PCM_16")
    with pytest.raises(ReverbSynthError, match="x: number of channels is 2, expected 1"):
        read_nsynth_wav(stereo, "x")


@pytest.fixture(scope="module")
def originals(tone):
    """A short sound in every format."""
    return [encoded(tone(45, seconds=0.2), 22_050, *form) for form in FORMATS]


@given(data=st.data())
@hypothesis_settings(max_examples=300, deadline=None)
def test_corrupted_sounds_are_read_or_one_line(originals, attempt, data):
    """Real files of each format with bytes changed, put in or cut."""
    content = bytearray(data.draw(st.sampled_from(originals)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 120) | st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 8) | st.integers(0, len(content)))
        content[at : at + length] = data.draw(st.binary(max_size=8))
        if not content:
            break
    found, message = attempt(lambda: read_sound(bytes(content), "some sound"))
    if found is None:
        assert message.startswith("some sound: ")
        assert "\n" not in message
    else:
        assert 0 < len(found) <= 64_000
        assert np.abs(found).max() <= 1


@pytest.mark.parametrize(("suffix", "tolerance"), [(".wav", 1e-4), (".FLAC", 1e-4), (".ogg", 0.02)])
def test_sounds_are_written_by_suffix(suffix, tolerance, tone, tmp_path):
    path = tmp_path / f"note{suffix}"
    write_audio(path, tone(45))
    assert path.read_bytes()[:4] == encode_audio(tone(45), suffix)[:4]
    found, rate = soundfile.read(path, dtype="float32")
    assert rate == 16_000
    assert np.abs(found - tone(45)).max() < tolerance


def test_samples_beyond_full_scale_are_clipped(tone):
    found, _ = soundfile.read(io.BytesIO(encode_audio(3 * tone(45))), dtype="float32")
    np.testing.assert_allclose(found, np.clip(3 * tone(45), -1, 1), atol=1e-4)


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ReverbSynthError, match=r"a\.mp3: found suffix '\.mp3', expected one of"):
        write_audio(tmp_path / "a.mp3", np.zeros(10))
