"""Listeners: how well they hear notes that they were not trained on."""

import numpy as np
import pytest

from reverbsynth.data.build import build_data
from reverbsynth.errors import ReverbSynthError
from reverbsynth.evaluation.classifier import FEATURES, LabelClassifier
from reverbsynth.evaluation.clips import Clips
from reverbsynth.settings import Settings


@pytest.fixture(scope="module")
def default_data(tmp_path_factory):
    """The default data set: 200 notes and their twins."""
    return build_data(Settings.preset("laptop"), tmp_path_factory.mktemp("default") / "data")


@pytest.mark.parametrize(("label", "least"), [("pitch", 0.98), ("effect", 0.99)])
def test_held_out_notes_are_heard(default_data, label, least):
    listener = LabelClassifier.trained(default_data, label, Settings.preset("laptop").evaluation)
    clips = Clips.of(default_data, ("valid", "test"))
    heard = listener.hear(clips.waves)
    assert np.mean(heard.best == getattr(clips, label)) >= least


def test_a_listener_is_found_again(small_data, small_settings):
    settings = small_settings.evaluation.model_copy(update={"classifier_steps": 10})
    first = LabelClassifier.trained(small_data, "effect", settings, seed=3)
    found = sorted((small_data.directory / "listeners").glob("effect-*.safetensors"))
    stamp = found[-1].stat().st_mtime_ns
    second = LabelClassifier.trained(small_data, "effect", settings, seed=3)
    assert found[-1].stat().st_mtime_ns == stamp
    waves = Clips.of(small_data, ("test",)).waves
    heard = [listener.hear(waves) for listener in (first, second)]
    assert (heard[0].probabilities == heard[1].probabilities).all()
    assert (heard[0].features == heard[1].features).all()


def test_the_same_seed_trains_the_same_listener(small_data, small_settings):
    settings = small_settings.evaluation.model_copy(update={"classifier_steps": 5})
    clips = Clips.of(small_data, ("train",))
    heard = []
    for _ in range(2):
        listener = LabelClassifier("pitch", small_data.vocabulary("pitch"))
        listener.train(clips, settings, seed=1)
        heard.append(listener.hear(clips.waves))
    assert heard[0].probabilities == pytest.approx(heard[1].probabilities, abs=1e-4)


def test_what_is_heard_has_its_shapes(small_data):
    listener = LabelClassifier("pitch", [40, 41, 42])
    heard = listener.hear(Clips.of(small_data, ("test",)).waves)
    assert heard.probabilities.sum(axis=1) == pytest.approx(np.ones(len(heard.best)))
    assert heard.features.shape == (len(heard.best), FEATURES)
    assert set(heard.best) <= {40, 41, 42}
    assert len(listener.hear(np.empty((0, 64000))).best) == 0


def test_one_kind_of_note_cannot_be_told_apart(small_data, small_settings, monkeypatch):
    monkeypatch.setattr(type(small_data), "vocabulary", lambda self, label: ["dry"])
    with pytest.raises(ReverbSynthError, match="every note has effect dry"):
        LabelClassifier.trained(small_data, "effect", small_settings.evaluation)


def test_a_damaged_listener_is_refused(tmp_path):
    path = tmp_path / "pitch.safetensors"
    path.write_bytes(b"not a listener")
    with pytest.raises(ReverbSynthError, match=r"pitch\.safetensors"):
        LabelClassifier.load(path)
