"""Recipes at equal processor time: the paper's losses, and the departures of preset laptop.

    python benchmarks/recipe.py WORK [--minutes 60] [--until-stage 8] [--only NAME ...]

Every candidate trains preset `laptop` with the settings it names, on the same notes, for so many
minutes of processor time (all threads; a busy machine changes nothing), shared among the stages as
in the preset; or it stops when an earlier stage is done. Judged are generated notes of drawn
labels, by listeners that learned from real notes (`reverbsynth.evaluation.classifier`) and by YIN:
the critic's own losses prove nothing. WORK keeps data, runs and listeners; a finished candidate is
not trained again.
"""

import argparse
import os
import time
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from reverbsynth import pace
from reverbsynth.data import DataSet, build_data
from reverbsynth.data.decay import measure_tails
from reverbsynth.evaluation.classifier import Listener
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.pitch import cents
from reverbsynth.instrument import Instrument
from reverbsynth.runs import Run
from reverbsynth.settings import Settings
from reverbsynth.training import train

PAPER = Settings()
LABEL_WEIGHTS = {
    "losses.generator_label": PAPER.losses.generator_label,
    "losses.discriminator_label": PAPER.losses.discriminator_label,
}
LOSSES = {
    **LABEL_WEIGHTS,
    "losses.nearest": 0.0,
    "losses.penalty_image": PAPER.losses.penalty_image,
    "losses.penalty_every": PAPER.losses.penalty_every,
}
OPTIMIZER = {
    f"optimizer.{name}": getattr(PAPER.optimizer, name)
    for name in ("generator_rate", "discriminator_rate", "beta_1", "ema_decay")
}
CHANGED = {"augmentation.gain": 6.0, "augmentation.shift": 0.1}
# Some thousand images, where Karras et al. have half a million: there are no more in the hour.
ADAPTED = {
    **CHANGED,
    "augmentation.strength": 0.0,
    "augmentation.target": 0.6,
    "augmentation.images": 5_000,
}
NO_NEAREST = {**LABEL_WEIGHTS, "losses.nearest": 0.0}
CANDIDATES = {
    "paper": {**LOSSES, **OPTIMIZER, "gan.latent_size": PAPER.gan.latent_size},
    "short latent, larger steps": LOSSES,
    "native, lazy penalty": NO_NEAREST,
    "native, lazy penalty, adaptive augmentation": {**NO_NEAREST, **ADAPTED},
    "laptop": {},
    "laptop, augmentation": CHANGED,
    "laptop, adaptive augmentation": ADAPTED,
}
NOTES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--until-stage", type=int, default=8)
    parser.add_argument("--only", nargs="+", choices=CANDIDATES, default=list(CANDIDATES))
    options = parser.parse_args()
    # The schedule is by the clock: let it be the processor's.
    pace.time = SimpleNamespace(monotonic=time.process_time)
    print(
        "recipe | images | at the last stage | pitch % | YIN within 50 cents % | effect % | tails"
    )
    for name in options.only:
        settings = shortened(Settings.preset("laptop", **CANDIDATES[name]), options.minutes)
        data = build_data(settings, options.work / "data")
        run = train(settings, data, options.work / settings.hash, until_stage=options.until_stage)
        print(f"{name} | {judged(run, data)}", flush=True)


def shortened(settings: Settings, minutes: float) -> Settings:
    """The settings with so many minutes in all."""
    each = np.array(settings.training.stage_minutes)
    return settings.replace(**{"training.stage_minutes": (each * minutes / each.sum()).tolist()})


def judged(run: Run, data: DataSet) -> str:
    settings = run.settings
    asked = Clips.generated(Instrument.from_run(run), data, NOTES, settings.seed)
    clips = asked.where(asked.flaws == "")
    right = {}
    for label in ("pitch", "effect"):
        heard = Listener.trained(data, label, settings.evaluation, settings.seed).hear(clips.waves)
        right[label] = 100 * (heard.best == getattr(clips, label)).sum() / NOTES
    near = 100 * (np.abs(cents(clips.waves, clips.pitch)) < 50).sum() / NOTES
    ratios = measure_tails(clips.waves, settings.evaluation.straightness).ratio
    tails = ", ".join(
        f"{effect} {np.nanmedian(ratios[clips.effect == effect]):.1f} dB"
        for effect in data.vocabulary("effect")
    )
    ends = run.manifest["stage_ends"]
    return (
        f"{ends[-1]:,} | {ends[-1] - ends[-2]:,} | {right['pitch']:.0f} | {near:.0f} | "
        f"{right['effect']:.0f} | {tails}"
    )


if __name__ == "__main__":
    main()
