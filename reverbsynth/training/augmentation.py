"""Holding the critic's overfitting where the settings want it, by the augmentation's strength."""

import math

import keras
import numpy as np
from keras import ops

from reverbsynth.gan import augmentation
from reverbsynth.gan.model import fade_in_real
from reverbsynth.training.input_pipeline import BatchSequence
from reverbsynth.training.stage_progress import StageByImages


class Adaptation(keras.callbacks.Callback):
    """Measures overfitting every few steps, and moves the strength a little towards the target.

    Karras et al., "Training Generative Adversarial Networks with Limited Data" (2020), section 3.
    What is measured depends on the seed and the images seen alone, so that a resumed run, and
    every process of several, measures the same.

    Parameters
    ----------
    trained, held_out : Batches
        Of the training split, as `fit` serves them, and of the validation split.
    pace : ImagePace
    """

    def __init__(self, trained: BatchSequence, held_out: BatchSequence, pace: StageByImages):
        super().__init__()
        self.trained, self.held_out, self.pace = trained, held_out, pace

    def on_train_batch_end(self, batch, logs=None):
        model = self.model
        settings = model.settings.augmentation
        size = model.settings.training.batch
        seen = self.trained.start + batch * size
        if (seen // size) % settings.every:
            return
        rng = np.random.default_rng([model.settings.seed, seen])
        progress = ops.convert_to_tensor(self.pace.progress, "float32")
        real, labels = self.trained[batch]
        others = self.held_out.images[self.held_out.rows(seen)]
        z = rng.standard_normal((size, model.settings.gan.latent_size), np.float32)
        asked = {name: labels[:, i] for i, name in enumerate(model.vocabulary)}
        shown = (
            fade_in_real(ops.convert_to_tensor(real), progress, model.stage),
            fade_in_real(ops.convert_to_tensor(others), progress, model.stage),
            model.generate(z, asked, progress),
        )
        measured = float(augmentation.overfitting(*(self._scores(rng, x, progress) for x in shown)))
        if not math.isfinite(measured):
            return
        step = settings.every * size / settings.images
        strength = float(model.strength) + math.copysign(step, measured - settings.target)
        model.overfitting.assign(measured)
        model.strength.assign(min(max(strength, 0.0), 1.0))

    def _scores(self, rng: np.random.Generator, images, progress):
        draws = rng.random((len(images), augmentation.DRAWS), np.float32)
        seen = self.model.augmented(images, ops.convert_to_tensor(draws))
        return self.model.discriminator(seen, progress)[0]
