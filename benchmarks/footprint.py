"""What the package weighs: its environment by extra, imports, and the memory of each command.

    python benchmarks/footprint.py [WORK] [--only play data ...] [--preset tiny] [--book [RUN]]
                                   [--notes 500 2000]

*Environment*: megabytes on the disk of the packages that an installation without extras has, and
of what each extra adds, as they are installed here.

*Imports*: processor seconds (the least of ``--repeats``) and peak memory of a new process that
imports the modules a command begins with, the interpreter's own start included.

*Commands*: processor seconds and peak memory of each, children included, in the folder WORK; each
uses what those before it made, and what is there is kept. ``--preset`` is that of data and
training, whose length the preset gives (``--set`` is passed on).

*Book*: the same of ``make book``, with every process that it starts: ``--only --book``. It shows
the run that comes with the book, or RUN.

*Notes*: the same of ``data`` for so many source notes each, with twins as the preset has them. They
are twelve sounds in a folder, linked under as many names as there are notes, so that every one is
read, measured, processed and written like another. A note takes 0.5 MB of the disk, and twice that
before the build ends.

Peak memory is the most that all processes of the command held at once, shared pages counted once
(proportional set size, looked at 20 times a second, or as often as takes a twentieth of a core), or
the most that one of them ever held. It says of how many processes, and what the largest held then.
"""

import argparse
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import soundfile
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
IMPORTS = {
    "Python": "sys",
    "NumPy": "numpy",
    "reverbsynth": "reverbsynth",
    "the command line": "reverbsynth.cli",
    "play": "reverbsynth.instrument.instrument",
    "data": "reverbsynth.data.build",
    "TensorFlow": "tensorflow",
    "train": "reverbsynth.training.train",
    "evaluate": "reverbsynth.evaluation.evaluate",
}
COMMANDS = {
    "play": "play laptop --pitch 40 -o {}/note.wav",
    "play MIDI": "play laptop {midi} -o {}/song.wav",
    "export page": "export laptop -o {}/page",
    "export sfz": "export laptop -o {}/bass.sfz --keys /3",
    "data": "data {}/data {settings}",
    "train": "train {}/run --data {}/data {settings}",
    "evaluate": "evaluate {}/run --effect-transfer",
    "apply": "apply {}/run {}/note.wav --effect reverb -o {}/wet.wav",
    "bundle": "bundle {}/run {}/bundle --replace",
    "reproduce": "reproduce {}/run",
}
BOOK = "book {run} --output {}/book"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, nargs="?", default=Path("_build/footprint"))
    parser.add_argument("--only", nargs="*", default=["environment", "imports", *COMMANDS])
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--book", nargs="?", const="", metavar="RUN")
    parser.add_argument("--notes", nargs="*", type=int, default=[], metavar="N")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if "environment" in options.only:
        environment()
    if "imports" in options.only:
        for name, module in IMPORTS.items():
            runs = [
                measured([sys.executable, "-c", f"import {module}"]) for _ in range(options.repeats)
            ]
            print(f"import {name}: {min(run[0] for run in runs):.2f} CPU-s, {runs[0][1]:.0f} MB")
    chosen = {name: line for name, line in COMMANDS.items() if name in options.only}
    if options.book is not None:
        chosen["book"] = BOOK
    for count in options.notes:
        linked(options.work / f"sounds{count}", count)
        folders = f"{{}}/data{count} --source folder --path {{}}/sounds{count}"
        chosen[f"data, {count:,} notes"] = f"data {folders} {{settings}}"
    given = {
        "run": f"--run {options.book}" if options.book else "",
        "settings": " ".join([f"--preset {options.preset}", *map("--set {}".format, options.set)]),
    }
    given["midi"] = str(ROOT / "reverbsynth/instrument/examples/bass_line.mid")
    for name, line in chosen.items():
        words = line.format(*[options.work] * line.count("{}"), **given).split()
        seconds, memory, told = measured([sys.executable, "-m", "reverbsynth.cli", *words])
        print(f"{name}: {seconds:.1f} CPU-s, {memory:.0f} MB{told}", flush=True)


def linked(folder: Path, count: int) -> None:
    """A folder of so many names of twelve plucked sounds of two seconds, with their pitches."""
    folder.mkdir(exist_ok=True)
    time, pitches = np.arange(32_000) / 16_000, range(36, 48)
    for pitch in pitches:
        phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time
        wave = (np.sin(phase) + np.sin(2 * phase) / 2) * np.exp(-time) / 2
        soundfile.write(folder / f".{pitch}.wav", wave, 16_000)
    rows = ["file,pitch"]
    for number in range(count):
        pitch, path = pitches[number % len(pitches)], folder / f"{number:06d}.wav"
        if not path.exists():
            os.link(folder / f".{pitch}.wav", path)
        rows.append(f"{path.name},{pitch}")
    (folder / "notes.csv").write_text("\n".join(rows) + "\n")


def environment() -> None:
    """Print the size of what each extra needs beyond what those before it need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    before: set[str] = set()
    for extra in ("", "play", "train", "book", "jax", "dev"):
        lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
        added = closure(line for line in lines if not line.startswith("reverbsynth[")) - before
        before |= added
        sizes = {name: size(name) for name in added}
        parts = sorted(sizes, key=lambda name: -sizes[name])[:6]
        told = ", ".join(f"{name} {sizes[name]:.0f}" for name in parts)
        print(
            f"{extra or 'no extra'}: {sum(sizes.values()):.0f} MB, {len(added)} packages ({told})"
        )


def closure(lines: Iterable[str]) -> set[str]:
    """Names of the installed packages that requirements need, their own among them."""
    found: set[tuple[str, str]] = set()
    waiting = [(Requirement(line), "") for line in lines]
    while waiting:
        wanted, of = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": of}):
            continue
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras}:
            if (name, extra) not in found:
                found.add((name, extra))
                with suppress(PackageNotFoundError):  # for another system
                    needs = distribution(name).requires or []
                    waiting += [(Requirement(line), extra) for line in needs]
    return {name for name, _ in found}


def size(name: str) -> float:
    """Megabytes of an installed package's files."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return 0.0
    paths = {Path(file.locate()).resolve() for file in files}
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def measured(command: list[str]) -> tuple[float, float, str]:
    """Processor seconds and peak megabytes of a command, children included, and what else to say:
    how many processes held them, and the exit status of a failure.
    """
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = [0.0]
    while True:
        pid, status, usage = os.wait4(started.pid, os.WNOHANG)
        if pid:
            break
        before = time.process_time()
        most = max(most, [*map(proportional, descendants(started.pid))], key=sum)
        time.sleep(max(0.05, 20 * (time.process_time() - before)))
    started.returncode = os.waitstatus_to_exitcode(status)
    told = f" in {len(most)} processes (largest {max(most):.0f} MB)" if len(most) > 1 else ""
    told += f" (exit status {started.returncode})" if started.returncode else ""
    seconds = usage.ru_utime + usage.ru_stime
    return seconds, max(sum(most), usage.ru_maxrss / 1e3), told


def descendants(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue  # It has just ended.
    return found


def proportional(pid: int) -> float:
    """Megabytes that a process holds, of shared pages its share."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3


if __name__ == "__main__":
    main()
