"""Label classifiers: how well they predict the labels of notes that they were not trained on."""

import copy

import numpy as np
import pytest

from reverbsynth import provenance
from reverbsynth.data.build import build_data
from reverbsynth.errors import DataError, ReverbSynthError
from reverbsynth.evaluation.classifier import FEATURES, FOLDER, LabelClassifier
from reverbsynth.evaluation.clips import Clips
from reverbsynth.files.tensors import load_tensors, save_tensors
from reverbsynth.settings import Settings


@pytest.fixture(scope="module")
def default_data(tmp_path_factory):
    """The default data set: 200 notes and their twins."""
    return build_data(Settings.preset("laptop"), tmp_path_factory.mktemp("default") / "data")


@pytest.mark.parametrize(("label", "least"), [("pitch", 0.98), ("effect", 0.99)])
def test_labels_of_held_out_notes_are_predicted(default_data, label, least):
    classifier = LabelClassifier.trained(default_data, label, Settings.preset("laptop").evaluation)
    clips = Clips.of(default_data, ("valid", "test"))
    predictions = classifier.predict(clips.waves)
    assert np.mean(predictions.best == getattr(clips, label)) >= least


def test_a_classifier_is_kept_and_loaded(small_data, small_settings):
    settings = small_settings.evaluation.model_copy(update={"classifier_steps": 10})
    first = LabelClassifier.trained(small_data, "effect", settings, seed=3)
    path = small_data.directory / FOLDER / "effect.safetensors"
    written = path.stat().st_mtime_ns
    second = LabelClassifier.trained(small_data, "effect", settings, seed=3)
    assert path.stat().st_mtime_ns == written
    waves = Clips.of(small_data, ("test",)).waves
    predictions = [classifier.predict(waves) for classifier in (first, second)]
    assert (predictions[0].probabilities == predictions[1].probabilities).all()
    assert (predictions[0].features == predictions[1].features).all()


def test_a_classifier_of_other_code_is_trained_anew(small_data, small_settings, monkeypatch):
    settings = small_settings.evaluation.model_copy(update={"classifier_steps": 2})
    path = small_data.directory / FOLDER / "effect.safetensors"
    save_tensors(path, {"00": np.zeros(1, np.float32)}, {})
    LabelClassifier.trained(small_data, "effect", settings, seed=4)
    assert provenance.code_hash() in load_tensors(path)[1]["key"]
    monkeypatch.setattr(provenance, "code_hash", lambda: "another")
    LabelClassifier.trained(small_data, "effect", settings, seed=4)
    assert "another" in load_tensors(path)[1]["key"]


def test_the_same_seed_trains_the_same_classifier(small_data, small_settings):
    settings = small_settings.evaluation.model_copy(update={"classifier_steps": 5})
    clips = Clips.of(small_data, ("train",))
    predictions = []
    for _ in range(2):
        classifier = LabelClassifier("pitch", small_data.vocabulary("pitch"))
        classifier.train(clips, settings, seed=1)
        predictions.append(classifier.predict(clips.waves))
    assert predictions[0].probabilities == pytest.approx(predictions[1].probabilities, abs=1e-4)


def test_shapes_of_predictions(small_data):
    classifier = LabelClassifier("pitch", [40, 41, 42])
    predictions = classifier.predict(Clips.of(small_data, ("test",)).waves)
    assert predictions.probabilities.sum(axis=1) == pytest.approx(np.ones(len(predictions.best)))
    assert predictions.features.shape == (len(predictions.best), FEATURES)
    assert set(predictions.best) <= {40, 41, 42}
    assert len(classifier.predict(np.empty((0, 64000))).best) == 0


def test_a_single_value_of_a_label_is_refused(small_data, small_settings, monkeypatch):
    monkeypatch.setattr(type(small_data), "vocabulary", lambda self, label: ["dry"])
    with pytest.raises(DataError, match="every note has effect dry"):
        LabelClassifier.trained(small_data, "effect", small_settings.evaluation)


def test_a_damaged_classifier_is_refused(small_data, small_settings, tmp_path):
    data = copy.copy(small_data)
    data.directory = tmp_path
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "pitch.safetensors").write_bytes(b"not a classifier")
    with pytest.raises(ReverbSynthError, match=r"pitch\.safetensors: not a whole"):
        LabelClassifier.trained(data, "pitch", small_settings.evaluation)
