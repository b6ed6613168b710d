"""The card of an instrument: what it was made from, how good it is, and what it is for.

It is Markdown with a YAML header, as model hubs read it (Mitchell et al., "Model Cards for Model
Reporting", 2019). Everything in it is read from the instrument and its run.
"""

from pathlib import Path
from string import Template
from typing import Any

import yaml

from reverbsynth.audio.pitch import pitch_name
from reverbsynth.files.reading import read_json
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.training.run import Run

CARD = "README.md"  # By this name hubs find a card.
_TEMPLATE = Path(__file__).with_suffix(".md")
_PLAY = "```bash\nreverbsynth play {name} --pitch {pitch} -o note.wav\n```\n\n"
_MEASURES = (
    *("pitch.accuracy", "pitch.within", "effect.accuracy", "reverb.ratio.", "reverb.t20."),
    *("memory.copying", "control.diversity"),
)
_SOURCES = {
    "soundfont": "notes rendered from a SoundFont; by default TimGM6mb by Tim Brechbill (GPL-2.0)",
    "nsynth": "notes of NSynth by Google (CC BY 4.0)",
    "folder": "its maker's own recordings, whose licence is theirs to state",
}


def card(instrument: Instrument, name: str, run: Run | None = None, beside: bool = True) -> str:
    """The card of an instrument; with its run, if known, it tells data, time and measures too.

    Where the instrument is not ``beside`` it, no command to play it is shown.
    """
    report: dict[str, Any] = {}
    if run is not None and (path := run.report_path(instrument.stage)).exists():
        facts = {"images_seen": instrument.facts.get("images_seen")}
        trained = {"stage": instrument.stage, "data_sha256": run.manifest["data_sha256"], **facts}
        kept = read_json(path)
        # One from before the run was trained on is of another instrument, and on other notes it
        # is of the notes that stood in.
        report = kept if trained.items() <= kept.get("facts", {}).items() else {}
    rows = [row for row in report.get("rows", []) if row["key"].startswith(_MEASURES)]
    measured = [row for row in rows if row["generated"]["value"] is not None]
    sounds, own = ("", True) if run is None else _sounds(run)
    header: dict[str, Any] = {
        "license": "other" if own else "apache-2.0",
        "library_name": "reverbsynth",
        "pipeline_tag": "text-to-audio",
        "tags": ["audio", "music", "gan", "reverb", "onnx"],
    }
    if run is not None and measured:
        metrics = [
            {"type": row["key"], "name": row["name"], "value": round(row["generated"]["value"], 4)}
            for row in measured
        ]
        task = {"type": "audio-generation", "name": "Generating notes"}
        data = {"type": run.settings.data.source.kind, "name": "held-out notes"}
        results = [{"task": task, "dataset": data, "metrics": metrics}]
        header["model-index"] = [{"name": name, "results": results}]
    text = Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=name,
        play=_PLAY.format(name=name, pitch=instrument.middle_pitch) if beside else "",
        plays="\n".join(plays(instrument)),
        data="\n".join(_data(run, sounds, own)),
        recipe="\n".join(_recipe(instrument, run)),
        measures=_table(measured, report),
        missed=_missed(report),
    )
    return f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n\n{text}"


def plays(instrument: Instrument) -> list[str]:
    """Lines that list the values of each label."""
    low, high = instrument.keys[0], instrument.keys[-1]
    lines = [f"- pitch: {pitch_name(low)} to {pitch_name(high)} (MIDI {low} to {high})"]
    return lines + [
        f"- {label}: {', '.join(map(str, values))}"
        for label, values in instrument.labels.items()
        if label != "pitch"
    ]


def _sounds(run: Run) -> tuple[str, bool]:
    """What a run was trained on, and whether its licence is only known to who chose it."""
    source = run.settings.data.source
    if source.kind == "soundfont" and source.path is not None:
        return (
            f"notes rendered from {source.path.name}, whose licence is its maker's to state",
            True,
        )
    return _SOURCES[source.kind], source.kind == "folder"


def _data(run: Run | None, sounds: str, own: bool) -> list[str]:
    if run is None:
        return ["Not known: the instrument came without its run."]
    data = run.settings.data
    return [
        f"- source: {sounds}",
        f"- effects: {', '.join(effect.label for effect in data.effects)}",
        f"- SHA-256 of the data set: `{run.manifest['data_sha256']}`",
        "- weights: " + ("their maker's to state" if own else "Apache-2.0"),
    ]


def _recipe(instrument: Instrument, run: Run | None) -> list[str]:
    lines = [f"- stage: {instrument.stage}, labels: {', '.join(instrument.labels)}"]
    lines += [
        f"- {key}: {value}"
        for key, value in sorted(instrument.facts.items())
        if not isinstance(value, dict)
    ]
    if isinstance(origin := instrument.facts.get("origin"), dict):
        lines.append(f"- begun from: {origin.get('name')}, stage {origin.get('stage')}")
    if run is not None:
        hours = run.manifest.get("wall_seconds", 0) / 3600
        device = run.manifest.get("device", "an unknown device")
        lines.append(f"- time: {hours:.2f} hours on {device}")
    return lines


def _table(rows: list[dict], report: dict) -> str:
    if not rows:
        return "It has not been measured."
    lines = ["| measure | this instrument | held-out notes |", "|---|---|---|"]
    for row in rows:
        cells = [_cell(row, row[side]["value"]) for side in ("generated", "real")]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    # A report that an earlier version made may lack the number.
    count = report.get("facts", {}).get("notes", {}).get("generated", "its")
    return "\n".join(lines) + f"\n\nMeasured by `reverbsynth evaluate` on {count} generated notes."


def _cell(row: dict, value: float | None) -> str:
    if value is None:
        return "not measured"
    scale = 100 if row["unit"] == "%" else 1
    return f"{scale * value:.{row['digits']}f} {row['unit']}".strip()


def _missed(report: dict) -> str:
    """Claims of the paper that the instrument was measured to miss, but for those not about it."""
    missed = [v for v in report.get("verdicts", []) if v["verdict"] == "does not hold"]
    claims = " ".join(v["claim"] for v in missed if v["key"] != "representation")
    return f"\n\nClaims of the paper that it does not meet: {claims}" if claims else ""
