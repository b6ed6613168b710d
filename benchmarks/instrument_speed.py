"""Notes per CPU-second of a full-size generator, and the inverse transform against its FFTs.

    python benchmarks/instrument_speed.py

The original's numbers are CPU-seconds for 8 notes on two cores with another job running
(Magenta's GANSynth, TensorFlow 1): 1.2 at stage 8 and 2.6 at stage 12. The best of several
repetitions counts, since other work on the machine only ever adds. The generator as it trains
(`reverbsynth.gan.networks`), batch 8 in a TensorFlow graph, stands beside it in the same run.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import ops

from reverbsynth.gan import schedule
from reverbsynth.gan.networks import Generator
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import GanSettings, SpectraSettings
from reverbsynth.spectra.format import BINS, FRAMES, IMAGE_SHAPE, N_FFT
from reverbsynth.spectra.representation import Representation

ORIGINAL = {8: 1.2, 12: 2.6}
NOTES = 8


def best(function, repeats: int) -> tuple[float, float]:
    """CPU-seconds and seconds of the quickest repetition."""
    function()
    cpu, wall = [], []
    for _ in range(repeats):
        started, clock = time.process_time(), time.perf_counter()
        function()
        cpu.append(time.process_time() - started)
        wall.append(time.perf_counter() - clock)
    return min(cpu), min(wall)


def compiled(function):
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function, autograph=False, jit_compile=True)


def untrained(stage: int) -> Instrument:
    gan = GanSettings()
    generator = Generator(gan, 61, stage)
    weights = {n: ops.convert_to_numpy(v.value) for n, v in generator.named_variables().items()}
    return Instrument(
        gan, SpectraSettings(), {"pitch": list(range(24, 85))}, stage, stage / 2, weights, {}
    )


def as_trained(instrument: Instrument):
    """Images of 8 notes by the training network."""
    import tensorflow as tf

    generator = Generator(instrument.gan, len(instrument.pitches), instrument.stage)
    z, condition = instrument.latents(NOTES, 0), instrument.condition([40] * NOTES)
    progress = ops.convert_to_tensor(instrument.progress, "float32")
    graph = tf.function(lambda: generator(z, condition, progress), autograph=False)
    return lambda: graph().numpy()


def inverse(repeats: int) -> None:
    representation = Representation(SpectraSettings())
    rng = np.random.default_rng(0)
    images = ops.convert_to_tensor(0.3 * rng.standard_normal((NOTES, *IMAGE_SHAPE)), "float32")
    half = ops.convert_to_tensor(rng.standard_normal((NOTES, FRAMES, BINS + 1)), "float32")
    decode = compiled(representation.decode)
    transform = compiled(lambda real, imaginary: ops.irfft((real, imaginary), fft_length=N_FFT))
    all_of_it = best(lambda: ops.convert_to_numpy(decode(images)), repeats)[0]
    ffts = best(lambda: ops.convert_to_numpy(transform(half, half)), repeats)[0]
    print(
        f"inverse of {NOTES} notes: {1e3 * all_of_it:.1f} ms CPU, its FFTs {1e3 * ffts:.1f} ms: ",
        end="",
    )
    print(f"{all_of_it / ffts:.2f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    inverse(repeats)
    for stage, original in ORIGINAL.items():
        instrument = untrained(stage)
        many, wall = best(lambda i=instrument: i.notes([40] * NOTES, seed=0), repeats)
        _, single = best(lambda i=instrument: i.notes([40], seed=0), repeats)
        height, bins = schedule.stage_resolution(stage)
        line = (
            f"stage {stage} ({height}x{bins}), {NOTES} notes: {many:.3f} CPU-s, {wall:.3f} s; "
            f"the original {original} CPU-s: {original / many:.2f} times the notes per CPU-second; "
            f"one note {single:.3f} s"
        )
        if keras.backend.backend() == "tensorflow":
            trained, _ = best(as_trained(instrument), max(repeats // 3, 1))
            line += f"; images alone by the training network {trained:.3f} CPU-s"
        print(line, flush=True)


if __name__ == "__main__":
    main()
