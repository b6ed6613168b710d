"""``reverbsynth`` on a machine with so many logical processors; the first argument says.

The environment may set a clock: ``SECONDS_A_STEP`` is what a step takes by it, and SIGTERM comes in
this process' step ``LAST_STEP``.
"""

import os
import signal
import sys
from functools import partial

import keras

from reverbsynth import cli
from reverbsynth.training import train as train_module


class StepClock(keras.callbacks.Callback):
    """A clock by which every step takes as long, and which may end in SIGTERM."""

    def __init__(self, seconds_a_step: float, last_step: int | None):
        super().__init__()
        self.seconds_a_step, self.last_step, self.steps = seconds_a_step, last_step, 0

    def __call__(self) -> float:
        return self.steps * self.seconds_a_step

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1

    def on_train_batch_begin(self, batch, logs=None):
        if self.steps + 1 == self.last_step:
            signal.raise_signal(signal.SIGTERM)


def main() -> None:
    processors = int(sys.argv.pop(1))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * processors
        )
    if "SECONDS_A_STEP" in os.environ:
        last = os.environ.get("LAST_STEP")
        clock = StepClock(float(os.environ["SECONDS_A_STEP"]), last and int(last))
        train_module.train = partial(train_module.train, callbacks=[clock], clock=clock)
    cli.main()
