"""The generator as it plays on a CPU: one note at a time, with a third of the work.

The same function as `reverbsynth.gan.networks.Generator`, which training needs, with kernels
prepared once: matrix products by BLAS, on a few rows of the image at a time so that everything
stays in the cache, and `reverbsynth.gan.kernels` between them. Equal to the generator to about
1e-5.
"""

import os
import queue
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController

from reverbsynth.gan import kernels, schedule
from reverbsynth.gan.architecture import LEAK, START, filters
from reverbsynth.settings import GanSettings

_SCRATCH_BYTES = 2**22
"""Scratch of one strip of rows, so that it stays in the cache."""

_UPSCALING_BYTES = 2**23
"""The same for upscaling, where more rows at a time make up for some of them leaving the cache: its
25 matrices themselves have to be loaded for each strip."""

_LEAST_TILES = 128
"""Tiles of one strip, so that matrix products are worth their start."""

_APART = 80
"""Values after each row of scratch: at a power of two, all rows would compete for one place in the
cache."""

_SMALL_PRODUCT = 1_000_000
"""Up to so many multiplications OpenBLAS does without packing its matrices first."""

_LEAST_PIECE = 64
"""Rows of a piece, below which the quick way is none."""

_LEAST_CHANNELS = 32
"""With fewer there is little to save, and a pixel norm over few channels magnifies rounding."""

_MOST_THREADS = 8
"""Each holds a workspace of its own, of up to about 120 MB."""

# The taps of `kernels.recombine` along one axis, and what of `kernels.differences` they multiply.
_UPSCALING_TRANSFORM = np.array([[1, 1, 1], [1, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 0]])
_ITSELF, _BEFORE, _AFTER = range(3)
_MULTIPLIED = (_ITSELF, _BEFORE, _AFTER, _AFTER, _BEFORE)

# Winograd's kernel transform for the points 0, ±1, ±2 and infinity.
_KERNEL_TRANSFORM = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


class Synthesizer:
    """Latent vector and labels to a normalized image at the stage's own resolution.

    Parameters
    ----------
    settings : GanSettings
        Of kernels of another size than 3 nothing is saved.
    stage : int
    progress : float
        Decides how far the last block is blended in.
    weights : dict
        The generator's variables by name.
    """

    def __init__(
        self, settings: GanSettings, stage: int, progress: float, weights: dict[str, np.ndarray]
    ):
        n_blocks = schedule.blocks(stage)
        self._weights = {
            name: _scaled(name, value.astype(np.float32)) for name, value in weights.items()
        }
        first = self._weights["block_1/conv0/kernel"]
        height, width, inputs, channels = first.shape
        # The first convolution's taps, mirrored, each for one output pixel (`FirstConv`).
        self._dense = np.ascontiguousarray(
            first[::-1, ::-1].transpose(2, 0, 1, 3).reshape(inputs, height * width * channels)
        )
        self._blocks = [
            _block(
                schedule.resolution(block),
                *(self._weights[f"block_{block}/{part}"] for part in _BLOCK_PARTS),
            )
            for block in range(2, n_blocks + 1)
        ]
        self._filters = filters(settings, 1)
        self._n_blocks = n_blocks
        self._alpha = progress - (n_blocks - 2) if schedule.is_transition(stage) else 1.0
        self._spare: queue.SimpleQueue = queue.SimpleQueue()
        self._blas = ThreadpoolController()

    def __call__(self, z: np.ndarray, condition: np.ndarray) -> np.ndarray:
        """One image [shape=(frames, bins, 2)] of a latent vector and its labels' one-hot blocks."""
        with self._blas.limit(limits=1, user_api="blas"):
            return self._image(z, condition)

    def many(self, z: np.ndarray, condition: np.ndarray, then) -> Iterator:
        """``then(image)`` of each note in order, on as many threads as there are cores."""
        threads = min(len(z), os.cpu_count() or 1, _MOST_THREADS)
        if threads <= 1:
            for row, labels in zip(z, condition, strict=True):
                yield then(self(row, labels))
            return
        # A few notes ahead, so that memory does not grow with their number.
        ahead = 4 * threads
        with ThreadPoolExecutor(threads) as pool:
            for i in range(0, len(z), ahead):
                # One BLAS thread each: the notes are what runs side by side.
                with self._blas.limit(limits=1, user_api="blas"):
                    some = z[i : i + ahead], condition[i : i + ahead]
                    done = list(pool.map(lambda *note: then(self._image(*note)), *some))
                yield from done

    def _image(self, z: np.ndarray, condition: np.ndarray) -> np.ndarray:
        x = np.concatenate([z, condition]).astype(np.float32)
        x = x / np.sqrt(np.mean(x**2) + 1e-8)
        x = (x @ self._dense).reshape(-1, self._filters) + self._weights["block_1/conv0/bias"]
        x = _convolved(
            _activated(x).reshape(*START, -1),
            self._weights["block_1/conv1/kernel"],
            self._weights["block_1/conv1/bias"],
        )
        before = x = _bordered(x)
        spaces = self._workspace()
        for block, space in zip(self._blocks, spaces, strict=True):
            before, x = x, block(x, space)
        image = self._to_rgb(x, self._n_blocks)
        if self._alpha != 1.0:
            coarse = self._to_rgb(before, self._n_blocks - 1).repeat(2, axis=0).repeat(2, axis=1)
            image = (self._alpha * image + (1.0 - self._alpha) * coarse).astype(np.float32)
        self._spare.put(spaces)
        return image

    def _workspace(self) -> list:
        """Buffers that no other thread uses; they are kept, because new memory is slow."""
        try:
            return self._spare.get_nowait()
        except queue.Empty:
            return [block.workspace() for block in self._blocks]

    def _to_rgb(self, x: np.ndarray, block: int) -> np.ndarray:
        kernel = self._weights[f"block_{block}/to_rgb/kernel"][0, 0]
        return np.tanh(x[1:-1, 1:-1] @ kernel + self._weights[f"block_{block}/to_rgb/bias"])


_BLOCK_PARTS = ("conv0/kernel", "conv0/bias", "conv1/kernel", "conv1/bias")


class _Block:
    """Upscaling and the two convolutions of a block from the second on."""

    def __init__(self, size: tuple[int, int], kernel0, bias0, kernel1, bias1):
        self._size = height, width = size
        self._below, self._channels = kernel0.shape[2:]
        self._taps = _transformed(kernel0, _UPSCALING_TRANSFORM)
        self._winograd = _transformed(kernel1, _KERNEL_TRANSFORM)
        self._piece = _piece(self._channels**2)
        self._chunk = kernels.chunk(self._channels)
        self._bias0, self._bias1 = (
            np.tile(bias, self._chunk // self._channels) for bias in (bias0, bias1)
        )
        bytes_a_row = 4 * (width // 4) * (9 * self._below + 25 * self._channels) // 2
        self._rows0 = _strip(height // 2, 2, bytes_a_row, _UPSCALING_BYTES)
        tiles_a_row = width // kernels.TILE**2
        least = max(kernels.TILE, _LEAST_TILES // tiles_a_row)
        bytes_a_row = 2 * 4 * kernels.POINTS**2 * tiles_a_row * self._channels
        self._rows1 = _strip(height, least, bytes_a_row)

    def workspace(self) -> dict[str, np.ndarray]:
        """Buffers for one thread. Images have a border of one zero pixel."""
        height, width = self._size
        below, c = self._below, self._channels
        tiles = width // kernels.TILE
        n = self._rows1 // kernels.TILE * tiles
        # Zero, because the last pixel of each row is read where nothing was written.
        parts = np.zeros((9, self._rows0 // 2 + 1, (tiles + 1) * below), np.float32)
        products = np.zeros((25, self._rows0 // 2 + 1, (tiles + 1) * c), np.float32)

        def empty(*shape: int) -> np.ndarray:
            return np.empty(shape, np.float32)

        return {
            "middle": np.zeros((height + 2, kernels.TILE, (tiles + 1) * c), np.float32),
            "out": np.zeros((height + 2, width + 2, c), np.float32),
            "pixels": empty(kernels.chunk(below) + below),
            "parts": parts,
            "products": products,
            "pairs": self._pairs(parts, products),
            "row": empty(self._chunk),
            "tiles": empty(kernels.POINTS**2, n * c + _APART),
            "tile_products": empty(kernels.POINTS**2, n * c + _APART),
            "point_rows": empty(kernels.POINTS, kernels.TILE, self._chunk + c),
            "half": empty(kernels.TILE * kernels.POINTS, self._chunk + _APART),
            "four_rows": empty(kernels.TILE, self._chunk + _APART),
        }

    def _pairs(self, parts: np.ndarray, products: np.ndarray) -> list[tuple]:
        """What each of the taps multiplies, and where the product goes."""
        below, c = self._below, self._channels
        piece = _piece(below * c)
        pairs = []
        for i, rows in enumerate(_MULTIPLIED):
            for j, columns in enumerate(_MULTIPLIED):
                # The last tap's difference is the next pixel's.
                down, right = i // 4, j // 4
                values = parts[3 * rows + columns, down : down + len(parts[0]) - 1]
                product = products[5 * i + j, :-1]
                pairs.append((_pieces(values, below, right, piece), _pieces(product, c, 0, piece)))
        return pairs

    def __call__(self, x: np.ndarray, space: dict) -> np.ndarray:
        """The block's activations with their border, which lie in the workspace."""
        self._upscaled(x, space)
        self._level(space)
        return space["out"]

    def _upscaled(self, x: np.ndarray, space: dict) -> None:
        c, below, rows = self._channels, self._below, self._rows0
        padded, middle = x.reshape(len(x), -1), space["middle"][1:-1]
        products = space["products"]
        # From the bottom up: a strip needs the products with s of the first row of the one below
        # it, and the border's are zero.
        products[:5, 0] = 0
        for top in reversed(range(0, self._size[0] // 2, rows)):
            products[:5, -1] = products[:5, 0]
            kernels.differences(
                padded[top : top + rows + 2], space["parts"], below, space["pixels"]
            )
            for taps, (values, product) in zip(self._taps, space["pairs"], strict=True):
                np.matmul(values, taps, out=product)
            kernels.recombine(
                products, self._bias0, middle[2 * top : 2 * (top + rows)], c, space["row"]
            )

    def _level(self, space: dict) -> None:
        c, rows = self._channels, self._rows1
        out = space["out"].reshape(len(space["out"]), -1)[1:-1]
        tiles, products = space["tiles"], space["tile_products"]
        for top in range(0, self._size[0], rows):
            kernels.to_tiles(space["middle"][top : top + rows + 2], tiles, c, space["point_rows"])
            count = tiles.shape[1] - _APART
            shape = (len(tiles), -1, min(self._piece, count // c), c)
            np.matmul(
                tiles[:, :count].reshape(shape),
                self._winograd[:, np.newaxis],
                out=products[:, :count].reshape(shape),
            )
            kernels.from_tiles(
                products, self._bias1, out[top : top + rows], c, space["half"], space["four_rows"]
            )


class _PlainBlock:
    """As `_Block`, for few channels and for kernels of any size."""

    def __init__(self, size: tuple[int, int], *weights: np.ndarray):
        self._weights = weights

    def workspace(self) -> None:
        """None is needed."""

    def __call__(self, x: np.ndarray, space: None) -> np.ndarray:
        kernel0, bias0, kernel1, bias1 = self._weights
        upscaled = x[1:-1, 1:-1].repeat(2, axis=0).repeat(2, axis=1)
        return _bordered(_convolved(_convolved(upscaled, kernel0, bias0), kernel1, bias1))


def _block(size: tuple[int, int], kernel0, bias0, kernel1, bias1) -> _Block | _PlainBlock:
    fast = kernel0.shape[0] == 3 and min(kernel0.shape[2:]) >= _LEAST_CHANNELS
    return (_Block if fast else _PlainBlock)(size, kernel0, bias0, kernel1, bias1)


def _scaled(name: str, values: np.ndarray) -> np.ndarray:
    """Biases as they are, kernels with their equalized scale (`layers.Equalized`)."""
    if name.endswith("/bias"):
        return values
    gain = 1.0 if name.endswith("to_rgb/kernel") else 2.0
    return values * np.float32(np.sqrt(gain / np.prod(values.shape[:-1])))


def _pieces(rows: np.ndarray, channels: int, first: int, piece: int) -> np.ndarray:
    """All pixels of some rows but one in each, from the ``first``, in pieces (`_piece`).

    Short rows are one piece together, with what lies between them.
    """
    count = rows.shape[1] // channels - 1
    if count < _LEAST_PIECE:
        flat = rows.reshape(-1, channels)
        return flat[first : len(flat) - 1 + first]
    wide = rows[:, first * channels : (first + count) * channels]
    return wide.reshape(len(rows), -1, min(piece, count), channels)


def _piece(size: int) -> int:
    """Rows to multiply with a matrix of so many entries at a time."""
    piece = 2 ** int(np.log2(max(_SMALL_PRODUCT / size, 1)))
    return piece if piece >= _LEAST_PIECE else sys.maxsize


def _transformed(kernel: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """The matrices to multiply pixels with, from a 3x3 kernel: by rows and then by columns."""
    points = np.einsum("ij,kl,jlcd->ikcd", transform, transform, kernel.astype(np.float64))
    return np.ascontiguousarray(points.reshape(-1, *kernel.shape[2:]), np.float32)


def _strip(rows: int, least: int, bytes_a_row: int, most: int = _SCRATCH_BYTES) -> int:
    """How many rows to work on at a time: ``least`` by a power of two, at most ``rows``."""
    strip = min(least, rows)
    while strip * 2 <= rows and strip * 2 * bytes_a_row <= most:
        strip *= 2
    return strip


def _bordered(image: np.ndarray) -> np.ndarray:
    """The image with a border of one zero pixel."""
    return np.pad(image, ((1, 1), (1, 1), (0, 0)))


def _flat(kernel: np.ndarray) -> np.ndarray:
    return kernel.reshape(-1, kernel.shape[-1])


def _activated(x: np.ndarray) -> np.ndarray:
    """Leaky ReLU and pixel norm of a few pixels [shape=(n, channels)]."""
    x = np.maximum(x, np.float32(LEAK) * x)
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + np.float32(1e-8))


def _convolved(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolution with a kernel of any odd size, activated."""
    edge = kernel.shape[0] // 2
    padded = np.pad(x, ((edge, edge), (edge, edge), (0, 0)))
    y = _neighbours(padded, kernel.shape[0]) @ _flat(kernel) + bias
    return _activated(y).reshape(*x.shape[:2], -1)


def _neighbours(padded: np.ndarray, size: int) -> np.ndarray:
    """The pixels under a kernel at each place, side by side [shape=(h * w, size² * channels)]."""
    height, width = padded.shape[0] - size + 1, padded.shape[1] - size + 1
    shifted = [padded[i : i + height, j : j + width] for i in range(size) for j in range(size)]
    return np.concatenate(shifted, axis=-1).reshape(height * width, -1)
