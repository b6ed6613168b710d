"""DecentSampler's presets: an XML file beside sound files."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from reverbsynth.audio.format import NOTE_OFF
from reverbsynth.files.atomic import write_text
from reverbsynth.instrument.sampler.samples import Sample, SampleSet

_CROSSFADE = 0.02


def write_dspreset(notes: SampleSet, path: Path) -> None:
    """Write a preset, and its samples into a folder beside it."""
    folder = notes.write_sounds(path)
    root = ET.Element("DecentSampler", minVersion="1.11.0")
    tab = _add(_add(root, "ui", width=812, height=375), "tab", name="main")
    groups, midi = _add(root, "groups"), _add(root, "midi")
    for choice in range(len(notes.choices)):
        enabled = str(choice == 0 or not notes.switches).lower()
        attack = _add(groups, "group", enabled=enabled, ampVelTrack=1)
        release = _add(groups, "group", enabled=enabled, ampVelTrack=1, trigger="release")
        for sample in notes.samples:
            if sample.choice == choice:
                _add_sample(attack, release, notes, sample, folder)
    if notes.switches:
        menu = _add(tab, "menu", x=20, y=20, width=200, height=30, value=1)
        for choice, label in enumerate(notes.choices):
            option = _add(menu, "option", name=label)
            for position in range(2 * len(notes.choices)):
                enabled = str(position // 2 == choice).lower()
                _add_binding(option, "general", "group", position, "ENABLED", enabled)
            key = _add(midi, "note", note=notes.switches[choice])
            _add_binding(key, "control", "ui", 0, "VALUE", choice + 1)
    ET.indent(root)
    write_text(path, ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def _add(parent: ET.Element, tag: str, **attributes: Any) -> ET.Element:
    return ET.SubElement(parent, tag, {name: str(value) for name, value in attributes.items()})


def _add_sample(
    attack: ET.Element, release: ET.Element, notes: SampleSet, sample: Sample, folder: str
) -> None:
    """Add a sample and, if it is looped, what is heard of it when its key is let go."""
    common: dict[str, Any] = {"path": f"{folder}/{sample.name}{notes.suffix}"}
    common |= {"rootNote": sample.key, "loNote": sample.low, "hiNote": sample.high}
    common |= {"loVel": sample.softest, "hiVel": sample.loudest}
    common |= {"tuning": f"{-sample.cents / 100:.4f}"}
    common |= {"seqMode": "round_robin" if notes.robins > 1 else "always"}
    common |= {"seqLength": notes.robins, "seqPosition": sample.robin}
    if sample.loop is None:
        _add(attack, "sample", **common, release=f"{sample.decay:.2f}")
        return
    loop = {"loopStart": sample.loop[0], "loopEnd": sample.loop[1] - 1, "loopEnabled": "true"}
    _add(attack, "sample", **common, **loop, release=2 * _CROSSFADE)
    tail: dict[str, Any] = {"start": round((NOTE_OFF - _CROSSFADE) * notes.output.rate)}
    tail |= {"release": 4, "attack": _CROSSFADE, "loopEnabled": "false"}
    tail |= {"volume": f"{sample.gain:.2f}dB"}
    _add(release, "sample", **common, **tail)


def _add_binding(
    parent: ET.Element, kind: str, level: str, position: int, parameter: str, value: Any
) -> None:
    """A binding that sets a parameter of a group, or of the menu, to a value."""
    fixed = {"translation": "fixed_value", "translationValue": value}
    _add(parent, "binding", type=kind, level=level, position=position, parameter=parameter, **fixed)
