"""A trained generator as an ONNX graph: network, spectra and inverse transform in one model.

The graph is what plays, in Python (`reverbsynth.instrument.instrument`) as in a web page. It is
written operator by operator, so that it holds nothing but what the sound needs and building it
needs no framework. Convolutions are in ONNX's own order of dimensions, (n, channels, frames, bins).
"""

import json
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from reverbsynth import provenance
from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.gan import architecture, schedule
from reverbsynth.gan.architecture import CHANNELS, condition_size, register
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.instrument.onnx_graph import Graph, Value
from reverbsynth.spectra import format as framing
from reverbsynth.spectra import mel
from reverbsynth.spectra.format import BINS, FLOOR, FRAMES, HOP, N_FFT, TINY

OPSET = 17
_HOPS = FRAMES + N_FFT // HOP - 1
_IR_VERSION = 8


def metadata(generator: TrainedGenerator) -> dict[str, Any]:
    """What a player of the graph has to know, as JSON values; the model holds each as JSON text.

    ``labels`` are pairs of a name and its values, in the order of the one-hot blocks; with the
    ``pitch_input`` ``harmonic`` a pitch stands in place of the first, or, with ``key_shares``,
    before it; ``image`` is frames and bins.
    """
    return {
        "labels": generator.labels.to_json(),
        "pitch_input": generator.gan.pitch_input,
        "key_shares": generator.gan.key_shares,
        "trained_pitches": list(generator.trained_pitches),
        "latent_size": generator.gan.latent_size,
        "stage": generator.stage,
        "image": list(schedule.stage_resolution(generator.stage)),
        "sample_rate": SAMPLE_RATE,
        "note_seconds": NOTE_LENGTH / SAMPLE_RATE,
        "provenance": generator.facts,
    }


def build(generator: TrainedGenerator, float16: bool = False) -> onnx.ModelProto:
    """The generator as an ONNX model; ``float16`` keeps its weights, not its sums, in that format.

    Inputs are ``z`` [shape=(n, latent_size)] and ``condition``
    (`reverbsynth.gan.architecture.condition`), outputs ``wave`` [shape=(n, 64000)] and ``image``
    [shape=(n, 2, h, w)]: log-magnitude and instantaneous frequency, at the stage's resolution.
    """
    graph = Graph()
    spectra, size = generator.spectra, schedule.stage_resolution(generator.stage)
    image = _image(graph, generator, float16) - np.reshape(spectra.shift, (1, CHANNELS, 1, 1))
    image = image.op("Div", np.reshape(spectra.scale, (1, CHANNELS, 1, 1)), name="image")
    _add_wave(_stft(image, generator), spectra.projections)

    def described(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", *shape))

    width = condition_size(generator.gan, generator.labels)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "reverbsynth",
            [described("z", generator.gan.latent_size), described("condition", width)],
            [described("wave", NOTE_LENGTH), described("image", CHANNELS, *size)],
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


def _image(graph: Graph, generator: TrainedGenerator, float16: bool) -> Value:
    """The normalized image [shape=(n, 2, h, w)]: `reverbsynth.gan.networks.Generator`."""
    n_blocks, gan = schedule.blocks(generator.stage), generator.gan
    condition = Value(graph, "condition")
    if gan.pitch_input == "one-hot":
        condition = condition * gan.label_scale
    else:
        pitch = condition.part(1, 0, 1)
        coordinates = _coordinates(pitch, generator)
        along = {
            block: _at_block(coordinates, block)
            for block in range(architecture.FIRST_COORDINATED, n_blocks + 1)
        }
        shares = condition.part(1, 1, condition_size(gan, generator.labels)) * gan.label_scale
        place = pitch * (register(1.0) - register(0.0)) + register(0.0)
        condition = place.op("Concat", shares, axis=1)

    def kernel_and_bias(block: int, part: str) -> tuple[np.ndarray, float, np.ndarray]:
        """A layer's kernel, the scale of its equalized learning rate, and its bias."""
        kernel = generator.weights[f"block_{block}/{part}/kernel"]
        gain = 1.0 if part == "to_rgb" else 2.0
        scale = float(np.sqrt(gain / np.prod(kernel.shape[:-1])))
        return kernel, scale, generator.weights[f"block_{block}/{part}/bias"]

    def conv(x: Value, block: int, part: str) -> Value:
        kernel, scale, bias = kernel_and_bias(block, part)
        kernel, side = kernel.transpose(3, 2, 0, 1), len(kernel)
        beside = 0 if part == "conv0" else architecture.coordinates_of(gan, block)
        own = kernel.shape[1] - beside
        taps, bias_name = graph.weight(kernel[:, :own], float16, scale), graph.weight(bias, float16)
        if part == "conv0" and side == 3:
            return _upscaled_conv(x, taps, bias_name)
        x = x.upscale(2) if part == "conv0" else x
        x = x.op("Conv", taps, bias_name, pads=[side // 2] * 4)
        if not beside:
            return x
        taps = graph.weight(kernel[:, own:], float16, scale)
        return x + _steady_conv(along[block], taps, side, block)

    def skip(block: int) -> list[Value]:
        kernel, scale, bias = kernel_and_bias(block, "skip")
        both = told.op("MatMul", graph.weight(kernel, float16, scale)) + graph.weight(bias, float16)
        both, channels = both.op("Reshape", (0, len(bias), 1, 1)), len(bias) // 2
        return [both.part(1, 0, channels), both.part(1, channels, 2 * channels)]

    def said(block: int) -> Value:
        own = conv(activations[block], block, "to_rgb")
        refines = architecture.coordinates_of(gan, block) and block >= architecture.FIRST_REFINING
        return said(block - 1).upscale_in_lines(2) + own if refines else own

    def image(block: int) -> Value:
        x = said(block)
        told = architecture.coordinates_of(gan, block)
        return _over_tone(x, along[block], generator) if told else x.op("Tanh")

    z = Value(graph, "z")
    if gan.timbres:
        shares = (z.part(1, 0, gan.timbres) * architecture.SHARPNESS).op("Softmax", axis=1)
        z = (shares * architecture.SHARE).op(
            "Concat", z.part(1, gan.timbres, gan.latent_size), axis=1
        )
    x = told = _pixel_norm(z.op("Concat", condition, axis=1))
    kernel, scale, bias = kernel_and_bias(1, "conv0")
    # Each output pixel is a dense product with one mirrored tap (`layers.FirstConv`).
    dense = kernel[::-1, ::-1].transpose(2, 3, 0, 1).reshape(kernel.shape[2], -1)
    x = x.op("MatMul", graph.weight(dense, float16, scale))
    x = x.op("Reshape", (-1, len(bias), *architecture.START))
    x = _activated(x + graph.weight(bias.reshape(1, -1, 1, 1), float16))
    x = _activated(conv(x, 1, "conv1"))
    activations = {1: x}
    for block in range(2, n_blocks + 1):
        added = skip(block) if gan.skip_latent else []
        x = conv(x, block, "conv0")
        x = conv(_activated(x + added[0] if added else x), block, "conv1")
        x = activations[block] = _activated(x + added[1] if added else x)
    alpha = generator.progress - (n_blocks - 2)
    if not schedule.is_transition(generator.stage) or alpha >= 1:
        return image(n_blocks)
    return image(n_blocks) * alpha + image(n_blocks - 1).upscale(2) * (1 - alpha)


def _pixel_norm(x: Value) -> Value:
    mean = (x * x).op("ReduceMean", axes=[1], keepdims=1)
    return x * (mean + 1e-8).op("Sqrt").op("Reciprocal")


def _activated(x: Value) -> Value:
    return _pixel_norm(x.op("LeakyRelu", alpha=architecture.LEAK))


def _upscaled_conv(x: Value, kernel: Value, bias: Value) -> Value:
    """Upscaling by 2 and a 3x3 convolution, in 4 products a pixel where the two apart take 9.

    Of three neighbouring taps two meet the same pixel of ``x``. So each of the four pixels that a
    pixel becomes is a 2x2 convolution with sums of taps, which the runtime takes when it loads the
    model.
    """

    def pairs(taps: Value, axis: int) -> list[Value]:
        """Taps that pixels of even and of odd number see of the pixels before, here and after."""
        before, here, after = (taps.part(axis, i, i + 1) for i in range(3))
        return [
            before.op("Concat", here + after, axis=axis),
            (before + here).op("Concat", after, axis=axis),
        ]

    pixels = [
        x.op("Conv", taps, bias, pads=[1 - row, 1 - column, row, column])
        for row, rows in enumerate(pairs(kernel, 2))
        for column, taps in enumerate(pairs(rows, 3))
    ]
    return x.graph.add("Concat", *pixels, axis=1).op("DepthToSpace", blocksize=2, mode="DCR")


def _at_block(coordinates: Value, block: int) -> Value:
    """Coordinates at a block's bins [shape=(n, 6, 1, bins)]."""
    bins = schedule.resolution(block)[1]
    parts = coordinates.op("Reshape", (0, architecture.COORDINATES, 1, bins, BINS // bins))
    return parts.op("ReduceMean", axes=[4], keepdims=0)


def _over_tone(x: Value, along: Value, generator: TrainedGenerator) -> Value:
    """`reverbsynth.gan.pitch_coordinates.over_tone`."""
    limit = architecture.TONE_LIMIT
    tone = along.part(1, 4, 6).op("Clip", -limit, limit).op("Atanh")
    gate = x.part(1, 2, 3).op("Sigmoid")
    level = (x.part(1, 0, 1) + gate * (tone.part(1, 0, 1) - architecture.SILENCE)).op("Tanh")
    floor = np.log(FLOOR) * generator.spectra.scale[0] + generator.spectra.shift[0]
    level = (level - floor).op("LeakyRelu", alpha=architecture.BELOW_FLOOR) + floor
    second = x.part(1, 1, 2)
    if generator.spectra.representation != "phase":
        second = second * architecture.DIFFERENCE + tone.part(1, 1, 2)
    return level.op("Concat", second.op("Tanh"), axis=1)


def _steady_conv(along: Value, taps: Value, side: int, block: int) -> Value:
    """What the coordinates add to a convolution [shape=(n, filters, frames or 1, bins)].

    They are the same in all frames, so only frames that see the edges differ.
    """
    frames, _ = schedule.resolution(block)
    if side == 1:
        return along.op("Conv", taps)
    edge = side // 2
    few = along.op("Concat", *[along] * (side - 1), axis=2).op("Conv", taps, pads=[edge] * 4)
    middle = [edge] * (frames - 2 * edge)
    return few.op("Gather", (*range(edge), *middle, *range(edge + 1, side)), axis=2)


def _coordinates(pitch: Value, generator: TrainedGenerator) -> Value:
    """Coordinates of a pitch [shape=(n, 6, 1024)]: `reverbsynth.gan.pitch_coordinates`."""
    spectra = generator.spectra
    octaves = (pitch.op("Unsqueeze", (2,)) - 69.0) / 12.0
    frequency = pitch.graph.add("Pow", 2.0, octaves) * 440.0
    halves = 0.5 * mel.bin_frequencies(spectra.representation) / frequency
    angle = halves.fraction() * (2 * np.pi)
    comb = [turns.op(wave) for turns in (angle * 2.0, angle) for wave in ("Cos", "Sin")]
    power, step = _harmonic_spectrum(frequency)
    if spectra.representation == "mel":
        power = _projected(power, mel.to_mel_bins())
        step = _wrapped(_projected(step, mel.to_mel_bins()))
    else:
        power = power.op("Sqrt")
    image = ((power + FLOOR).op("Log"), step / np.pi)
    for channel, scale, shift in zip(image, spectra.scale, spectra.shift, strict=True):
        comb.append((channel * scale + shift).op("Clip", -1.0, 1.0))
    return pitch.graph.add("Concat", *comb, axis=1)


def _harmonic_spectrum(frequency: Value) -> tuple[Value, Value]:
    """Power and phase step [shape=(n, 1, 1024)]: `reverbsynth.spectra.harmonics`."""
    bin_hz = SAMPLE_RATE / N_FFT
    hz = np.arange(1, BINS + 1) * bin_hz
    last = ((SAMPLE_RATE / 2 - 1e-3) / frequency).op("Floor")
    nearest = (hz / frequency).op("Round").op("Max", 1.0).op("Min", last)
    harmonics = nearest + np.array([[-1.0], [0.0], [1.0]])
    there = harmonics.op("GreaterOrEqual", 1.0).op("And", harmonics.op("LessOrEqual", last))
    lobes = _window_transform((hz - harmonics * frequency) / bin_hz)
    loudest = (framing.HARMONIC_AMPLITUDE * N_FFT / 4) ** 2
    powers = there.op("Where", loudest / harmonics.op("Max", 1.0) * (lobes * lobes), 0.0)
    turns = (nearest * (frequency * (HOP / SAMPLE_RATE)).fraction()).fraction()
    return powers.op("ReduceSum", (1,)), _wrapped(turns * (2 * np.pi))


def _window_transform(bins: Value) -> Value:
    distance = bins.op("Abs")
    near = (distance * (1.0 - distance * distance)).op("Abs").op("Less", 1e-3)
    distance = near.op("Where", distance + 2e-3, distance)
    return (distance * np.pi).op("Sin") / (distance * np.pi * (1.0 - distance * distance))


def _wrapped(step: Value) -> Value:
    turns = ((step + np.pi) / (2 * np.pi)).op("Floor")
    return step - turns * (2 * np.pi)


def _projected(x: Value, banded: mel.Banded) -> Value:
    """``x @ matrix`` over the last axis, of three."""
    pairs = zip(banded.sources.tolist(), banded.weights, strict=True)
    return reduce(add, (x.op("Gather", tuple(source), axis=2) * w for source, w in pairs))


def _stft(image: Value, generator: TrainedGenerator) -> tuple[Value, Value]:
    """Real and imaginary part [shape=(n, 128, 1024)]: `Representation.to_stft`."""
    factor = schedule.box_factor(schedule.blocks(generator.stage))
    if factor > 1:
        lines = generator.spectra.upscaling == "linear"
        image = image.upscale_in_lines(factor) if lines else image.upscale(factor)
    log_magnitude, phase = (
        image.part(1, channel, channel + 1).op("Squeeze", (1,)) for channel in range(CHANNELS)
    )
    magnitude = log_magnitude.op("Exp")
    kind = generator.spectra.representation
    if kind != "phase":
        phase = _integrated(phase)
    if kind == "mel":
        magnitude = _linear_magnitude(magnitude, generator.spectra.mel_inverse == "nnls")
        phase = _projected(phase, mel.to_linear_bins())
    # Whole turns are taken off in half turns, where they are exact.
    radians = (phase - (phase * 0.5).op("Round") * 2.0) * np.pi
    return magnitude * radians.op("Cos"), magnitude * radians.op("Sin")


def _integrated(frequency: Value) -> Value:
    """Running sums over frames: within every 8, and of those sums, which rounds less than one."""
    few = frequency.op("Reshape", (0, FRAMES // 8, 8, BINS))
    within = few.op("CumSum", few.graph.constant(2, np.int64))
    before = within.part(2, 7, 8).op("CumSum", few.graph.constant(1, np.int64), exclusive=1)
    return (within + before).op("Reshape", (0, FRAMES, BINS))


def _linear_magnitude(power: Value, non_negative: bool) -> Value:
    """Of STFT bins [shape=(n, 128, 1024)]: `reverbsynth.spectra.mel.linear_magnitude`."""
    if not non_negative:
        return (_projected(power, mel.to_linear_bins()) + FLOOR).op("Sqrt")
    power = (power - FLOOR).op("Max", 0.0)
    linear = _projected(power, mel.to_linear_bins())
    matrix = mel.linear_to_mel()
    wanted, squared = _projected(power, mel.Banded(matrix.T)), _diagonals(matrix @ matrix.T)
    for _ in range(mel.NNLS_UPDATES):
        linear = linear * wanted / (_by_diagonals(linear, squared) + TINY)
    return linear.op("Sqrt")


def _diagonals(matrix: np.ndarray) -> list[np.ndarray]:
    """Of a matrix with entries about its diagonal, from the lowest on."""
    reach = int(np.abs(np.subtract(*np.nonzero(matrix))).max())
    rows = np.pad(matrix, ((reach, reach), (0, 0)))
    return [np.diagonal(rows, -i)[:BINS] for i in range(2 * reach + 1)]


def _by_diagonals(x: Value, diagonals: list[np.ndarray]) -> Value:
    """``x @ matrix`` over the last axis, of three, of a matrix by its `_diagonals`."""
    reach = len(diagonals) // 2
    padded = x.op("Pad", (0, 0, reach, 0, 0, reach))
    return reduce(add, (padded.part(2, i, i + BINS) * d for i, d in enumerate(diagonals)))


def _add_wave(spectrum: tuple[Value, Value], projections: int) -> None:
    """Add the output ``wave``: `Representation.decode` from the STFT on."""
    real, imaginary = spectrum
    stated = real * real + imaginary * imaginary
    for _ in range(projections):
        real, imaginary = _analyzed(_overlapped(real, imaginary))
        factor = (stated / (real * real + imaginary * imaginary + TINY)).op("Sqrt")
        real, imaginary = real * factor, imaginary * factor
    hops = _overlapped(real, imaginary).part(1, framing.LEAD // HOP, _HOPS)
    hops.op("Reshape", (-1, NOTE_LENGTH), name="wave")


def _overlapped(real: Value, imaginary: Value) -> Value:
    """The sound of an STFT in hops [shape=(n, 131, 512)]: `reverbsynth.spectra.stft.istft`.

    A complex transform takes two real frames at once, of the first and the second half of the note.
    """
    # A real sound has no imaginary part at the last bin, Nyquist's.
    imaginary = imaginary * (np.arange(BINS) < BINS - 1)
    (real, other_real), (imaginary, other_imaginary) = _halves(real), _halves(imaginary)
    above = _complex(real - other_imaginary, imaginary + other_real)
    below = _complex(real + other_imaginary, other_real - imaginary)
    below = below.part(2, BINS - 2, -BINS - 1, -1)
    spectrum = above.op("Pad", (0, 0, 1, 0, 0, 0, 0, 0)).op("Concat", below, axis=2)
    frames = spectrum.op("DFT", axis=2, inverse=1)
    both = (frames.part(3, i, i + 1).op("Squeeze", (3,)) for i in range(2))
    windowed = real.graph.add("Concat", *both, axis=1) * framing.dual_window()
    overlaps = N_FFT // HOP
    # Quarter q of frame t lands in hop t + q.
    quarters = [
        windowed.part(2, q * HOP, (q + 1) * HOP).op("Pad", (0, q, 0, 0, overlaps - 1 - q, 0))
        for q in range(overlaps)
    ]
    return reduce(add, quarters)


def _analyzed(hops: Value) -> tuple[Value, Value]:
    """The STFT of a sound in hops, up to a factor, two frames at once (`_overlapped`)."""
    lead = framing.LEAD // HOP
    hops = hops.part(1, lead, _HOPS).op("Pad", (0, lead, 0, 0, 0, 0))
    quarters = (hops.part(1, q, q + FRAMES) for q in range(N_FFT // HOP))
    frames = hops.graph.add("Concat", *quarters, axis=2) * framing.window()
    spectrum = _complex(*_halves(frames)).op("DFT", axis=2)
    (real, imaginary), (below_real, below_imaginary) = (
        [part.part(3, i, i + 1).op("Squeeze", (3,)) for i in range(2)]
        for part in (spectrum.part(2, 1, BINS + 1), spectrum.part(2, N_FFT - 1, BINS - 1, -1))
    )
    return (
        (real + below_real).op("Concat", imaginary + below_imaginary, axis=1),
        (imaginary - below_imaginary).op("Concat", below_real - real, axis=1),
    )


def _halves(x: Value) -> tuple[Value, Value]:
    """The first and the second half of the frames."""
    return x.part(1, 0, FRAMES // 2), x.part(1, FRAMES // 2, FRAMES)


def _complex(real: Value, imaginary: Value) -> Value:
    """Complex numbers as the runtime has them, along a last axis."""
    return real.op("Unsqueeze", (3,)).op("Concat", imaginary.op("Unsqueeze", (3,)), axis=3)
