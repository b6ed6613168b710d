"""Killed and out of disk at their writes: ``data``, ``bundle``, ``play``, ``apply``, ``export``,
``evaluate``.

``evaluate`` finds a report that the run keeps, and measures nothing. What ``book`` replaces at its
end is tested in ``tests/files/test_atomic.py``, trainings are killed in
``tests/training/test_killed.py``, and all commands but ``book`` at random by ``tests/soak.py``.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile

from reverbsynth import provenance
from reverbsynth.evaluation import effect_transfer
from reverbsynth.evaluation.effect_transfer import TransferTrials
from reverbsynth.evaluation.report import FILE, Report
from reverbsynth.files.atomic import is_partial
from reverbsynth.seeds import evenly_spaced
from tests.forks import Forks
from tests.sounds import _tone

pytestmark = [pytest.mark.kill, pytest.mark.slow]

MOST = {"apply": 1}
"""Moments at which a command is killed, spread over those that it has; three of others."""

COMMANDS = {
    "data": ("data", "{}/out", "--settings", "{}/small.yaml"),
    "bundle": ("bundle", "{}/run", "{}/out", "--data", "{}/data", "--replace"),
    "play": ("play", "laptop", "-o", "{}/out.flac"),
    "apply": (
        "apply",
        "{}/run",
        "{}/note.wav",
        "--effect",
        "reverb",
        "-o",
        "{}/out.wav",
        "--steps",
        "1",
        "--starts",
        "1",
    ),
    "evaluate": ("evaluate", "{}/run", "--data", "{}/data", "-o", "{}/out.json"),
    "page": ("export", "laptop", "-o", "{}/out"),
}
"""By name, with ``{}`` for the folder of what is read, and of what is written, as ``out``."""


class Commands:
    """Commands in forks, and the folders of inputs that they begin with."""

    def __init__(self, inputs: Path, forks: Forks):
        self.inputs, self._forks = inputs, forks

    def begin(self, name: str, here: Path) -> None:
        """Copy what a command reads."""
        here.mkdir()
        for source in self.inputs.iterdir():
            if any(part.startswith(f"{{}}/{source.name}") for part in COMMANDS[name]):
                (shutil.copytree if source.is_dir() else shutil.copy)(source, here / source.name)

    def run(self, name: str, here: Path, **options) -> tuple[int, str]:
        """The exit status, and what was said."""
        said = here.with_suffix(".said")
        arguments = [part.replace("{}", str(here)) for part in COMMANDS[name]]
        pid = self._forks.start(arguments, said=str(said), **options)
        return self._forks.status(pid), said.read_text()


@pytest.fixture(scope="module")
def commands(forks, small_run, small_data, small_settings, tmp_path_factory) -> Commands:
    inputs = tmp_path_factory.mktemp("inputs")
    (inputs / "small.yaml").write_text(small_settings.to_yaml())
    soundfile.write(inputs / "note.wav", _tone(41, 1.0), 16_000)
    shutil.copytree(small_data.directory, inputs / "data")
    shutil.copytree(small_run.directory, inputs / "run")
    evaluation = small_run.settings.evaluation
    facts = {
        "stage": small_run.stages[-1],
        "seed": small_run.settings.seed,
        "settings": evaluation.model_dump(mode="json"),
        "images_seen": small_run.manifest["images_seen"],
        "data_sha256": small_data.sha256,
        "code": provenance.code_hash(),
    }
    # Neither measures nor trials, so that a bundle evaluates nothing.
    Report(facts).save(inputs / "run" / FILE)
    facts |= {key: getattr(evaluation, f"transfer_{key}") for key in ("notes", "starts", "steps")}
    TransferTrials(facts).save(inputs / "run" / effect_transfer.FILE)
    return Commands(inputs, forks)


def files(here: Path) -> dict[str, Any]:
    """All files that are no temporary ones, by their paths, without the commit that they name."""
    found = {}
    for path in sorted(here.rglob("*")):
        within = path.relative_to(here)
        if path.is_file() and not any(is_partial(Path(part)) for part in within.parts):
            content = re.sub(rb'"commit": "[^"]*"', b'"commit": ""', path.read_bytes())
            found[within.as_posix()] = json.loads(content) if path.suffix == ".json" else content
    return found


def made(here: Path) -> dict[str, Any]:
    """What a command wrote."""
    return {name: content for name, content in files(here).items() if name.startswith("out")}


def left(here: Path) -> set[Path]:
    """Temporary files, which only a killed process leaves."""
    return {path for path in here.rglob("*") if is_partial(path)}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_killed_or_finds_the_disk_full_makes_the_same_the_next_time(
    name, commands, tmp_path
):
    whole, here, copies = tmp_path / "whole", tmp_path / "here", tmp_path / "copies"
    commands.begin(name, whole)
    if name == "bundle":  # which replaces one that is there
        assert commands.run(name, whole)[0] == 0
    shutil.copytree(whole, here)
    start = files(here)
    status, said = commands.run(name, whole, watched=str(whole), copies=str(copies))
    assert status == 0, said
    expected, count = made(whole), int(re.findall(r"moments: (\d+)", said)[0])
    assert expected
    assert count >= 2  # a file is made durable, and renamed
    moments = [1 + int(index) for index in evenly_spaced(count, MOST.get(name, 3))]

    def goes_on(there: Path) -> None:
        """A folder that is as at the beginning was run on already."""
        if files(there) != start:
            status, said = commands.run(name, there)
            assert status == 0, said
            assert made(there) == expected

    for moment in moments:
        status, said = commands.run(name, here, full_at=moment)
        if status == 0:
            continue  # What earlier tries have made left fewer writes to this one.
        line = said.splitlines()[-1 - 2 * ("moments: " in said)]
        assert status == 2, said
        assert "Traceback" not in said
        assert re.match(r"reverbsynth: .* cannot be written \(No space left on device\)", line)
        assert not left(here)
        assert unharmed(name, here, start)
    goes_on(here)
    for killed in (copies / str(moment) for moment in moments):
        assert unharmed(name, killed, start)
        goes_on(killed)


def unharmed(name: str, here: Path, start: dict[str, Any]) -> bool:
    """Whether what was there before is there still: all of it, or it was moved as a whole."""
    found = files(here)
    if name == "bundle" and not (here / "out").exists():
        found |= {path.removeprefix("."): content for path, content in found.items()}
        start = {path.replace("out/", "out.old/"): content for path, content in start.items()}
    return start.items() <= found.items()
