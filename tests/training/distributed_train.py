"""``reverbsynth train`` on a machine with so many logical processors; the first argument says.

The environment may set a clock: ``SECONDS_A_STEP`` is what a step takes by it, and SIGTERM comes in
this process' step ``LAST_STEP``.
"""

import os
import signal
import sys
from types import SimpleNamespace

import keras

from reverbsynth.cli import main
from reverbsynth.training import stage_progress
from reverbsynth.training.callbacks import MetricsLog


def set_clock(seconds_a_step: float, last_step: int | None) -> None:
    steps = 0
    record = MetricsLog.on_train_batch_end

    def tick(self, batch, logs=None):
        nonlocal steps
        record(self, batch, logs)
        steps += 1
        if steps == last_step:
            signal.raise_signal(signal.SIGTERM)

    MetricsLog.on_train_batch_end = tick
    stage_progress.time = SimpleNamespace(monotonic=lambda: steps * seconds_a_step)


if __name__ == "__main__":
    processors = int(sys.argv.pop(1))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * processors
        )
    if "SECONDS_A_STEP" in os.environ:
        last = os.environ.get("LAST_STEP")
        set_clock(float(os.environ["SECONDS_A_STEP"]), last and int(last))
    main()
