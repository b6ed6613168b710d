"""Chapter 11: all numbers of a run, what it took, and how far another run may be from them."""

import pandas as pd

from reverbsynth.evaluation.report import Report
from reverbsynth.evaluation.reproduction import tolerances
from reverbsynth.training.run import Run

CORE_HOUR = 0.05  #: US dollars that a rented processor core is taken to cost for an hour


def headline(report: Report) -> pd.DataFrame:
    """The measures that a reproduction is held to, with their tolerances."""
    rows = {}
    for key, tolerance in tolerances(report).items():
        row = report[key]
        scale = 100 if row.unit == "%" else 1
        cells = map(row.text, ("real", "ceiling", "generated"))
        rows[row.title] = [row.group, *cells, f"± {scale * tolerance:g}"]
    columns = ["group", "real", "through an image", "generated", "tolerance"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("measure")


def resources(run: Run) -> pd.DataFrame:
    """Hardware, hours and cost of a training, from its manifest."""
    made, hours = run.manifest, run.manifest["wall_seconds"] / 3600
    cores = made.get("cores", 1)
    cost = f"{cores * hours * CORE_HOUR:.2f} US dollars at {CORE_HOUR:g} a core-hour"
    on_cpu = str(made.get("device", "cpu")).startswith("cpu")
    facts = {
        "device": f"{made.get('devices', 1)} × {made.get('device', '?')}, {cores} cores",
        "training": f"{hours:.2f} hours, {cores * hours:.2f} core-hours",
        "cost": cost if on_cpu else "of its GPU, which is not known here",
        "images seen": f"{made['images_seen']:,}",
        "training seed": str(made["seed"]),
        "software": ", ".join(" ".join(pair) for pair in made["versions"].items()),
    }
    return pd.DataFrame(facts.items(), columns=["", " "])
