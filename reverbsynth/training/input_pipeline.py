"""A data set as images: encoded once, cached on disk, served in a reproducible order."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import keras
import numpy as np
from keras import ops

from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.data.dataset import DataSet
from reverbsynth.files.atomic import atomic_path, remove_partial, reserve
from reverbsynth.files.lock import exclusive_lock
from reverbsynth.gan.architecture import condition
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.progress import ProgressDisplay, batched
from reverbsynth.seeds import generator
from reverbsynth.settings import GanSettings, SpectraSettings, settings_hash
from reverbsynth.spectra.format import IMAGE_SHAPE
from reverbsynth.spectra.representation import Representation

_IN_MEMORY = 2**29
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
    crossfades : int
        Mixtures of each pair of twins that follow them, mixed as waves and then encoded: a note
        whose effect is, say, 40 % wet is a recording like any other.

    Attributes
    ----------
    index : list of dict
        What is known of the note of each image. ``effect`` is a mapping from effects to their
        shares in a crossfade.
    """

    def __init__(
        self, data: DataSet, settings: SpectraSettings, split: str = "train", crossfades: int = 0
    ):
        self.data = data
        self.split = split
        self._crossfades = crossfades
        self._name = f"{split}-crossfades-{crossfades}" if crossfades else split
        self.index = [
            row for twins in _of_each_note(data.index(split)) for row in self._rows(twins)
        ]
        self._representation = Representation(settings)
        key = settings_hash([settings.of_encoding(), data.sha256])
        self._folder = Path(data.directory) / "images" / key

    def __len__(self) -> int:
        return len(self.index)

    def labels(self, space: LabelSpace) -> np.ndarray:
        """Class indices of each image's labels, int32 [shape=(n, n_labels)]."""
        rows = [[space.index(name, note[name]) for name in space] for note in self.index]
        return np.array(rows, np.int32).reshape(len(self), len(space))

    def conditions(self, settings: GanSettings, space: LabelSpace) -> np.ndarray:
        """What tells the generator each image's labels, float32 [shape=(n, condition_size)]."""
        return condition(
            settings, space, {name: [row[name] for row in self.index] for name in space}
        )

    def groups(self, by_instrument: bool) -> np.ndarray:
        """A group of each image, int32 [shape=(n,)]: its instrument, or each image its own.

        Each has its own, too, where the data set has only one instrument.
        """
        instruments = [row["instrument"] for row in self.index]
        if not by_instrument or len(set(instruments)) == 1:
            return np.arange(len(self), dtype=np.int32)
        return np.unique(instruments, return_inverse=True)[1].astype(np.int32)

    def at_resolution(self, factor: int = 1) -> np.ndarray:
        """Images box-scaled down by ``factor`` a side [shape=(n, 128/factor, 1024/factor, 2)].

        A read-only memory map, or an array where it is small. Of several processes one encodes,
        and the others wait for it.
        """
        path = self._path(factor)
        if not path.exists():
            with exclusive_lock(self._folder, "is being encoded", wait=True):
                remove_partial(self._folder)
                self._make(factor)
        images = np.load(path, mmap_mode="r")
        return np.array(images) if images.nbytes <= _IN_MEMORY else images

    def _path(self, factor: int) -> Path:
        return self._folder / (
            f"{self._name}.npy" if factor == 1 else f"{self._name}-{factor:02d}.npy"
        )

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
            reserve(temporary)
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
            sounds = bar.track(self._waves(), len(self), description=f"encoding {self.split}")
            for batch in batched(sounds, _ENCODE_BATCH):
                waves[: len(batch)] = batch
                encoded = ops.convert_to_numpy(encode(ops.convert_to_tensor(waves)))
                images[start : start + len(batch)] = encoded[: len(batch)]
                start += len(batch)

    def _rows(self, twins: list[dict]) -> Iterator[dict]:
        """The rows of a note's twins, and those of the crossfades between the first and others.

        The shares of both are drawn, one from each equal part of [0, 1].
        """
        yield from twins
        first = twins[0]
        for other in twins[1:] if self._crossfades else ():
            rng = generator(0, first["origin"], other["effect"])
            for part in range(self._crossfades):
                share = (part + rng.random()) / self._crossfades
                shares = {first["effect"]: 1.0 - share, other["effect"]: share}
                yield {**first, "effect": shares}

    def _waves(self) -> Iterator[np.ndarray]:
        """The wave of each row: a note's, or a mixture of its twins'."""
        notes = self.data.notes(self.split)
        for rows in _of_each_note(self.index):
            twins = itertools.islice(notes, sum(isinstance(row["effect"], str) for row in rows))
            waves = {note.effect: note.audio for note in twins}
            for row in rows:
                if isinstance(effect := row["effect"], str):
                    yield waves[effect]
                else:
                    yield np.sum([share * waves[name] for name, share in effect.items()], axis=0)

    @staticmethod
    def _downscale(larger: np.ndarray, images: np.ndarray) -> None:
        height, width, channels = images.shape[1:]
        for start in range(0, len(images), _DOWNSCALE_BATCH):
            rows = slice(start, start + _DOWNSCALE_BATCH)
            boxes = larger[rows].reshape(-1, height, 2, width, 2, channels)
            images[rows] = boxes.mean(axis=(2, 4))


def _of_each_note(rows: Iterable[dict]) -> Iterator[list[dict]]:
    """Twins together: a data set holds those of one note one after another."""
    for _, twins in itertools.groupby(rows, itemgetter("origin")):
        yield list(twins)


class BatchSequence(keras.utils.PyDataset):
    """Batches of images and labels, in an order that depends on the seed and images seen alone.

    Every epoch is a new permutation; a batch may span two. Batch ``i`` is the same whether
    training came here in one go or was resumed.

    Parameters
    ----------
    images : ndarray [shape=(n, frames, bins, 2)]
    columns : sequence of ndarray [shape=(n, ...)]
        What stands beside each image: its class indices, or what asks the generator for it.
    batch : int
        Images of a batch.
    seed : int
    start, stop : int
        Images seen before the first batch, and at which to stop.
    targets : BatchSequence, optional
        What stands beside each batch: the images whose nearest generated ones are drawn to them,
        where those are more than the batch's own.
    """

    def __init__(
        self,
        images: np.ndarray,
        columns: Sequence[np.ndarray],
        batch: int,
        seed: int,
        start: int,
        stop: int,
        targets: "BatchSequence | None" = None,
    ):
        super().__init__(workers=1)
        self.targets = targets
        self.images, self.columns = images, columns
        self.batch, self.seed, self.start = batch, seed, start
        self.steps = max(0, -(-(stop - start) // batch))
        self._order: tuple[int, np.ndarray] | None = None

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple:
        own = self.own(step)
        return own if self.targets is None else (own, self.targets.own(step))

    def own(self, step: int) -> tuple[np.ndarray, ...]:
        """Images of a batch and their columns, without the targets beside it."""
        rows = self.rows(self.start + step * self.batch)
        return self.images[rows], *(column[rows] for column in self.columns)

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
