"""An instrument as an ONNX graph: generator, spectra and inverse transform in one model.

Written operator by operator, so that the graph holds nothing but what the sound needs, on either
backend and without TensorFlow. Convolutions are in ONNX's own order of dimensions, (n, channels,
frames, bins).
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from reverbsynth import provenance
from reverbsynth.audio.format import NOTE_LENGTH
from reverbsynth.gan import schedule
from reverbsynth.gan.architecture import CHANNELS, LEAK, START
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.spectra import mel
from reverbsynth.spectra.format import BINS, FLOOR, FRAMES, HOP, LEAD, N_FFT, dual_window

OPSET = 17
_IR_VERSION = 8


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self):
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes) -> str:
        """Add a node with one output and return its name."""
        output = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value, kind=np.float32) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def slice(self, x: str, axis: int, start: int, stop: int) -> str:
        return self.add("Slice", x, self.integers(start), self.integers(stop), self.integers(axis))

    def weight(self, value: np.ndarray, float16: bool, scale: float = 1.0) -> str:
        """A trained constant. Rounded before it is scaled, as an instrument's float16 file is; the
        runtime folds cast and scale into one float32 constant when it loads the model."""
        if not float16:
            return self.constant(value * np.float32(scale))
        wide = self.add("Cast", self.constant(value, np.float16), to=TensorProto.FLOAT)
        return wide if scale == 1.0 else self.add("Mul", wide, self.constant(scale))


def build(instrument: Instrument, float16: bool = False) -> onnx.ModelProto:
    """The instrument as an ONNX model.

    Inputs are ``z`` [shape=(n, latent_size)] and ``condition`` [shape=(n, width)], the one-hot
    blocks of all labels. Outputs are ``wave`` [shape=(n, 64000)] and ``image``
    [shape=(n, 2, h, w)], the de-normalized image at the stage's own resolution: log-magnitude,
    then IF.

    Parameters
    ----------
    instrument : Instrument
    float16 : bool
        Keep the weights in float16; sums are float32 all the same.
    """
    graph = _Graph()
    image = _generator(graph, instrument, float16)
    scale, shift = (
        np.asarray(values, np.float32).reshape(1, CHANNELS, 1, 1)
        for values in (instrument.spectra.scale, instrument.spectra.shift)
    )
    centred = graph.add("Sub", image, graph.constant(shift))
    image = graph.add("Div", centred, graph.constant(scale), name="image")
    _wave(graph, image, instrument)
    width = sum(len(values) for values in instrument.labels.values())
    height, bins = schedule.stage_resolution(instrument.stage)
    size = instrument.gan.latent_size
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "reverbsynth",
            [_info("z", "n", size), _info("condition", "n", width)],
            [_info("wave", "n", NOTE_LENGTH), _info("image", "n", CHANNELS, height, bins)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="reverbsynth",
        producer_version=provenance.versions().get("reverbsynth", ""),
    )
    model.ir_version = _IR_VERSION
    return model


def _info(name: str, *shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _generator(graph: _Graph, instrument: Instrument, float16: bool) -> str:
    """The normalized image [shape=(n, 2, h, w)]."""
    weights = instrument.weights
    n_blocks = schedule.blocks(instrument.stage)

    def kernel(part: str, gain: float = 2.0) -> tuple[np.ndarray, float]:
        value = weights[f"{part}/kernel"]
        return value, float(np.sqrt(gain / np.prod(value.shape[:-1])))

    def conv(x: str, part: str, gain: float = 2.0) -> str:
        value, scale = kernel(part, gain)
        edge = value.shape[0] // 2
        return graph.add(
            "Conv",
            x,
            graph.weight(value.transpose(3, 2, 0, 1), float16, scale),
            graph.weight(weights[f"{part}/bias"], float16),
            kernel_shape=list(value.shape[:2]),
            pads=[edge] * 4,
        )

    def to_rgb(x: str, block: int) -> str:
        return graph.add("Tanh", conv(x, f"block_{block}/to_rgb", gain=1.0))

    x = _pixel_norm(graph, graph.add("Concat", "z", "condition", axis=1))
    value, scale = kernel("block_1/conv0")
    channels = value.shape[-1]
    # Each output pixel is a dense product with one mirrored tap (`layers.FirstConv`).
    dense = value[::-1, ::-1].transpose(2, 3, 0, 1).reshape(value.shape[2], -1)
    x = graph.add("MatMul", x, graph.weight(dense, float16, scale))
    x = graph.add("Reshape", x, graph.integers(-1, channels, *START))
    bias = weights["block_1/conv0/bias"].reshape(1, channels, 1, 1)
    x = _activated(graph, graph.add("Add", x, graph.weight(bias, float16)))
    x = _activated(graph, conv(x, "block_1/conv1"))
    before = x
    for block in range(2, n_blocks + 1):
        before = x
        for part in ("conv0", "conv1"):
            name = f"block_{block}/{part}"
            if part == "conv1":
                x = conv(x, name)
            elif instrument.gan.kernel_size == 3:
                value, scale = kernel(name)
                wide = graph.weight(value.transpose(3, 2, 0, 1), float16, scale)
                bias = weights[f"{name}/bias"].reshape(1, -1, 1, 1)
                x = _upscaled_conv(graph, x, wide, schedule.resolution(block - 1))
                x = graph.add("Add", x, graph.weight(bias, float16))
            else:
                x = conv(_upscaled(graph, x, 2), name)
            x = _activated(graph, x)
    image = to_rgb(x, n_blocks)
    alpha = instrument.progress - (n_blocks - 2)
    if not schedule.is_transition(instrument.stage) or alpha >= 1:
        return image
    coarse = _upscaled(graph, to_rgb(before, n_blocks - 1), 2)
    return graph.add(
        "Add",
        graph.add("Mul", image, graph.constant(alpha)),
        graph.add("Mul", coarse, graph.constant(1 - alpha)),
    )


def _pixel_norm(graph: _Graph, x: str) -> str:
    mean = graph.add("ReduceMean", graph.add("Mul", x, x), axes=[1], keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", mean, graph.constant(1e-8)))
    return graph.add("Mul", x, graph.add("Reciprocal", root))


def _activated(graph: _Graph, x: str) -> str:
    return _pixel_norm(graph, graph.add("LeakyRelu", x, alpha=LEAK))


def _upscaled(graph: _Graph, x: str, factor: int) -> str:
    """Nearest neighbours, by either way of rounding: the factor is whole."""
    scales = graph.constant([1, 1, factor, factor])
    return graph.add(
        "Resize",
        x,
        "",
        scales,
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )


def _upscaled_conv(graph: _Graph, x: str, kernel: str, size: tuple[int, int]) -> str:
    """Upscaling by 2 and a 3x3 convolution in a quarter of the products, by differences of
    neighbouring pixels (see `reverbsynth.gan.kernels`). The kernel's sums are constants to the
    runtime, which computes them when it loads the model."""
    height, width = size

    def parts(values: str, axis: int) -> dict[str, str]:
        total = graph.add("ReduceSum", values, graph.integers(axis), keepdims=1)
        return {
            "s": total,
            "0": graph.slice(values, axis, 0, 1),
            "2": graph.slice(values, axis, 2, 3),
        }

    taps = {
        row + column: value
        for row, values in parts(kernel, 2).items()
        for column, value in parts(values, 3).items()
    }

    def difference(values: str, axis: int, length: int) -> str:
        after = graph.slice(values, axis, 1, length + 2)
        return graph.add("Sub", after, graph.slice(values, axis, 0, length + 1))

    def products(values: str, *names: str) -> list[str]:
        if len(names) == 1:
            return [graph.add("Conv", values, taps[names[0]])]
        together = graph.add("Concat", *(taps[name] for name in names), axis=0)
        found = [f"product_{len(graph.nodes)}_{name}" for name in names]
        both = graph.add("Conv", values, together)
        graph.nodes.append(helper.make_node("Split", [both], found, axis=1))
        return found

    padded = graph.add("Pad", x, graph.integers(0, 0, 1, 1, 0, 0, 1, 1))
    down = difference(graph.slice(padded, 3, 1, width + 1), 2, height)
    across = difference(graph.slice(padded, 2, 1, height + 1), 3, width)
    both = difference(difference(padded, 2, height), 3, width)
    (ss,) = products(x, "ss")
    k0s, k2s = products(down, "0s", "2s")
    ks0, ks2 = products(across, "s0", "s2")
    corners = dict(
        zip(("00", "02", "20", "22"), products(both, "00", "02", "20", "22"), strict=True)
    )
    rows = {
        "0": ("Sub", graph.slice(k0s, 2, 0, height)),
        "2": ("Add", graph.slice(k2s, 2, 1, height + 1)),
    }
    columns = {
        "0": ("Sub", graph.slice(ks0, 3, 0, width)),
        "2": ("Add", graph.slice(ks2, 3, 1, width + 1)),
    }
    pixels = []
    for row, (row_sign, by_row) in rows.items():
        upper = 0 if row == "0" else 1
        line = graph.add(row_sign, ss, by_row)
        for column, (column_sign, by_column) in columns.items():
            left = 0 if column == "0" else 1
            corner = graph.slice(corners[row + column], 2, upper, upper + height)
            corner = graph.slice(corner, 3, left, left + width)
            pixel = graph.add(column_sign, line, by_column)
            pixels.append(graph.add("Add" if row == column else "Sub", pixel, corner))
    return graph.add("DepthToSpace", graph.add("Concat", *pixels, axis=1), blocksize=2, mode="DCR")


def _wave(graph: _Graph, image: str, instrument: Instrument) -> None:
    """Adds the output ``wave``: `Representation.decode`."""
    factor = schedule.box_factor(schedule.blocks(instrument.stage))
    full = image if factor == 1 else _upscaled(graph, image, factor)

    def channel(number: int) -> str:
        one = graph.slice(full, 1, number, number + 1)
        return graph.add("Squeeze", one, graph.integers(1))

    magnitude, phase = graph.add("Exp", channel(0)), channel(1)
    kind = instrument.spectra.representation
    if kind != "phase":
        phase = graph.add("CumSum", phase, graph.constant(1, np.int64))
    if kind == "mel":
        power = graph.add("Add", _project(graph, magnitude), graph.constant(FLOOR))
        magnitude, phase = graph.add("Sqrt", power), _project(graph, phase)
    # Whole turns are taken off in half turns, where they are exact.
    turns = graph.add("Round", graph.add("Mul", phase, graph.constant(0.5)))
    phase = graph.add("Sub", phase, graph.add("Mul", turns, graph.constant(2.0)))
    radians = graph.add("Mul", phase, graph.constant(np.pi))
    parts = [
        graph.add(
            "Unsqueeze",
            graph.add("Mul", magnitude, graph.add(function, radians)),
            graph.integers(3),
        )
        for function in ("Cos", "Sin")
    ]
    spectrum = graph.add("Concat", *parts, axis=3)
    # The real part of the upper half left empty is half the sound, but for the last bin, Nyquist's.
    twice = np.full((1, 1, BINS, 1), 2.0)
    twice[:, :, -1] = 1.0
    spectrum = graph.add("Mul", spectrum, graph.constant(twice))
    room = graph.integers(0, 0, 1, 0, 0, 0, N_FFT - BINS - 1, 0)
    frames = graph.add("DFT", graph.add("Pad", spectrum, room), axis=2, inverse=1)
    frames = graph.add("Squeeze", graph.slice(frames, 3, 0, 1), graph.integers(3))
    frames = graph.add("Mul", frames, graph.constant(dual_window()))
    overlaps = N_FFT // HOP
    total = None
    for quarter in range(overlaps):
        part = graph.slice(frames, 2, quarter * HOP, (quarter + 1) * HOP)
        pads = graph.integers(0, quarter, 0, 0, overlaps - 1 - quarter, 0)
        padded = graph.add("Pad", part, pads)
        total = padded if total is None else graph.add("Add", total, padded)
    flat = graph.add("Reshape", total, graph.integers(-1, (FRAMES + overlaps - 1) * HOP))
    graph.add(
        "Slice",
        flat,
        graph.integers(LEAD),
        graph.integers(LEAD + NOTE_LENGTH),
        graph.integers(1),
        name="wave",
    )


def _project(graph: _Graph, x: str) -> str:
    """Mel bins to STFT bins."""
    banded = mel.to_linear_bins()
    terms = [
        graph.add("Mul", graph.add("Gather", x, graph.integers(*source), axis=2), graph.constant(w))
        for source, w in zip(banded.sources.tolist(), banded.weights, strict=True)
    ]
    total = terms[0]
    for term in terms[1:]:
        total = graph.add("Add", total, term)
    return total
