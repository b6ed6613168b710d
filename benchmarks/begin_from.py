"""What it saves to begin with a trained instrument: processor time until another bass is in tune.

    python benchmarks/begin_from.py WORK [--source book/results/laptop] [--minutes 4]
        [--programs 38] [--pitches 28 64]

Two trainings of the preset laptop on notes of a program that the source never heard: one from
nothing, one with the source's generator (`reverbsynth train --from`). Every quarter of a minute of
processor time one note of each recorded key and effect is generated: the share within 50 cents
(YIN), and the distance to the nearest training note of the pitch. The measuring does not count.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
from keras import ops

from reverbsynth.audio.pitch import cents
from reverbsynth.audio.spectrum import mel_levels, nearest_of_same_pitch
from reverbsynth.data.build import build_data
from reverbsynth.evaluation.clips import Clips
from reverbsynth.gan.schedule import blocks
from reverbsynth.training.origin import Origin
from reverbsynth.training.run import Run
from reverbsynth.training.stage_lengths import begun_at, in_minutes
from reverbsynth.training.train import train

EVERY = 15.0
GOAL = 0.9


class Watch(keras.callbacks.Callback):
    """A clock of the process' time that stands still while notes are judged, and what they were."""

    def __init__(self, real: Clips, seed: int):
        super().__init__()
        self.real, self.seed = real, seed
        self.real_levels = mel_levels(real.waves)
        self.paused, self.due, self.rows = 0.0, EVERY, []
        self.began = time.process_time()

    def __call__(self) -> float:
        return time.process_time() - self.began - self.paused

    def on_train_batch_end(self, batch, logs=None):
        now = self()
        if now >= self.due:
            self.rows.append({"minutes": round(now / 60, 2), **self.judged()})
            print(self.rows[-1], flush=True)
            self.due = now + EVERY
            self.paused += self() - now

    def judged(self) -> dict:
        model, real = self.model, self.real
        keys = sorted(set(zip(real.pitch.tolist(), real.effect.tolist(), strict=True)))
        labels = {
            name: np.array([model.labels.index(name, key[i]) for key in keys], np.int32)
            for i, name in enumerate(("pitch", "effect"))
        }
        z = np.random.default_rng(self.seed).standard_normal(
            (len(keys), model.settings.gan.latent_size), np.float32
        )
        p = float(blocks(model.stage) - 1)
        images = model.generate(z, labels, p, model.ema_generator)
        waves = model.representation.decode_all(ops.convert_to_numpy(images))
        pitches = np.array([pitch for pitch, _ in keys])
        near = np.abs(cents(waves, pitches)) <= 50
        distances = nearest_of_same_pitch(mel_levels(waves), pitches, self.real_levels, real.pitch)
        return {
            "stage": model.stage,
            "in tune": round(float(near.mean()), 3),
            "dB": round(float(np.median(distances)), 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--source", type=Path, default=Path("book/results/laptop"))
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--programs", type=int, nargs="+", default=[38])
    parser.add_argument("--pitches", type=int, nargs=2, default=[28, 64])
    options = parser.parse_args()
    source = Run.open(options.source)
    notes = {"programs": options.programs, "pitches": options.pitches}
    settings = source.settings.replace(data={"source": {"kind": "soundfont", **notes}})
    data = build_data(settings, options.work / "data")
    real = Clips.of(data, ("train",))
    for name, origin in (("with", Origin.of_run(source)), ("without", None)):
        chosen = settings if origin is None else begun_at(settings, origin.first_stage)
        watch = Watch(real, settings.seed)
        train(
            in_minutes(chosen, options.minutes),
            data,
            options.work / name,
            origin=origin,
            callbacks=[watch],
            clock=watch,
        )
        frame = pd.DataFrame(watch.rows)
        frame.to_csv(options.work / f"{name}.csv", index=False)
        reached = frame.loc[frame["in tune"] >= GOAL, "minutes"]
        when = f"after {reached.min()} minutes" if len(reached) else "not reached"
        print(f"{name} the source: {GOAL:.0%} of notes in tune {when}\n{frame.to_string()}")


if __name__ == "__main__":
    main()
