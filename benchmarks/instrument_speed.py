"""CPU-seconds of a note: full-size generators, the shipped one, a piece, and a whole command.

    python benchmarks/instrument_speed.py

Run it from the checkout. The original's numbers are CPU-seconds for 8 notes on two cores with
another job running (Magenta's GANSynth, TensorFlow 1): 1.2 at stage 8 and 2.6 at stage 12. The best
of several repetitions counts, since other work on the machine only ever adds. Notes are generated
on one thread; a start is all that happens before the first note: building the graph and loading it.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from reverbsynth.audio.format import SAMPLE_RATE
from reverbsynth.gan import schedule
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.instrument.midi import render
from reverbsynth.instrument.midi_file import MidiNote
from tests.instruments import untrained_generator

ORIGINAL = {8: 1.2, 12: 2.6}
NOTES = 8
ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "book" / "results" / "laptop"


def seconds(function: Callable[[], object]) -> float:
    """CPU-seconds of one call."""
    started = time.process_time()
    function()
    return time.process_time() - started


def notes(instrument: Instrument, repeats: int) -> tuple[float, float]:
    """CPU-seconds until the first note is there, and the least for 8 notes."""
    pitches = [40] * NOTES
    first = seconds(lambda: instrument.notes(pitches[:1], seed=0))
    return first, min(seconds(lambda: instrument.notes(pitches, seed=0)) for _ in range(repeats))


def command(repeats: int) -> float:
    """The least CPU-seconds of ``reverbsynth play`` for one note, start included."""
    used = []
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-c", "from reverbsynth.cli import main; main()", "play"]
        call += [str(SHIPPED), "--pitch", "40", "-o", str(Path(folder) / "note.wav")]
        for _ in range(repeats):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                call,
                check=True,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(used)


def piece(instrument: Instrument, count: int = 400) -> str:
    """How much faster than it sounds a piece of so many different notes is played, wet."""
    line = [MidiNote(i / 4, i / 4 + 0.2, 40 + 7 * i % 24, 64 + i % 64) for i in range(count)]
    instrument.notes([40], seed=0)
    started, used = time.perf_counter(), time.process_time()
    rendering = render(instrument, line, seed=0, effect="reverb")
    took, used = time.perf_counter() - started, time.process_time() - used
    lasts = len(rendering.audio) / SAMPLE_RATE
    return (
        f"a piece of {count} notes, {rendering.generated} of them generated, {lasts:.0f} s: "
        f"{used:.2f} CPU-s, {2 * lasts / used:.0f} times faster on two cores; "
        f"by the clock {lasts / took:.0f} times"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    print(f"reverbsynth play, one note of {SHIPPED.name}: {command(3):.2f} CPU-s, start included")
    first, many = notes(Instrument(Instrument.load(SHIPPED).generator, threads=1), repeats)
    print(f"{SHIPPED.name}: {piece(Instrument.load(SHIPPED))}")
    print(f"{SHIPPED.name}: start and first note {first:.3f} CPU-s, {NOTES} notes {many:.3f} CPU-s")
    for stage, original in ORIGINAL.items():
        generator = untrained_generator({"pitch": range(24, 85)}, stage)
        first, many = notes(Instrument(generator, threads=1), repeats)
        height, bins = schedule.stage_resolution(stage)
        print(
            f"paper, stage {stage} ({height}x{bins}): start and first note {first:.3f} CPU-s, "
            f"{NOTES} notes {many:.3f} CPU-s; the original {original} CPU-s: "
            f"{original / many:.2f} times the notes per CPU-second",
            flush=True,
        )


if __name__ == "__main__":
    main()
