"""A data set as images: encoded once, cached on disk, served in a reproducible order."""

from pathlib import Path

import keras
import numpy as np
from keras import ops
from rich.progress import track

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import ReverbSynthError
from reverbsynth.files.atomic import atomic_path, remove_partial
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.settings import SpectraSettings, settings_hash
from reverbsynth.spectra.format import IMAGE_SHAPE
from reverbsynth.spectra.representation import Representation

_IN_MEMORY = 2 * 2**30
_ENCODE_BATCH = 16


class SpectrogramCache:
    """The de-normalized images of one split, at any block's resolution.

    The first use encodes the split and writes ``images/<hash>/<split>.npy`` into the data set's
    folder, and each resolution beside it when it is first asked for. Files are memory-mapped, so
    that a data set may be larger than memory.

    Parameters
    ----------
    data : DataSet
    settings : SpectraSettings
    split : {"train", "valid", "test"}
    """

    def __init__(self, data: DataSet, settings: SpectraSettings, split: str = "train"):
        self.data = data
        self.split = split
        self.representation = Representation(settings)
        self._settings = settings
        key = settings_hash([settings.model_dump(mode="json"), data.sha256])
        self._folder = Path(data.directory) / "images" / key
        self.index = data.index(split)

    def __len__(self) -> int:
        return len(self.index)

    def labels(self, space: LabelSpace) -> np.ndarray:
        """Class indices of each image's labels, int32 [shape=(n, n_labels)]."""
        rows = [[space.index(name, note[name]) for name in space] for note in self.index]
        return np.array(rows, np.int32).reshape(len(self), len(space))

    def at(self, factor: int = 1) -> np.ndarray:
        """Images box-scaled down by ``factor`` a side [shape=(n, 128/factor, 1024/factor, 2)].

        A read-only memory map, or an array where it is small. Of several processes one encodes,
        and the others wait for it.
        """
        path = self._path(factor)
        if not path.exists():
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ReverbSynthError(
                    f"{self._folder}: cannot be written ({error.strerror})"
                ) from None
            with exclusive_lock(self._folder, "is being encoded", wait=True):
                remove_partial(self._folder)
                self._make(factor)
        images = np.load(path, mmap_mode="r")
        return np.array(images) if images.nbytes <= _IN_MEMORY else images

    def _path(self, factor: int) -> Path:
        name = f"{self.split}.npy" if factor == 1 else f"{self.split}-{factor:02d}.npy"
        return self._folder / name

    def _make(self, factor: int) -> None:
        """Write a resolution, and those it is made from, where they are not there."""
        path = self._path(factor)
        if path.exists():
            return
        if factor == 1:
            self._encode(path)
        else:
            self._make(factor // 2)
            self._downscale(path, factor)

    def _encode(self, path: Path) -> None:
        waves = np.empty((_ENCODE_BATCH, NOTE_LENGTH), np.float32)
        encode = self.representation.encoder()
        with atomic_path(path) as temporary:
            images = _create(temporary, (len(self), *IMAGE_SHAPE))
            notes = track(
                self.data.notes(self.split),
                total=len(self),
                description=f"encoding {self.split}",
                transient=True,
            )
            filled = 0
            for position, note in enumerate(notes):
                waves[filled] = note.audio
                filled += 1
                if filled == _ENCODE_BATCH or position == len(self) - 1:
                    # The last batch is padded, so that one shape is compiled.
                    waves[filled:] = 0
                    encoded = ops.convert_to_numpy(encode(ops.convert_to_tensor(waves)))
                    images[position + 1 - filled : position + 1] = encoded[:filled]
                    filled = 0
            images.flush()

    def _downscale(self, path: Path, factor: int) -> None:
        full = np.load(self._path(factor // 2), mmap_mode="r")
        height, width = IMAGE_SHAPE[0] // factor, IMAGE_SHAPE[1] // factor
        with atomic_path(path) as temporary:
            images = _create(temporary, (len(self), height, width, IMAGE_SHAPE[2]))
            for start in range(0, len(self), 256):
                part = full[start : start + 256].reshape(-1, height, 2, width, 2, IMAGE_SHAPE[2])
                images[start : start + 256] = part.mean(axis=(2, 4))
            images.flush()


def _create(path: Path, shape: tuple[int, ...]) -> np.memmap:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


class BatchSequence(keras.utils.PyDataset):
    """Batches of images and labels, in an order that depends on the seed and images seen alone.

    Every epoch is a new permutation; a batch may span two. Batch ``i`` is the same whether
    training came here in one go or was resumed.

    Parameters
    ----------
    images : ndarray [shape=(n, frames, bins, 2)]
    labels : ndarray [shape=(n, n_labels)]
    batch, seed : int
    start, stop : int
        Images seen before the first batch, and when to stop.
    """

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, batch: int, seed: int, start: int, stop: int
    ):
        super().__init__(workers=1)
        self.images, self.labels = images, labels
        self.batch, self.seed, self.start = batch, seed, start
        self.steps = max(0, -(-(stop - start) // batch))
        self._order: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows(self.start + step * self.batch)
        return self.images[rows], self.labels[rows]

    def rows(self, images_seen: int) -> np.ndarray:
        """Rows of the batch that follows so many images seen [shape=(batch,)]."""
        n = len(self.images)
        wanted = np.arange(images_seen, images_seen + self.batch)
        parts = [
            self._permutation(epoch)[wanted[wanted // n == epoch] % n]
            for epoch in range(wanted[0] // n, wanted[-1] // n + 1)
        ]
        return np.concatenate(parts)

    def _permutation(self, epoch: int) -> np.ndarray:
        if self._order is None or self._order[0] != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))
            self._order = (epoch, order)
        return self._order[1]
