"""The progressive GAN of one stage: both networks, the generator's average, and the step.

`ProgressiveGAN` is a Keras model whose `fit` alternates one generator step and one discriminator
step per batch. A stage has a model of its own; `ProgressiveGAN.next_stage` carries the weights.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from reverbsynth.gan import losses
from reverbsynth.gan.architecture import condition, condition_size
from reverbsynth.gan.backend import backend
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.networks import Discriminator, Generator, carry_over
from reverbsynth.gan.optimizer import PairedAdam
from reverbsynth.gan.schedule import Schedule, blocks, box_factor, is_transition
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation
from reverbsynth.spectra.scaling import downscale, upscale


class ProgressiveGAN(backend.BackendStep):
    """One stage, 0 to 12, of the progressive GAN, whose networks are conditioned on ``labels``.

    The ``histogram`` [shape=(n_combinations, n_labels + 1)] is the data set's: a row of class
    indices and, last, their count. The labels of generated images are drawn from it.
    """

    def __init__(self, settings: Settings, labels: LabelSpace, histogram: np.ndarray, stage: int):
        super().__init__(name=f"stage_{stage:02d}")
        self.settings, self.labels, self.stage = settings, labels, stage
        self.histogram = np.asarray(histogram)
        self.representation = Representation(settings.spectra)
        size = condition_size(settings.gan, labels)
        options: dict[str, Any] = {
            "representation": self.representation,
            "stage": stage,
            "seed": settings.training_seed,
            "precision": settings.training.precision,
        }
        self.generator = Generator(settings.gan, size, **options)
        self.ema_generator = Generator(settings.gan, size, **options, name="ema_generator")
        self.ema_generator.trainable = False
        self.discriminator = Discriminator(settings.gan, labels.sizes, **options)
        self.random = keras.random.SeedGenerator(settings.training_seed)
        self.images_seen = self._scalar("images_seen", "int32")
        # How much of the stage has passed, set before each step where minutes decide.
        self.stage_share = self._scalar("stage_share")
        # The gradient penalty's last value, where it is lazy.
        self.penalty = self._scalar("penalty")
        # The terms of the last adversarial step, where there is not one in every step.
        rare = settings.losses.adversarial_every > 1
        names = (*losses.generator_terms(labels), *losses.discriminator_terms(labels))
        self.last_terms = {name: self._scalar(f"last_{name}") for name in names if rare}
        training, schedule = settings.training, Schedule.of(settings.training)
        by_minutes = training.stage_minutes is not None
        self.is_last = stage == (training.last_stage if by_minutes else schedule.last_stage)
        self._start, self._length = schedule.rise(stage)
        self.images_seen.assign(self._start)
        self._combinations = self.histogram[:, :-1].astype("int32")
        self._log_frequencies = np.log(self.histogram[:, -1] / self.histogram[:, -1].sum())
        self.built = True
        paired = PairedAdam(settings.optimizer)
        paired.build_for(self.generator.trainable_variables, self.discriminator.trainable_variables)
        # XLA compiles for minutes on a CPU and then runs no faster (TensorFlow); JAX needs it.
        self.compile(optimizer=paired, jit_compile=keras.backend.backend() == "jax")

    def _scalar(self, name: str, dtype: str = "float32") -> keras.Variable:
        return self.add_weight((), "zeros", dtype, trainable=False, name=name)

    def next_stage(self) -> "ProgressiveGAN":
        """The following stage's model.

        It keeps all weights and averages, starts new blocks fresh, with their average
        equal to them, goes on with the random state and the last terms, and has new optimizers.
        """
        model = ProgressiveGAN(self.settings, self.labels, self.histogram, self.stage + 1)
        carry_over(self.generator, model.generator)
        carry_over(self.ema_generator, model.ema_generator)
        carry_over(self.discriminator, model.discriminator)
        model.random.state.assign(self.random.state)
        model.images_seen.assign(self.images_seen)
        model.penalty.assign(self.penalty)
        for name, term in self.last_terms.items():
            model.last_terms[name].assign(term)
        return model

    def progress(self):
        """Progress p of the next step, a float32 scalar tensor."""
        base = self.stage // 2
        if not is_transition(self.stage):
            return ops.convert_to_tensor(float(base), "float32")
        return base + self._share()

    def _share(self):
        """How much of the stage has passed, 0 to 1."""
        if self.settings.training.stage_minutes is not None:
            return ops.convert_to_tensor(self.stage_share)
        done = ops.cast(self.images_seen - self._start, "float32") / self._length
        return ops.clip(done, 0.0, 1.0)

    def condition(self, labels: dict):
        """`reverbsynth.gan.architecture.condition` of class indices [shape=(n,)], by label."""
        blocks = []
        for name, values in self.labels.items():
            table = condition(self.settings.gan, LabelSpace({name: values}), {name: values}, values)
            blocks.append(ops.take(table, labels[name], axis=0))
        return ops.concatenate(blocks, axis=-1)

    def generate(self, z, labels: dict, progress, generator: Generator | None = None):
        """De-normalized images at the stage's resolution [shape=(n, frames, bins, 2)]."""
        network = generator or self.generator
        z, progress = (ops.convert_to_tensor(value, "float32") for value in (z, progress))
        images = network(z, self.condition(labels), progress)
        return self.representation.denormalize(images)

    def draw(self, batch: int):
        """A latent vector and labels for each of ``batch`` images, from the data's histogram.

        On several devices all draw the same, and each keeps its shard.
        """
        z = keras.random.normal((batch, self.settings.gan.latent_size), seed=self.random)
        log_frequencies = ops.convert_to_tensor(self._log_frequencies[np.newaxis], "float32")
        drawn = keras.random.categorical(log_frequencies, batch, dtype="int32", seed=self.random)[0]
        columns = ops.take(ops.convert_to_tensor(self._combinations), drawn, axis=0)
        z, columns = backend.local_shard(z), backend.local_shard(columns)
        return z, {name: columns[:, i] for i, name in enumerate(self.labels)}

    def generator_gradients(
        self, z, labels: dict, progress, target=None, condition=None, timbres=None
    ):
        """Loss terms of the generator and gradients of its trainable variables.

        From latent vectors and the classes of the images that the discriminator judges, unless it
        rests. Where ``losses.imle_weight`` has a weight, also from de-normalized real images, the
        ``target`` [shape=(n, frames, bins, 2)], the ``condition`` [shape=(n, condition_size)] that
        asks for them, and as ones the ``timbres`` [shape=(n, n_timbres)] that each is sought among.
        """
        weights, variables = self.settings.losses, self.generator.trainable_variables
        near, pulls = {}, []
        if weights.imle_weight:
            target = self.representation.normalize(target)
            near, pulls = self._nearest_gradients(target, condition, progress, timbres)

        def objective():
            fake = self.generate(z, labels, progress)
            score, logits = self.discriminator(fake, progress)
            total, terms = losses.generator_loss(score, logits, labels, weights)
            if weights.griffin_lim_consistency:
                consistency = losses.griffin_lim_consistency(fake, self.representation)
                total = total + weights.griffin_lim_consistency * consistency
            return total, {**terms, "generator_loss": total}

        def judged():
            terms, gradients = backend.value_and_gradients(objective, variables, self)
            if near:
                terms["generator_loss"] += weights.imle_weight * near["nearest_distance"]
                gradients = [ops.add(*pair) for pair in zip(gradients, pulls, strict=True)]
            return terms, gradients

        def rested():
            return self._last(losses.generator_terms(self.labels)), pulls

        terms, gradients = self._if_adversarial(judged, rested)
        return {**terms, **near}, gradients

    def _nearest_gradients(self, target, condition, progress, timbres):
        """Distance of normalized images to the nearest generated ones, and its gradients."""
        near = self.nearest_latents(target, condition, progress, timbres)

        def objective():
            images = self.generator(near, condition, progress)
            distance = ops.mean(self.image_distance(target, images))
            return self.settings.losses.imle_weight * distance, {"nearest_distance": distance}

        return backend.value_and_gradients(objective, self.generator.trainable_variables, self)

    def image_distance(self, real, generated):
        """How far normalized images are apart: by pixels and, where weighted, by levels."""
        weights = self.settings.losses
        distance = losses.image_distance(real, generated, weights.imle_silence)
        if weights.imle_levels:
            levels = losses.level_distance(real, generated, self.representation)
            distance += weights.imle_levels * levels
        return distance

    def nearest_latents(self, target, condition, progress, timbres=None):
        """Of a few latent vectors for each normalized image the one that comes nearest to it.

        Li and Malik, "Implicit Maximum Likelihood Estimation" (2018): every real image pulls the
        nearest generated one, so that none is left out. It is sought among the image's own timbres,
        where there are such (`losses.of_timbres`). Returns [shape=(n, latent_size)].
        """
        size, draws = self.settings.gan.latent_size, self.settings.losses.imle_samples
        n = ops.shape(target)[0]
        z = keras.random.normal((n * backend.num_replicas() * draws, size), seed=self.random)
        z = ops.reshape(backend.local_shard(z), (n, draws, size))
        if timbres is not None:
            z = losses.of_timbres(z, timbres[:, None])
        if draws == 1:
            return z[:, 0]
        condition = ops.repeat(condition, draws, axis=0)
        images = self.generator(ops.reshape(z, (n * draws, size)), condition, progress)
        images = ops.reshape(images, (n, draws, *target.shape[1:]))
        chosen = ops.argmin(self.image_distance(target[:, None], images), axis=1)
        return ops.take_along_axis(z, chosen[:, None, None], axis=1)[:, 0]

    def discriminator_gradients(self, real, real_labels: dict, fake, alpha, progress):
        """Loss terms of the discriminator and gradients of its trainable variables.

        From de-normalized images; ``alpha`` [shape=(n, 1, 1, 1)] says where between real and
        generated ones the penalty's gradient is taken.
        """
        between = real + alpha * (fake - real)
        weights = self.settings.losses
        lazy = weights.penalty_every > 1

        def objective():
            norms = None if lazy else self._gradient_norms(between, progress)
            fake_score, _ = self.discriminator(fake, progress)
            real_score, real_logits = self.discriminator(real, progress)
            return losses.discriminator_loss(
                fake_score, real_score, real_logits, real_labels, norms, weights
            )

        variables = self.discriminator.trainable_variables
        terms, gradients = backend.value_and_gradients(objective, variables, self)
        if lazy:
            more = self._lazy_penalty_gradients(between, progress)
            gradients = [ops.add(*pair) for pair in zip(gradients, more, strict=True)]
            terms["gradient_penalty"] = ops.convert_to_tensor(self.penalty)
            terms["discriminator_loss"] += weights.gradient_penalty * terms["gradient_penalty"]
        return terms, gradients

    def _gradient_norms(self, images, progress):
        gradient = backend.input_gradient(
            lambda x: ops.sum(self.discriminator(x, progress)[0]), images
        )
        if self.settings.losses.penalty_image == "native":
            scale = ops.convert_to_tensor(self.representation.scale)
            return losses.gradient_norms(gradient / scale, 1)
        return losses.gradient_norms(gradient, box_factor(blocks(self.stage)))

    def _lazy_penalty_gradients(self, images, progress):
        """Gradients of the penalty in one step of several, with their weight in all; else zeros.

        Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020), lazy
        regularization. ``self.penalty`` keeps the last value. TensorFlow's replicas, which cannot
        meet within a branch, compute all of it in every step.
        """
        weights, variables = self.settings.losses, self.discriminator.trainable_variables
        weight = weights.gradient_penalty * weights.penalty_every

        def objective():
            penalty = losses.gradient_penalty(self._gradient_norms(images, progress))
            return weight * penalty, {"penalty": penalty}

        def taken():
            terms, gradients = backend.value_and_gradients(objective, variables, self)
            penalty = backend.mean_over_devices(terms["penalty"])
            return [penalty, *map(ops.convert_to_tensor, gradients)]

        def left_out():
            zeros = [ops.zeros(variable.shape, "float32") for variable in variables]
            return [ops.convert_to_tensor(self.penalty), *zeros]

        every = self.settings.training.batch * weights.adversarial_every
        due = self.images_seen // every % weights.penalty_every == 0
        if backend.num_replicas() > 1:
            pairs = zip(taken(), left_out(), strict=True)
            penalty, *gradients = [ops.where(due, *pair) for pair in pairs]
        else:
            penalty, *gradients = ops.cond(due, taken, left_out)
        self.penalty.assign(penalty)
        return gradients

    def step(self, data) -> dict:
        """One generator step, then one discriminator step, each with fresh draws; all loss terms.

        The data are real images [shape=(n, frames, bins, 2)], de-normalized, and their class
        indices [shape=(n, n_labels)]; or such a pair and another of the images that the nearest
        generated ones are drawn to, with their conditions [shape=(n, condition_size)] and timbres
        [shape=(n, n_timbres)]. In a step without the discriminator, its terms are those of the last
        one with it.
        """
        paired = isinstance(data[0], tuple | list)
        real, columns = data[0] if paired else data
        labels = {name: columns[:, i] for i, name in enumerate(self.labels)}
        target, *asked = data[1] if paired else (real, self.condition(labels))
        progress = self.progress()
        if self.is_last:
            self.optimizer.lower_rates(self._share())
        real, target = (fade_in_real(images, progress, self.stage) for images in (real, target))
        # The generator, against the discriminator as it is; then its moving average.
        z, drawn = self.draw(self.settings.training.batch)
        terms, gradients = self.generator_gradients(z, drawn, progress, target, *asked)
        # Variables are updated in place, so nothing moves before all of the old ones is used.
        *gradients, real = backend.together(*gradients, real)
        self.optimizer.generator.apply(gradients, self.generator.trainable_variables)
        self.update_average()
        # The discriminator, against the generator that has just moved.
        names = losses.discriminator_terms(self.labels)
        terms |= self._if_adversarial(
            lambda: self.discriminator_step(real, labels, progress), lambda: self._last(names)
        )
        for name, variable in self.last_terms.items():
            variable.assign(terms[name])
        self.images_seen.assign_add(self.settings.training.batch)
        return terms

    def discriminator_step(self, real, labels: dict, progress) -> dict:
        """The discriminator against freshly generated images."""
        batch = self.settings.training.batch
        z, drawn = self.draw(batch)
        fake = ops.stop_gradient(self.generate(z, drawn, progress))
        alpha = backend.local_shard(keras.random.uniform((batch, 1, 1, 1), seed=self.random))
        terms, gradients = self.discriminator_gradients(real, labels, fake, alpha, progress)
        gradients = backend.together(*gradients)
        self.optimizer.discriminator.apply(gradients, self.discriminator.trainable_variables)
        return terms

    def _if_adversarial(self, judged, rested):
        """What the first function returns where the discriminator takes part, else the second."""
        every = self.settings.losses.adversarial_every
        if every == 1:
            return judged()
        due = self.images_seen // self.settings.training.batch % every == 0
        return backend.either(due, judged, rested, self)

    def _last(self, names: list[str]) -> dict:
        """Terms of the last adversarial step."""
        return {name: ops.convert_to_tensor(self.last_terms[name]) for name in names}

    def update_average(self) -> None:
        """Move the generator's average a step towards its weights, without debiasing.

        Keras' optimizers have an average too, but it starts from the weights after the first step
        and is lost when the optimizer is reset at each stage; the original's is neither.
        """
        decay = self.settings.optimizer.ema_decay
        pairs = zip(self.ema_generator.variables, self.generator.variables, strict=True)
        for average, weight in pairs:
            average.assign(decay * average + (1.0 - decay) * weight)


def fade_in_real(real, progress, stage: int):
    """Real images mixed with a coarser version, as generated ones are while a block fades in."""
    if not is_transition(stage):
        return real
    alpha = progress - stage // 2
    return alpha * real + (1.0 - alpha) * upscale(downscale(real))
