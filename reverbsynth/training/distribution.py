"""Training on several devices: one machine's, or those of a cluster.

The engines are TensorFlow's `tf.distribute` and Keras' `keras.distribution` (JAX). Every device
holds both networks and takes its shard of each batch. Random numbers are drawn for the whole batch,
the same on every device, and gradients and the minibatch deviation are taken over all devices:
the losses are those of one device with the same batch, but for the order of sums. A lazy gradient
penalty (``losses.penalty_every``) saves nothing on several devices of TensorFlow, which compute it
in every step. Where minutes end a stage, the chief's clock counts.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypeVar, get_args

import keras

from reverbsynth.errors import SettingsError
from reverbsynth.settings import Settings
from reverbsynth.training.input_pipeline import BatchSequence

Distribute = Literal["none", "mirrored", "multi-worker"]
T = TypeVar("T")


class Devices:
    """One device. Of all ``count`` devices, those of the ``chief`` write the run directory."""

    count = 1
    chief = True

    def scope(self) -> AbstractContextManager:
        """The context in which models are made and trained."""
        return nullcontext()

    def fit(self, model: keras.Model, batches: BatchSequence, callbacks: list) -> None:
        options = {"steps_per_epoch": len(batches), "shuffle": False, "verbose": 0}
        model.fit(self.shards(batches), callbacks=callbacks, **options)

    def shards(self, batches: BatchSequence) -> Any:
        """The batches as ``fit`` takes them: of each, what this process' devices compute."""
        on_jax = keras.backend.backend() == "jax"
        return batches if on_jax else _dataset(batches, batches.batch, range(1))

    def any_process(self, flag: bool) -> bool:
        """Whether the flag is set in any process. Every process must call it."""
        return flag

    def broadcast_from_chief(self, value: float) -> float:
        """The value that the chief's process has. Every process must call it."""
        return value

    def chief_first(self, action: Callable[[], T]) -> T:
        """Run an action that may write files in the chief's process first, then in the others."""
        if not self.chief:
            self.any_process(False)
            return action()
        result = action()
        self.any_process(False)
        return result

    def check(self, settings: Settings) -> None:
        """Raise `SettingsError` for a batch that does not divide, or what one device alone does."""
        devices = f"{self.count} devices"
        if self.count > 1 and (every := settings.losses.adversarial_every) > 1:
            found = f"losses.adversarial_every: found {every}"
            raise SettingsError(f"{found}, expected 1 on {devices}")
        if (batch := settings.training.batch) % self.count:
            raise SettingsError(f"training.batch: found {batch}, expected a multiple of {devices}")


class JaxDevices(Devices):
    """All devices of this machine, by `keras.distribution.DataParallel`."""

    def __init__(self) -> None:
        self._distribution = keras.distribution.DataParallel()
        self.count = self._distribution.num_model_replicas

    def scope(self) -> AbstractContextManager:
        return self._distribution.scope()


class TensorFlowDevices(Devices):
    """The devices of a `tf.distribute` strategy: mirrored, also over several processes."""

    def __init__(self, strategy: Any):
        self.strategy = strategy
        self.count = strategy.num_replicas_in_sync
        self.processes = 1
        cluster = strategy.cluster_resolver
        if cluster is not None and cluster.cluster_spec():
            spec = cluster.cluster_spec().as_dict()
            self.processes = sum(len(tasks) for tasks in spec.values())
            first = "chief" if "chief" in spec else "worker"
            self.chief = (cluster.task_type, cluster.task_id) == (first, 0)
        self._sum: Callable | None = None

    def scope(self) -> AbstractContextManager:
        return self.strategy.scope()

    def shards(self, batches: BatchSequence) -> Any:
        local = self.count // self.processes

        def pipeline(context: Any) -> Any:
            first = context.input_pipeline_id * local
            return _dataset(batches, batches.batch // self.count, range(first, first + local))

        return self.strategy.distribute_datasets_from_function(pipeline)

    def any_process(self, flag: bool) -> bool:
        return flag if self.processes == 1 else self._total(float(flag)) > 0

    def broadcast_from_chief(self, value: float) -> float:
        if self.processes == 1:
            return value
        # Each of a process' devices takes part in the sum.
        return self._total(value * self.processes / self.count if self.chief else 0.0)

    def _total(self, value: float) -> float:
        """Sum over all devices, each with its process' value: exact enough for a clock."""
        import tensorflow as tf

        def all_reduce(value: Any) -> Any:
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))

        if self._sum is None:
            self._sum = tf.function(lambda value: self.strategy.run(all_reduce, args=(value,)))
        total = self._sum(tf.constant(value, tf.float64))
        return float(self.strategy.experimental_local_results(total)[0])


def _dataset(batches: BatchSequence, rows: int, replicas: range) -> Any:
    """Shards of so many rows of each batch, of these replicas, for TensorFlow."""
    import tensorflow as tf

    def shards() -> Iterator[tuple]:
        for batch in (batches[step] for step in range(len(batches))):
            for replica in replicas:
                shard = slice(replica * rows, (replica + 1) * rows)
                yield keras.tree.map_structure(lambda array, s=shard: array[s], batch)

    signature = keras.tree.map_structure(
        lambda array: tf.TensorSpec((rows, *array.shape[1:]), array.dtype), batches[0]
    )
    options = tf.data.Options()
    # Its thread sleeps for up to a minute, and the end of a stage would wait for it.
    options.autotune.enabled = False
    data = tf.data.Dataset.from_generator(shards, output_signature=signature)
    return data.prefetch(2).with_options(options)


def find_devices(distribute: Distribute = "none") -> Devices:
    """One device; all of this machine (``"mirrored"``); or, with TensorFlow, all of the machines
    that the environment variable ``TF_CONFIG`` lists (``"multi-worker"``).
    """
    if distribute == "none":
        return Devices()
    if distribute not in get_args(Distribute):
        expected = ", ".join(get_args(Distribute))
        raise SettingsError(f"distribute: found {distribute!r}, expected {expected}")
    if keras.backend.backend() == "jax":
        if distribute == "mirrored":
            return JaxDevices()
        found = "distribute: found multi-worker with KERAS_BACKEND=jax"
        raise SettingsError(f"{found}, expected tensorflow")
    import tensorflow as tf

    if distribute == "multi-worker":
        if not os.environ.get("TF_CONFIG"):
            expected = "the cluster and this process' place in it"
            raise SettingsError(f"TF_CONFIG: not set, expected {expected}")
        return TensorFlowDevices(tf.distribute.MultiWorkerMirroredStrategy())
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return TensorFlowDevices(tf.distribute.MirroredStrategy([device.name for device in devices]))
