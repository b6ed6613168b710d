"""A whole evaluation: of a run, of a perfect player, of silence and of NaN."""

import copy
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import reverbsynth.evaluation.evaluate as evaluate_module
from reverbsynth.audio import tails
from reverbsynth.book.chapters import effects
from reverbsynth.book.chapters import evaluation as pictures
from reverbsynth.data.build import build_data
from reverbsynth.data.dataset import DataSet
from reverbsynth.errors import ReverbSynthError, RunError
from reverbsynth.evaluation import claims, representations
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.evaluate import closest_notes, evaluate, kept_report
from reverbsynth.evaluation.report import FILE, Report
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings
from reverbsynth.spectra.representation import Representation
from reverbsynth.training.run import Run

QUICK = {
    "evaluation.notes": 12,
    "evaluation.min_notes": 2,
    "evaluation.grid_pitches": 2,
    "evaluation.grid_latents": 3,
    "evaluation.pairs": 4,
    "evaluation.sweep_notes": 2,
    "evaluation.resamples": 100,
    "evaluation.classifier_steps": 120,
}


class Player(Instrument):
    """Plays real notes through an image: a perfect generator, which a latent vector steers.

    ``spoil`` makes something else of the waves.
    """

    def __init__(self, data: DataSet, labels: tuple[str, ...], stage: int = 8, spoil=None):
        settings = Settings()
        self.gan, self.spectra, self.stage = settings.gan, settings.spectra, stage
        self.labels = LabelSpace({name: data.vocabulary(name) for name in labels})
        self.pitches = self.keys = list(self.labels["pitch"])
        self.facts = {"data_sha256": data.sha256}
        self.representation = Representation(settings.spectra)
        clips = Clips.of(data, data.splits)
        waves = clips.resynthesized(self.representation, stage).waves
        keys = zip(clips.pitch, clips.instrument, clips.effect, strict=True)
        self._notes = dict(zip(keys, waves, strict=True))
        self._kinds = [sorted(set(clips.instrument)), sorted(set(clips.effect))]
        self._spoil = spoil

    def notes(self, pitches, z=None, seed=None, effect=None, **labels):
        for name, values in labels.items():
            self.labels.one_hot(name, values)
        z = self.latents(len(pitches), seed) if z is None else z
        kinds = [
            [names[int(1000 * abs(value)) % len(names)] for value in column]
            for names, column in zip(self._kinds, z.T[:2], strict=True)
        ]
        keys = zip(pitches, kinds[0], effect or kinds[1], strict=True)
        waves = np.stack([self._played(*key) for key in keys])
        return waves if self._spoil is None else self._spoil(waves)

    def _played(self, pitch, instrument, effect):
        """One note; a mixture is a crossfade."""
        shares = effect if isinstance(effect, dict) else {effect: 1}
        return sum(share * self._notes[pitch, instrument, name] for name, share in shares.items())


@pytest.fixture(scope="module", autouse=True)
def representations_compared_once(small_data, small_settings):
    """What representations lose is the same for all these evaluations."""
    found = representations.compare_representations(small_data, small_settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate_module, "compare_representations", lambda data, settings: found)
        yield


@pytest.fixture(scope="module")
def quick(small_settings) -> Settings:
    return small_settings.replace(**QUICK)


@pytest.fixture(scope="module")
def of_run(small_run, small_data, quick) -> Report:
    return evaluate(small_run, small_data, quick)


def test_every_measure_has_a_number_or_a_missing_reason(of_run):
    assert {row.group for row in of_run.rows} == {
        "Notes",
        "Pitch",
        "Keys without recordings",
        "Reverb",
        "Reverb by octave",
        "Spectrum",
        "Distribution",
        "Memory",
        "Diversity and control",
        "Same note, other effect",
        "Dial",
    }
    assert len({row.key for row in of_run.rows}) == len(of_run.rows)
    for row in of_run.rows:
        for measure in (row.real, row.ceiling, row.generated):
            assert measure.known != bool(measure.missing_reason)
            if measure.known:
                assert measure.low <= measure.value <= measure.high
                assert np.isfinite([measure.low, measure.value, measure.high]).all()


def test_an_untrained_generator_reproduces_nothing_of_the_sound(of_run):
    found = {verdict.key: verdict.verdict for verdict in of_run.verdicts}
    assert found["pitch"] == claims.FAILS
    assert found["similar"] == claims.FAILS
    assert found["reverb"] != claims.HOLDS


def test_the_table_has_a_row_for_each_set_of_notes(of_run):
    table = of_run.table()
    assert list(table.index) == ["real notes", "real through IF-Mel", "generated"]
    assert table.loc["real notes", "FID"] == "too few notes"
    assert "[" in table.loc["generated", "pitch accuracy (%)"]


def test_the_report_of_a_run_is_kept_and_found(of_run, small_run, small_data, quick):
    path = small_run.directory / FILE
    written = path.stat().st_mtime_ns
    again = evaluate(small_run, small_data, quick)
    assert path.stat().st_mtime_ns == written
    assert again.rows == of_run.rows
    assert again.verdicts == of_run.verdicts
    assert again.table().equals(of_run.table())


def test_what_is_written_is_plain_json(of_run, small_run):
    stored = json.loads(
        (small_run.directory / FILE).read_text(),
        parse_constant=lambda name: pytest.fail(f"{name} in JSON"),
    )
    assert stored["facts"]["stage"] == 2
    assert len(stored["values"]["cents"]["generated"]) == 12


def test_evaluated_notes_can_be_played_again(of_run, small_run, small_data):
    instrument = Instrument.from_run(small_run)
    clips = Clips.generated(instrument, small_data, 12, of_run.facts["seed"])
    assert clips.pitch.tolist() == of_run.asked["pitch"]
    assert of_run.play(instrument, [3, 7]) == pytest.approx(clips.waves[[3, 7]], abs=1e-5)
    pairs = closest_notes(of_run, instrument, small_data)
    assert [pair for pair, *_ in pairs] == of_run.pairs
    assert len(pairs) == 4
    assert pairs[0][2].id == of_run.pairs[0]["training"]


def test_a_report_from_before_a_longer_training_is_not_the_kept_one(of_run, small_run, tmp_path):
    run = Run.open(shutil.copytree(small_run.directory, tmp_path / "run"))
    assert kept_report(run).rows == of_run.rows
    run.update(images_seen=1000, stage_ends=[16, 28, 1000])
    with pytest.raises(RunError, match=r"evaluation\.json: images_seen: found \d+, expected 1000"):
        kept_report(run)
    (run.directory / "stages" / "02").rename(run.directory / "stages" / "04")
    with pytest.raises(RunError, match=r"evaluation\.json: stage: found 2, expected 4"):
        kept_report(run)


@pytest.fixture
def made(monkeypatch) -> list:
    """Evaluations that are made; they find nothing."""
    made = []
    monkeypatch.setattr(
        evaluate_module, "_evaluated", lambda *given: made.append(given) or Report(given[-1])
    )
    return made


def test_other_settings_are_another_evaluation(
    of_run, small_run, small_data, quick, made, tmp_path
):
    run = Run.open(shutil.copytree(small_run.directory, tmp_path / "run"))
    other = quick.replace(**{"evaluation.claims.cents": 60.0})
    assert other.hash == quick.hash
    evaluate(run, small_data, quick)
    assert made == []
    evaluate(run, small_data, other)
    assert [given[3].evaluation.claims.cents for given in made] == [60]


def test_other_data_are_another_evaluation(of_run, small_run, small_data, quick, made, tmp_path):
    """And its report does not take the place of the one on the run's own data."""
    run = Run.open(shutil.copytree(small_run.directory, tmp_path / "run"))
    other = copy.copy(small_data)
    files = {name: {**file, "sha256": "f" * 64} for name, file in other.manifest["files"].items()}
    other.manifest = {**other.manifest, "files": files}
    kept = (run.directory / FILE).read_bytes()
    assert evaluate(run, other, quick, allow_other_data=True).rows == of_run.rows
    assert evaluate(run, small_data, quick).rows == of_run.rows
    assert made == []
    facts = evaluate(run, other, quick).facts
    assert not facts["own_data"]
    assert facts["instrument_settings"] == run.settings.hash
    assert len(made) == 1
    assert (run.directory / FILE).read_bytes() == kept


def test_a_report_of_other_code_is_made_anew(of_run, small_run, small_data, quick, made, tmp_path):
    run = Run.open(shutil.copytree(small_run.directory, tmp_path / "run"))
    assert evaluate(run, small_data, quick).rows == of_run.rows
    assert evaluate(run, small_data, quick, force=True).rows == []
    stored = json.loads((small_run.directory / FILE).read_text())
    stored["facts"]["code"] = "another"
    (run.directory / FILE).write_text(json.dumps(stored))
    assert evaluate(run, small_data, quick).rows == []
    assert len(made) == 2


def test_a_perfect_player_is_as_good_as_the_ceiling(small_data, quick):
    found = evaluate(Player(small_data, ("pitch", "effect")), small_data, quick)
    assert found["pitch.accuracy"].generated.value == 1
    assert found["pitch.within"].generated.value == 1
    assert found["notes.usable"].generated.value == 1
    treble = found["spectrum.treble"]
    assert treble.generated.value == pytest.approx(treble.ceiling.value, abs=8)
    # It plays its training notes back, and that shows.
    assert found["memory.copying"].generated.value > 0.5
    assert found["effect.accuracy"].generated.known
    verdicts = {verdict.key: verdict.verdict for verdict in found.verdicts}
    assert verdicts["losses"] == claims.NOT_TESTED
    # Only the label changes, and the reverb comes with it, as it does between real twins.
    change = found["paired.ratio.reverb"]
    assert change.generated.value == pytest.approx(change.ceiling.value, rel=0.5)
    assert 0 < change.generated.low < change.ceiling.value < change.real.value
    assert found["paired.louder.reverb"].generated.value == 1
    assert found["dial.monotone.reverb"].generated.value > 0.95
    assert verdicts["dial"] == claims.HOLDS


@pytest.fixture(scope="module")
def told_all(small_data) -> Player:
    """A player that is told every label that a data set can have."""
    return Player(small_data, ("pitch", "effect", "velocity", "instrument"))


@pytest.fixture(scope="module")
def of_told_all(told_all, small_data, quick) -> Report:
    return evaluate(told_all, small_data, quick.replace(**{"evaluation.classifier_steps": 2}))


def test_notes_with_any_label_are_evaluated_and_played_again(
    of_told_all, told_all, small_data, tmp_path
):
    of_told_all.save(tmp_path / FILE)
    kept = Report.load(tmp_path / FILE)
    clips = Clips.generated(told_all, small_data, 12, kept.facts["seed"])
    assert kept.asked == {name: getattr(clips, name).tolist() for name in told_all.labels}
    assert set(kept.asked["velocity"]) <= set(small_data.vocabulary("velocity"))
    assert kept.play(told_all, [3, 7]) == pytest.approx(clips.waves[[3, 7]])


def test_t20_is_compared_with_that_of_training_notes_of_the_keys_that_were_asked_for(
    of_told_all, small_data, quick
):
    """Of each of a key's notes by turns, not of its first instrument more often than of others."""
    asked = [
        p
        for p, e in zip(*map(of_told_all.asked.get, ("pitch", "effect")), strict=True)
        if e != "dry"
    ]
    training = Clips.of(small_data, ("train",))
    decays = tails.measure_tails(training.waves, quick.evaluation.straightness).t20
    expected: list[float] = []
    for pitch in sorted(set(asked)):
        of_key = decays[(training.pitch == pitch) & (training.effect == "reverb")]
        first = len(expected)
        taken = range(first, first + asked.count(pitch)) if len(of_key) else ()
        expected += [of_key[number % len(of_key)] for number in taken]
    row = of_told_all["reverb.requested"]
    assert row.real.notes == len(expected)
    assert row.real.value == pytest.approx(np.median(expected))
    assert row.generated == of_told_all["reverb.t20.reverb"].generated
    assert row.ceiling.missing_reason == "—"


def test_keys_held_out_of_training_are_measured_beside_resampled_notes(
    small_settings, quick, tmp_path
):
    held_out = {"data.train_every": 3, "data.source.pitches": [40, 43]}
    data = build_data(small_settings.replace(**held_out), tmp_path / "data")
    assert data.keys("train") == [40, 43]
    settings = quick.replace(**{"evaluation.classifier_steps": 2})
    found = evaluate(Player(data, ("pitch", "effect")), data, settings)
    measures = found["keys.within"]
    assert measures.generated.value == measures.real.value == measures.ceiling.value == 1
    assert measures.generated.notes == 12
    assert found["keys.resampled.within"].real.value == 1
    assert found["keys.resampled.within"].generated.missing_reason == "—"
    assert found["spectrum.resampled"].real.value > found["spectrum.nearest"].generated.value
    assert found.facts["keys_in_tune"] == {"keys with recordings": (2, 2), "other keys": (2, 2)}
    assert "2 of 2 keys with recordings and 2 of 2 other keys" in found.text()


@pytest.mark.parametrize(("factor", "reason"), [(0.0, "silent"), (np.nan, "NaN")])
def test_no_sound_is_a_reason_in_every_cell(small_data, quick, factor, reason):
    player = Player(small_data, ("pitch",), spoil=lambda waves: factor * waves)
    found = evaluate(player, small_data, quick)
    assert found["notes.usable"].generated.value == 0
    for row in found.rows:
        if row.key not in ("notes.usable", "memory.among", "spectrum.resampled"):
            assert not row.generated.known, row.key
            assert row.generated.missing_reason in (reason, "not asked"), row.key
    assert found["pitch.accuracy"].real.known
    assert {verdict.verdict for verdict in found.verdicts if verdict.key != "representation"} == {
        claims.NOT_TESTED
    }


def test_broken_notes_among_good_ones_are_wrong_answers(small_data, quick):
    def spoil(waves):
        waves = waves.copy()
        waves[::3] = 0
        return waves

    found = evaluate(Player(small_data, ("pitch",), spoil=spoil), small_data, quick)
    assert found["notes.usable"].generated.value == pytest.approx(2 / 3)
    assert found["pitch.accuracy"].generated.value == pytest.approx(2 / 3)
    assert found["pitch.cents"].generated.notes == 8


def test_a_wrong_path_is_one_line(tmp_path, small_data):
    with pytest.raises(ReverbSynthError, match="nothing: no such file or folder, expected a run"):
        evaluate(tmp_path / "nothing", small_data)


def test_a_damaged_report_is_refused(tmp_path):
    path = tmp_path / FILE
    path.write_text('{"format": 1, "rows": 3}')
    with pytest.raises(RunError, match="is wrong, expected a Report of format 1; remove the file"):
        Report.load(path)
    with pytest.raises(RunError, match="cannot be read"):
        Report.load(tmp_path / "none.json")


def test_the_command_prints_measures_and_verdicts(of_run, small_run, small_data, tmp_path):
    import typer

    from reverbsynth.cli.evaluate import evaluate as command

    app = typer.Typer()
    app.command()(command)
    options = [f"--set={key}={value}" for key, value in QUICK.items()]
    output = tmp_path / "copy.json"
    done = CliRunner().invoke(app, [str(small_run.directory), *options, "-o", str(output)])
    assert done.exit_code == 0, done.output
    assert "pitch accuracy (%)" in done.output
    assert "DOES NOT HOLD: A generated note has the pitch that was asked for." in done.output
    assert Report.load(output).rows == of_run.rows


def test_an_instrument_needs_data(small_run, small_data, tmp_path):
    from reverbsynth.cli.evaluate import evaluate as command

    path = tmp_path / "bass.safetensors"
    Instrument.from_run(small_run).save(path)
    for source in (path, Path("laptop")):
        with pytest.raises(ReverbSynthError, match="expected --data"):
            command(source)
    for given, options, message in (
        (tmp_path / "none", {}, "none: no such file or folder, expected a run, an instr"),
        (path, {"transfer": True}, "--effect-transfer is for a run"),
        (path, {"stage": 1}, "instrument of stage 2, expected 1"),
        (small_run.directory, {"transfer": True, "stage": 1}, "found stage 1, expected the last"),
        (path, {"output": tmp_path}, "is a folder, expected a file's name"),
        (path, {"output": Path()}, "expected a name"),
    ):
        with pytest.raises(ReverbSynthError, match=message):
            command(given, data=small_data.directory, **options)


def test_what_cannot_be_transferred_is_told(of_run, small_run, small_data, monkeypatch, capsys):
    from reverbsynth.cli.evaluate import evaluate as command
    from reverbsynth.evaluation import effect_transfer

    nothing = effect_transfer.TransferTrials({})
    monkeypatch.setattr(effect_transfer, "apply_to_held_out", lambda *options: nothing)
    quick = [f"{key}={value}" for key, value in QUICK.items()]
    command(small_run.directory, data=small_data.directory, set_=quick, transfer=True)
    assert capsys.readouterr().out.splitlines()[-1].startswith("none: they have no twins")


def test_there_must_be_held_out_notes(small_run, small_settings, tmp_path):
    data = build_data(small_settings.replace(**{"data.split": [1, 0, 0]}), tmp_path / "data")
    with pytest.raises(ReverbSynthError, match="no notes in valid and test, expected held-out"):
        evaluate(small_run, data)


def test_there_must_be_training_notes(small_run, small_settings, tmp_path):
    data = build_data(small_settings.replace(**{"data.split": [0, 0.5, 0.5]}), tmp_path / "data")
    with pytest.raises(ReverbSynthError, match="no notes in train, expected notes for classifiers"):
        evaluate(small_run, data)


@pytest.mark.parametrize(("preset", "notes"), [(None, 200), ("tiny", 24)])
def test_an_instrument_is_judged_by_the_defaults(
    small_run, small_data, tmp_path, made, monkeypatch, preset, notes
):
    from reverbsynth.cli.evaluate import evaluate as command

    path = tmp_path / "bass.safetensors"
    Instrument.from_run(small_run).save(path)
    monkeypatch.setattr(Report, "text", lambda report: "")
    command(path, data=small_data.directory, preset=preset, set_=["seed=5"])
    settings = made[0][3]
    assert (settings.evaluation.notes, settings.seed) == (notes, 5)


@pytest.mark.parametrize("through_json", [False, True])
def test_figures_are_drawn_of_what_was_found(of_run, small_run, through_json):
    shown = Report.load(small_run.directory / FILE) if through_json else of_run
    assert shown.effects == ["dry", "reverb"]
    for figure, lines in (
        (pictures.decay_curves(shown, shown.effects), 4),
        (pictures.pitch_errors(shown), 3),
    ):
        assert sum(len(ax.lines) for ax in figure.axes) >= lines


def test_chapter_9_is_drawn_and_told_of_what_was_found(of_run, small_run):
    kept = Report.load(small_run.directory / FILE)
    assert [len(ax.lines) for ax in effects.paired_changes(kept).axes][2] == 5
    assert [len(ax.lines) for ax in effects.dial_curves(kept).axes][2] == 3
    text = effects.answer(kept).data
    assert of_run["paired.ratio.reverb"].text("generated") in text
    assert "in 11 steps" in text
    assert list(effects.labels(small_run)["inputs"]) == [3, 2]
    told = SimpleNamespace(settings=Settings(), labels=LabelSpace({"velocity": [40, 80]}))
    assert effects.labels(told).loc["velocity", "values"] == "40, 80"


def test_chapter_9_of_an_instrument_without_effects_says_so():
    nothing = Report({"wet": None})
    assert "has no answer" in effects.answer(nothing).data
    empty = effects.paired_changes(nothing).axes[2]
    assert [text.get_text() for text in empty.texts] == ["nothing to show"]


def test_a_figure_of_nothing_says_so():
    figure = pictures.decay_curves(Report({}), ["dry"])
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["too few notes"]


def test_chapter_8_says_what_is_compared_and_shows_only_what_there_is(of_run, small_run):
    said = pictures.compared(of_run).data
    assert "12 generated notes of stage 2 are compared with" in said
    assert "notes of every key" in pictures.unrecorded(of_run, small_run, "keys").data
    assert "One training of this run's recipe is kept" in pictures.luck(of_run, small_run).data
