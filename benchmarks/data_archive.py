"""Reading an NSynth archive in one pass, against ``tar -t`` on the same archive.

    python benchmarks/data_archive.py [notes]

The archive is made on the spot: 16-bit notes with a little noise, an eighth of them
acoustic basses, at gzip's default level. The ratio should stay near 1: decompression limits both.
Times are the processor's, since other work on the machine would blur the clock's. (Linux only, for
the memory.)
"""

import io
import json
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from reverbsynth.data.notes import Rejected
from reverbsynth.data.sources.nsynth import NSynth
from reverbsynth.settings import NSynthSource

FAMILIES = ("bass", "brass", "flute", "guitar", "mallet", "organ", "reed", "string")


def make(path: Path, notes: int) -> None:
    """An archive in the form of NSynth's, its JSON last."""
    random = np.random.default_rng(0)
    time_ = np.arange(64_000) / 16_000
    examples = {}
    with tarfile.open(path, "w:gz", compresslevel=6) as archive:
        for number in range(notes):
            family = FAMILIES[number % len(FAMILIES)]
            pitch = 30 + number // len(FAMILIES) % 60
            instrument = f"{family}_acoustic_{number // (60 * len(FAMILIES)):03d}"
            name = f"{instrument}-{pitch:03d}-100"
            wave = 0.5 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time_) * np.exp(-time_)
            file = io.BytesIO()
            wave += random.normal(0, 0.001, len(wave))
            soundfile.write(file, wave, 16_000, "PCM_16", format="WAV")
            _add(archive, f"nsynth-train/audio/{name}.wav", file.getvalue())
            examples[name] = {
                "note_str": name,
                "instrument_str": instrument,
                "instrument_family_str": family,
                "instrument_source_str": "acoustic",
                "pitch": pitch,
                "velocity": 100,
                "sample_rate": 16_000,
                "qualities_str": [],
            }
        _add(archive, "nsynth-train/examples.json", json.dumps(examples).encode())


def read(path: Path) -> None:
    """Read the archive; print processor seconds, notes kept, and MiB the process grew by."""
    before = _peak_memory()
    start = time.process_time()
    index = NSynth(NSynthSource(path=path), 0).index(path.parent, Rejected(False))
    seconds = time.process_time() - start
    sys.stdout.write(f"{seconds} {len(index.entries)} {_peak_memory() - before}\n")


def main() -> None:
    notes = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "nsynth-train.jsonwav.tar.gz")
        make(path, notes)
        sys.stdout.write(f"{notes} notes, {path.stat().st_size / 1e6:.0f} MB\n")
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(["tar", "-tzf", path], check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            listed = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            command = [sys.executable, __file__, "--read", path]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds, kept, grown = map(float, printed.split())
            sys.stdout.write(
                f"tar -t {listed:.2f} s, one pass {seconds:.2f} s: ratio {seconds / listed:.2f} "
                f"({kept:.0f} notes kept, memory grew by {grown:.0f} MiB)\n"
            )


def _peak_memory() -> float:
    """The most memory, in MiB, that this process has held."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        read(Path(sys.argv[2]))
    else:
        main()
