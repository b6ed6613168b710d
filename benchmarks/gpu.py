"""What a GPU does with the paper's networks, and with five minutes of preset laptop's recipe.

    python benchmarks/gpu.py WORK [--minutes 5] [--stages 0 1 2 3 4 5 6 7 8] [--steps 20]
        [--cpu-check]

On JAX, in bfloat16; nothing is fetched (book/gpu.md says how to carry the wheels to a machine
without network). Two parts:

- *speed*: at each stage the paper's step, filters and batch of 64 on random images: images a
  second (the median of the steps), seconds to compile, peak memory up to then, and the hours that
  the paper's schedule takes at those rates;
- *recipe*: preset `laptop` with the paper's filters for so many minutes on the embedded notes,
  compilation not counted, and what `reverbsynth evaluate` measures of it.

WORK keeps data and run, and after every stage `gpu.json` and the same as a table, `gpu.md`.
`--cpu-check` runs all of it at a size for a processor: its numbers mean nothing.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import numpy as np
from training_step import step_clock

from reverbsynth import provenance
from reverbsynth.data.build import build_data
from reverbsynth.evaluation.evaluate import evaluate
from reverbsynth.gan import schedule
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.settings import Settings
from reverbsynth.training.input_pipeline import BatchSequence
from reverbsynth.training.stage_lengths import in_minutes
from reverbsynth.training.train import train

FULL = {
    "gan.filters_base": Settings().gan.filters_base,
    "gan.filters_max": Settings().gan.filters_max,
    "training.precision": "bfloat16",
}
SMALL = {**FULL, "gan.filters_base": 64, "gan.filters_max": 4}
SMALL_RECIPE = {
    **SMALL,
    "data.source.programs": [33, 36],
    "data.source.pitches": [40, 42],
    "training.last_stage": 0,
    "training.stage_images": [1000],
    "evaluation": {
        **Settings.preset("tiny").evaluation.model_dump(exclude={"claims"}),
        "notes": 8,
        "classifier_steps": 2,
        "resamples": 100,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--stages", type=int, nargs="+", default=list(range(9)))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--cpu-check", action="store_true")
    options = parser.parse_args()
    check, began = options.cpu_check, time.monotonic()
    device = jax.devices()[0]
    if device.platform == "cpu" and not check:
        raise SystemExit("gpu: JAX finds no GPU, only a CPU; expected one, or --cpu-check")
    options.work.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "card": device.device_kind,
        "check_only": check,
        "commit": provenance.commit(),
        "versions": {**provenance.versions(), "jax": jax.__version__},
        "stages": [],
    }
    paper = Settings.preset("paper", **({**SMALL, "training.batch": 4} if check else FULL))
    recipe = in_minutes(
        Settings.preset("laptop", **(SMALL_RECIPE if check else FULL)), options.minutes
    )
    for stage in options.stages:
        result["stages"].append(speed(paper, stage, options.steps, device))
        result["paper_hours"] = paper_hours(paper, result["stages"])
        write(options.work, result)
    result["recipe"] = measures(recipe, options.work)
    result["minutes"] = round((time.monotonic() - began) / 60, 1)
    write(options.work, result)


def speed(settings: Settings, stage: int, steps: int, device: Any) -> dict[str, Any]:
    """Images a second of the paper's step at a stage, compile time and peak memory so far."""
    batch, rng = settings.training.batch, np.random.default_rng(0)
    space = LabelSpace({"pitch": range(24, 85)})
    histogram = np.stack([np.arange(61), np.ones(61, int)], axis=1)
    model = ProgressiveGAN(settings, space, histogram, stage)
    shape = (4 * batch, *schedule.stage_resolution(stage), 2)
    pixels = (rng.uniform(-1, 1, shape) * [5, 0.5] - [6, 0]).astype(np.float32)
    classes = rng.integers(0, 61, (len(pixels), 1)).astype(np.int32)
    batches = BatchSequence(pixels, (classes,), batch, 0, 0, (steps + 1) * batch)
    clock = step_clock()
    model.fit(batches, shuffle=False, verbose=0, callbacks=[clock])
    first, *later = (wall for wall, _ in clock.spent)
    step = float(np.median(later))
    memory = (device.memory_stats() or {}).get("peak_bytes_in_use")
    return {
        "stage": stage,
        "images_a_second": round(batch / step, 2),
        "compile_seconds": round(first - step, 1),
        "peak_gib": round(memory / 2**30, 2) if memory else "unknown",
    }


def paper_hours(settings: Settings, stages: list[dict[str, Any]]) -> float:
    """Hours that the measured stages of the paper's schedule take at their rates."""
    spans = schedule.Schedule.of(settings.training).span
    seconds = [
        (spans(row["stage"])[1] - spans(row["stage"])[0]) / row["images_a_second"] for row in stages
    ]
    return round(sum(seconds) / 3600, 2)


def measures(settings: Settings, work: Path) -> dict[str, Any]:
    """Train a recipe and evaluate it: images seen, and each measure beside its ceiling."""
    data = build_data(settings, work / "data")
    run = train(settings, data, work / settings.hash)
    report = evaluate(run, data)
    rows = {
        row.key: [row.group, row.title, row.text("ceiling"), row.text("generated")]
        for row in report.rows
    }
    return {
        "minutes": round(sum(settings.training.stage_minutes or ()), 2),
        "stage": run.stages[-1],
        "images": run.manifest["images_seen"],
        "measures": rows,
    }


def write(work: Path, result: dict[str, Any]) -> None:
    """Write what has been measured so far, for programs and for people."""
    (work / "gpu.json").write_text(json.dumps(result, indent=2))
    lines = [f"**{result['card']}**, JAX {result['versions']['jax']}, bfloat16."]
    if result["check_only"]:
        lines[0] += " A check at a small size: these numbers mean nothing."
    lines += [
        "",
        "| stage | images a second | compiling, s | peak memory, GiB |",
        "|---|---|---|---|",
    ]
    lines += ["| {} | {} | {} | {} |".format(*row.values()) for row in result["stages"]]
    lines += ["", f"The paper's schedule of these stages: {result['paper_hours']} hours."]
    if recipe := result.get("recipe"):
        lines += ["", f"`laptop` with the paper's filters, {recipe['minutes']} minutes, "]
        lines[-1] += f"{recipe['images']:,} images, stage {recipe['stage']}:"
        lines += [
            "",
            "| | measure | real notes through the image | generated |",
            "|---|---|---|---|",
        ]
        lines += ["| {} | {} | {} | {} |".format(*row) for row in recipe["measures"].values()]
    (work / "gpu.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
