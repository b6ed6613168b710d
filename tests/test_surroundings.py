"""What surrounds a command and is not its own: environment, configurations, terminal, umask.

``SURROUNDINGS`` are what was walked: every variable and file that Python or a library of ours reads
without being asked to. Here they are all odd at once, and change no byte of what is made; one by
one, and for every command, they are tried by ``tests/soak.py``. Elsewhere are ``KERAS_BACKEND`` and
``keras.json`` in a training (``tests/training/test_interference.py``), ``matplotlibrc`` in figures
(``tests/book/test_style.py``), parameters as papermill passes them and a checkout that cannot be
written (``tests/book/test_workspace.py``), homes that are not there (``tests/cli/test_cli.py``),
the umask of weights (``tests/files/test_tensors.py``), paths in a run that is moved
(``tests/training/test_train.py``).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reverbsynth.instrument.examples import BASS_LINE

SURROUNDINGS: dict[str, dict[str, str | None]] = {
    "no HOME": {"HOME": None},
    "a HOME that is not there": {"HOME": "/nowhere/at/all"},
    "a HOME that is a file": {"HOME": "/etc/hostname"},
    "no cache": {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/x", "MPLCONFIGDIR": "/proc/x"},
    "another's keras.json": {"KERAS_HOME": "{}/odd"},
    "a broken keras.json": {"KERAS_HOME": "{}/broken"},
    "another's matplotlibrc": {"MPLCONFIGDIR": "{}/odd"},
    "a broken matplotlibrc": {"MPLCONFIGDIR": "{}/broken"},
    "an unknown matplotlib backend": {"MPLBACKEND": "module://nothing"},
    "no TMPDIR": {"TMPDIR": "/nowhere"},
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII output": {"PYTHONIOENCODING": "ascii"},
    "a narrow terminal": {"COLUMNS": "4", "TERM": "dumb"},
    "odd COLUMNS": {"COLUMNS": "wide", "LINES": "-1"},
    "colors": {"FORCE_COLOR": "1", "TERM": "xterm-256color"},
    "no PATH": {"PATH": ""},
    "another repository's git": {"GIT_DIR": "/nowhere/.git", "GIT_WORK_TREE": "/"},
    "no docstrings": {"PYTHONOPTIMIZE": "2"},
    "odd threads": {"OMP_NUM_THREADS": "none", "NUMEXPR_MAX_THREADS": "x"},
    "no numba cache": {"NUMBA_CACHE_DIR": "/proc/x"},
    "no compiler of numba's": {"NUMBA_DISABLE_JIT": "1"},
    "another's TF_CONFIG": {"TF_CONFIG": "not JSON"},
    "another's KERAS_BACKEND": {"KERAS_BACKEND": "nonsense"},
    "no GPU": {"CUDA_VISIBLE_DEVICES": "-1"},
    "a time zone that is none": {"TZ": "Mars/Olympus"},
    "JUPYTER paths": {"JUPYTER_CONFIG_DIR": "/proc/x", "JUPYTER_DATA_DIR": "/proc/x"},
    "a runtime folder of root's": {"XDG_RUNTIME_DIR": "/proc/x"},
}


def write_odd_configurations(folder: Path) -> None:
    """Files of other programs' users, which ``SURROUNDINGS`` names."""
    for name in ("odd", "broken"):
        (folder / name).mkdir()
    keras = {"backend": "torch", "floatx": "float16", "image_data_format": "channels_first"}
    (folder / "odd" / "keras.json").write_text(json.dumps(keras))
    (folder / "odd" / "matplotlibrc").write_text("text.usetex: True\naxes.facecolor: black\n")
    (folder / "broken" / "keras.json").write_text("{not json")
    (folder / "broken" / "matplotlibrc").write_text("no such: setting\n: :\n\0")


HIDDEN = {
    "a HOME that is a file",  # by one that is not there
    "a broken keras.json",  # by another's
    "a broken matplotlibrc",
    "no HOME",
    "no PATH",  # has no git that would tell the commit
    "no docstrings",  # compiles everything anew
    "no compiler of numba's",  # slow
    "colors",
}
"""What cannot be combined with the others."""

COMMANDS = [
    ("play", "laptop", "--pitch", "C#2", "-o", "note ♫.flac"),
    ("play", "laptop", str(BASS_LINE), "-o", "song.wav", "--loudness", "-16"),
    ("export", "laptop", "-o", "bass.sfz", "--keys", "40..40"),
    ("data", "data", "--set", "data.source.programs=[33]", "--set", "data.source.pitches=[40, 42]"),
]


def call(here: Path, environment: dict[str, str], *command: str, **options):
    words = [sys.executable, "-m", "reverbsynth.cli", *command]
    return subprocess.run(
        words, cwd=here, env=environment, stderr=subprocess.PIPE, timeout=300, **options
    )


def environment(**changes: str | None) -> dict[str, str]:
    paths = {"PYTHONPATH": str(Path(__file__).parents[1])}
    whole = {**os.environ, **paths, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def made(here: Path) -> dict[str, bytes]:
    files = (path for path in sorted(here.rglob("*")) if path.is_file())
    return {path.relative_to(here).as_posix(): path.read_bytes() for path in files}


def test_odd_surroundings_change_nothing_of_what_is_made(tmp_path):
    write_odd_configurations(tmp_path)
    odd = {}
    for name, changes in SURROUNDINGS.items():
        if name not in HIDDEN:
            odd |= {
                key: value and value.replace("{}", str(tmp_path)) for key, value in changes.items()
            }
    found = []
    for name, changes in (("here", {}), ("there", odd)):
        (here := tmp_path / name).mkdir()
        for command in COMMANDS:
            done = call(here, environment(**changes), *command, stdout=subprocess.DEVNULL)
            assert done.returncode == 0, done.stderr
            assert done.stderr == b""
        found.append(made(here))
    assert found[0] == found[1]
    assert len(found[0]) > len(COMMANDS)


@pytest.mark.parametrize("output", ["/dev/full", "closed"])
def test_an_output_that_takes_nothing_ends_in_one_line_at_most(tmp_path, output):
    options = {"stdout": Path(output).open("w")} if output != "closed" else {}  # noqa: SIM115
    if output == "closed":
        options = {"preexec_fn": lambda: os.close(1)}
    done = call(tmp_path, environment(), "play", "laptop", "-o", "note.wav", **options)
    assert (tmp_path / "note.wav").stat().st_size > 100_000
    assert b"Traceback" not in done.stderr
    assert done.stderr.splitlines() in ([], [b"reverbsynth: output: No space left on device"])


def test_another_repository_s_variables_do_not_name_the_commit(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    code = "from reverbsynth.provenance import commit; print(commit())"
    commits = [
        subprocess.check_output([sys.executable, "-c", code], env=environment(**changes))
        for changes in ({}, {"GIT_DIR": str(tmp_path / ".git"), "GIT_WORK_TREE": str(tmp_path)})
    ]
    assert commits[0] == commits[1] != b"unknown\n"


@pytest.mark.parametrize(("asked", "found"), [(None, b"1\n"), ("0", b"0\n")])
def test_onednn_is_asked_for_unless_a_user_decides(asked, found):
    code = "import os, reverbsynth; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    surroundings = environment(TF_ENABLE_ONEDNN_OPTS=asked)
    assert subprocess.check_output([sys.executable, "-c", code], env=surroundings) == found


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_cores_are_those_that_a_process_may_use():
    code = "from reverbsynth.provenance import cores; print(cores())"
    one = {min(os.sched_getaffinity(0))}
    options = {"preexec_fn": lambda: os.sched_setaffinity(0, one)}
    assert subprocess.check_output([sys.executable, "-c", code], **options) == b"1\n"
