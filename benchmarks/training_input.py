"""What training reads: encoding sounds as images, and a data set larger than memory.

    python benchmarks/training_input.py [--notes 16] [--repeats 3] [--folder /tmp]

*Encoding*: CPU-seconds a note (all threads, the least of the repeats) of `Representation.encoder`,
and of the original's transform on the same TensorFlow, compiled as one graph like ours, on the same
batch: complex STFT of all 1025 bins by `tf.signal`, logarithm and angle, unwrapping by difference,
modulus and running sum, and both channels through the dense 1024 x 1024 mel matrix.

*Memory*: a cache of 70,000 full-size images, 73 GB (a sparse file, so that no disk is filled),
served in batches of 64 in training's order; then scaled down by 2, of 70,000 images of 8 x 64. The
peak of the process' own memory (not of mapped file pages, which the system takes back) is printed,
with what Python and TensorFlow took before. Then what training knows of each image, without pixels:
of 70,000 source notes with a twin each, and crossfades of them as the preset `laptop` has.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.settings import Settings, SpectraSettings
from reverbsynth.spectra import mel
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.input_pipeline import BatchSequence, SpectrogramCache

NOTES = 70_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    encoding(options.notes, options.repeats)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        memory(Path(folder))


def encoding(notes: int, repeats: int) -> None:
    waves = np.random.default_rng(0).standard_normal((notes, NOTE_LENGTH)).astype(np.float32) / 8
    encode, transform = Representation(SpectraSettings()).encoder(), original_transform()
    ours = cpu_seconds(lambda: encode(tf.constant(waves)).numpy(), repeats) / notes
    theirs = cpu_seconds(lambda: transform(tf.constant(waves)).numpy(), repeats) / notes
    print(f"encoding: {ours:.4f} CPU-s a note, the original's transform {theirs:.4f}:", end=" ")
    print(f"{theirs / ours:.2f} times its rate")


def original_transform():
    """The original's waves to IF-Mel, in float32 and one graph."""
    matrix = tf.constant(mel.linear_to_mel(), tf.float32)

    def unwrapped(angle):
        difference = angle[:, 1:] - angle[:, :-1]
        wrapped = tf.math.floormod(difference + np.pi, 2 * np.pi) - np.pi
        wrapped = tf.where((wrapped == -np.pi) & (difference > 0), np.pi, wrapped)
        corrected = tf.cumsum(wrapped - difference, axis=1)
        return angle + tf.pad(corrected, ((0, 0), (1, 0), (0, 0)))

    def frequency(phase):
        return tf.concat([phase[:, :1], phase[:, 1:] - phase[:, :-1]], axis=1) / np.pi

    @tf.function
    def transform(waves):
        padded = tf.pad(waves, ((0, 0), (3072, 0)))
        stft = tf.signal.stft(padded, 2048, 512)[:, :, 1:]
        logmag = tf.math.log(tf.abs(stft) + 1e-6)
        instantaneous = frequency(unwrapped(tf.math.angle(stft)))
        power = tf.tensordot(tf.exp(2.0 * logmag), matrix, 1)
        phase = tf.tensordot(tf.cumsum(instantaneous * np.pi, axis=1), matrix, 1)
        return tf.stack([tf.math.log(power + 1e-6), frequency(unwrapped(phase))], axis=-1)

    return transform


def cpu_seconds(action, repeats: int) -> float:
    action()
    found = []
    for _ in range(repeats):
        before = time.process_time()
        action()
        found.append(time.process_time() - before)
    return min(found)


def memory(folder: Path) -> None:
    index = [{"origin": number} for number in range(NOTES)]
    data = SimpleNamespace(directory=folder, sha256="0" * 64, index=lambda split: index)
    images = SpectrogramCache(data, SpectraSettings())
    images._folder.mkdir(parents=True)
    sparse(images._folder / "train.npy", (NOTES, 128, 1024, 2))
    sparse(images._folder / "train-16.npy", (NOTES, 8, 64, 2))
    labels = np.zeros((NOTES, 1), np.int32)
    with Peak() as peak:
        batches = BatchSequence(images.at_resolution(1), (labels,), 64, 0, 0, NOTES)
        for step in range(20):
            batches[step]
    print(f"20 batches of 64 of {NOTES:,} full-size images: {peak}")
    with Peak() as peak:
        small = images.at_resolution(32)
    print(f"all {NOTES:,} images scaled down to {small.shape[1]} x {small.shape[2]}: {peak}")
    del images, batches, small
    with Peak() as peak:
        known = labels_of_twins(folder)
    print(f"labels of {known:,} images: {peak}")


def labels_of_twins(folder: Path) -> int:
    """Hold what `train` holds of images and targets beside their pixels; how many they are."""
    settings = Settings.preset("laptop")
    pitches, effects = range(24, 85), ("dry", "reverb")
    rows = [
        {"id": f"{origin}/{effect}", "origin": origin, "effect": effect}
        | {"pitch": pitches[number % 61], "velocity": 100, "instrument": origin[:19]}
        for number in range(NOTES)
        for origin in [f"bass_synthetic_{number // 61 % 1000:03d}-{number:06d}"]
        for effect in effects
    ]
    data = SimpleNamespace(directory=folder, sha256="1" * 64, index=lambda _: [*map(dict, rows)])
    counts = 0, settings.losses.imle_crossfades
    images, targets = (SpectrogramCache(data, settings.spectra, crossfades=n) for n in counts)
    space = LabelSpace({"pitch": list(pitches), "effect": list(effects)})
    held = images.labels(space), targets.conditions(settings.gan, space), targets.timbres(16)
    return len(held[0]) + len(held[1])


def sparse(path: Path, shape: tuple[int, ...]) -> None:
    """An array of zeros that takes no disk."""
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(file, header)
        file.truncate(file.tell() + 4 * int(np.prod(shape, dtype=np.int64)))


class Peak:
    """The most of its own memory that the process holds meanwhile, looked at 100 times a second."""

    def __enter__(self):
        self.before = self.most = own_memory()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *failure):
        self._done.set()
        self._thread.join()

    def __str__(self) -> str:
        return f"{self.most / 2**30:.2f} GiB at most, {self.before / 2**30:.2f} GiB before"

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.most = max(self.most, own_memory())


def own_memory() -> int:
    """Bytes of memory that no file backs."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon")]
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main()
