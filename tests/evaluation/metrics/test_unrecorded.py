"""Notes of keys that no training note was recorded for."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from reverbsynth.audio.format import NOTE_LENGTH, SAMPLE_RATE
from reverbsynth.audio.pitch import cents, midi_to_hz
from reverbsynth.evaluation.bootstrap import Bootstrap
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.grid import Grid
from reverbsynth.evaluation.metrics import unrecorded
from reverbsynth.evaluation.metrics.base import measure_all
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet
from reverbsynth.settings import EvaluationSettings

SECONDS = np.arange(NOTE_LENGTH) / SAMPLE_RATE


def tones(*pitches: float) -> np.ndarray:
    hz = midi_to_hz(pitches)[:, np.newaxis]
    waves = sum(np.sin(2 * np.pi * k * hz * SECONDS) / k for k in range(1, 6))
    return (0.1 * waves).astype(np.float32)


def note_set(name: str, sounding: list[float], requested: list[int]) -> NoteSet:
    clips = Clips.of_waves(tones(*sounding), requested, {})
    return NoteSet(name, clips, Grid.empty(clips), {}, 0.95)


def evaluated(**of_keys: NoteSet) -> EvaluationData:
    note_sets = [note_set(name, [40], [40]) for name in ("training", "real", "ceiling", "trained")]
    bootstrap = Bootstrap(resamples=100, least=2)
    generated = note_set("generated", [40], [40])
    settings = EvaluationSettings()
    return EvaluationData(settings, bootstrap, *note_sets, generated, ["dry"], unrecorded=of_keys)


def test_keys_are_those_without_training_notes():
    data = SimpleNamespace(keys=lambda split: {"train": [40, 43, 46]}[split])
    instrument = SimpleNamespace(keys=range(40, 48))
    assert unrecorded.unrecorded_keys(instrument, data) == [41, 42, 44, 45, 47]


def test_the_nearest_notes_are_shifted_to_each_key_in_each_effect():
    effects = {"effect": ["dry", "reverb", "dry", "reverb"]}
    training = Clips.of_waves(tones(40, 40, 46, 46), [40, 40, 46, 46], effects)
    shifted = unrecorded.resampled_notes(training, [42, 45, 49], count=6)
    assert shifted.pitch.tolist() == [42, 42, 45, 45, 49, 49]
    assert shifted.effect.tolist() == ["dry", "reverb"] * 3
    assert [name[-1] for name in shifted.id] == list("012323")
    assert shifted.waves.shape == (6, NOTE_LENGTH)
    assert cents(shifted.waves, shifted.pitch) == pytest.approx(np.zeros(6), abs=5)
    assert len(unrecorded.resampled_notes(training, [42, 45, 49], count=2)) == 2


def test_shares_are_of_these_keys_alone():
    right, wrong = ([41, 42], [41, 42]), ([41.6, 42], [41, 42])
    data = evaluated(
        real=note_set("real", *right),
        ceiling=note_set("ceiling", *right),
        generated=note_set("generated", *wrong),
        resampled=note_set("resampled", *right),
    )
    within, error, resampled, _ = measure_all(data, "group", unrecorded.pitch(data))
    assert (within.real.value, within.ceiling.value, within.generated.value) == (1, 1, 0.5)
    assert error.generated.value == pytest.approx(30, abs=5)
    assert resampled.real.value == 1
    assert resampled.generated.missing_reason == "—"


def test_where_all_keys_have_notes_nothing_is_asked():
    data = evaluated()
    for row in measure_all(data, "group", unrecorded.pitch(data)):
        reasons = {measure.missing_reason for measure in (row.real, row.ceiling, row.generated)}
        assert reasons == {"not asked"}


def test_as_many_notes_of_each_set_are_drawn():
    data = evaluated()
    large = note_set("large", [40] * 6, [40] * 6)
    sets = {"real": large, "ceiling": note_set("ceiling", [40] * 4, [40] * 4), "generated": large}
    data = dataclasses.replace(data, **sets)
    drawn = data.draw(large)
    assert (data.matched, len(set(drawn))) == (4, 4)
    assert data.draw(large).tolist() == drawn.tolist()
