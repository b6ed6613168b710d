"""Instruments for use elsewhere: an ONNX model, and a keyboard inside a web page."""

import html
import json
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from onnx import ModelProto

from reverbsynth.audio.io import write_audio
from reverbsynth.errors import SettingsError
from reverbsynth.files.atomic import atomic_path, write_json, write_text
from reverbsynth.instrument import web
from reverbsynth.instrument.instrument import Instrument, at_peak
from reverbsynth.instrument.onnx import build, metadata
from reverbsynth.seeds import evenly_spaced

SEEDS = 100
"""Number of timbres that a page offers: `Instrument.latents` for the seeds from 0."""

_MOST_CLIPS = 26
_CLIP_PEAK = 0.8
_MODEL, _LATENTS, _MANIFEST = "instrument.onnx", "latents.bin", "manifest.json"
_PAGE, _KEYBOARD = "index.html", 'class="rs-keyboard"'
_WASM = next(name for name in web.RUNTIME if name.endswith(".gz"))


def write_onnx(instrument: Instrument, path: Path | str, float16: bool = False) -> None:
    """Write an instrument as an ONNX model, atomically (`reverbsynth.instrument.onnx.build`)."""
    _write_model(build(instrument.generator, float16), Path(path))


def web_keyboard(
    instrument: Instrument, directory: Path | str, address: str | None = None, float16: bool = True
) -> str:
    """Write everything that a page needs to play an instrument; returns the HTML for the page.

    Parameters
    ----------
    instrument : Instrument
    directory : path
        Folder for the files: scripts, style, ONNX Runtime Web, the model, and clips for browsers
        that cannot run it.
    address : str, optional
        Address of that folder as seen from the page; its name by default.
    float16 : bool
        Keep the weights in float16, which halves the download. The page then
        plays `Instrument.in_float16`.
    """
    directory = Path(directory)
    sounding = instrument.in_float16() if float16 else instrument
    for name in web.SCRIPTS:
        _copy(web.FOLDER / name, directory / name)
    for name in web.RUNTIME:
        _copy(web.FOLDER / "vendor" / name, directory / name)
    _write_model(build(instrument.generator, float16), directory / _MODEL)
    timbres = np.concatenate([sounding.latents(1, seed) for seed in range(SEEDS)])
    with atomic_path(directory / _LATENTS) as temporary:
        temporary.write_bytes(timbres.astype("<f4").tobytes())
    downloads = {_MODEL, _LATENTS, *web.SCRIPTS, *web.RUNTIME} - {"LICENSE"}
    manifest = {
        **metadata(sounding.generator),
        "model": _MODEL,
        "runtime": _WASM,
        "latents": _LATENTS,
        "seeds": SEEDS,
        # What a reader downloads, and the share of it whose progress is seen.
        "bytes": sum((directory / name).stat().st_size for name in downloads),
        "counted": sum((directory / name).stat().st_size for name in (_MODEL, _WASM)),
        "clips": list(_write_clips(sounding, directory)),
    }
    write_json(directory / _MANIFEST, manifest)
    return _snippet(manifest, directory.name if address is None else address.rstrip("/"))


def write_page(instrument: Instrument, directory: Path | str, title: str = "ReverbSynth") -> Path:
    """Write a whole page with the keyboard; returns its path.

    Serve the folder to generate notes (``python -m http.server``); opened as a file it plays clips.
    """
    directory = Path(directory)
    check_page(directory)
    snippet = web_keyboard(instrument, directory / "keyboard")
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{html.escape(title)}</title>\n"
        "<style>body { font-family: system-ui, sans-serif; margin: 1rem; }</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{html.escape(title)}</h1>\n{snippet}\n</main>\n</body>\n</html>\n"
    )
    write_text(directory / _PAGE, page)
    return directory / _PAGE


def check_page(directory: Path) -> None:
    """Refuse a folder whose page was written by something else, or cannot be read."""
    path = directory / _PAGE
    try:
        ours = not path.exists() or _KEYBOARD in path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    if not ours:
        raise SettingsError(f"{path}: another page is there, expected a folder without one")


def _snippet(manifest: dict, address: str) -> str:
    """The keyboard's part of a page. A script makes its controls; without scripts, clips play."""
    inside = json.dumps(manifest, sort_keys=True).replace("<", "\\u003c")
    folder = html.escape(address, quote=True)
    players = "".join(
        f"<p>{html.escape(_clip_name(clip))} "
        f'<audio controls preload="none" aria-label="{html.escape(_clip_name(clip))}" '
        f'src="{folder}/{clip["file"]}"></audio></p>'
        for clip in manifest["clips"]
    )
    return (
        f'<link rel="stylesheet" href="{folder}/keyboard.css">\n'
        f'<section {_KEYBOARD} aria-label="Keyboard that plays the trained network">\n'
        f'<script type="application/json">{inside}</script>\n'
        f"<noscript>{players}</noscript>\n</section>\n"
        f'<script defer src="{folder}/keyboard.js"></script>'
    )


def _clip_name(clip: dict) -> str:
    return ", ".join([f"MIDI {clip['pitch']}", *map(str, clip["labels"].values())])


def _write_clips(instrument: Instrument, directory: Path) -> Iterator[dict]:
    """Notes of seed 0, evenly over the pitches and for every value of the other labels."""
    others = {name: values for name, values in instrument.labels.items() if name != "pitch"}
    choices = [dict(zip(others, values, strict=True)) for values in product(*others.values())]
    choices = choices[:_MOST_CLIPS]
    count = max(_MOST_CLIPS // len(choices), 1)
    pitches = [instrument.pitches[i] for i in evenly_spaced(len(instrument.pitches), count)]
    z = instrument.latents(1, 0)[0]
    for number, labels in enumerate(choices):
        waves = instrument.stream(pitches, z, **labels)
        for pitch, wave in zip(pitches, waves, strict=True):
            name = f"clips/{pitch}-{number}.wav"
            write_audio(directory / name, at_peak(wave, _CLIP_PEAK))
            yield {"pitch": pitch, "labels": labels, "file": name}


def _write_model(model: ModelProto, path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString())


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
