"""How long the default data set takes to build, with each engine, and whether it repeats.

    python benchmarks/data_build.py

The target is 400 clips in at most 20 s on two cores. Each build runs in a process of its own, so
that its imports count too.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reverbsynth.data.dataset import DataSet
from reverbsynth.effects.supercollider.score import INSTALL, find_scsynth

TARGET = 20.0
"""Seconds."""

BUILD = (
    "import sys; from reverbsynth.data.build import build_data;"
    "from reverbsynth.settings import Settings;"
    "reverb = {'kind': 'reverb', 'parameters': {'engine': sys.argv[1]}};"
    "overrides = {'data.effects': [{'kind': 'dry'}, reverb]};"
    "build_data(Settings.preset('laptop', **overrides), sys.argv[2])"
)


def main() -> None:
    engines = ["scipy"] + ["supercollider"] * (find_scsynth() is not None)
    if len(engines) == 1:
        sys.stdout.write(f"scsynth: not found, {INSTALL}\n")
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            digests = set()
            for repeat in range(2):
                directory = Path(folder, f"{engine}-{repeat}")
                before = _processor_seconds()
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", BUILD, engine, directory], check=True)
                seconds = time.perf_counter() - start
                busy = _processor_seconds() - before
                data = DataSet.open(directory)
                digests.add(data.sha256)
                clips = sum(data.count(split) for split in data.splits)
                sys.stdout.write(
                    f"{engine}: {clips} clips in {seconds:.1f} s ({busy:.1f} s of processor time, "
                    f"load {os.getloadavg()[0]:.1f}), {seconds / TARGET:.2f} of the target\n"
                )
            same = "the same bytes" if len(digests) == 1 else "OTHER BYTES"
            sys.stdout.write(f"{engine}: built twice, {same} ({digests.pop()[:12]})\n")


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
