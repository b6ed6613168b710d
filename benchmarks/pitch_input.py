"""How soon a network is in tune, by how it is told the pitch (chapter 12's table and sounds).

    python benchmarks/pitch_input.py WORK OUT [--minutes 1 3]

The preset laptop with ``gan.pitch_input`` one-hot and harmonic, its stages scaled to so many
minutes of processor time; compilation comes on top, and the table counts it. Of each run 100 notes
of drawn labels are judged by classifiers of real notes and by YIN. OUT gets a row of each run and
two notes; the repository keeps such a folder in book/results/pitch.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
import soundfile

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.audio.pitch import cents
from reverbsynth.data.build import build_data
from reverbsynth.evaluation.classifier import LabelClassifier
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings
from reverbsynth.training.stage_lengths import in_minutes
from reverbsynth.training.train import train

NOTES = 100
HEARD = (36, 52)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 3.0])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = [
        measure(kind, minutes, options.work, options.out)
        for kind in ("harmonic", "one-hot")
        for minutes in options.minutes
    ]
    table = pd.DataFrame(rows).round(1)
    table.to_csv(options.out / "learned.csv", index=False)
    print(table.to_string(index=False))


def measure(kind: str, minutes: float, work: Path, out: Path) -> dict:
    """Train a network, and judge its notes."""
    settings = in_minutes(Settings.preset("laptop", **{"gan.pitch_input": kind}), minutes)
    data = build_data(settings, work / "data")
    run = train(settings, data, work / f"{minutes:g}-{kind}", clock=time.process_time)
    spent = run.manifest["wall_seconds"] / 60
    instrument = Instrument.from_run(run)
    rng = np.random.default_rng(1)
    notes = data.index("train")
    pitch = rng.choice(sorted({note["pitch"] for note in notes}), NOTES)
    effect = rng.choice(sorted({note["effect"] for note in notes}), NOTES)
    z = rng.standard_normal((NOTES, settings.gan.latent_size), np.float32)
    waves = instrument.notes(pitch.tolist(), z=z, effect=effect.tolist())
    for key in HEARD:
        path = out / f"{spent:.1f}-{kind}-{key}.flac"
        soundfile.write(path, instrument.notes([key], z=z[:1], effect=["reverb"])[0], SAMPLE_RATE)
    classifiers = {
        label: LabelClassifier.trained(data, label, settings.evaluation, 0)
        for label in ("pitch", "effect")
    }
    return {
        "minutes": spent,
        "pitch_input": kind,
        "images": run.manifest["images_seen"],
        "pitch": 100 * np.mean(classifiers["pitch"].predict(waves).best == pitch),
        "cents50": 100 * np.mean(np.abs(cents(waves, pitch)) < 50),
        "effect": 100 * np.mean(classifiers["effect"].predict(waves).best == effect),
        "settings": settings.hash,
        "commit": run.manifest["commit"],
    }


if __name__ == "__main__":
    main()
