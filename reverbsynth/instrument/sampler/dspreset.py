"""DecentSampler's presets: an XML file beside sound files."""

import xml.etree.ElementTree as ET
from pathlib import Path

from reverbsynth.audio.format import NOTE_OFF
from reverbsynth.files.atomic import write_text
from reverbsynth.instrument.sampler.samples import SampleSet

_CROSSFADE = 0.02


def write_dspreset(notes: SampleSet, path: Path) -> None:
    """Write a preset, and its samples into a folder beside it."""
    folder = notes.write_sounds(path)
    root = ET.Element("DecentSampler", minVersion="1.11.0")
    tab = ET.SubElement(ET.SubElement(root, "ui", width="812", height="375"), "tab", name="main")
    groups = ET.SubElement(root, "groups")
    midi = ET.SubElement(root, "midi")
    for choice in range(len(notes.choices)):
        enabled = str(choice == 0 or not notes.switches).lower()
        shared = {"enabled": enabled, "ampVelTrack": "1"}
        attack = ET.SubElement(groups, "group", shared)
        release = ET.SubElement(groups, "group", {**shared, "trigger": "release"})
        for sample in notes.samples:
            if sample.choice != choice:
                continue
            common = {
                "path": f"{folder}/{sample.name}{notes.suffix}",
                "rootNote": str(sample.key),
                "loNote": str(sample.low),
                "hiNote": str(sample.high),
                "loVel": str(sample.softest),
                "hiVel": str(sample.loudest),
                "tuning": f"{-sample.cents / 100:.4f}",
                "seqMode": "round_robin" if notes.robins > 1 else "always",
                "seqLength": str(notes.robins),
                "seqPosition": str(sample.robin),
            }
            if sample.loop is None:
                ET.SubElement(attack, "sample", {**common, "release": f"{sample.decay:.2f}"})
                continue
            loop = {"loopStart": str(sample.loop[0]), "loopEnd": str(sample.loop[1] - 1)}
            loop |= {"loopEnabled": "true", "release": str(2 * _CROSSFADE)}
            ET.SubElement(attack, "sample", common | loop)
            tail = {
                "start": str(round((NOTE_OFF - _CROSSFADE) * notes.output.rate)),
                "release": "4",
            }
            tail |= {"attack": str(_CROSSFADE), "loopEnabled": "false"}
            tail["volume"] = f"{sample.gain(notes.output.rate):.2f}dB"
            tail["releaseTriggerDecay"] = f"{sample.loss:.2f}dB"
            ET.SubElement(release, "sample", common | tail)
    if notes.switches:
        menu = ET.SubElement(tab, "menu", x="20", y="20", width="200", height="30", value="1")
        for choice, label in enumerate(notes.choices):
            _switch(ET.SubElement(menu, "option", name=label), choice, len(notes.choices))
            note = ET.SubElement(midi, "note", note=str(notes.switches[choice]))
            _switch(note, choice, len(notes.choices))
    ET.indent(root)
    write_text(path, ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def _switch(parent: ET.Element, chosen: int, count: int) -> None:
    """Bindings that leave the two groups of one choice enabled."""
    for position in range(2 * count):
        ET.SubElement(
            parent,
            "binding",
            type="general",
            level="group",
            position=str(position),
            parameter="ENABLED",
            translation="fixed_value",
            translationValue=str(position // 2 == chosen).lower(),
        )
