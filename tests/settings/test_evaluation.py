"""How a run is judged does not decide what it is called."""

import pytest

from reverbsynth.errors import ReverbSynthError
from reverbsynth.settings import Settings, presets


@pytest.mark.parametrize("preset", presets())
def test_the_evaluation_is_no_part_of_the_hash(preset):
    settings = Settings.preset(preset)
    judged = settings.replace(**{"evaluation.notes": 7, "evaluation.claims.cents": 1.5})
    assert judged.evaluation.notes == 7
    assert judged.hash == settings.hash
    assert settings.replace(seed=5).hash != settings.hash


def test_it_survives_a_file(tmp_path):
    settings = Settings.preset("tiny", **{"evaluation.claims.tail": 3.0})
    path = tmp_path / "settings.yaml"
    path.write_text(settings.to_yaml())
    assert Settings.load(path).evaluation == settings.evaluation


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"evaluation.note": 5}, "did you mean notes"),
        ({"evaluation.claims.cents": -5}, r"evaluation\.claims\.cents: found -5"),
        ({"evaluation.resamples": 3}, r"evaluation\.resamples: found 3"),
    ],
)
def test_a_wrong_setting_is_named(override, message):
    with pytest.raises(ReverbSynthError, match=message):
        Settings.preset("tiny", **override)
