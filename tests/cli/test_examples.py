"""The example in each command's help."""

import shlex

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from reverbsynth.cli import EXAMPLES, app

WRITTEN = {"data": "sounds/manifest.json", "play": "note.wav", "export": "bass.onnx"}
"""Those that are run, in this order, and what each writes."""


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.__name__)
def test_an_example_is_understood_and_shown(function):
    program, name, *arguments = shlex.split(EXAMPLES[function])
    command = get_command(app).commands[name]
    assert program == "reverbsynth"
    assert command.callback.__name__ == function.__name__
    assert len(command.make_context(name, arguments).params) == len(command.params)
    shown = CliRunner().invoke(app, [name, "--help"]).output
    assert f"Example: reverbsynth {name}" in shown


def test_examples_run(small_run, small_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").symlink_to(small_run.directory)
    (tmp_path / "data").symlink_to(small_data.directory)
    examples = {function.__name__: example for function, example in EXAMPLES.items()}
    for name, file in WRITTEN.items():
        result = CliRunner().invoke(app, shlex.split(examples[name])[1:])
        assert result.exit_code == 0, result.output
        assert (tmp_path / file).stat().st_size > 0
