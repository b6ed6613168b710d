"""A data set as images: encoded once, cached on disk, served in a reproducible order."""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import DataError
from reverbsynth.files.atomic import atomic_path, remove_partial
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.progress import ProgressDisplay, batched
from reverbsynth.settings import SpectraSettings, settings_hash
from reverbsynth.spectra.format import IMAGE_SHAPE
from reverbsynth.spectra.representation import Representation

_IN_MEMORY = 2 * 2**30
_ENCODE_BATCH = 16
_DOWNSCALE_BATCH = 256


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
        self.index = data.index(split)
        self._representation = Representation(settings)
        key = settings_hash([settings.model_dump(mode="json"), data.sha256])
        self._folder = Path(data.directory) / "images" / key

    def __len__(self) -> int:
        return len(self.index)

    def labels(self, space: LabelSpace) -> np.ndarray:
        """Class indices of each image's labels, int32 [shape=(n, n_labels)]."""
        rows = [[space.index(name, note[name]) for name in space] for note in self.index]
        return np.array(rows, np.int32).reshape(len(self), len(space))

    def at_resolution(self, factor: int = 1) -> np.ndarray:
        """Images box-scaled down by ``factor`` a side [shape=(n, 128/factor, 1024/factor, 2)].

        A read-only memory map, or an array where it is small. Of several processes one encodes,
        and the others wait for it.

        Raises
        ------
        DataError
            When the data set's folder cannot be written.
        """
        path = self._path(factor)
        if not path.exists():
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise DataError(f"{self._folder}: cannot be written ({error.strerror})") from None
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
        if factor > 1:
            self._make(factor // 2)
        frames, bins, channels = IMAGE_SHAPE
        shape = (len(self), frames // factor, bins // factor, channels)
        with atomic_path(path) as temporary:
            images = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
            if factor == 1:
                self._encode(images)
            else:
                self._downscale(np.load(self._path(factor // 2), mmap_mode="r"), images)
            images.flush()

    def _encode(self, images: np.ndarray) -> None:
        encode = self._representation.encoder()
        # The last batch is padded, so that one shape is compiled.
        waves = np.zeros((_ENCODE_BATCH, NOTE_LENGTH), np.float32)
        start = 0
        with ProgressDisplay() as bar:
            notes = bar.track(
                self.data.notes(self.split), len(self), description=f"encoding {self.split}"
            )
            for batch in batched(notes, _ENCODE_BATCH):
                waves[: len(batch)] = [note.audio for note in batch]
                encoded = ops.convert_to_numpy(encode(ops.convert_to_tensor(waves)))
                images[start : start + len(batch)] = encoded[: len(batch)]
                start += len(batch)

    @staticmethod
    def _downscale(larger: np.ndarray, images: np.ndarray) -> None:
        height, width, channels = images.shape[1:]
        for start in range(0, len(images), _DOWNSCALE_BATCH):
            rows = slice(start, start + _DOWNSCALE_BATCH)
            boxes = larger[rows].reshape(-1, height, 2, width, 2, channels)
            images[rows] = boxes.mean(axis=(2, 4))


class BatchSequence(keras.utils.PyDataset):
    """Batches of images and labels, in an order that depends on the seed and images seen alone.

    Every epoch is a new permutation; a batch may span two. Batch ``i`` is the same whether
    training came here in one go or was resumed.

    Parameters
    ----------
    images : ndarray [shape=(n, frames, bins, 2)]
    labels : ndarray [shape=(n, n_labels)]
        Class indices.
    batch : int
        Images of a batch.
    seed : int
    start, stop : int
        Images seen before the first batch, and at which to stop.
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
        positions = np.arange(images_seen, images_seen + self.batch)
        epochs = range(positions[0] // n, positions[-1] // n + 1)
        parts = [self._permutation(e)[positions[positions // n == e] % n] for e in epochs]
        return np.concatenate(parts)

    def _permutation(self, epoch: int) -> np.ndarray:
        if self._order is None or self._order[0] != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))
            self._order = (epoch, order)
        return self._order[1]
