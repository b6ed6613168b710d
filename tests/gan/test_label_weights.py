"""Each label's auxiliary loss has a weight of its own."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan import losses
from reverbsynth.settings import LossSettings, Settings

SCORES = np.float32([0.3, -1.2, 0.8])
LOGITS = {
    "pitch": np.float32([[2, 0, 1], [0, 1, 0], [1, 1, 3]]),
    "effect": np.float32([[0, 1], [2, 0], [1, 1]]),
}
CLASSES = {"pitch": np.int32([0, 2, 1]), "effect": np.int32([1, 1, 0])}


def totals(weights: LossSettings) -> tuple[dict, dict]:
    """Both networks' terms, as numbers."""
    _, generator = losses.generator_loss(SCORES, LOGITS, CLASSES, weights)
    _, discriminator = losses.discriminator_loss(
        SCORES, SCORES + 1, LOGITS, CLASSES, np.float32([0.5, 1, 2]), weights
    )
    both = (
        {k: np.float32(ops.convert_to_numpy(v)) for k, v in t.items()}
        for t in (generator, discriminator)
    )
    return tuple(both)


def test_the_default_is_the_papers_arithmetic_bit_for_bit():
    generator, discriminator = totals(LossSettings())
    ten = np.float32(10)
    total = generator["generator_wasserstein"]
    for name in CLASSES:
        total = total + ten * generator[f"fake_{name}_loss"]
    assert generator["generator_loss"] == total
    total = (
        discriminator["discriminator_wasserstein"]
        + ten * discriminator["gradient_penalty"]
        + np.float32(0.001) * discriminator["real_score_penalty"]
    )
    for name in CLASSES:
        total = total + ten * discriminator[f"real_{name}_loss"]
    assert discriminator["discriminator_loss"] == total


def test_each_network_has_a_label_weight_of_its_own():
    generator, discriminator = totals(LossSettings(generator_label=3, discriminator_label=7))
    rest = generator["generator_wasserstein"]
    labels = sum(generator[f"fake_{name}_loss"] for name in CLASSES)
    assert generator["generator_loss"] == pytest.approx(rest + 3 * labels, rel=1e-6)
    rest = discriminator["discriminator_wasserstein"] + 10 * discriminator["gradient_penalty"]
    rest += 0.001 * discriminator["real_score_penalty"]
    labels = sum(discriminator[f"real_{name}_loss"] for name in CLASSES)
    assert discriminator["discriminator_loss"] == pytest.approx(rest + 7 * labels, rel=1e-6)


def test_a_factor_weighs_one_label_in_both_networks():
    plain, weighed = totals(LossSettings()), totals(LossSettings(label_weights={"effect": 0.25}))
    for before, after, network, kind in zip(
        plain, weighed, ("generator", "discriminator"), ("fake", "real"), strict=True
    ):
        term = before[f"{kind}_effect_loss"]
        assert after[f"{kind}_effect_loss"] == term
        change = after[f"{network}_loss"] - before[f"{network}_loss"]
        assert change == pytest.approx(-7.5 * term, rel=1e-5)


def test_factors_are_settings():
    found = Settings.preset("tiny", **{"losses.label_weights.effect": 0.5}).losses
    assert found.label_weights == {"effect": 0.5}
    for wrong in ({"effect": -1}, {"colour": 1}):
        with pytest.raises(ReverbSynthError, match="label_weights") as error:
            Settings.preset("tiny", **{"losses.label_weights": wrong})
        assert "\n" not in str(error.value)
