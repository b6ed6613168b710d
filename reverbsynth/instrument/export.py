"""Instruments for use elsewhere: an ONNX model, and a keyboard inside a web page."""

import base64
import gzip
import html
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from markdown_it import MarkdownIt

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.audio.io import encode_audio, write_audio
from reverbsynth.audio.pitch import pitch_name
from reverbsynth.errors import SettingsError
from reverbsynth.files.atomic import atomic_path, write_json, write_text
from reverbsynth.files.reading import reading
from reverbsynth.instrument import web
from reverbsynth.instrument.card import CARD, card
from reverbsynth.instrument.examples import BASS_LINE
from reverbsynth.instrument.instrument import Instrument, at_peak
from reverbsynth.instrument.onnx import build, metadata
from reverbsynth.seeds import evenly_spaced
from reverbsynth.spectra import format as framing
from reverbsynth.spectra import mel
from reverbsynth.training.run import Run

SEEDS = 100  # Timbres that a page offers: `Instrument.latents` for the seeds from 0.
_MOST_CLIPS = 26
_CLIP_PEAK = 0.8
_MANIFEST, _PAGE, _KEYBOARD = "manifest.json", "index.html", 'class="rs-keyboard"'
_OUR_CARD = b"library_name: reverbsynth"
_TICKS = (8000, 4000, 2000, 1000, 500, 200, 100)
_APART = 0.08  # of the picture's height: ticks that are nearer to each other cannot be read
_DEPTH = 16.0  # nepers below the loudest pixel that a picture shows


def write_onnx(instrument: Instrument, path: Path | str, float16: bool = False) -> None:
    """Write an instrument as an ONNX model, atomically (`reverbsynth.instrument.onnx.build`)."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(build(instrument.generator, float16).SerializeToString())


def web_keyboard(instrument: Instrument, directory: Path | str, address: str = "keyboard") -> str:
    """Write everything that a page needs to play an instrument; returns the HTML for the page.

    All but the style and a few sounds are scripts, which a page that was opened from a file may use
    as well. ``address`` is that of the folder, as seen from the page.
    """
    directory = Path(directory)
    # Its weights are kept in float16, which halves the download.
    sounding = instrument.in_float16()
    write_text(directory / "keyboard.js", web.script())
    for name, path in web.COPIES.items():
        write_text(directory / name, path.read_text(encoding="utf-8"))
    timbres = np.concatenate([sounding.latents(1, seed) for seed in range(SEEDS)])
    parts = {
        **web.runtime(),
        "model": _packed(build(instrument.generator, float16=True).SerializeToString()),
        "latents": _packed(timbres.astype("<f4").tobytes()),
    }
    files = {name: f"network/{name}.js" for name in parts}
    for name, packed in parts.items():
        _write_script(directory / files[name], packed)
    clips = list(_write_clips(sounding, directory))
    manifest = {
        **metadata(sounding.generator),
        **_axes(sounding),
        "files": files,
        "bytes": sum((directory / name).stat().st_size for name in files.values()),
        "seeds": SEEDS,
        "example": base64.b64encode(BASS_LINE.read_bytes()).decode(),
        "clips": clips,
        "picture": _write_picture(sounding, directory, clips),
    }
    write_json(directory / _MANIFEST, manifest)
    inside = json.dumps(manifest, sort_keys=True).replace("<", "\\u003c")
    folder = html.escape(address, quote=True)
    # Players need no script.
    players = "".join(
        f"<p><span>{html.escape(name)}</span> "
        f'<audio controls preload="none" aria-label="{html.escape(name)}" '
        f'src="{folder}/{clip["sound"]}"></audio></p>\n'
        for clip in clips
        if "sound" in clip
        for name in [_clip_name(clip)]
    )
    return web.page("keyboard.html", folder=folder, manifest=inside, players=players)


def write_page(
    instrument: Instrument,
    directory: Path | str,
    title: str = "ReverbSynth",
    run: Run | None = None,
) -> Path:
    """Write a whole page and the instrument's card, which is also on the page; returns its path.

    It works when it is opened from a file, and from any server (``python -m http.server``). With
    ``run``, the one that the instrument comes from, the card tells its data and measures.
    """
    directory = Path(directory)
    check_page(directory)
    snippet = web_keyboard(instrument, directory / "keyboard")
    text = card(instrument, title, run, beside=False)
    path = directory / CARD
    if path.exists() and _OUR_CARD not in path.read_bytes():  # The user's own stays.
        path = directory / "keyboard" / CARD
    write_text(path, text)
    _, body = text.split(f"# {title}\n", 1)
    about = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    page = web.page("page.html", title=html.escape(title), keyboard=snippet, about=about)
    write_text(directory / _PAGE, page)
    return directory / _PAGE


def check_page(directory: Path) -> None:
    """Refuse a folder whose page was written by something else, or cannot be read."""
    path = directory / _PAGE
    with reading(path):
        ours = not path.exists() or _KEYBOARD in path.read_text(encoding="utf-8", errors="replace")
    if not ours:
        raise SettingsError(f"{path}: another page is there, expected a folder without one")


def _clip_name(clip: dict) -> str:
    return ", ".join([pitch_name(clip["pitch"]), *map(str, clip["labels"].values())])


def _axes(instrument: Instrument) -> dict:
    """Where a picture's ticks lie, as shares of its width and height, and its second title."""
    kind = instrument.spectra.representation
    bins = np.interp(_TICKS, mel.bin_frequencies(kind), np.arange(0.5, framing.BINS))
    before = (framing.LEAD - framing.N_FFT / 2) / framing.HOP + 0.5
    frames = np.array([before, before + NOTE_LENGTH / framing.HOP])
    ticks: list[tuple[str, float]] = []
    for hz, share in zip(_TICKS, (bins / framing.BINS).tolist(), strict=True):
        if not ticks or ticks[-1][1] - share > _APART:
            ticks.append((f"{hz // 1000} kHz" if hz >= 1000 else f"{hz} Hz", share))
    return {
        "frequency_ticks": ticks,
        "time_axis": (frames / framing.FRAMES).tolist(),
        "second_channel": "Phase" if kind == "phase" else "Instantaneous frequency",
    }


def _write_clips(instrument: Instrument, directory: Path) -> Iterator[dict]:
    """Notes of seed 0, evenly over the pitches and for every value of the other labels.

    The middle one of each is also written as a sound that a player can play.
    """
    others = {name: values for name, values in instrument.labels.items() if name != "pitch"}
    choices = [dict(zip(others, values, strict=True)) for values in product(*others.values())]
    choices = choices[:_MOST_CLIPS]
    count = max(_MOST_CLIPS // len(choices), 1)
    pitches = [instrument.pitches[i] for i in evenly_spaced(len(instrument.pitches), count)]
    middle = min(pitches, key=lambda pitch: abs(pitch - instrument.middle_pitch))
    z = instrument.latents(1, 0)[0]
    for number, labels in enumerate(choices):
        waves = instrument.stream(pitches, z, **labels)
        for pitch, wave in zip(pitches, waves, strict=True):
            name = f"clips/{pitch}-{number}"
            loudest = float(np.abs(wave).max()) or _CLIP_PEAK
            sound = at_peak(wave, _CLIP_PEAK)
            _write_script(directory / f"{name}.js", _packed(encode_audio(sound, ".flac")))
            gain = loudest / _CLIP_PEAK
            clip = {"pitch": pitch, "labels": labels, "file": f"{name}.js", "gain": gain}
            if pitch == middle:
                write_audio(directory / f"{name}.flac", sound)
                clip["sound"] = f"{name}.flac"
            yield clip


def _write_picture(instrument: Instrument, directory: Path, clips: list[dict]) -> dict:
    """The picture that stands before the first note, of bytes: that of the first player's clip."""
    clip = next(clip for clip in clips if "sound" in clip)
    z = instrument.latents(1, 0)[0]
    image, _ = instrument.image_and_wave(clip["pitch"], z, **clip["labels"])
    shades = np.stack([(image[..., 0] - image[..., 0].max()) / _DEPTH + 1, image[..., 1] / 2 + 0.5])
    pixels = np.rint(255 * np.clip(shades, 0, 1)).astype(np.uint8)
    _write_script(directory / "picture.js", _packed(pixels.tobytes()))
    return {"file": "picture.js", "name": _clip_name(clip)}


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _write_script(path: Path, packed: bytes) -> None:
    """Bytes as a script that hands them to the page (``web/assets.js``)."""
    write_text(path, f'ReverbSynth.receive("{base64.b64encode(packed).decode()}");\n')
