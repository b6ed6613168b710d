"""Effects applied to held-out notes: what is measured, kept and found again."""

import re
from dataclasses import replace

import numpy as np
import pytest

from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.book.chapters import effects
from reverbsynth.errors import RunError
from reverbsynth.evaluation.effect_transfer import (
    FILE,
    TransferTrial,
    TransferTrials,
    apply_to_held_out,
)
from reverbsynth.instrument.instrument import Instrument
from tests.instruments import untrained


@pytest.fixture(scope="module")
def quick(small_settings):
    brief = {"notes": 1, "starts": 2, "steps": 2}
    return small_settings.replace(**{f"evaluation.transfer_{k}": v for k, v in brief.items()})


@pytest.fixture(scope="module")
def trials(small_run, small_data, quick) -> TransferTrials:
    return apply_to_held_out(small_run, small_data, quick)


def test_distances_are_those_of_the_played_waves(trials, small_run, small_data):
    (trial,) = trials.trials
    assert trial.effect == "reverb"
    twins = trial.notes(small_data)
    played = trial.play(Instrument.from_run(small_run), twins["dry"].audio)
    reconstructed, result = played
    assert set(twins) == {"dry", "reverb"}
    assert twins["dry"].id == trial.id
    waves = [twins["dry"].audio, reconstructed, result, twins["reverb"].audio]
    recording, reconstruction, wet, twin = mel_levels(np.stack(waves))
    for found, pair in (
        (trial.reconstruction, (reconstruction, recording)),
        (trial.spectrum("network"), (wet, twin)),
        (trial.spectrum("nothing"), (recording, twin)),
    ):
        assert found == pytest.approx(log_spectral_distance(*pair), rel=1e-3)


def test_trials_are_kept_and_loaded(trials, small_run, small_data, quick):
    path = small_run.directory / FILE
    written = path.stat().st_mtime_ns
    assert apply_to_held_out(small_run, small_data, quick).trials == trials.trials
    assert path.stat().st_mtime_ns == written
    assert trials.facts["data_sha256"] == small_data.sha256
    path.write_text("{}")
    with pytest.raises(RunError, match=r"applied\.json: found format None, expected 1"):
        apply_to_held_out(small_run, small_data, quick)
    path.write_text('{"format": 1, "facts": {}, "trials": 3}')
    with pytest.raises(RunError, match="trials is wrong, expected a TransferTrials"):
        apply_to_held_out(small_run, small_data, quick)
    trials.save(path)


def test_a_trial_with_mixed_numbers_is_played_again_when_it_was_loaded(tmp_path):
    values = {"pitch": [40], "effect": ["dry", "reverb"], "velocity": [40, 80]}
    labels = {"effect": {"dry": 0.5, "reverb": 0.5}, "velocity": {40: 0.25, 80: 0.75}}
    weights = [[1.0] + [0.0] * 15] * 2
    trial = TransferTrial("a", "a", 40, "reverb", [0.1] * 4, labels, 0.0, weights, {})
    TransferTrials({}, [trial]).save(tmp_path / FILE)
    (loaded,) = TransferTrials.load(tmp_path / FILE).trials
    instrument = untrained(values, 0, latent_size=4)
    recording = instrument.notes([40], seed=1)[0]
    for again, wave in zip(*(t.play(instrument, recording) for t in (loaded, trial)), strict=True):
        assert again == pytest.approx(wave)


def test_no_share_of_a_response_that_gains_nothing(trials, quick):
    (trial,) = trials.trials
    nothing = trial.distances["nothing"]
    for worthless in (nothing, nothing | {"spectrum": nothing["spectrum"] + 1}):
        changed = replace(trial, distances=trial.distances | {"response": worthless})
        table = TransferTrials({}, [changed]).table(quick)
        assert set(table["gain, as a share of the impulse response's"]) == {"undefined"}


def test_a_trial_of_which_nothing_decays_leaves_the_others(trials, small_settings):
    (trial,) = trials.trials

    def table(decays: list[float | None]):
        some = [
            replace(trial, distances={k: v | {"octaves": x} for k, v in trial.distances.items()})
            for x in decays
        ]
        several = small_settings.replace(**{"evaluation.transfer_notes": 8})
        several = several.replace(**{"evaluation.min_notes": 8})
        found = TransferTrials({}, some).table(several)
        (column,) = (column for column in found if "octaves" in column)
        return set(found[column])

    assert table([0.5] * 7 + [None]) == {"0.50 [0.50, 0.50]"}
    assert table([0.5] * 3 + [None] * 5) == {"no decay"}


def test_they_are_told_and_shown(trials, small_run, small_data, quick, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = trials.table(quick).set_index("method")
    gain = "gain, as a share of the impulse response's"
    assert shown.loc["the network", "log-spectral distance (dB)"] == "too few notes"
    assert shown.loc[["left as it was", "estimated impulse response"], gain].tolist() == [
        *("0%", "100%")
    ]
    (trial,) = trials.trials
    assert (
        f"with the network's effect it is {trial.spectrum('network'):.1f} dB away"
        in effects.applied_answer(trials).data
    )
    several = effects.applied_answer(TransferTrials(trials.facts, [trial], [trials])).data
    assert re.search(r"nearer than before in ([01]) and \1 of 1 trials of each seed", several)
    instrument = Instrument.from_run(small_run)
    shown = effects.show_applied(trials, instrument, small_data, small_run, "applied")
    assert shown._repr_html_().count("<audio") == 4
    assert "no label for the effect" in effects.applied_answer(TransferTrials({})).data
