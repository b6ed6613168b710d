"""Nearest upscaling and a 3x3 convolution, against one transposed convolution.

    KERAS_BACKEND=tensorflow python benchmarks/upscale_convolution.py

Prints, for the first convolution of blocks 3 to 6 at full filters and batch 8, CPU-seconds of
both, forward and with gradients, and their ratio in the same run.
"""

import argparse
import time

import keras
import numpy as np
from keras import ops

from reverbsynth.gan import schedule
from reverbsynth.gan.architecture import filters
from reverbsynth.gan.layers import Conv, UpscaleConv
from reverbsynth.settings import GanSettings
from reverbsynth.spectra.scaling import upscale


def apart(layer, x):
    return Conv.call(layer, upscale(x))


def together(layer, x):
    return UpscaleConv.call(layer, x)


def compiled(function, layer):
    """Forward pass, and gradients by input and kernel, of one TensorFlow form."""
    import tensorflow as tf

    @tf.function
    def forward(x):
        return function(layer, x)

    @tf.function
    def backward(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(function(layer, x) ** 2)
        return tape.gradient(loss, [x, layer.kernel.value])[1]

    return forward, backward


def cpu_seconds(function, x, repeats: int) -> float:
    function(x)
    times = []
    for _ in range(repeats):
        start = time.process_time()
        np.asarray(function(x))
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    if keras.backend.backend() != "tensorflow":
        raise SystemExit("KERAS_BACKEND: expected tensorflow (on JAX the two stay apart)")
    settings = GanSettings()
    print(f"{'block':>5} {'pass':>9} {'apart':>8} {'together':>8} {'ratio':>6}")
    for block in range(3, 7):
        height, width = schedule.resolution(block - 1)
        below = filters(settings, block - 1)
        layer = UpscaleConv((3, 3, below, filters(settings, block)), "conv")
        rng = np.random.default_rng(0)
        x = ops.convert_to_tensor(rng.standard_normal((8, height, width, below)), "float32")
        forms = [compiled(function, layer) for function in (apart, together)]
        for i, name in enumerate(("forward", "gradients")):
            one, other = (cpu_seconds(form[i], x, repeats) for form in forms)
            print(f"{block:5d} {name:>9} {one:8.3f} {other:8.3f} {one / other:6.2f}")


if __name__ == "__main__":
    main()
