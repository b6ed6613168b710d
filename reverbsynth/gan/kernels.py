"""Compiled inner loops of `reverbsynth.gan.synthesis`: what stands between the matrix products.

Two ways to convolve with a 3x3 kernel in fewer products:

*Upscaled*, by differences. Along one axis, ``y[2i] = s x[i] - w0 (x[i] - x[i-1])`` and
``y[2i+1] = s x[i] + w2 (x[i+1] - x[i])`` with ``s = w0 + w1 + w2`` are the kernel w over x nearest-
upscaled by 2: three products in place of six. Over both axes 9 in place of 36.

*At one resolution*, Winograd's F(4x4, 3x3) with the points 0, ±1, ±2 and infinity: 36 products for
16 pixels in place of 144. Lavin and Gray, "Fast algorithms for convolutional neural networks"
(2016).

Rows are flat, pixel after pixel, each of ``channels`` values, so that loops are long. Activation is
the networks' leaky ReLU and pixel norm. Only whole arrays and their rows are passed on: those the
compiler knows to be contiguous, slices over columns not.
"""

import numpy as np
from numba import njit

from reverbsynth.gan.layers import LEAK

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
def place(row, first, step, out, out_first, out_step, channels, count):
    """Pixel-normalize ``count`` pixels of ``row``, every ``step``-th, into those of ``out``."""
    for i in range(count):
        at = (first + step * i) * channels
        source = row[at : at + channels]
        total = _f(0)
        for k in range(channels):
            total += source[k] * source[k]
        scale = _f(1) / np.sqrt(total / _f(channels) + _EPSILON)
        at = (out_first + out_step * i) * channels
        target = out[at : at + channels]
        for k in range(channels):
            target[k] = source[k] * scale


@_compiled
def _subtract(out, a, b):
    for k in range(out.size):
        out[k] = a[k] - b[k]


@_compiled
def differences(padded, pixels, down, across, both):
    """Differences of neighbouring pixels.

    Parameters
    ----------
    padded : ndarray [shape=(r + 2, (w + 2) * channels)]
    pixels, down, across, both : ndarray
        Filled: the r rows themselves, their r + 1 differences along the rows, w + 1 along the
        columns, and along both.
    """
    width, wide = pixels.shape[1], across.shape[1]
    c = wide - width
    for i in range(down.shape[0]):
        above, row = padded[i], padded[i + 1]
        _subtract(down[i], row[c : c + width], above[c : c + width])
        if i < pixels.shape[0]:
            pixels[i, :] = row[c : c + width]
            _subtract(across[i], row[c : c + wide], row[:wide])
        out = both[i]
        right, left = row[c : c + wide], row[:wide]
        right_above, left_above = above[c : c + wide], above[:wide]
        for k in range(wide):
            out[k] = (right[k] - right_above[k]) - (left[k] - left_above[k])


@_compiled
def _mix(out, a, b, c, d, sign_b, sign_c, sign_d):
    for k in range(out.size):
        out[k] = a[k] + sign_b * b[k] + sign_c * c[k] + sign_d * d[k]


@_compiled
def recombine(products, bias, out, channels, row):
    """Activated pixels of the upscaled image from the nine products of the differences.

    Parameters
    ----------
    products : tuple of ndarray
        ``ss``; ``0s`` and ``2s`` of the row differences; ``s0`` and ``s2`` of the column
        differences; ``00``, ``02``, ``20``, ``22`` of both: the taps along rows and columns.
    bias : ndarray [shape=(n,)]
        Repeated for each pixel of a chunk (`chunk`).
    out : ndarray [shape=(2 r, 4, (w / 2 + 1) * channels)]
        Rows with their border of one pixel, by columns modulo 4, as `to_tiles` takes them.
    row : ndarray [shape=(n,)]
        Scratch.
    """
    ss, k0s, k2s, ks0, ks2, k00, k02, k20, k22 = products
    width = ss.shape[1]
    plus, minus = _f(1), _f(-1)
    for i in range(ss.shape[0]):
        upper, lower = out[2 * i], out[2 * i + 1]
        for first in range(0, width, row.size):
            last = min(first + row.size, width)
            here = row[: last - first]
            add = bias[: last - first]
            # Pixels of one parity; the first is at this place of its column modulo 4.
            half = (last - first) // channels // 2
            at = first // channels // 2
            left, right = ks0[i][first:last], ks2[i][channels:][first:last]
            # Of pixel p's two columns the left is column 2 p + 1 of the row with its border.
            corner = k00[i][first:last]
            _mix(here, ss[i][first:last], k0s[i][first:last], left, corner, minus, minus, plus)
            activate(here, add)
            place(here, 0, 2, upper[1], at, 1, channels, half)
            place(here, 1, 2, upper[3], at, 1, channels, half)
            corner = k02[i][channels:][first:last]
            _mix(here, ss[i][first:last], k0s[i][first:last], right, corner, minus, plus, minus)
            activate(here, add)
            place(here, 0, 2, upper[2], at, 1, channels, half)
            place(here, 1, 2, upper[0], at + 1, 1, channels, half)
            corner = k20[i + 1][first:last]
            _mix(here, ss[i][first:last], k2s[i][first:last], left, corner, plus, minus, minus)
            activate(here, add)
            place(here, 0, 2, lower[1], at, 1, channels, half)
            place(here, 1, 2, lower[3], at, 1, channels, half)
            corner = k22[i + 1][channels:][first:last]
            _mix(here, ss[i][first:last], k2s[i][first:last], right, corner, plus, plus, plus)
            activate(here, add)
            place(here, 0, 2, lower[2], at, 1, channels, half)
            place(here, 1, 2, lower[0], at + 1, 1, channels, half)


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
                    place(here, 0, 1, target, k + 1, TILE, channels, size // channels)
