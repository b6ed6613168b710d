"""Compiled inner loops of `reverbsynth.gan.synthesis`: what stands between the matrix products.

Two ways to convolve with a 3x3 kernel in fewer products:

*Upscaled*, by differences. Along one axis, the kernel w over x nearest-upscaled by 2 gives two
pixels between every two neighbours a and b: ``(w0 + w1) a + w2 b`` and ``w0 a + (w1 + w2) b``. With
``s = w0 + w1 + w2`` either is a product of s with a or b, as one likes, and one of the difference:
``s a + w2 (b - a)`` or ``s b + (w0 + w1) (a - b)``. Around every second pixel of x, one product
with s and two with the difference on either side make four pixels: 5 products in place of 12, over
both axes 25 in place of 144. This is Winograd's F(2, 2) with the points 0, 1 and infinity, once for
even and once for odd pixels, which share the product at 1. Winograd, "Arithmetic complexity of
computations" (1980).

*At one resolution*, Winograd's F(4x4, 3x3) with the points 0, ±1, ±2 and infinity: 36 products for
16 pixels in place of 144. Lavin and Gray, "Fast algorithms for convolutional neural networks"
(2016).

Rows are flat, pixel after pixel, each of ``channels`` values, so that loops are long. Activation is
the networks' leaky ReLU and pixel norm. Only whole arrays and their rows are passed on: those the
compiler knows to be contiguous, slices over columns not.
"""

import numpy as np
from numba import njit

from reverbsynth.gan.architecture import LEAK

POINTS = 6
"""Products a tile of four pixels takes along one axis."""

TILE = 4
"""Pixels of a tile along one axis."""

_CHUNK = 2048
"""Values of a row worked on at a time: a dozen such pieces of rows stay in the cache."""

_f = np.float32
_LEAK, _EPSILON = _f(LEAK), _f(1e-8)

# Sums may be reordered, which vector instructions need; infinities and NaN keep their meaning.
_compiled = njit(
    nogil=True,
    cache=True,
    error_model="numpy",
    fastmath={"reassoc", "contract", "nsz", "arcp"},
)


def chunk(channels: int) -> int:
    """Values of a row to work on at a time: an even number of pixels."""
    return channels * max(2, _CHUNK // channels // 2 * 2)


@_compiled
def activate(row, bias):
    """Add the bias and apply the leaky ReLU, in place."""
    for k in range(row.size):
        value = row[k] + bias[k]
        row[k] = max(value, _LEAK * value)


@_compiled
def place(row, out, first, step, channels, count):
    """Pixel-normalize ``count`` pixels of ``row`` into every ``step``-th of ``out``."""
    for i in range(count):
        source = row[i * channels : (i + 1) * channels]
        total = _f(0)
        for k in range(channels):
            total += source[k] * source[k]
        scale = _f(1) / np.sqrt(total / _f(channels) + _EPSILON)
        at = (first + step * i) * channels
        target = out[at : at + channels]
        for k in range(channels):
            target[k] = source[k] * scale


@_compiled
def _subtract(out, a, b):
    for k in range(out.size):
        out[k] = a[k] - b[k]


@_compiled
def _split(centres, before, after, row, channels):
    """Every second pixel of a row with its border, and its neighbours' differences from it."""
    for i in range(centres.size // channels):
        at, here = 2 * i * channels, i * channels
        left, centre = row[at : at + channels], row[at + channels : at + 2 * channels]
        centres[here : here + channels] = centre
        _subtract(before[here : here + channels], left, centre)
        # The border itself is the last centre: nothing is after it.
        right = row[at + 2 * channels : at + 3 * channels]
        if right.size:
            _subtract(after[here : here + channels], right, centre)


@_compiled
def differences(padded, parts, channels, scratch):
    """Every second pixel along both axes, and its neighbours' differences from it.

    Parameters
    ----------
    padded : ndarray [shape=(2 a + 2, (2 b + 2) * channels)]
        Rows with their border of one pixel.
    parts : ndarray [shape=(9, a + 1, (b + 1) * channels)]
        Filled: itself, the pixel before it, the one after it; by rows and then by columns. What
        would reach beyond ``padded`` is left as it is.
    scratch : ndarray [shape=((2 n + 1) * channels,)]
        For chunks of n pixels.
    """
    last, width = parts.shape[1] - 1, parts.shape[2]
    n = scratch.size // channels // 2 * channels
    for i in range(last + 1):
        above, centre = padded[2 * i], padded[2 * i + 1]
        for first in range(0, width, n):
            end = min(first + n, width)
            begin, stop = 2 * first, min(2 * end + channels, padded.shape[1])
            here = centre[begin:stop]
            row = scratch[: stop - begin]
            if i < last:
                _split(
                    parts[0][i][first:end],
                    parts[1][i][first:end],
                    parts[2][i][first:end],
                    here,
                    channels,
                )
                _subtract(row, padded[2 * i + 2][begin:stop], here)
                _split(
                    parts[6][i][first:end],
                    parts[7][i][first:end],
                    parts[8][i][first:end],
                    row,
                    channels,
                )
            _subtract(row, above[begin:stop], here)
            _split(
                parts[3][i][first:end],
                parts[4][i][first:end],
                parts[5][i][first:end],
                row,
                channels,
            )


@_compiled
def _total(out, a, b, c, d):
    for k in range(out.size):
        out[k] = (a[k] + b[k]) + (c[k] + d[k])


@_compiled
def recombine(products, bias, out, channels, row):
    """Activated pixels of the upscaled image from the products of the differences.

    Parameters
    ----------
    products : ndarray [shape=(25, a + 1, (b + 1) * channels)]
        By rows and then by columns: of every second pixel with s; of the difference before it with
        w0; of the one after with w2 and with w1 + w2; of the one before the next with w0 + w1.
        Products with s reach to the border; the others do not fill their last row and pixel.
    bias : ndarray [shape=(n,)]
        Repeated for each pixel of a chunk (`chunk`).
    out : ndarray [shape=(4 a, 4, (b + 1) * channels)]
        Rows with their border of one pixel, by columns modulo 4, as `to_tiles` takes them.
    row : ndarray [shape=(n,)]
        Scratch.
    """
    width = products.shape[2] - channels
    n = row.size
    for i in range(products.shape[1] - 1):
        for first in range(0, width, n):
            last = min(first + n, width)
            here = row[: last - first]
            count = here.size // channels
            # The last of four rows and of four columns goes with the next pixel's product with s.
            for j in range(4):
                target, below = out[4 * i + j], i + j // 3
                for k in range(4):
                    right = k // 3 * channels
                    _total(
                        here,
                        products[0][below][first + right : last + right],
                        products[k + 1][below][first:last],
                        products[5 * j + 5][i][first + right : last + right],
                        products[5 * j + k + 6][i][first:last],
                    )
                    activate(here, bias)
                    # Column k is column k + 1 of the row with its border.
                    at = first // channels + k // 3
                    place(here, target[(k + 1) % 4], at, 1, channels, count)


@_compiled
def _ends(out, a, b, c):
    for k in range(out.size):
        out[k] = _f(4) * a[k] - _f(5) * b[k] + c[k]


@_compiled
def _inner(out, a, b, c, d, factor, scale):
    for k in range(out.size):
        out[k] = (a[k] - factor * b[k]) + scale * (c[k] - factor * d[k])


@_compiled
def _to_points(y0, y1, y2, y3, y4, y5, x0, x1, x2, x3, x4, x5):
    """Values of a six-pixel polynomial at Winograd's points."""
    _ends(y0, x0, x2, x4)
    _inner(y1, x4, x2, x3, x1, _f(4), _f(1))
    _inner(y2, x4, x2, x3, x1, _f(4), _f(-1))
    _inner(y3, x4, x2, x3, x1, _f(1), _f(2))
    _inner(y4, x4, x2, x3, x1, _f(1), _f(-2))
    _ends(y5, x1, x3, x5)


@_compiled
def to_tiles(padded, tiles, channels, rows):
    """Winograd's input transform.

    Parameters
    ----------
    padded : ndarray [shape=(4 a + 2, 4, (b + 1) * channels)]
        Rows with their border of one pixel, by columns modulo 4.
    tiles : ndarray [shape=(36, a * b * channels) or a little wider]
        Filled.
    rows : ndarray [shape=(6, 4, n + channels)]
        Scratch, for chunks of n values.
    """
    width = padded.shape[2] - channels
    n = rows.shape[2] - channels
    for i in range(tiles.shape[1] // width):
        top = TILE * i
        for first in range(0, width, n):
            last = min(first + n, width)
            size = last - first
            for j in range(TILE):
                _to_points(
                    rows[0][j][: size + channels],
                    rows[1][j][: size + channels],
                    rows[2][j][: size + channels],
                    rows[3][j][: size + channels],
                    rows[4][j][: size + channels],
                    rows[5][j][: size + channels],
                    padded[top][j][first : last + channels],
                    padded[top + 1][j][first : last + channels],
                    padded[top + 2][j][first : last + channels],
                    padded[top + 3][j][first : last + channels],
                    padded[top + 4][j][first : last + channels],
                    padded[top + 5][j][first : last + channels],
                )
            begin, end = i * width + first, i * width + last
            for j in range(POINTS):
                columns = rows[j]
                _to_points(
                    tiles[6 * j][begin:end],
                    tiles[6 * j + 1][begin:end],
                    tiles[6 * j + 2][begin:end],
                    tiles[6 * j + 3][begin:end],
                    tiles[6 * j + 4][begin:end],
                    tiles[6 * j + 5][begin:end],
                    columns[0][:size],
                    columns[1][:size],
                    columns[2][:size],
                    columns[3][:size],
                    columns[0][channels:],
                    columns[1][channels:],
                )


@_compiled
def _sum(out, a, b, c, d, e):
    for k in range(out.size):
        out[k] = a[k] + b[k] + c[k] + d[k] + e[k]


@_compiled
def _weighted(out, a, b, c, d, sign, scale):
    for k in range(out.size):
        out[k] = (a[k] + sign * b[k]) + scale * (c[k] + sign * d[k])


@_compiled
def _last(out, a, b, c, d, e):
    for k in range(out.size):
        out[k] = (a[k] - b[k]) + _f(8) * (c[k] - d[k]) + e[k]


@_compiled
def _from_points(y0, y1, y2, y3, m0, m1, m2, m3, m4, m5):
    """Four pixels from the products at Winograd's points."""
    n = y0.size
    _sum(y0, m0, m1, m2, m3, m4)
    _weighted(y1[:n], m1, m2, m3, m4, _f(-1), _f(2))
    _weighted(y2[:n], m1, m2, m3, m4, _f(1), _f(4))
    _last(y3[:n], m1, m2, m3, m4, m5)


@_compiled
def from_tiles(products, bias, out, channels, half, rows):
    """Winograd's output transform, activated.

    Parameters
    ----------
    products : ndarray [shape=(36, a * b * channels) or a little wider]
    bias : ndarray [shape=(n,)]
        Repeated for each pixel of a chunk (`chunk`).
    out : ndarray [shape=(4 a, (4 b + 2) * channels)]
        Its border of one pixel stays.
    half : ndarray [shape=(24, n) or a little wider]
    rows : ndarray [shape=(4, n) or a little wider]
        Scratch.
    """
    width = out.shape[1] // TILE // channels * channels
    n = bias.size
    for i in range(out.shape[0] // TILE):
        for first in range(0, width, n):
            last = min(first + n, width)
            size = last - first
            begin, end = i * width + first, i * width + last
            for j in range(POINTS):
                _from_points(
                    half[j][:size],
                    half[6 + j][:size],
                    half[12 + j][:size],
                    half[18 + j][:size],
                    products[j][begin:end],
                    products[6 + j][begin:end],
                    products[12 + j][begin:end],
                    products[18 + j][begin:end],
                    products[24 + j][begin:end],
                    products[30 + j][begin:end],
                )
            for j in range(TILE):
                _from_points(
                    rows[0][:size],
                    rows[1],
                    rows[2],
                    rows[3],
                    half[6 * j],
                    half[6 * j + 1],
                    half[6 * j + 2],
                    half[6 * j + 3],
                    half[6 * j + 4],
                    half[6 * j + 5],
                )
                target = out[TILE * i + j][TILE * first :]
                for k in range(TILE):
                    here = rows[k][:size]
                    activate(here, bias)
                    place(here, target, k + 1, TILE, channels, size // channels)
