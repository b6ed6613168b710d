"""Training on several devices: one machine's, or those of a cluster.

The engines are TensorFlow's `tf.distribute` and Keras' `keras.distribution` (JAX). Every device
holds both networks and takes its share of each batch. What is random is drawn for the whole batch,
the same on every device, and gradients and the minibatch deviation are taken over all devices:
the losses are those of one device with the same batch, but for the order of sums. A lazy gradient
penalty (``losses.penalty_every``) saves nothing on several devices of TensorFlow, which compute it
in every step. Where stages go by the clock, it is the chief's.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, TypeVar, get_args

import keras

from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings
from reverbsynth.training.input_pipeline import BatchSequence

Distribute = Literal["none", "mirrored", "multi-worker"]
CHOICES = get_args(Distribute)
T = TypeVar("T")


class Devices:
    """One device.

    Attributes
    ----------
    count : int
        Devices in all, each of which takes its share of a batch.
    chief : bool
        Whether this process writes the run directory.
    """

    count = 1
    chief = True

    def scope(self) -> AbstractContextManager:
        """Where models are made and trained."""
        return nullcontext()

    def fit(self, model: keras.Model, batches: BatchSequence, callbacks: list) -> None:
        """Train on all batches."""
        model.fit(batches, shuffle=False, verbose=0, callbacks=callbacks)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; every process must ask."""
        return flag

    def of_chief(self, value: float) -> float:
        """The value that the chief's process has; every process must ask."""
        return value

    def in_turn(self, action: Callable[[], T]) -> T:
        """Run the action in the chief's process first, then in the others: it may write files."""
        if self.chief:
            result = action()
            self.any(False)
            return result
        self.any(False)
        return action()

    def check(self, settings: Settings) -> None:
        """Refuse settings that these devices cannot follow.

        Raises
        ------
        ReverbSynthError
            For a batch that does not divide evenly.
        """
        batch = settings.training.batch
        if batch % self.count:
            raise ReverbSynthError(
                f"training.batch: found {batch}, expected a multiple of {self.count} devices"
            )


class JaxDevices(Devices):
    """All devices of this machine, by `keras.distribution.DataParallel`."""

    def __init__(self):
        self._distribution = keras.distribution.DataParallel()
        self.count = self._distribution.num_model_replicas

    def scope(self) -> AbstractContextManager:
        return self._distribution.scope()


class TensorFlowDevices(Devices):
    """The devices of a `tf.distribute` strategy.

    Parameters
    ----------
    strategy : tf.distribute.Strategy
        Mirrored, or mirrored over several processes.
    """

    def __init__(self, strategy):
        self.strategy = strategy
        self.count = strategy.num_replicas_in_sync
        cluster = strategy.cluster_resolver
        self.processes = 1
        self._sum = None
        if cluster is not None and cluster.cluster_spec():
            spec = cluster.cluster_spec().as_dict()
            self.processes = sum(len(tasks) for tasks in spec.values())
            first = "chief" if "chief" in spec else "worker"
            self.chief = (cluster.task_type, cluster.task_id) == (first, 0)

    def scope(self) -> AbstractContextManager:
        return self.strategy.scope()

    def fit(self, model: keras.Model, batches: BatchSequence, callbacks: list) -> None:
        import tensorflow as tf

        def pipeline(context):
            share = batches.batch // self.count
            local = self.count // self.processes
            first = context.input_pipeline_id * local

            def shares():
                for step in range(len(batches)):
                    images, labels = batches[step]
                    for replica in range(first, first + local):
                        part = slice(replica * share, (replica + 1) * share)
                        yield images[part], labels[part]

            signature = tuple(
                tf.TensorSpec((share, *array.shape[1:]), array.dtype)
                for array in (batches.images, batches.labels)
            )
            return tf.data.Dataset.from_generator(shares, output_signature=signature).prefetch(2)

        data = self.strategy.distribute_datasets_from_function(pipeline)
        steps = len(batches)
        model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=callbacks)

    def any(self, flag: bool) -> bool:
        return flag if self.processes == 1 else self._total(float(flag)) > 0

    def of_chief(self, value: float) -> float:
        if self.processes == 1:
            return value
        # Each of a process' devices takes part in the sum.
        return self._total(value * self.processes / self.count if self.chief else 0.0)

    def _total(self, value: float) -> float:
        """Sum over all devices, each with its process' value: exact enough for a clock."""
        import tensorflow as tf

        if self._sum is None:

            def local(value):
                context = tf.distribute.get_replica_context()
                return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))

            self._sum = tf.function(lambda value: self.strategy.run(local, args=(value,)))
        total = self._sum(tf.constant(value, tf.float64))
        return float(self.strategy.experimental_local_results(total)[0])


def devices(distribute: Distribute = "none") -> Devices:
    """The devices to train on.

    Parameters
    ----------
    distribute : {"none", "mirrored", "multi-worker"}
        One device; all of this machine; or, with TensorFlow, all of the machines that the
        environment variable ``TF_CONFIG`` lists.

    Raises
    ------
    ReverbSynthError
        When the backend cannot, or ``TF_CONFIG`` is missing.
    """
    if distribute == "none":
        return Devices()
    if distribute not in CHOICES:
        raise ReverbSynthError(f"distribute: found {distribute!r}, expected {', '.join(CHOICES)}")
    backend = keras.backend.backend()
    if backend == "jax":
        if distribute == "multi-worker":
            raise ReverbSynthError(
                "distribute: found multi-worker with KERAS_BACKEND=jax, expected tensorflow"
            )
        return JaxDevices()
    import tensorflow as tf

    if distribute == "multi-worker":
        if not os.environ.get("TF_CONFIG"):
            raise ReverbSynthError(
                "TF_CONFIG: not set, expected the cluster and this process' place in it"
            )
        return TensorFlowDevices(tf.distribute.MultiWorkerMirroredStrategy())
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    names = [device.name for device in tf.config.list_logical_devices(kind)]
    return TensorFlowDevices(tf.distribute.MirroredStrategy(names))
