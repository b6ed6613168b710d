"""Recipes at equal processor time: the paper's losses, and the departures of preset laptop.

    python benchmarks/recipe.py WORK [--minutes 60] [--until-stage STAGE] [--only NAME ...]
        [--table book/results/recipes.csv]

Every candidate trains preset `laptop` with the settings it names, on the same notes, for so many
minutes of processor time (all threads; a busy machine changes nothing), shared among the stages as
its images are, by what they cost; or it stops when an earlier stage is done. Judged are generated
notes of drawn labels, by classifiers that learned from real notes
(`reverbsynth.evaluation.classifier`) and by YIN: the discriminator's own losses prove nothing. WORK
keeps data, runs and classifiers; a finished candidate is not trained again. The book
shows the table in `book/results`.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

from reverbsynth.audio.pitch import cents
from reverbsynth.audio.tails import measure_tails
from reverbsynth.data.build import build_data
from reverbsynth.data.dataset import DataSet
from reverbsynth.evaluation.classifier import LabelClassifier
from reverbsynth.evaluation.clips import Clips
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run
from reverbsynth.training.stage_lengths import in_minutes
from reverbsynth.training.train import train

PAPER = Settings()
LABELS = {
    "losses.generator_label": PAPER.losses.generator_label,
    "losses.discriminator_label": PAPER.losses.discriminator_label,
}
NO_NEAREST = {"losses.imle_weight": 0.0, "losses.adversarial_every": 1, **LABELS}
CANDIDATES = {
    "laptop": {},
    # One departure at a time is taken back.
    "laptop, pitch as a class": {"gan.pitch_input": "one-hot"},
    "laptop, not told the effect": {"gan.labels": ["pitch"]},
    "laptop, without a discriminator": {"losses.adversarial_every": 10**9},
    "laptop, without nearest images": NO_NEAREST,
    "laptop, without timbres": {"gan.timbres": 0, "losses.imle_samples": 3},
    "laptop, another split": {"seed": 1},
    "paper": {
        **NO_NEAREST,
        "losses.penalty_image": PAPER.losses.penalty_image,
        "losses.penalty_every": PAPER.losses.penalty_every,
        "optimizer": PAPER.optimizer.model_dump(),
        "gan.latent_size": PAPER.gan.latent_size,
        "gan.label_scale": PAPER.gan.label_scale,
        "gan.skip_latent": PAPER.gan.skip_latent,
        "gan.pitch_input": PAPER.gan.pitch_input,
        "gan.timbres": PAPER.gan.timbres,
        "gan.labels": PAPER.gan.labels,
    },
}
NOTES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--until-stage", type=int, help="stop there; unset: at the preset's end")
    parser.add_argument("--only", nargs="+", choices=CANDIDATES, default=list(CANDIDATES))
    parser.add_argument("--table", type=Path, help="CSV to write rows to; unset: WORK/recipes.csv")
    options = parser.parse_args()
    path = options.table or options.work / "recipes.csv"
    for name in options.only:
        settings = in_minutes(Settings.preset("laptop", **CANDIDATES[name]), options.minutes)
        data = build_data(settings, options.work / f"data-{settings.seed}")
        # The schedule is by the clock: let it be the processor's.
        run = train(
            settings,
            data,
            options.work / settings.hash,
            until_stage=options.until_stage,
            clock=time.process_time,
        )
        stage = run.stages[-1]
        held_out = Clips.of(data, ("valid", "test"))
        ceiling = held_out.resynthesized(Representation(settings.spectra), stage)
        asked = Clips.generated(Instrument.from_run(run), data, NOTES, settings.seed)
        ends = run.manifest["stage_ends"]
        facts = {
            "stage": stage,
            "cpu_minutes": round(sum(settings.training.stage_minutes[: stage + 1]), 1),
            "images": ends[-1],
            "images_at_stage": ends[-1] - ends[-2],
            "settings": run.manifest["settings_hash"],
            "commit": run.manifest["commit"],
        }
        real = f"real notes through the image of stage {stage}"
        told = "effect" in run.labels
        write_row(path, {"recipe": real, "stage": stage, **judged(ceiling, run, data)})
        write_row(path, {"recipe": name, **facts, **judged(asked, run, data, told)})
        print(pd.read_csv(path).to_string(), flush=True)


def write_row(path: Path, row: dict) -> None:
    """Add a recipe's row to the table, or put it in its row's place."""
    frame = pd.DataFrame([row])
    if path.exists():
        before = pd.read_csv(path)
        frame = pd.concat([before[before["recipe"] != row["recipe"]], frame])
    frame.to_csv(path, index=False)


def judged(asked: Clips, run: Run, data: DataSet, told: bool = True) -> dict:
    """What classifiers and YIN find, in percent of all notes, and median tails by effect, in dB.

    Of a network that was not ``told`` the effect: by the effect that is heard.
    """
    settings = run.settings
    clips = asked.where(asked.flaws == "")
    found = {"notes": len(asked)}
    heard = {}
    for label in ("pitch", "effect"):
        classifier = LabelClassifier.trained(data, label, settings.evaluation, settings.seed)
        heard[label] = classifier.predict(clips.waves).best
    found["pitch_heard"] = share(heard["pitch"] == clips.pitch, asked)
    effects = clips.effect if told else heard["effect"]
    if told:
        found["effect_heard"] = share(heard["effect"] == effects, asked)
    found["heard_wet"] = share(heard["effect"] != "dry", asked)
    found["within_50_cents"] = share(np.abs(cents(clips.waves, clips.pitch)) < 50, asked)
    ratios = measure_tails(clips.waves, settings.evaluation.straightness).ratio
    for effect in data.vocabulary("effect"):
        found[f"tail_{effect}"] = round(float(np.nanmedian(ratios[effects == effect])), 1)
    return found


def share(found: np.ndarray, asked: Clips) -> float:
    """Percent of all notes."""
    return round(100 * found.sum() / len(asked), 1)


if __name__ == "__main__":
    main()
