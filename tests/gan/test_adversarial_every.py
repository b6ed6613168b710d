"""Steps in which the discriminator rests."""

import numpy as np
import pytest
from keras import ops

from reverbsynth.errors import ReverbSynthError
from reverbsynth.gan import losses
from reverbsynth.gan.model import ProgressiveGAN
from reverbsynth.training.distribution import Devices
from reverbsynth.training.train import train
from tests.conftest import SMALL, Settings

RECIPE = {
    "losses.imle_weight": 100.0,
    "losses.imle_samples": 2,
    "gan.timbres": 3,
    "losses.imle_crossfades": 2,
    "losses.imle_levels": 1.0,
    "losses.adversarial_every": 2,
    "gan.pitch_input": "harmonic",
    "optimizer.final_rate": 0.1,
    "training.last_stage": 1,
}


@pytest.fixture(scope="module")
def recipe() -> Settings:
    return Settings.preset("tiny", **SMALL).replace(**RECIPE)


@pytest.fixture(scope="module")
def run(recipe, small_data, tmp_path_factory):
    return train(recipe, small_data, tmp_path_factory.mktemp("recipe") / "run")


def test_terms_are_those_of_the_last_adversarial_step(run, recipe):
    metrics = run.metrics()
    names = [*losses.generator_terms(run.labels), *losses.discriminator_terms(run.labels)]
    names.append("nearest_distance")
    assert {*names} <= {*metrics.columns}
    stage = metrics[metrics.stage == 0]
    steps = (stage.images // recipe.training.batch - 1).to_numpy()
    rests = stage[steps % 2 == 1]
    before = stage[steps % 2 == 0].iloc[: len(rests)]
    for name in ("discriminator_loss", "generator_wasserstein", "gradient_penalty"):
        np.testing.assert_array_equal(rests[name], before[name])
    assert (rests.nearest_distance.to_numpy() != before.nearest_distance.to_numpy()).all()


def test_the_next_stage_goes_on_with_the_last_terms(run, recipe):
    """Until its own first adversarial step: 0 would be a loss that nothing had."""
    model = ProgressiveGAN(recipe, run.labels, run.histogram, 0)
    model.penalty.assign(0.25)
    for number, term in enumerate(model.last_terms.values(), 1):
        term.assign(number)
    later = model.next_stage()
    assert float(later.penalty) == 0.25
    found = [float(term) for term in later.last_terms.values()]
    assert found == list(range(1, len(model.last_terms) + 1))


def test_the_discriminator_moves_in_adversarial_steps_only(recipe, small_data, tmp_path):
    from keras.callbacks import Callback

    class Watch(Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):
            kernel = self.model.discriminator.named_variables()["score/kernel"]
            self.seen.append(np.array(ops.convert_to_numpy(kernel)))

    watch = Watch()
    train(recipe, small_data, tmp_path / "run", until_stage=0, callbacks=[watch])
    moved = [bool((a != b).any()) for a, b in zip(watch.seen, watch.seen[1:], strict=False)]
    assert moved == [False, True, False]


def test_a_resumed_run_equals_an_uninterrupted_one(run, recipe, small_data, tmp_path):
    from keras.callbacks import Callback

    class Stop(Callback):
        """Ends the process's training while rates are being lowered, as a second signal does."""

        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            Stop.steps += 1
            if Stop.steps == 6:
                raise KeyboardInterrupt

    settings = recipe.replace(**{"training.checkpoint_minutes": 1e-6})
    with pytest.raises(KeyboardInterrupt):
        train(settings, small_data, tmp_path / "run", callbacks=[Stop()])
    again = train(settings, small_data, tmp_path / "run")
    for name, value in run.weights().items():
        np.testing.assert_array_equal(again.weights()[name], value, err_msg=name)


def test_several_devices_are_refused(recipe):
    devices = Devices()
    devices.count = 2
    with pytest.raises(ReverbSynthError, match="adversarial_every: found 2, expected 1"):
        devices.check(recipe)


def test_a_generator_that_nothing_would_teach_is_refused(recipe):
    with pytest.raises(ReverbSynthError, match="adversarial_every: found 2 with imle_weight 0"):
        recipe.replace(**{"losses.imle_weight": 0})
