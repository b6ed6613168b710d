"""A run that was moved works whole: its data are found in it."""

from typer.testing import CliRunner

from reverbsynth.cli import app
from reverbsynth.training.run import Run
from tests.evaluation.test_evaluate import QUICK


def test_a_moved_run_is_trained_evaluated_bundled_and_played(small_settings, tmp_path, monkeypatch):
    def run(*arguments):
        done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(small_settings.replace(**QUICK).to_yaml())
    run("train", "one", "--settings", "small.yaml", "--until-stage", 0)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "one").rename(tmp_path / "elsewhere" / "two")
    run("train", "elsewhere/two", "--until-stage", 0)
    assert Run.open("elsewhere/two").stages == [0]
    assert run("evaluate", "elsewhere/two").startswith("In tune within 50 cents, a note each: ")
    run("bundle", "elsewhere/two", "night")
    assert Run.open("night").bundled
    run("play", "elsewhere/two", "--pitch", "E2", "-o", "note.wav")
    assert not (tmp_path / "one").exists()
