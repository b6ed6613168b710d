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

_f = np.float32
_LEAK, _EPSILON = _f(LEAK), _f(1e-8)
# Sums may be reordered, which vector instructions need; infinities and NaN keep their meaning.
_compiled = njit(
    nogil=True,
    cache=True,
    error_model="numpy",
    fastmath={"reassoc", "contract", "nsz", "arcp"},
)


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
    bias : ndarray [shape=(w * channels,)]
    out : ndarray [shape=(2 r, 4, (w / 2 + 1) * channels)]
        Rows with their border of one pixel, by columns modulo 4, as `to_tiles` takes them.
    row : ndarray [shape=(w * channels,)]
        Scratch.
    """
    ss, k0s, k2s, ks0, ks2, k00, k02, k20, k22 = products
    width = row.size
    half = width // channels // 2
    plus, minus = _f(1), _f(-1)
    for i in range(ss.shape[0]):
        upper, lower = out[2 * i], out[2 * i + 1]
        left, right = ks0[i][:width], ks2[i][channels:]
        # Of pixel p's two columns the left is column 2 p + 1 of the row with its border.
        _mix(row, ss[i], k0s[i], left, k00[i][:width], minus, minus, plus)
        activate(row, bias)
        place(row, 0, 2, upper[1], 0, 1, channels, half)
        place(row, 1, 2, upper[3], 0, 1, channels, half)
        _mix(row, ss[i], k0s[i], right, k02[i][channels:], minus, plus, minus)
        activate(row, bias)
        place(row, 0, 2, upper[2], 0, 1, channels, half)
        place(row, 1, 2, upper[0], 1, 1, channels, half)
        _mix(row, ss[i], k2s[i], left, k20[i + 1][:width], plus, minus, minus)
        activate(row, bias)
        place(row, 0, 2, lower[1], 0, 1, channels, half)
        place(row, 1, 2, lower[3], 0, 1, channels, half)
        _mix(row, ss[i], k2s[i], right, k22[i + 1][channels:], plus, plus, plus)
        activate(row, bias)
        place(row, 0, 2, lower[2], 0, 1, channels, half)
        place(row, 1, 2, lower[0], 1, 1, channels, half)


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
    tiles : ndarray [shape=(36, a * b * channels)]
        Filled.
    rows : ndarray [shape=(6, 4, (b + 1) * channels)]
        Scratch.
    """
    width = rows.shape[2] - channels
    for i in range(tiles.shape[1] // width):
        first, last, top = i * width, (i + 1) * width, TILE * i
        for j in range(TILE):
            _to_points(
                rows[0][j],
                rows[1][j],
                rows[2][j],
                rows[3][j],
                rows[4][j],
                rows[5][j],
                padded[top][j],
                padded[top + 1][j],
                padded[top + 2][j],
                padded[top + 3][j],
                padded[top + 4][j],
                padded[top + 5][j],
            )
        for j in range(POINTS):
            columns = rows[j]
            _to_points(
                tiles[6 * j][first:last],
                tiles[6 * j + 1][first:last],
                tiles[6 * j + 2][first:last],
                tiles[6 * j + 3][first:last],
                tiles[6 * j + 4][first:last],
                tiles[6 * j + 5][first:last],
                columns[0][:width],
                columns[1][:width],
                columns[2][:width],
                columns[3][:width],
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
    _sum(y0, m0, m1, m2, m3, m4)
    _weighted(y1, m1, m2, m3, m4, _f(-1), _f(2))
    _weighted(y2, m1, m2, m3, m4, _f(1), _f(4))
    _last(y3, m1, m2, m3, m4, m5)


@_compiled
def from_tiles(products, bias, out, channels, half, rows):
    """Winograd's output transform, activated.

    Parameters
    ----------
    products : ndarray [shape=(36, a * b * channels)]
    bias : ndarray [shape=(b * channels,)]
    out : ndarray [shape=(4 a, (4 b + 2) * channels)]
        Its border of one pixel stays.
    half : ndarray [shape=(24, b * channels)]
    rows : ndarray [shape=(4, b * channels)]
        Scratch.
    """
    width = half.shape[1]
    for i in range(out.shape[0] // TILE):
        first, last = i * width, (i + 1) * width
        for j in range(POINTS):
            _from_points(
                half[j],
                half[6 + j],
                half[12 + j],
                half[18 + j],
                products[j][first:last],
                products[6 + j][first:last],
                products[12 + j][first:last],
                products[18 + j][first:last],
                products[24 + j][first:last],
                products[30 + j][first:last],
            )
        for j in range(TILE):
            _from_points(
                rows[0],
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
            for k in range(TILE):
                activate(rows[k], bias)
                place(rows[k], 0, 1, out[TILE * i + j], k + 1, TILE, channels, width // channels)
