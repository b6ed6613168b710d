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
    """The de-normalized images of the training split, at any block's resolution.

    The first use encodes the split and writes ``images/<hash>/train.npy`` into the data set's
    folder, and each resolution beside it when it is first asked for. Files are memory-mapped, so
    that a data set may be larger than memory.

    Twins are followed by so many ``crossfades`` of each pair, mixed as waves and then encoded: a
    note whose effect is, say, 40 % wet is a recording like any other. In the ``index``, what is
    known of each image's note, its ``effect`` is a mapping from effects to shares.
    """

    def __init__(self, data: DataSet, settings: SpectraSettings, crossfades: int = 0):
        self.data, self._crossfades = data, crossfades
        self._name = f"train-crossfades-{crossfades}" if crossfades else "train"
        notes = _of_each_note(data.index("train"))
        self.index = [row for twins in notes for row in self._rows(twins)]
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
        values = {name: [row[name] for row in self.index] for name in space}
        return condition(settings, space, values, sorted({row["pitch"] for row in self.index}))

    def timbres(self, count: int) -> np.ndarray:
        """Which of so many timbres are each image's instrument's, float32 [shape=(n, count)].

        Where there are more instruments than that, some share one; where fewer, some have several.
        """
        names, instruments = np.unique([r["instrument"] for r in self.index], return_inverse=True)
        turns = (np.arange(count) - instruments[:, np.newaxis]) % min(len(names), count)
        return np.asarray(turns == 0, np.float32)

    def at_resolution(self, factor: int = 1) -> np.ndarray:
        """Images box-scaled down by ``factor`` a side [shape=(n, 128/factor, 1024/factor, 2)].

        A read-only memory map, or an array where it is small.
        """
        self.prepare(factor)
        images = np.load(self._path(factor), mmap_mode="r")
        return np.array(images) if images.nbytes <= _IN_MEMORY else images

    def prepare(self, factor: int = 1) -> None:
        """Write the file of a resolution where it is not there yet."""
        if not self._path(factor).exists():
            with exclusive_lock(self._folder, "is being encoded", wait=True):
                remove_partial(self._folder)
                self._make(factor)

    def _path(self, factor: int) -> Path:
        suffix = "" if factor == 1 else f"-{factor:02d}"
        return self._folder / f"{self._name}{suffix}.npy"

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
                larger = np.load(self._path(factor // 2), mmap_mode="r")
                for start in range(0, len(images), _DOWNSCALE_BATCH):
                    rows = slice(start, start + _DOWNSCALE_BATCH)
                    boxes = larger[rows].reshape(-1, shape[1], 2, shape[2], 2, channels)
                    images[rows] = boxes.mean(axis=(2, 4))
            images.flush()

    def _encode(self, images: np.ndarray) -> None:
        encode = self._representation.encoder()
        # The last batch is padded, so that one shape is compiled.
        waves = np.zeros((_ENCODE_BATCH, NOTE_LENGTH), np.float32)
        with ProgressDisplay() as bar:
            sounds = bar.track(self._waves(), len(self), description="encoding train")
            for i, batch in enumerate(batched(sounds, _ENCODE_BATCH)):
                waves[: len(batch)] = batch
                encoded = ops.convert_to_numpy(encode(ops.convert_to_tensor(waves)))
                images[i * _ENCODE_BATCH :][: len(batch)] = encoded[: len(batch)]

    def _rows(self, twins: list[dict]) -> Iterator[dict]:
        """A note's twins, then crossfades of the first with each: a share from each part of 1."""
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
        notes = self.data.notes("train")
        for rows in _of_each_note(self.index):
            twins = itertools.islice(notes, sum(isinstance(row["effect"], str) for row in rows))
            waves = {note.effect: note.audio for note in twins}
            for row in rows:
                if isinstance(effect := row["effect"], str):
                    yield waves[effect]
                else:
                    yield np.sum([share * waves[name] for name, share in effect.items()], axis=0)


def _of_each_note(rows: Iterable[dict]) -> Iterator[list[dict]]:
    """Twins together: a data set holds those of one note one after another."""
    for _, twins in itertools.groupby(rows, itemgetter("origin")):
        yield list(twins)


class BatchSequence(keras.utils.PyDataset):
    """Batches of images and labels, in an order that depends on the seed and images seen alone.

    Every epoch is a new permutation; a batch may span two. Batch ``i`` is the same whether training
    came here in one go or was resumed. Beside each image stand its ``columns``: its class indices,
    or what asks the generator for it. The images seen go from ``start`` to ``stop``; ``targets``
    are batches of what nearest generated images are drawn to, where that is others.
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
        self.images, self.columns, self.targets = images, columns, targets
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
        n, first = len(self.images), self.start + step * self.batch
        positions = np.arange(first, first + self.batch)
        epochs = range(positions[0] // n, positions[-1] // n + 1)
        parts = [self._permutation(e)[positions[positions // n == e] % n] for e in epochs]
        rows = np.concatenate(parts)
        return self.images[rows], *(column[rows] for column in self.columns)

    def _permutation(self, epoch: int) -> np.ndarray:
        if self._order is None or self._order[0] != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))
            self._order = (epoch, order)
        return self._order[1]
