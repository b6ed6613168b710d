"""A trained generator as an ONNX graph: network, spectra and inverse transform in one model.

The graph is what plays, in Python (`reverbsynth.instrument.instrument`) as in a web page. It is
written operator by operator, so that it holds nothing but what the sound needs and building it
needs no framework. Convolutions are in ONNX's own order of dimensions, (n, channels, frames, bins).
"""

import json
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from reverbsynth import provenance
from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.gan import schedule
from reverbsynth.gan.architecture import CHANNELS, LEAK, START
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.spectra import mel
from reverbsynth.spectra.format import BINS, FLOOR, FRAMES, HOP, LEAD, N_FFT, dual_window

OPSET = 17
_IR_VERSION = 8


def metadata(generator: TrainedGenerator) -> dict[str, Any]:
    """What a player of the graph has to know, as JSON values.

    Returns
    -------
    dict
        ``labels`` (pairs of a name and its values, in the order of the one-hot blocks),
        ``pitches``, ``latent_size``, ``stage``, ``image`` (frames and bins), ``sample_rate``,
        ``note_seconds`` and ``provenance``. The model's own metadata holds each as JSON text.
    """
    return {
        "labels": generator.labels.to_json(),
        "pitches": list(generator.labels["pitch"]),
        "latent_size": generator.gan.latent_size,
        "stage": generator.stage,
        "image": list(schedule.stage_resolution(generator.stage)),
        "sample_rate": SAMPLE_RATE,
        "note_seconds": NOTE_LENGTH / SAMPLE_RATE,
        "provenance": generator.facts,
    }


def build(generator: TrainedGenerator, float16: bool = False) -> onnx.ModelProto:
    """The generator as an ONNX model.

    Inputs are ``z`` [shape=(n, latent_size)] and ``condition`` [shape=(n, width)], the one-hot
    blocks of all labels. Outputs are ``wave`` [shape=(n, 64000)] and ``image``
    [shape=(n, 2, h, w)], the de-normalized image at the stage's own resolution: log-magnitude,
    then instantaneous frequency.

    Parameters
    ----------
    generator : TrainedGenerator
    float16 : bool
        Keep the weights in float16; sums are float32 all the same.
    """
    graph = _Graph()
    image = _image(graph, generator, float16)
    scale, shift = (
        graph.constant(np.reshape(values, (1, CHANNELS, 1, 1)))
        for values in (generator.spectra.scale, generator.spectra.shift)
    )
    image = graph.add("Div", graph.add("Sub", image, shift), scale, name="image")
    real, imaginary = _stft(graph, image, generator)
    _add_wave(graph, real, imaginary)
    size = schedule.stage_resolution(generator.stage)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "reverbsynth",
            [_info("z", generator.gan.latent_size), _info("condition", generator.labels.width)],
            [_info("wave", NOTE_LENGTH), _info("image", CHANNELS, *size)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="reverbsynth",
        producer_version=provenance.versions().get("reverbsynth", ""),
        ir_version=_IR_VERSION,
    )
    props = {name: json.dumps(value) for name, value in metadata(generator).items()}
    helper.set_model_props(model, props)
    return model


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        output = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: Any, kind: type = np.float32) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def slice(self, x: str, axis: int, start: int, stop: int) -> str:
        return self.add("Slice", x, self.integers(start), self.integers(stop), self.integers(axis))

    def total(self, terms: list[str]) -> str:
        """The sum of some values, added in order."""
        first, *others = terms
        for term in others:
            first = self.add("Add", first, term)
        return first

    def weight(self, value: np.ndarray, float16: bool, scale: float = 1.0) -> str:
        """A trained constant. Rounded before it is scaled, as an instrument's float16 file is; the
        runtime folds cast and scale into one float32 constant when it loads the model."""
        if not float16:
            return self.constant(value * np.float32(scale))
        wide = self.add("Cast", self.constant(value, np.float16), to=TensorProto.FLOAT)
        return wide if scale == 1.0 else self.add("Mul", wide, self.constant(scale))

    def upscale(self, x: str, factor: int) -> str:
        """Nearest neighbours. The factor is whole, so either way of rounding does the same."""
        return self.add(
            "Resize",
            *(x, "", self.constant([1, 1, factor, factor])),
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )


def _info(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", *shape))


def _image(graph: _Graph, generator: TrainedGenerator, float16: bool) -> str:
    """The normalized image [shape=(n, 2, h, w)]: `reverbsynth.gan.networks.Generator`."""
    n_blocks = schedule.blocks(generator.stage)

    def kernel_and_bias(part: str, gain: float = 2.0) -> tuple[np.ndarray, float, np.ndarray]:
        """A layer's kernel, the scale of its equalized learning rate, and its bias."""
        kernel = generator.weights[f"{part}/kernel"]
        scale = float(np.sqrt(gain / np.prod(kernel.shape[:-1])))
        return kernel, scale, generator.weights[f"{part}/bias"]

    def conv(x: str, part: str, gain: float = 2.0, upscaled: bool = False) -> str:
        kernel, scale, bias = kernel_and_bias(part, gain)
        taps = graph.weight(kernel.transpose(3, 2, 0, 1), float16, scale)
        side, bias_name = len(kernel), graph.weight(bias, float16)
        if upscaled and side == 3:
            return _upscaled_conv(graph, x, taps, bias_name)
        x = graph.upscale(x, 2) if upscaled else x
        return graph.add("Conv", x, taps, bias_name, pads=[side // 2] * 4)

    def to_rgb(x: str, block: int) -> str:
        return graph.add("Tanh", conv(x, f"block_{block}/to_rgb", gain=1.0))

    x = _pixel_norm(graph, graph.add("Concat", "z", "condition", axis=1))
    kernel, scale, bias = kernel_and_bias("block_1/conv0")
    # Each output pixel is a dense product with one mirrored tap (`layers.FirstConv`).
    dense = kernel[::-1, ::-1].transpose(2, 3, 0, 1).reshape(kernel.shape[2], -1)
    x = graph.add("MatMul", x, graph.weight(dense, float16, scale))
    x = graph.add("Reshape", x, graph.integers(-1, len(bias), *START))
    x = graph.add("Add", x, graph.weight(bias.reshape(1, -1, 1, 1), float16))
    before = x = _activated(graph, conv(_activated(graph, x), "block_1/conv1"))
    for block in range(2, n_blocks + 1):
        before = x
        x = _activated(graph, conv(x, f"block_{block}/conv0", upscaled=True))
        x = _activated(graph, conv(x, f"block_{block}/conv1"))
    image = to_rgb(x, n_blocks)
    alpha = generator.progress - (n_blocks - 2)
    if not schedule.is_transition(generator.stage) or alpha >= 1:
        return image
    coarse = graph.upscale(to_rgb(before, n_blocks - 1), 2)
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


def _upscaled_conv(graph: _Graph, x: str, kernel: str, bias: str) -> str:
    """Upscaling by 2 and a 3x3 convolution, in 4 products a pixel where the two apart take 9.

    Of three neighbouring taps two meet the same pixel of ``x``. So each of the four pixels that a
    pixel becomes is a 2x2 convolution with sums of taps, which the runtime takes when it loads the
    model.
    """

    def pairs(taps: str, axis: int) -> list[str]:
        """Taps that pixels of even and of odd number see of the pixels before, here and after."""
        before, here, after = (graph.slice(taps, axis, i, i + 1) for i in range(3))
        return [
            graph.add("Concat", before, graph.add("Add", here, after), axis=axis),
            graph.add("Concat", graph.add("Add", before, here), after, axis=axis),
        ]

    pixels = [
        graph.add("Conv", x, taps, bias, pads=[1 - row, 1 - column, row, column])
        for row, rows in enumerate(pairs(kernel, 2))
        for column, taps in enumerate(pairs(rows, 3))
    ]
    return graph.add("DepthToSpace", graph.add("Concat", *pixels, axis=1), blocksize=2, mode="DCR")


def _stft(graph: _Graph, image: str, generator: TrainedGenerator) -> tuple[str, str]:
    """Real and imaginary part [shape=(n, 128, 1024)]: `Representation.to_stft`."""
    factor = schedule.box_factor(schedule.blocks(generator.stage))
    full = image if factor == 1 else graph.upscale(image, factor)
    log_magnitude, phase = (
        graph.add("Squeeze", graph.slice(full, 1, channel, channel + 1), graph.integers(1))
        for channel in range(CHANNELS)
    )
    magnitude = graph.add("Exp", log_magnitude)
    kind = generator.spectra.representation
    if kind != "phase":
        phase = _integrated(graph, phase)
    if kind == "mel":
        power = graph.add("Add", _linear_bins(graph, magnitude), graph.constant(FLOOR))
        magnitude, phase = graph.add("Sqrt", power), _linear_bins(graph, phase)
    # Whole turns are taken off in half turns, where they are exact.
    turns = graph.add("Round", graph.add("Mul", phase, graph.constant(0.5)))
    phase = graph.add("Sub", phase, graph.add("Mul", turns, graph.constant(2.0)))
    radians = graph.add("Mul", phase, graph.constant(np.pi))
    cosine, sine = graph.add("Cos", radians), graph.add("Sin", radians)
    return graph.add("Mul", magnitude, cosine), graph.add("Mul", magnitude, sine)


def _integrated(graph: _Graph, frequency: str) -> str:
    """Running sums over frames: within every 8, and of those sums, which rounds less than one."""
    few = graph.add("Reshape", frequency, graph.integers(0, FRAMES // 8, 8, BINS))
    within = graph.add("CumSum", few, graph.constant(2, np.int64))
    until = graph.slice(within, 2, 7, 8)
    before = graph.add("CumSum", until, graph.constant(1, np.int64), exclusive=1)
    return graph.add("Reshape", graph.add("Add", within, before), graph.integers(0, FRAMES, BINS))


def _linear_bins(graph: _Graph, x: str) -> str:
    """Mel bins to STFT bins."""
    banded = mel.to_linear_bins()
    terms = []
    for source, weight in zip(banded.sources.tolist(), banded.weights, strict=True):
        taken = graph.add("Gather", x, graph.integers(*source), axis=2)
        terms.append(graph.add("Mul", taken, graph.constant(weight)))
    return graph.total(terms)


def _add_wave(graph: _Graph, real: str, imaginary: str) -> None:
    """Add the output ``wave``: `reverbsynth.spectra.stft.istft`."""
    parts = [graph.add("Unsqueeze", part, graph.integers(3)) for part in (real, imaginary)]
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
    # Quarter q of frame t lands in hop t + q.
    quarters = [
        graph.add(
            "Pad",
            graph.slice(frames, 2, q * HOP, (q + 1) * HOP),
            graph.integers(0, q, 0, 0, overlaps - 1 - q, 0),
        )
        for q in range(overlaps)
    ]
    samples = (FRAMES + overlaps - 1) * HOP
    flat = graph.add("Reshape", graph.total(quarters), graph.integers(-1, samples))
    ends = graph.integers(LEAD), graph.integers(LEAD + NOTE_LENGTH)
    graph.add("Slice", flat, *ends, graph.integers(1), name="wave")
