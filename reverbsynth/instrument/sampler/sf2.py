"""SoundFont 2: samples and what plays them in one file (SoundFont Technical Specification 2.04).

Each choice is a preset of its own, program 1 and on, or a range of velocities. A SoundFont has no
round robins: those after the first are variations, in bank 1 and on. It cannot play another sample
when a key is let go, so a note that is looped dies away as fast as its own tail does.
"""

import math
import struct
from itertools import product
from pathlib import Path

import numpy as np

from reverbsynth.errors import SettingsError
from reverbsynth.files.atomic import atomic_path
from reverbsynth.instrument.sampler.samples import Sample, SampleSet

_RELEASE, _INSTRUMENT, _KEYS, _VELOCITIES, _FINE_TUNE, _SAMPLE, _MODES = 38, 41, 43, 44, 52, 53, 54
_LOOPED = 1  # Mode of a sample that is looped, also after its key was let go.
_PADDING = 46  # Silent samples after each, which the specification asks for.
_MARGIN = 8  # Samples before and after a loop, which it also asks for.
_Generator = tuple[int, int]


def write_sf2(notes: SampleSet, path: Path) -> None:
    """Write a SoundFont."""
    names, choices = list(notes.choices), range(len(notes.choices))
    groups = [[choice] for choice in choices]
    if len(names) > 1 and not notes.switches:
        names, groups = [notes.name], [list(choices)]
    places = list(product(range(notes.robins), range(len(groups))))  # Bank and program of each.
    zones = [
        [
            _zone(sample, number)
            for number, sample in enumerate(notes.samples)
            if sample.robin == bank + 1 and sample.choice in groups[program]
        ]
        for bank, program in places
    ]
    if (count := len(notes.samples)) > (most := 0xFFFF // len(zones[0][0])):
        # Generators are counted in 16 bits.
        raise SettingsError(f"{path}: found {count} samples, expected at most {most} in .sf2")
    points, headers, at = [], b"", 0
    for sample in notes.samples:
        first, last = sample.loop or (_MARGIN, len(sample.wave) - _MARGIN)
        data = np.round(np.clip(sample.wave[: last + _PADDING], -1, 1) * 32767).astype("<i2")
        ends = (at, at + len(data), at + first, at + last, notes.output.rate)
        headers += _name(sample.name) + struct.pack("<5IBbHH", *ends, sample.key, 0, 0, 1)
        points += [data, np.zeros(_PADDING, "<i2")]
        at += len(data) + _PADDING
    headers += _name("EOS") + bytes(26)
    presets = [[[(_INSTRUMENT, number)]] for number in range(len(places))]
    bags, generators = _lists(presets)
    instrument_bags, instrument_generators = _lists(zones)
    firsts = np.cumsum([0, *map(len, zones)])
    programs = instruments = b""
    for number, (bank, program) in enumerate(places):
        programs += _name(names[program])
        programs += struct.pack("<3H3I", program, bank, number, 0, 0, 0)
        instruments += _name(names[program]) + struct.pack("<H", firsts[number])
    programs += _name("EOP") + struct.pack("<3H3I", 0, 0, len(places), 0, 0, 0)
    instruments += _name("EOI") + struct.pack("<H", firsts[-1])
    lists: dict[bytes, dict[bytes, bytes]] = {
        b"INFO": {b"ifil": struct.pack("<2H", 2, 4), b"isng": b"EMU8000\0"},
        b"sdta": {b"smpl": np.concatenate(points).tobytes()},
        b"pdta": {b"phdr": programs, b"pbag": bags, b"pmod": bytes(10), b"pgen": generators},
    }
    lists[b"INFO"] |= {b"INAM": _name(notes.name), b"ISFT": b"ReverbSynth\0"}
    lists[b"pdta"] |= {b"inst": instruments, b"ibag": instrument_bags, b"imod": bytes(10)}
    lists[b"pdta"] |= {b"igen": instrument_generators, b"shdr": headers}
    body = b"sfbk"
    for kind, chunks in lists.items():
        body += _chunk(b"LIST", kind + b"".join(map(_chunk, chunks, chunks.values())))
    with atomic_path(path) as temporary:
        temporary.write_bytes(_chunk(b"RIFF", body))


def _zone(sample: Sample, number: int) -> list[_Generator]:
    """Generators of a sample: first its ranges, last the sample, as the specification asks."""
    seconds = max(sample.decay, 0.01) * 100 / 60  # In which it falls by 100 dB.
    return [
        (_KEYS, sample.low | sample.high << 8),
        (_VELOCITIES, sample.softest | sample.loudest << 8),
        (_RELEASE, round(1200 * math.log2(seconds))),
        (_FINE_TUNE, -round(sample.cents)),
        (_MODES, 0 if sample.loop is None else _LOOPED),
        (_SAMPLE, number),
    ]


def _lists(owners: list[list[list[_Generator]]]) -> tuple[bytes, bytes]:
    """Zones and generators of presets or instruments, each list with its terminator."""
    zones = [zone for owner in owners for zone in owner]
    firsts = np.cumsum([0, *map(len, zones)])
    bags = b"".join(struct.pack("<2H", first, 0) for first in firsts)
    every = (generator for zone in zones for generator in zone)
    return bags, b"".join(struct.pack("<2H", kind, n & 0xFFFF) for kind, n in every) + bytes(4)


def _name(text: str) -> bytes:
    """Twenty bytes, the last of them 0."""
    return text.encode("ascii", "replace")[:19].ljust(20, b"\0")


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
