"""The synthesizer is the generator, with less work."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.gan import synthesis
from reverbsynth.gan.networks import Generator
from reverbsynth.gan.synthesis import Synthesizer
from reverbsynth.settings import GanSettings


def pair(stage: int, progress: float, **settings):
    gan = GanSettings(latent_size=24, **settings)
    generator = Generator(gan, 5, stage)
    rng = np.random.default_rng(stage)
    weights = {}
    for name, variable in generator.named_variables().items():
        if name.endswith("/bias"):
            variable.assign(0.1 * rng.standard_normal(variable.shape))
        weights[name] = ops.convert_to_numpy(variable.value)
    z = rng.standard_normal((3, 24), np.float32)
    condition = np.eye(5, dtype=np.float32)[:3]
    expected = ops.convert_to_numpy(generator(z, condition, np.float32(progress)))
    return Synthesizer(gan, stage, progress, weights), z, condition, expected


@pytest.mark.parametrize(
    ("stage", "progress", "settings"),
    [
        (0, 0.0, {}),
        (1, 0.4, {"filters_max": 64}),
        (2, 1.0, {"filters_max": 64}),
        (6, 3.0, {"filters_base": 512, "filters_max": 40}),
        (8, 4.0, {"filters_max": 32}),
        (7, 3.25, {"filters_base": 256, "filters_max": 16}),
        (9, 5.0, {"filters_base": 256, "filters_max": 16}),
        (4, 2.0, {"filters_max": 16, "kernel_size": 5}),
        (3, 1.5, {"filters_max": 16, "kernel_size": 1}),
    ],
)
def test_images_are_the_generators(stage, progress, settings):
    synthesizer, z, condition, expected = pair(stage, progress, **settings)
    found = np.stack(list(synthesizer.many(z, condition, np.copy)))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 2e-4


def test_pieces_make_the_whole(monkeypatch):
    # Blocks of many pixels are multiplied in pieces; here those of few are, too.
    monkeypatch.setattr(synthesis, "_LEAST_PIECE", 8)
    monkeypatch.setattr(synthesis, "_SMALL_PRODUCT", 8 * 40**2)
    synthesizer, z, condition, expected = pair(6, 3.0, filters_base=512, filters_max=40)
    found = np.stack(list(synthesizer.many(z, condition, np.copy)))
    assert np.abs(found - expected).max() <= 2e-4


def test_a_note_does_not_depend_on_its_company():
    synthesizer, z, condition, _ = pair(4, 2.0, filters_max=40)
    together = list(synthesizer.many(z, condition, np.copy))
    alone = [synthesizer(*note).copy() for note in zip(z, condition, strict=True)]
    assert np.array_equal(together, alone)
    again = list(synthesizer.many(z[::-1], condition[::-1], np.copy))
    assert np.array_equal(again[::-1], alone)


def test_many_notes_are_made_as_they_are_taken():
    synthesizer, _, _, _ = pair(0, 0.0, filters_max=16)
    z, condition = np.ones((1000, 24), np.float32), np.ones((1000, 5), np.float32)
    made = []
    notes = synthesizer.many(z, condition, made.append)
    next(notes)
    assert len(made) < 100
