"""One training step (generator and critic) at several stages, against a plain large convolution.

    python benchmarks/training_step.py [--stages 0 4 8 12] [--batch 8] [--repeats 3]
        [--backends tensorflow jax] [--precisions float32 bfloat16]

Full filters, 61 pitches, the paper's losses. Every backend and precision has a process of its own.
Per stage: CPU-seconds a step (all threads), images a second (wall-clock), seconds to compile (the
first step less a later one), the part of a step that fetching a batch would take if nothing ran
beside it, and the cost of a checkpoint as a part of `training.checkpoint_minutes`.

Operations *needed* are counted from the layers: 4 times the generator's forward pass (generator
step: forward and twice that back; critic step: forward) and 14 times the critic's (generator step:
forward, back to the image; critic step: 3 each for real and generated; penalty: forward, back to
the image, twice that for the weights, and twice more since the minibatch deviation's slope depends
on what came forward). *Executed* ones are counted in the graph that runs. The
rate is needed operations a CPU-second; the ceiling is that of a 3x3 convolution of 128 channels on
8 images of 64 x 128, measured before each stage in the same process and precision.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stages", type=int, nargs="+", default=[0, 4, 8, 12])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax"])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        measure(options)
        return
    print(
        f"{'backend':10} {'precision':9} {'stage':>5} {'CPU-s':>8} {'images/s':>8} {'compile':>8}"
        f" {'input':>7} {'ckpt':>7} {'needed':>8} {'exec/n':>6} {'rate':>7} {'ceiling':>7}"
    )
    for backend in options.backends:
        for precision in options.precisions:
            arguments = ["--child", "--backends", backend, "--precisions", precision]
            for name in ("stages", "batch", "repeats"):
                value = getattr(options, name)
                values = value if isinstance(value, list) else [value]
                arguments += [f"--{name}", *map(str, values)]
            environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            command = [sys.executable, __file__, *arguments]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            for line in process.stdout:
                row = json.loads(line)
                print(
                    f"{backend:10} {precision:9} {row['stage']:5d} {row['cpu']:8.3f}"
                    f" {row['images']:8.1f} {row['compile']:7.1f}s {row['input']:7.2%}"
                    f" {row['checkpoint']:7.2%} {row['needed'] / 1e9:7.1f}G"
                    f" {row['executed'] / row['needed']:6.2f} {row['rate'] / 1e9:6.0f}G"
                    f" {row['ceiling'] / 1e9:6.0f}G",
                    flush=True,
                )
            if process.wait():
                sys.exit(f"{backend}, {precision}: the measurement failed")


def measure(options) -> None:
    """Print a JSON line for each stage."""
    import numpy as np

    from reverbsynth.gan import schedule
    from reverbsynth.gan.labels import LabelSpace
    from reverbsynth.gan.model import ProgressiveGAN
    from reverbsynth.settings import Settings
    from reverbsynth.training.checkpoints import Checkpoints
    from reverbsynth.training.input_pipeline import BatchSequence

    backend, precision = options.backends[0], options.precisions[0]
    settings = Settings.preset(
        "paper", **{"training.batch": options.batch, "training.precision": precision}
    )
    space = LabelSpace({"pitch": range(24, 85)})
    histogram = np.stack([np.arange(61), np.ones(61, int)], axis=1)
    rng = np.random.default_rng(0)
    for stage in options.stages:
        ceiling = convolution_rate(backend, precision)
        model = ProgressiveGAN(settings, space, histogram, stage)
        shape = (4 * options.batch, *schedule.stage_resolution(stage), 2)
        pixels = rng.uniform(-1, 1, shape).astype(np.float32) * [5, 0.5] - [6, 0]
        labels = rng.integers(0, 61, (len(pixels), 1)).astype(np.int32)
        steps = options.repeats + 1
        batches = BatchSequence(
            pixels.astype(np.float32), (labels,), options.batch, 0, 0, steps * options.batch
        )
        clock = step_clock()
        model.fit(batches, shuffle=False, verbose=0, callbacks=[clock])
        (first, _), *later = clock.spent
        wall, cpu = (min(values) for values in zip(*later, strict=True))
        executed = operations(model, batches[0], backend)
        fetch, _ = timed(lambda batches=batches: batches[1], 20)
        with tempfile.TemporaryDirectory() as folder:
            saving, _ = timed(
                lambda model=model, to=folder: Checkpoints(Path(to)).save(model, 0, 0.0), 1
            )
        needed = operations_needed(model, options.batch)
        row = {
            "stage": stage,
            "cpu": cpu,
            "images": options.batch / wall,
            "compile": first - wall,
            "input": fetch / wall,
            "checkpoint": saving / (60 * settings.training.checkpoint_minutes),
            "needed": needed,
            "executed": executed,
            "rate": needed / cpu,
            "ceiling": ceiling,
        }
        print(json.dumps(row), flush=True)


def step_clock():
    """A callback that notes the wall-clock and CPU-seconds of each step."""
    import keras

    class StepClock(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.spent, self._last = [], self._now()

        def on_train_batch_end(self, batch, logs=None):
            logs = {name: float(value) for name, value in logs.items()}
            now = self._now()
            self.spent.append(tuple(b - a for a, b in zip(self._last, now, strict=True)))
            self._last = now

        def _now(self):
            return time.perf_counter(), time.process_time()

    return StepClock()


def timed(action, repeats: int) -> tuple[float, float]:
    """Wall-clock and CPU-seconds of one repetition: the least of them, as other work only adds."""
    found = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(wall for wall, _ in found), min(cpu for _, cpu in found)


def operations_needed(model, batch: int) -> int:
    """Floating-point operations of one step of a stable stage, two for a product and its sum."""
    generator = network_operations(model.generator, "to_rgb")
    critic = network_operations(model.discriminator, "from_rgb")
    return batch * (4 * generator + 14 * critic)


def network_operations(network, rgb: str) -> int:
    """Floating-point operations of one image's forward pass."""
    import math

    from reverbsynth.gan import layers, schedule

    total = 0
    for name, layer in network.parts.items():
        block = int(name.split("/")[0].removeprefix("block_")) if "/" in name else 0
        if name.endswith(rgb) and block != network.n_blocks:
            continue
        products = math.prod(layer.kernel.shape)
        if isinstance(layer, layers.UpscaleConv):
            # Of the kernel's 9 taps on the upscaled image 4 see different pixels.
            products = products * 4 // 9
        if isinstance(layer, layers.Conv) and not isinstance(layer, layers.ValidConv):
            products *= math.prod(schedule.resolution(block))
        total += 2 * products
    return total


def operations(model, data, backend: str) -> float:
    """Floating-point operations in the graph of one step: convolutions and matrix products."""
    import math

    if backend == "jax":
        from keras.src.backend.jax.trainer import jax

        state = model._get_jax_state(
            trainable_variables=True,
            non_trainable_variables=True,
            optimizer_variables=True,
            metrics_variables=True,
        )
        return jax.jit(model.train_step).lower(state, data).cost_analysis()["flops"]
    import tensorflow as tf

    graph = tf.function(model.step).get_concrete_function([tf.constant(part) for part in data])
    total = 0
    for op in graph.graph.get_operations():
        if op.type == "Conv2D":
            total += 2 * math.prod(op.outputs[0].shape) * math.prod(op.inputs[1].shape[:3])
        elif op.type == "Conv2DBackpropInput":
            kernel = tf.get_static_value(op.inputs[1])
            kernel = op.inputs[1].shape if kernel is None else kernel.shape
            total += 2 * math.prod(op.inputs[2].shape) * math.prod(kernel[:3])
        elif op.type == "Conv2DBackpropFilter":
            kernel = op.outputs[0].shape
            total += 2 * math.prod(op.inputs[2].shape) * math.prod(kernel[:3])
        elif op.type == "MatMul":
            inner = op.inputs[0].shape[0 if op.get_attr("transpose_a") else 1]
            total += 2 * math.prod(op.outputs[0].shape) * inner
    return total


def convolution_rate(backend: str, precision: str) -> float:
    """Floating-point operations a CPU-second of a plain large convolution."""
    import keras
    import numpy as np

    images = np.random.default_rng(0).standard_normal((8, 64, 128, 128), np.float32)
    kernel = keras.ops.convert_to_tensor(np.ones((3, 3, 128, 128), np.float32), precision)
    images = keras.ops.convert_to_tensor(images, precision)

    def convolve(x, w):
        return keras.ops.conv(x, w, padding="same", data_format="channels_last")

    if backend == "jax":
        import jax

        compiled = jax.jit(convolve)
        action = lambda: compiled(images, kernel).block_until_ready()  # noqa: E731
    else:
        import tensorflow as tf

        compiled = tf.function(convolve)
        action = lambda: compiled(images, kernel)  # noqa: E731
    action()
    _, cpu = timed(action, 3)
    return 2 * 8 * 64 * 128 * 9 * 128 * 128 / cpu


if __name__ == "__main__":
    main()
