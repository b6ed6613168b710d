"""``reverbsynth train`` on a machine with so many logical processors; the first argument says."""

import sys

import keras

from reverbsynth.cli import main

if __name__ == "__main__":
    processors = int(sys.argv.pop(1))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * processors
        )
    main()
