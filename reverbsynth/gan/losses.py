"""The loss terms: Wasserstein with gradient penalty, label classification, Griffin-Lim.

Gulrajani et al., "Improved Training of Wasserstein GANs" (2017); Odena et al., "Conditional Image
Synthesis with Auxiliary Classifier GANs" (2017); weights of Table 5 and GANSynth's configuration.
Terms are returned unweighted under the names that the run's metrics have.
"""

from collections.abc import Iterable

import numpy as np
from keras import ops

from reverbsynth.settings import LossSettings
from reverbsynth.spectra.format import FLOOR
from reverbsynth.spectra.representation import Representation

LEAST = 0.05  #: The share of the floor below which levels are not told apart.
SPANS = 16  #: Of an image's four seconds, in which levels are compared.


def label_loss(logits, classes):
    """Mean cross-entropy of logits [shape=(n, classes)] against class indices [shape=(n,)]."""
    return ops.mean(ops.sparse_categorical_crossentropy(classes, logits, from_logits=True))


def generator_loss(score, logits: dict, labels: dict, weights: LossSettings):
    """The generator's total loss and its terms.

    From the discriminator's ``score`` [shape=(n,)] of generated images and its ``logits``
    [shape=(n, classes)], by label; ``labels`` are the classes that were asked for [shape=(n,)].
    """
    terms = {"generator_wasserstein": -ops.mean(score)}
    total = terms["generator_wasserstein"]
    for name, classes in labels.items():
        terms[f"fake_{name}_loss"] = label_loss(logits[name], classes)
        weight = weights.generator_label * weights.label_weights.get(name, 1.0)
        total = total + weight * terms[f"fake_{name}_loss"]
    return total, {"generator_loss": total, **terms}


def discriminator_loss(
    fake_score, real_score, real_logits: dict, real_labels: dict, norms, weights: LossSettings
):
    """The discriminator's total loss and its terms.

    From its scores [shape=(n,)] and its logits [shape=(n, classes)] of real images, by label, whose
    classes are ``real_labels`` [shape=(n,)]; without ``norms`` (`gradient_norms`) no penalty.
    """
    terms = {"discriminator_wasserstein": ops.mean(fake_score) - ops.mean(real_score)}
    total = terms["discriminator_wasserstein"]
    if norms is not None:
        terms["gradient_penalty"] = gradient_penalty(norms)
        total = total + weights.gradient_penalty * terms["gradient_penalty"]
    terms["real_score_penalty"] = ops.mean(real_score**2)
    total = total + weights.real_score * terms["real_score_penalty"]
    for name, classes in real_labels.items():
        terms[f"real_{name}_loss"] = label_loss(real_logits[name], classes)
        weight = weights.discriminator_label * weights.label_weights.get(name, 1.0)
        total = total + weight * terms[f"real_{name}_loss"]
    return total, {"discriminator_loss": total, **terms}


def generator_terms(labels: Iterable[str]) -> list[str]:
    """Names of the terms of `generator_loss`."""
    return ["generator_loss", "generator_wasserstein", *(f"fake_{label}_loss" for label in labels)]


def discriminator_terms(labels: Iterable[str]) -> list[str]:
    """Names of the terms of `discriminator_loss`."""
    names = ["discriminator_loss", "discriminator_wasserstein", "gradient_penalty"]
    return [*names, "real_score_penalty", *(f"real_{label}_loss" for label in labels)]


def gradient_norms(gradient, box_factor: int):
    """Norm of the score's gradient by each image, as at full size [shape=(n,)].

    A pixel at native resolution stands for ``box_factor²`` pixels of the full-size image, each of
    which has ``1 / box_factor²`` of its gradient: the norm is ``1 / box_factor`` of the native one.
    """
    return ops.sqrt(ops.sum(gradient**2, axis=(1, 2, 3))) / box_factor


def gradient_penalty(norms):
    """Mean squared distance of gradient norms [shape=(n,)] from 1."""
    return ops.mean((norms - 1.0) ** 2)


def of_timbres(z, timbres):
    """Latent vectors [shape=(..., size)], moved to where they are of one of the timbres.

    Those are 1 in ``timbres`` [shape=(..., n_timbres)]. The largest of the first numbers must be
    one of theirs: else it is exchanged with the largest of theirs. Evenly drawn timbres so leave
    the vectors normally distributed.
    """
    count = timbres.shape[-1]
    first, largest = z[..., :count], ops.max(z[..., :count], axis=-1, keepdims=True)
    own = ops.max(ops.where(timbres > 0, first, -np.inf), axis=-1, keepdims=True)
    moved = ops.where(first == own, largest, ops.where(first == largest, own, first))
    return ops.concatenate([moved, z[..., count:]], axis=-1)


def image_distance(real, generated, silence: float = 0.0):
    """Distance of normalized images [shape=(..., frames, bins, 2)]: one number each [shape=(...)].

    The mean square of the difference. That of the second channel counts by the real image's level,
    from 0 at the level ``silence`` to 1: the phases of near-silent bins are noise.
    """
    level = (1.0 + real[..., :1]) / 2.0
    if silence:
        level = ops.maximum(level - silence, 0.0) / (1.0 - silence)
    weights = ops.concatenate([ops.ones_like(level), level], axis=-1)
    return ops.mean(weights * (generated - real) ** 2, axis=(-3, -2, -1))


def level_distance(real, generated, representation: Representation):
    """Distance of normalized images' levels in 16 bands [shape=(n, ...)], of frames and of spans.

    The nearest image, as a mean of what a label leaves open, has the mean of log-magnitudes, which
    lies some 2.5 dB under the level of a decaying noise. Here powers are added up first: in each
    frame, which says when a note is released, and in 16 spans of time, which say how it decays.
    Energy decay curves, of all bands together, are compared in the same way.
    """
    scale, distance = float(representation.scale[0]), 0.0
    powers = [band_powers(images, representation) for images in (real, generated)]
    for most in (real.shape[-3], SPANS):
        of_real, of_generated = (band_levels(power, most) for power in powers)
        distance += ops.mean((scale * (of_real - of_generated)) ** 2, axis=(-2, -1))
    of_real, of_generated = (decay_curve(power) for power in powers)
    return distance + ops.mean((scale * (of_real - of_generated)) ** 2, axis=-1)


def band_powers(images, representation: Representation):
    """Power of each frame in 16 bands [shape=(n, ..., frames, 16)].

    Without the floor, which is part of each pixel's power: a decay's end lies below it, and half a
    decibel above it in an image is 9 dB below it in the sound.
    """
    logarithm = (images[..., 0] - float(representation.shift[0])) / float(representation.scale[0])
    # The mel image holds powers, the others magnitudes.
    power = ops.exp(logarithm if representation.kind == "mel" else 2 * logarithm)
    *shape, bins = power.shape[1:]
    heard = ops.reshape(ops.maximum(power - FLOOR, 0.0), (-1, *shape, 16, bins // 16))
    return ops.mean(heard, axis=-1)


def band_levels(powers, most: int):
    """Log of bands' powers in spans of time, at ``most`` so many [shape=(n, ..., spans, 16)]."""
    *shape, frames, bands = powers.shape[1:]
    spans = min(frames, most)
    parts = ops.reshape(powers, (-1, *shape, spans, frames // spans, bands))
    return ops.log(ops.mean(parts, axis=-2) + LEAST * FLOOR)


def decay_curve(powers):
    """Log of the power of all bands that is left from each frame on [shape=(n, ..., frames)].

    Schroeder, "New Method of Measuring Reverberation Time" (1965): T20 is read from it. Its end,
    where little is left, counts no more than the levels of silence do.
    """
    power = ops.mean(powers, axis=-1)
    left = ops.flip(ops.cumsum(ops.flip(power, axis=-1), axis=-1), axis=-1)
    return ops.log(left / power.shape[-1] + LEAST * FLOOR / SPANS)


def griffin_lim_consistency(images, representation: Representation):
    """Griffin-Lim consistency: how far an image is from the STFT of any sound.

    Image to STFT to wave to STFT, and the mean squared difference of the two magnitudes, each
    divided by the greater of 1 and both maxima (GANSynth's ``gl_consistency``, Figures 23 and 24),
    of de-normalized images of any stage [shape=(n, frames, bins, 2)].
    """
    stated, decoded = representation.magnitudes(images)
    top = ops.max(ops.maximum(stated, decoded), axis=(1, 2), keepdims=True)
    return ops.mean(((stated - decoded) / ops.maximum(1.0, top)) ** 2)
