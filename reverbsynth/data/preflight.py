"""What notes are like before any training: warnings, and a sheet to look at and listen to."""

import base64
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.io import encode_audio
from reverbsynth.audio.pitch import onset
from reverbsynth.data.notes import Note, NoteRef, listed
from reverbsynth.data.sources.files import plain_name
from reverbsynth.files.atomic import write_text

SHEET = "sheet.html"
CHECKED = "check.html"  # of notes that were checked beside a data set, which has its own sheet
PLAYERS = 48  #: Notes that the sheet can play, evenly spaced: about 4 MB.
_BINS = 48
_WARNINGS = (  # What is measured, its limit, on which side of it a note is in doubt, unit, doubt.
    ("onset", 0.1, 1, " s", "begin late (data.source.trim_onset of a folder cuts that off)"),
    ("length", 0.1, -1, " s", "are very short"),
    ("peak", -40, -1, " dB", "are very quiet (data.source.normalize of a folder scales them)"),
    ("offset", 0.02, 1, "", "have a constant offset (data.remove_offset removes it)"),
)


def measured(audio: np.ndarray) -> dict[str, Any]:
    """Peak in dB, onset and length in s, offset and (base-36) envelope of a note [shape=(n,)]."""
    wave = np.abs(audio - np.median(audio))
    start, end = onset(audio), len(audio) - onset(audio[::-1])
    bins = wave[: len(wave) // _BINS * _BINS].reshape(_BINS, -1).max(axis=1) / wave.max()
    return {
        "peak": round(20 * np.log10(float(np.abs(audio).max())), 1),
        "onset": round(start / SAMPLE_RATE, 3),
        "length": round((end - start) / SAMPLE_RATE, 3),
        "offset": round(abs(float(np.mean(audio, dtype=np.float64))), 4),
        "shape": "".join(np.base_repr(round(35 * height), 36).lower() for height in bins),
    }


def warnings(notes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each kind of doubt about measured notes, with the notes in doubt."""
    lines = []
    for what, limit, sign, unit, doubt in _WARNINGS:
        values = {name: note[what] for name, note in notes.items()}
        names = [f"{n} ({v:g}{unit})" for n, v in values.items() if sign * v > sign * limit]
        if names:
            lines.append(f"{len(names)} of {len(notes)} notes {doubt}: {listed(names)}")
    return lines


def write_sheet(
    path: Path,
    entries: Sequence[NoteRef],
    split: Mapping[str, str],
    notes: Mapping[str, Mapping[str, Any]],
    report: Mapping[str, Any],
    lines: Iterable[str],
    playable: Iterable[Note],
) -> None:
    """Write one HTML page that needs no network: every note, the keyboard, and what was left out.

    ``notes`` is what was `measured`, ``report`` tells where pitches are from, ``lines`` what is
    doubtful; the ``playable`` notes are in the page with their sound.
    """
    pitches = report.get("pitches", {})
    sounds = {note.id: base64.b64encode(encode_audio(note.audio, ".flac")) for note in playable}
    rows = [
        {
            **{"id": entry.id, "pitch": entry.pitch, "velocity": entry.velocity},
            **{"instrument": entry.instrument, "split": split[entry.id], **notes[entry.id]},
            **{"source": pitches.get(entry.id, {}).get("pitch_from", "source")},
            **({"sound": sounds[entry.id].decode()} if entry.id in sounds else {}),
        }
        for entry in sorted(entries, key=lambda entry: (entry.pitch, entry.velocity, entry.id))
    ]
    content = json.dumps({"notes": rows, "lines": list(lines)}).replace("<", "\\u003c")
    template = Path(__file__).with_name(SHEET).read_text(encoding="utf-8")
    title = html.escape(f"Notes of {plain_name(path.resolve().parent.name)}")
    write_text(path, template.replace("TITLE", title).replace('"DATA"', content))
