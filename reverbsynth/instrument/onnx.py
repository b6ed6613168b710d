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
from reverbsynth.gan.architecture import (
    CHANNELS,
    COORDINATES,
    LEAK,
    START,
    condition_size,
    coordinates_of,
    register,
)
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.spectra import mel
from reverbsynth.spectra.format import (
    BINS,
    FLOOR,
    FRAMES,
    HARMONIC_AMPLITUDE,
    HOP,
    LEAD,
    N_FFT,
    dual_window,
)

OPSET = 17
_IR_VERSION = 8


def metadata(generator: TrainedGenerator) -> dict[str, Any]:
    """What a player of the graph has to know, as JSON values.

    Returns
    -------
    dict
        ``labels`` (pairs of a name and its values, in the order of the one-hot blocks),
        ``pitch_input`` (``harmonic``: a pitch in place of the first block), ``trained_pitches``,
        ``latent_size``, ``stage``, ``image`` (frames and bins), ``sample_rate``, ``note_seconds``
        and ``provenance``. The model's own metadata holds each as JSON text.
    """
    return {
        "labels": generator.labels.to_json(),
        "pitch_input": generator.gan.pitch_input,
        "trained_pitches": list(generator.trained_pitches),
        "latent_size": generator.gan.latent_size,
        "stage": generator.stage,
        "image": list(schedule.stage_resolution(generator.stage)),
        "sample_rate": SAMPLE_RATE,
        "note_seconds": NOTE_LENGTH / SAMPLE_RATE,
        "provenance": generator.facts,
    }


def build(generator: TrainedGenerator, float16: bool = False) -> onnx.ModelProto:
    """The generator as an ONNX model.

    Inputs are ``z`` [shape=(n, latent_size)] and ``condition``
    (`reverbsynth.gan.architecture.condition`). Outputs are ``wave`` [shape=(n, 64000)] and
    ``image`` [shape=(n, 2, h, w)], the de-normalized image at the stage's own resolution:
    log-magnitude, then instantaneous frequency.

    Parameters
    ----------
    generator : TrainedGenerator
    float16 : bool
        Keep the weights in float16; sums are float32 all the same.
    """
    graph = _Graph()
    image = _image(graph, generator, float16)
    scale, shift = (
        np.reshape(values, (1, CHANNELS, 1, 1))
        for values in (generator.spectra.scale, generator.spectra.shift)
    )
    image = graph.add("Div", graph.add("Sub", image, shift), scale, name="image")
    real, imaginary = _stft(graph, image, generator)
    _add_wave(graph, real, imaginary)
    inputs = {
        "z": generator.gan.latent_size,
        "condition": condition_size(generator.gan, generator.labels),
    }
    size = schedule.stage_resolution(generator.stage)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "reverbsynth",
            [_info(name, width) for name, width in inputs.items()],
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

    def add(self, operator: str, *inputs: Any, name: str | None = None, **attributes: Any) -> str:
        """Add a node with one output and return its name.

        Inputs are names of values, integers as a tuple, or a constant: a number or an array.
        """
        output = name or f"{operator}_{len(self.nodes)}"
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def constant(self, value: Any, kind: type = np.float32) -> str:
        """Add a constant, of integers if it is a tuple, and return its name."""
        name = f"constant_{len(self.constants)}"
        kind = np.int64 if isinstance(value, tuple) else kind
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def slice(self, x: str, axis: int, start: int, stop: int) -> str:
        return self.add("Slice", x, (start,), (stop,), (axis,))

    def fraction(self, x: str) -> str:
        return self.add("Sub", x, self.add("Floor", x))

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
        return wide if scale == 1.0 else self.add("Mul", wide, scale)

    def upscale(self, x: str, factor: int) -> str:
        """Nearest neighbours. The factor is whole, so either way of rounding does the same."""
        return self.add(
            "Resize",
            *(x, "", [1, 1, factor, factor]),
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )


def _info(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", *shape))


def _image(graph: _Graph, generator: TrainedGenerator, float16: bool) -> str:
    """The normalized image [shape=(n, 2, h, w)]: `reverbsynth.gan.networks.Generator`."""
    n_blocks = schedule.blocks(generator.stage)
    coordinates, condition = "", "condition"
    if generator.gan.pitch_input == "harmonic":
        pitch = graph.slice(condition, 1, 0, 1)
        coordinates = _coordinates(graph, pitch, generator)
        place = graph.add(
            "Add", graph.add("Mul", pitch, register(1.0) - register(0.0)), register(0.0)
        )
        others = graph.slice(condition, 1, 1, condition_size(generator.gan, generator.labels))
        condition = graph.add("Concat", place, others, axis=1)

    def kernel_and_bias(part: str, gain: float = 2.0) -> tuple[np.ndarray, float, np.ndarray]:
        """A layer's kernel, the scale of its equalized learning rate, and its bias."""
        kernel = generator.weights[f"{part}/kernel"]
        scale = float(np.sqrt(gain / np.prod(kernel.shape[:-1])))
        return kernel, scale, generator.weights[f"{part}/bias"]

    def upscale_conv(x: str, block: int) -> str:
        kernel, scale, bias = kernel_and_bias(f"block_{block}/conv0")
        taps = graph.weight(kernel.transpose(3, 2, 0, 1), float16, scale)
        if len(kernel) == 3:
            return _upscaled_conv(graph, x, taps, graph.weight(bias, float16))
        around = [len(kernel) // 2] * 4
        return graph.add(
            "Conv", graph.upscale(x, 2), taps, graph.weight(bias, float16), pads=around
        )

    def conv(x: str, block: int, part: str, gain: float = 2.0) -> str:
        kernel, scale, bias = kernel_and_bias(f"block_{block}/{part}", gain)
        kernel = kernel.transpose(3, 2, 0, 1)
        own = kernel.shape[1] - coordinates_of(generator.gan, block)
        taps = graph.weight(kernel[:, :own], float16, scale)
        around = [kernel.shape[2] // 2] * 4
        x = graph.add("Conv", x, taps, graph.weight(bias, float16), pads=around)
        if own == kernel.shape[1]:
            return x
        taps = graph.weight(kernel[:, own:], float16, scale)
        return graph.add("Add", x, _steady_conv(graph, coordinates, taps, kernel.shape[2], block))

    def to_rgb(x: str, block: int) -> str:
        return graph.add("Tanh", conv(x, block, "to_rgb", gain=1.0))

    x = _pixel_norm(graph, graph.add("Concat", "z", condition, axis=1))
    kernel, scale, bias = kernel_and_bias("block_1/conv0")
    # Each output pixel is a dense product with one mirrored tap (`layers.FirstConv`).
    dense = kernel[::-1, ::-1].transpose(2, 3, 0, 1).reshape(kernel.shape[2], -1)
    x = graph.add("MatMul", x, graph.weight(dense, float16, scale))
    x = graph.add("Reshape", x, (-1, len(bias), *START))
    x = graph.add("Add", x, graph.weight(bias.reshape(1, -1, 1, 1), float16))
    before = x = _activated(graph, conv(_activated(graph, x), 1, "conv1"))
    for block in range(2, n_blocks + 1):
        before = x
        x = _activated(graph, upscale_conv(x, block))
        x = _activated(graph, conv(x, block, "conv1"))
    image = to_rgb(x, n_blocks)
    alpha = generator.progress - (n_blocks - 2)
    if not schedule.is_transition(generator.stage) or alpha >= 1:
        return image
    coarse = graph.upscale(to_rgb(before, n_blocks - 1), 2)
    return graph.add(
        "Add",
        graph.add("Mul", image, alpha),
        graph.add("Mul", coarse, 1 - alpha),
    )


def _coordinates(graph: _Graph, pitch: str, generator: TrainedGenerator) -> str:
    """Coordinates of a pitch [shape=(n, 6, 1024)]: `reverbsynth.gan.pitch_coordinates`."""
    spectra = generator.spectra
    octaves = graph.add("Div", graph.add("Sub", graph.add("Unsqueeze", pitch, (2,)), 69.0), 12.0)
    frequency = graph.add("Mul", graph.add("Pow", 2.0, octaves), 440.0)
    halves = graph.add("Div", 0.5 * mel.bin_frequencies(spectra.representation), frequency)
    angle = graph.add("Mul", graph.fraction(halves), 2 * np.pi)
    twice = graph.add("Mul", angle, 2.0)
    comb = [graph.add(wave, turned) for turned in (twice, angle) for wave in ("Cos", "Sin")]
    power, step = _harmonic_spectrum(graph, frequency)
    if spectra.representation == "mel":
        bands = mel.to_mel_bins()
        power, step = (
            _projected(graph, power, bands),
            _wrapped(graph, _projected(graph, step, bands)),
        )
    else:
        power = graph.add("Sqrt", power)
    image = graph.add("Log", graph.add("Add", power, FLOOR)), graph.add("Div", step, np.pi)
    for channel, scale, shift in zip(image, spectra.scale, spectra.shift, strict=True):
        normalized = graph.add("Add", graph.add("Mul", channel, scale), shift)
        comb.append(graph.add("Clip", normalized, -1.0, 1.0))
    return graph.add("Concat", *comb, axis=1)


def _harmonic_spectrum(graph: _Graph, frequency: str) -> tuple[str, str]:
    """Power and phase step [shape=(n, 1, 1024)]: `reverbsynth.spectra.harmonics`."""
    bin_hz = SAMPLE_RATE / N_FFT
    hz = np.arange(1, BINS + 1) * bin_hz
    last = graph.add("Floor", graph.add("Div", SAMPLE_RATE / 2 - 1e-3, frequency))
    nearest = graph.add("Max", graph.add("Round", graph.add("Div", hz, frequency)), 1.0)
    nearest = graph.add("Min", nearest, last)
    harmonics = graph.add("Add", nearest, np.array([[-1.0], [0.0], [1.0]]))
    there = graph.add(
        "And",
        graph.add("GreaterOrEqual", harmonics, 1.0),
        graph.add("LessOrEqual", harmonics, last),
    )
    away = graph.add("Sub", hz, graph.add("Mul", harmonics, frequency))
    lobes = _window_transform(graph, graph.add("Div", away, bin_hz))
    loudest = (HARMONIC_AMPLITUDE * N_FFT / 4) ** 2
    peaks = graph.add("Div", loudest, graph.add("Max", harmonics, 1.0))
    powers = graph.add("Mul", peaks, graph.add("Mul", lobes, lobes))
    power = graph.add("ReduceSum", graph.add("Where", there, powers, 0.0), (1,))
    turn = graph.fraction(graph.add("Mul", frequency, HOP / SAMPLE_RATE))
    turns = graph.fraction(graph.add("Mul", nearest, turn))
    return power, _wrapped(graph, graph.add("Mul", turns, 2 * np.pi))


def _window_transform(graph: _Graph, bins: str) -> str:
    def pole(distance: str) -> str:
        square = graph.add("Mul", distance, distance)
        return graph.add("Mul", distance, graph.add("Sub", 1.0, square))

    distance = graph.add("Abs", bins)
    near = graph.add("Less", graph.add("Abs", pole(distance)), 1e-3)
    distance = graph.add("Where", near, graph.add("Add", distance, 2e-3), distance)
    sine = graph.add("Sin", graph.add("Mul", distance, np.pi))
    return graph.add("Div", sine, graph.add("Mul", pole(distance), np.pi))


def _wrapped(graph: _Graph, step: str) -> str:
    turns = graph.add("Floor", graph.add("Div", graph.add("Add", step, np.pi), 2 * np.pi))
    return graph.add("Sub", step, graph.add("Mul", turns, 2 * np.pi))


def _steady_conv(graph: _Graph, coordinates: str, taps: str, side: int, block: int) -> str:
    """What the coordinates add to a convolution, [shape=(n, filters, frames, bins)].

    They are the same in all frames, so only frames that see the edges differ.
    """
    frames, bins = schedule.resolution(block)
    parts = graph.add("Reshape", coordinates, (0, COORDINATES, 1, bins, BINS // bins))
    along = graph.add("ReduceMean", parts, axes=[4], keepdims=0)
    if side == 1:
        return graph.add("Conv", along, taps)
    around = side // 2
    few = graph.add("Concat", *[along] * side, axis=2)
    few = graph.add("Conv", few, taps, pads=[around] * 4)
    middle = [around] * (frames - 2 * around)
    return graph.add("Gather", few, (*range(around), *middle, *range(around + 1, side)), axis=2)


def _pixel_norm(graph: _Graph, x: str) -> str:
    mean = graph.add("ReduceMean", graph.add("Mul", x, x), axes=[1], keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", mean, 1e-8))
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
        graph.add("Squeeze", graph.slice(full, 1, channel, channel + 1), (1,))
        for channel in range(CHANNELS)
    )
    magnitude = graph.add("Exp", log_magnitude)
    kind = generator.spectra.representation
    if kind != "phase":
        phase = _integrated(graph, phase)
    if kind == "mel":
        bands = mel.to_linear_bins()
        power = graph.add("Add", _projected(graph, magnitude, bands), FLOOR)
        magnitude, phase = graph.add("Sqrt", power), _projected(graph, phase, bands)
    # Whole turns are taken off in half turns, where they are exact.
    turns = graph.add("Round", graph.add("Mul", phase, 0.5))
    phase = graph.add("Sub", phase, graph.add("Mul", turns, 2.0))
    radians = graph.add("Mul", phase, np.pi)
    cosine, sine = graph.add("Cos", radians), graph.add("Sin", radians)
    return graph.add("Mul", magnitude, cosine), graph.add("Mul", magnitude, sine)


def _integrated(graph: _Graph, frequency: str) -> str:
    """Running sums over frames: within every 8, and of those sums, which rounds less than one."""
    few = graph.add("Reshape", frequency, (0, FRAMES // 8, 8, BINS))
    within = graph.add("CumSum", few, graph.constant(2, np.int64))
    until = graph.slice(within, 2, 7, 8)
    before = graph.add("CumSum", until, graph.constant(1, np.int64), exclusive=1)
    return graph.add("Reshape", graph.add("Add", within, before), (0, FRAMES, BINS))


def _projected(graph: _Graph, x: str, banded: mel.Banded) -> str:
    """``x @ matrix`` over the last axis, of three."""
    terms = [
        graph.add("Mul", graph.add("Gather", x, tuple(source), axis=2), weight)
        for source, weight in zip(banded.sources.tolist(), banded.weights, strict=True)
    ]
    return graph.total(terms)


def _add_wave(graph: _Graph, real: str, imaginary: str) -> None:
    """Add the output ``wave``: `reverbsynth.spectra.stft.istft`."""
    parts = [graph.add("Unsqueeze", part, (3,)) for part in (real, imaginary)]
    spectrum = graph.add("Concat", *parts, axis=3)
    # The real part of the upper half left empty is half the sound, but for the last bin, Nyquist's.
    twice = np.full((1, 1, BINS, 1), 2.0)
    twice[:, :, -1] = 1.0
    spectrum = graph.add("Mul", spectrum, twice)
    room = (0, 0, 1, 0, 0, 0, N_FFT - BINS - 1, 0)
    frames = graph.add("DFT", graph.add("Pad", spectrum, room), axis=2, inverse=1)
    frames = graph.add("Squeeze", graph.slice(frames, 3, 0, 1), (3,))
    frames = graph.add("Mul", frames, dual_window())
    overlaps = N_FFT // HOP
    # Quarter q of frame t lands in hop t + q.
    quarters = [
        graph.add(
            "Pad",
            graph.slice(frames, 2, q * HOP, (q + 1) * HOP),
            (0, q, 0, 0, overlaps - 1 - q, 0),
        )
        for q in range(overlaps)
    ]
    samples = (FRAMES + overlaps - 1) * HOP
    flat = graph.add("Reshape", graph.total(quarters), (-1, samples))
    ends = (LEAD,), (LEAD + NOTE_LENGTH,)
    graph.add("Slice", flat, *ends, (1,), name="wave")
