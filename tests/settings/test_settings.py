"""The settings tree: presets, overrides, files, hashes, and one-line errors."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reverbsynth.errors import ReverbSynthError, SettingsError
from reverbsynth.settings import PRESETS, Settings, differences, parse_overrides, presets


def test_defaults_are_table_5():
    settings = Settings()
    assert settings.spectra.representation == "mel"
    assert settings.training.total_images == 11_000_000
    assert settings.training.stable_images == 800_000
    assert settings.training.batch == 64
    assert settings.gan.latent_size == 256
    assert settings.gan.kernel_size == 3
    assert settings.optimizer.generator_rate == settings.optimizer.discriminator_rate == 8e-4
    assert settings.losses.generator_label == settings.losses.discriminator_label == 10


@pytest.mark.parametrize("name", presets())
def test_presets_load_and_state_only_what_differs(name):
    settings = Settings.preset(name)
    assert settings.name == name
    stated = yaml.safe_load((PRESETS / f"{name}.yaml").read_text()) or {}
    base = Settings.preset(stated.pop("base")) if "base" in stated else Settings()
    defaults = base.model_dump(mode="json")
    for path, value in leaves(stated):
        place = defaults
        for key in path:
            place = place.get(key) if isinstance(place, dict) else None
        assert path[-1] == "kind" or value != place, f"{name}: {'.'.join(path)} repeats its base"


def leaves(tree, path=()):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


settings_trees = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2**32 - 1),
        "training.batch": st.integers(2, 512),
        "training.last_stage": st.integers(0, 12),
        "gan.labels": st.sampled_from([["pitch"], ["pitch", "effect"]]),
        "optimizer.epsilon": st.floats(1e-12, 1e-3),
        "data.source.pitches": st.tuples(st.integers(0, 60), st.integers(61, 127)).map(list),
        "data.split": st.just([0.5, 0.25, 0.25]),
        "spectra.representation": st.sampled_from(["mel", "linear", "phase"]),
    },
)


@given(st.sampled_from(presets()), settings_trees)
def test_yaml_round_trip(tmp_path_factory, name, overrides):
    # A preset's images are those of its own stages.
    settings = Settings.preset(name, **{"training.stage_images": None}, **overrides)
    path = tmp_path_factory.mktemp("settings") / "settings.yaml"
    path.write_text(settings.to_yaml())
    assert Settings.load(path) == settings
    assert Settings.load(path).hash == settings.hash


def test_minutes_take_the_place_of_a_presets_images():
    brief = {"training.last_stage": 1, "training.stage_minutes": [1, 2]}
    settings = Settings.preset("laptop", **brief)
    assert settings.training.stage_minutes == (1, 2)
    assert settings.training.stage_images is None
    back = settings.replace(**{"training.stage_images": [8, 16]}).training
    assert back.stage_minutes is None
    assert back.stage_images == (8, 16)
    with pytest.raises(SettingsError, match=r"stage_images.*beside stage_minutes"):
        settings.replace(training={"stage_images": [8, 16], "stage_minutes": [1, 2]})


def test_file_with_a_base(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("base: tiny\nname: mine\ntraining: {batch: 4}\n")
    settings = Settings.load(path)
    assert settings.name == "mine"
    assert settings.replace(**{"training.batch": Settings.preset("tiny").training.batch}) == (
        Settings.preset("tiny").replace(name="mine")
    )


def test_hash_names_what_decides_a_run():
    tiny = Settings.preset("tiny")
    assert tiny.hash == tiny.replace(name="other").hash
    assert tiny.hash != tiny.replace(seed=1).hash
    assert len(tiny.hash) == 12


@given(st.sampled_from(presets()), settings_trees)
def test_what_departs_from_the_defaults_is_all_there_is(name, overrides):
    settings = Settings.preset(name, **{"training.stage_images": None}, **overrides)
    assert Settings().replace(**settings.non_default_values()) == settings


def test_a_setting_at_its_default_is_not_in_the_hash():
    """So a later version may add one, and a run keeps its name."""
    assert Settings().non_default_values() == {"data": {"source": {"kind": "soundfont"}}}
    folder = Settings(data={"source": {"kind": "folder"}})
    nsynth = Settings(data={"source": {"kind": "nsynth"}})
    assert folder.non_default_values() == {"data": {"source": {"kind": "folder"}}}
    assert len({Settings().hash, folder.hash, nsynth.hash}) == 3


def test_differences_name_settings_and_both_values():
    tiny = Settings.preset("tiny")
    other = tiny.replace(**{"name": "mine", "seed": 3, "losses.label_weights": {"effect": 2.0}})
    assert differences(tiny, other) == {
        "seed": (0, 3),
        "losses.label_weights.effect": (None, 2.0),
    }
    assert differences(tiny, tiny.replace(name="other")) == {}


def test_another_kind_replaces_the_whole_source():
    source = Settings.preset(
        "tiny", **{"data.source.path": "/sounds", "data.source.kind": "folder"}
    ).data.source
    assert source.kind == "folder"
    assert source.pitches is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"training.bacth": 4}, "training.bacth: no such setting; did you mean batch"),
        ({"trainin.batch": 4}, "trainin: no such setting; did you mean training"),
        ({"training.batch": 1}, "training.batch: found 1, expected greater than or equal to 2"),
        ({"training.batch": "many"}, "training.batch: found 'many'"),
        ({"gan.labels": []}, r"gan.labels: found \[\], expected pitch among them"),
        ({"gan.labels": ["effect"]}, r"gan.labels: found \['effect'\], expected pitch among"),
        ({"gan.labels": ["pitch", "pitch"]}, "gan.labels: found .*each label once"),
        ({"gan.kernel_size": 4}, "gan.kernel_size: found 4, expected an odd number"),
        ({"gan.timbres": 9}, "gan.timbres: found 9, expected at most latent_size, 8"),
        ({"data.split": [0.5, 0.1, 0.1]}, "data.split: found a sum of 0.7, expected 1"),
        ({"data.source.pitches": [50, 40]}, "data.source.pitches: found"),
        ({"data.source.kind": "tape"}, "data.source: found .*expected"),
        ({"data": 3}, "data: found 3"),
        ({"data.effects": [{"name": "wet"}]}, "data.effects.0.kind: missing, expected a value"),
    ],
)
def test_wrong_settings_are_one_line(overrides, message):
    with pytest.raises(ReverbSynthError, match=message) as error:
        Settings.preset("tiny", **overrides)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["tinny", "", "../paper"])
def test_wrong_preset(name):
    with pytest.raises(ReverbSynthError, match=f"no such preset, expected one of {presets()[0]}"):
        Settings.preset(name)


@pytest.mark.parametrize("text", ["training: [", "- 1", "base: nothing", "training: 3", "\x00"])
def test_wrong_files_are_one_line(tmp_path, text):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(ReverbSynthError) as error:
        Settings.load(path)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path):
    with pytest.raises(ReverbSynthError, match="cannot be read"):
        Settings.load(tmp_path / "none.yaml")


def test_overrides_are_yaml():
    found = parse_overrides(["a.b=4", "c=[1, 2]", "d=text", "e=null"])
    assert found == {"a.b": 4, "c": [1, 2], "d": "text", "e": None}


@pytest.mark.parametrize("assignment", ["a.b", "=4", "a=[1"])
def test_wrong_overrides(assignment):
    with pytest.raises(ReverbSynthError, match="--set"):
        parse_overrides([assignment])


@given(st.text(max_size=40))
def test_any_override_is_taken_or_refused_in_one_line(text):
    try:
        Settings.preset("tiny", **parse_overrides([text]))
    except ReverbSynthError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("text", ["seed: 2020-13-45", "[" * 1000, "name: \x00"])
def test_a_file_that_is_no_yaml_is_one_line(tmp_path, text):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(ReverbSynthError, match=r"settings\.yaml: not valid YAML") as error:
        Settings.load(path)
    assert "\n" not in str(error.value)
