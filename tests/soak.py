"""A soak: random commands that are killed, find the disk full, or are given hostile input.

    python -m tests.soak --minutes 60 --seed 1 [--folder /tmp] [--base /tmp/base] [--only play ...]

Run by hand on Linux, while the code stands still; pytest does not collect it. In a temporary folder
it makes a small data set, a run with its report, a bundle, recordings and a MIDI file (``--base``
keeps them for the next time, until the code changes). Then, until the time is over, it gives a
random command copies of what it reads, lets one thing go wrong, and holds it to this:

- it succeeds, or ends with one line on stderr and a status other than 0, and never a traceback;
- what was there before is as it was, or opens whole;
- after a kill or a full disk the same command goes on or starts anew, and makes what it makes
  when nothing goes wrong; temporary files are left by SIGKILL only.

Faults are printed with what reproduces them and make the exit status 1. Where the system lets it
(root), the disk that fills or is read-only is a small tmpfs; elsewhere files may not grow beyond a
limit. A command is a fork of this process, which has everything imported, so that its time goes
into the command; one with other surroundings is a new process.
"""

import argparse
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # no thread may run when it forks
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import mido
import soundfile

import reverbsynth.book.bundle
import reverbsynth.data.build
import reverbsynth.evaluation.effect_transfer
from reverbsynth import cli
from reverbsynth.data.dataset import DataSet
from reverbsynth.files.atomic import is_partial
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run
from tests.conftest import SMALL
from tests.sounds import _tone
from tests.test_surroundings import SURROUNDINGS, write_odd_configurations

BRIEF = {
    **{"notes": 8, "min_notes": 2, "grid_pitches": 2, "grid_latents": 2, "pairs": 2},
    **{"sweep_notes": 1, "transfer_notes": 1, "transfer_starts": 1, "transfer_steps": 2},
    **{"resamples": 100, "classifier_steps": 10},
}
PATIENCE = 900  # Seconds after which a command that does not end is a fault.
DISK = 64_000_000
ROOT = Path(__file__).parents[1]


# -- What is run ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """A command with its inputs by name, copied from `World.base`; ``{}`` is the round's folder.

    ``makes`` is what it writes, and ``opens`` raises unless that is whole. ``same`` tells whether
    the bytes (of a run: the weights) are the same whenever nothing changed.
    """

    name: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    makes: str
    opens: Callable[[Path], object]
    same: bool = True
    weight: int = 4
    statuses: tuple[int, ...] = (0,)


def opens_sound(path: Path) -> None:
    with path.open("rb") as file:  # whatever its name
        assert len(soundfile.read(file)[0]) > 1000


def opens_data(path: Path) -> None:
    data = DataSet.open(path)
    for split in data.splits:
        assert len(list(data.notes(split))) == data.count(split)


def opens_run(path: Path) -> None:
    run = Run.open(path)
    assert run.finished
    Instrument.from_run(run)


def opens_bundle(path: Path) -> None:
    reverbsynth.book.bundle.check(Run.open(path))


def opens_json(path: Path) -> None:
    json.loads(path.read_text())


def opens_page(path: Path) -> None:
    assert (path / "index.html").stat().st_size > 1000


def opens_bytes(path: Path) -> None:
    assert path.stat().st_size > 1000


_FOLDER = ("--source", "folder", "--path", "{}/sounds")
COMMANDS = (
    Command("data", ("data", "{}/out", "--settings", "{}/small.yaml"), ("small.yaml",), "out",
            opens_data, weight=8),
    Command("data of sounds", ("data", "{}/out", *_FOLDER), ("sounds",), "out", opens_data,
            weight=8),
    Command("data --check", ("data", "{}/out", "--check", *_FOLDER), ("sounds",),
            "out/sheet.html", opens_bytes, same=False, weight=3),
    Command("train", ("train", "{}/out", "--data", "{}/data", "--settings", "{}/small.yaml"),
            ("data", "small.yaml"), "out", opens_run, weight=3),
    Command("train --more", ("train", "{}/run", "--data", "{}/data", "--more", "8"),
            ("run", "data"), "run", opens_run, weight=1),
    Command("evaluate", ("evaluate", "{}/run", "--data", "{}/data", "-o", "{}/out.json"),
            ("run", "data"), "out.json", opens_json, same=False, weight=1),
    Command("evaluate --force", ("evaluate", "{}/run", "--data", "{}/data", "--force"),
            ("run", "data"), "run/evaluation.json", opens_json, same=False, weight=1),
    Command("apply", ("apply", "laptop", "{}/note.wav", "--effect", "reverb", "-o", "{}/out.wav",
            "--steps", "3", "--starts", "1"), ("note.wav",), "out.wav", opens_sound, weight=4),
    Command("play", ("play", "{}/laptop.safetensors", "--pitch", "40", "-o", "{}/out.flac"),
            ("laptop.safetensors",), "out.flac", opens_sound, weight=6),
    Command("play MIDI", ("play", "laptop", "{}/song.mid", "-o", "{}/out.wav"), ("song.mid",),
            "out.wav", opens_sound, weight=6),
    Command("play a run", ("play", "{}/run", "-o", "{}/out.ogg"), ("run",), "out.ogg",
            opens_sound, same=False, weight=3),
    Command("bundle", ("bundle", "{}/run", "{}/out", "--data", "{}/data"), ("run", "data"), "out",
            opens_bundle, same=False, weight=2),
    Command("bundle --replace", ("bundle", "{}/run", "{}/bundle", "--replace", "--data",
            "{}/data"), ("run", "data", "bundle"), "bundle", opens_bundle, same=False, weight=2),
    Command("export .safetensors", ("export", "{}/run", "-o", "{}/out.safetensors"), ("run",),
            "out.safetensors", Instrument.load, weight=2),
    Command("export .onnx", ("export", "laptop", "-o", "{}/out.onnx"), (), "out.onnx",
            opens_bytes, weight=3),
    Command("export a page", ("export", "{}/bundle", "-o", "{}/page"), ("bundle",), "page",
            opens_page, weight=3),
    *(Command(f"export .{kind}", ("export", "laptop", "-o", f"{{}}/out.{kind}", "--keys", "40..41"),
              (), f"out.{kind}", opens_bytes, same=False, weight=2)
      for kind in ("sfz", "sf2", "dspreset")),
    Command("reproduce", ("reproduce", "{}/run", "--against", "{}/bundle", "--data", "{}/data"),
            ("run", "bundle", "data"), "run/evaluation.json", opens_json, same=False, weight=1,
            statuses=(0, 1)),
)  # fmt: skip


class World:
    """What rounds begin with, each made when it is first needed, in ``base``."""

    def __init__(self, folder: Path, base: Path | None):
        self.base, self.folder = base or folder / "base", folder
        self.base.mkdir(exist_ok=True)
        self.references: dict[str, tuple[str, float]] = {}
        """What each command makes when nothing goes wrong, and the seconds that it takes."""

    def copy(self, command: Command, here: Path) -> None:
        """Copy what a command reads."""
        here.mkdir()
        for name in command.inputs:
            source = self.find(name)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, here / name)

    def find(self, name: str) -> Path:
        """The path of an input, which is made if it is not there."""
        path = self.base / name
        if not path.exists():
            made = self.base / f"making-{name}"
            shutil.rmtree(made, ignore_errors=True)
            getattr(self, "_make_" + name.partition(".")[0])(made)
            made.rename(path)
        return path

    def _make_small(self, path: Path) -> None:
        small = Settings.preset("tiny", **SMALL)
        small = small.replace(**{"training.checkpoint_minutes": 0.01, "evaluation": BRIEF})
        path.write_text(small.to_yaml())

    def _make_note(self, path: Path) -> None:
        soundfile.write(path, _tone(41), 16_000, format="WAV")

    def _make_laptop(self, path: Path) -> None:
        shutil.copyfile(ROOT / "book/results/laptop/instrument.safetensors", path)

    def _make_sounds(self, path: Path) -> None:
        path.mkdir()
        rows = ["file,pitch,velocity"]
        for pitch in range(36, 44):
            soundfile.write(path / f"{pitch}.wav", _tone(pitch, 1.0), 16_000)
            rows.append(f"{pitch}.wav,{pitch},{60 + pitch}")
        (path / "notes.csv").write_text("\n".join(rows) + "\n")

    def _make_song(self, path: Path) -> None:
        song = mido.MidiFile()
        song.tracks.append(track := mido.MidiTrack())
        for note in (40, 43, 45):
            track.append(mido.Message("note_on", note=note, velocity=90, time=0))
            track.append(mido.Message("note_off", note=note, time=480))
        song.save(path)

    def _make_data(self, path: Path) -> None:
        self._run("data", path, "--settings", self.find("small.yaml"))

    def _make_run(self, path: Path) -> None:
        data, settings = self.find("data"), self.find("small.yaml")
        self._run("train", path, "--data", data, "--settings", settings)
        self._run("evaluate", path, "--data", data, "--effect-transfer")

    def _make_bundle(self, path: Path) -> None:
        self._run("bundle", self.find("run"), path, "--data", self.find("data"))

    def _run(self, *words: Path | str) -> None:
        done = Process(self.base, self.folder, tuple(map(str, words))).ended()
        assert done.status == 0, done.text


# -- A process, and what it left -----------------------------------------------------------------


@dataclass
class Ended:
    """The end of a process: its exit status (negative for a signal), what it said, its seconds."""

    status: int
    text: str
    seconds: float


class Process:
    """``reverbsynth`` with arguments: a fork of this process, or a new one in surroundings."""

    def __init__(
        self,
        here: Path,
        folder: Path,
        arguments: tuple[str, ...],
        surroundings: "dict[str, str | None] | None" = None,
        largest: int | None = None,
    ):
        self._said = folder / "said"
        words = ["reverbsynth", *(part.replace("{}", str(here)) for part in arguments)]
        self._started = time.monotonic()
        if surroundings is not None:
            environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
            for name, value in surroundings.items():
                environment.pop(name, None)
                if value is not None:
                    environment[name] = value.replace("{}", str(folder))
            command = [sys.executable, "-m", "reverbsynth.cli", *words[1:]]
            with self._said.open("wb") as said:
                self.pid = subprocess.Popen(command, stdout=said, stderr=said, env=environment).pid
            return
        assert len(os.listdir("/proc/self/task")) == 1
        self.pid = os.fork()
        if self.pid == 0:
            self._run(words, largest)

    def _run(self, words: list[str], largest: int | None) -> None:
        status = 70
        try:
            descriptor = os.open(self._said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            if largest is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
            sys.argv = words
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except KeyboardInterrupt:
            status = 130
        except BaseException:
            sys.excepthook(*sys.exc_info())
            status = 1
        finally:
            with suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def ended(self, kill: int | None = None, after: float = 0.0) -> Ended:
        """Wait for the end; a signal may be sent after some seconds."""
        status = None
        try:
            while status is None:
                pid, waited = os.waitpid(self.pid, os.WNOHANG)
                passed = time.monotonic() - self._started
                if pid:
                    status = os.waitstatus_to_exitcode(waited)
                elif kill is not None and passed > after:
                    os.kill(self.pid, kill)
                    kill = None
                elif passed > PATIENCE:
                    os.kill(self.pid, signal.SIGKILL)
                else:
                    time.sleep(0.01)
        finally:
            if status is None:
                os.kill(self.pid, signal.SIGKILL)
        text = self._said.read_text(errors="replace") if self._said.exists() else ""
        return Ended(status, text, time.monotonic() - self._started)


def in_a_fork(action: Callable[[], object], folder: Path) -> str:
    """Why an action fails, or nothing; whatever it starts ends with its process."""
    pid = os.fork()
    if pid == 0:
        reason = ""
        try:
            action()
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
        (folder / "reason").write_text(reason)
        os._exit(0)
    os.waitpid(pid, 0)
    return (folder / "reason").read_text()


def digest(path: Path) -> str:
    """Names what a file or folder holds: of runs the weights, of data sets the notes."""
    found = hashlib.sha256()
    weights = sorted(path.glob("stages/*/weights.safetensors"))
    notes = sorted(path.glob("*.tfrecord"))
    files = [path] if path.is_file() else weights or notes or sorted(path.rglob("*"))
    for file in files:
        if file.is_file():
            found.update(file.relative_to(path.parent).as_posix().encode() + file.read_bytes())
    return found.hexdigest()


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return {
        str(file.relative_to(path.parent)): file.read_bytes() for file in files if file.is_file()
    }


# -- What goes wrong -----------------------------------------------------------------------------

KILLS = (signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
ODD_NAMES = (
    "a b", "naïve ♫", "50%s{x}", "[red]x[bold]", "two\nlines", "-dash", "#1, 'quoted\"", "x" * 200,
    "$HOME", "a;b&c", "~", "dot.", ".hidden", "C#3", "out.wav", "bad\udcff",
)  # fmt: skip


def damage(path: Path, chance: random.Random) -> str:
    """Damage a file in one of the ways in which files are damaged; says how."""
    content = path.read_bytes()
    way = chance.choice(("cut", "flip", "empty", "missing", "a folder", "longer", "lines"))
    if way == "cut":
        path.write_bytes(content[: chance.randrange(max(len(content), 1))])
    elif way == "flip" and content:
        place = chance.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
    elif way in ("empty", "flip"):
        path.write_bytes(b"")
    elif way == "longer":
        path.write_bytes(content + chance.randbytes(50))
    elif way == "lines":
        lines = content.split(b"\n")
        chance.shuffle(lines)
        path.write_bytes(b"\n".join(lines))
    else:
        path.unlink()
        if way == "a folder":
            path.mkdir()
    return way


def odd_table(path: Path, chance: random.Random) -> str:
    """Write another table for the sounds: the sloppiness of spreadsheets."""
    names = [f"{pitch}.wav" for pitch in range(36, 44)]
    odd = ("", "C#3", "h4", "=1+1", "1e3", "nan", "-5", "60,5", "♯", '"', "127.0", "x" * 5000, "\0")
    separator = chance.choice(",;\t|")
    header = chance.sample(["file", "pitch", "velocity", "note", "effect", "", "Pitch "], 3)
    rows = [header] if chance.random() < 0.8 else []
    for name in names:
        row = [name, name[:2], "100", *chance.choices(odd, k=chance.randrange(3))]
        if chance.random() < 0.4:
            row[chance.randrange(len(row))] = chance.choice(odd)
        rows.append(row)
    text = chance.choice(("\n", "\r\n", "\r")).join(separator.join(row) for row in rows)
    path.write_bytes(
        text.encode(chance.choice(("utf-8", "utf-8-sig", "utf-16", "latin-1")), "replace")
    )
    return f"{separator!r} {header}"


class Disk:
    """A small disk of its own, where the system lets us have one."""

    def __init__(self, folder: Path):
        self.folder = folder / "disk"
        self.folder.mkdir()
        self.real = self._mount("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs")

    def _mount(self, *options: str) -> bool:
        command = ["mount", *options, str(self.folder)]
        return shutil.which("mount") is not None and subprocess.run(
            command, capture_output=True, check=False
        ).returncode == 0  # fmt: skip

    @contextmanager
    def filled_to(self, left: int):
        """Leave so many bytes for the block."""
        ballast = self.folder / "ballast"
        free = shutil.disk_usage(self.folder).free
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free - left, 1))
        try:
            yield
        finally:
            ballast.unlink()

    @contextmanager
    def read_only(self):
        assert self._mount("-o", "remount,ro")
        try:
            yield
        finally:
            assert self._mount("-o", "remount,rw")

    def close(self) -> None:
        if self.real:
            subprocess.run(["umount", str(self.folder)], check=True)


# -- A round -------------------------------------------------------------------------------------


class Soak:
    """Rounds until the time is over, and what they found."""

    def __init__(self, folder: Path, base: Path | None, seed: int, only: list[str]):
        self.chance, self.seed = random.Random(seed), seed
        self.commands = [each for each in COMMANDS if not only or each.name in only]
        self.world, self.disk = World(folder, base), Disk(folder)
        write_odd_configurations(folder)
        self.counts: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []
        self.round = 0

    def step(self) -> None:
        """One command, and one thing that goes wrong."""
        self.round += 1
        command = self.chance.choices(self.commands, [each.weight for each in self.commands])[0]
        if command.name not in self.world.references:
            self._refer(command)
        wrong = self.chance.choice(
            ("kill", "kill", "kill", "full disk", "file limit", "read-only", "damage", "damage",
             "table", "odd name", "surroundings", "surroundings")
        )  # fmt: skip
        if wrong == "table" and "sounds" not in command.inputs:
            wrong = "damage" if command.inputs else "odd name"
        if wrong == "damage" and not command.inputs:
            wrong = "surroundings"
        if wrong in ("full disk", "read-only") and not self.disk.real:
            wrong = "file limit"
        on_disk = wrong in ("full disk", "read-only")
        name = self.chance.choice(ODD_NAMES) if wrong == "odd name" else f"round{self.round}"
        here = (self.disk.folder if on_disk else self.world.folder) / name
        self.world.copy(command, here)
        try:
            getattr(self, "_" + wrong.replace(" ", "_").replace("-", "_"))(command, here)
        finally:
            shutil.rmtree(here, ignore_errors=True)

    def _kill(self, command: Command, here: Path) -> None:
        number = self.chance.choice(KILLS)
        seconds = self.chance.uniform(0, 1.1) * self.world.references[command.name][1]
        done = self._process(command, here).ended(number, seconds)
        how = f"{number.name} after {seconds:.2f} s"
        self._count(command, number.name if done.status else "in time")
        self._judge(command, here, done, how, killed=number)
        self._again(command, here, how)

    def _full_disk(self, command: Command, here: Path) -> None:
        left = int(10 ** self.chance.uniform(3, 6.7))
        with self.disk.filled_to(left):
            done = self._process(command, here).ended()
        self._count(command, "full disk" if done.status else "in time")
        self._judge(command, here, done, f"{left} bytes left")
        self._again(command, here, f"{left} bytes left")

    def _file_limit(self, command: Command, here: Path) -> None:
        largest = int(10 ** self.chance.uniform(2, 6))
        done = self._process(command, here, largest=largest).ended()
        self._count(command, "file limit" if done.status else "in time")
        # What a command says is a file here, too: where it is full, the line had no room.
        if done.status != 2 or len(done.text.encode()) < largest:
            self._judge(command, here, done, f"files of at most {largest} bytes")
        self._again(command, here, f"files of at most {largest} bytes")

    def _read_only(self, command: Command, here: Path) -> None:
        with self.disk.read_only():
            done = self._process(command, here).ended()
        self._count(command, "read-only" if done.status else "in time")
        self._judge(command, here, done, "read-only")
        self._again(command, here, "read-only")

    def _damage(self, command: Command, here: Path) -> None:
        files = [p for name in command.inputs for p in _files(here / name)]
        path = self.chance.choice(files)
        how = f"{path.relative_to(here)}: {damage(path, self.chance)}"
        done = self._process(command, here).ended()
        self._count(command, "damage")
        self._judge(command, here, done, how, inputs=False)

    def _table(self, command: Command, here: Path) -> None:
        how = odd_table(here / "sounds" / "notes.csv", self.chance)
        done = self._process(command, here).ended()
        self._count(command, "table")
        self._judge(command, here, done, how)

    def _odd_name(self, command: Command, here: Path) -> None:
        done = self._process(command, here).ended()
        self._count(command, "odd name")
        self._judge(command, here, done, f"in a folder {here.name!r}")
        if done.status not in command.statuses:
            self._fault(command, f"in a folder {here.name!r}", f"status {done.status}", done.text)

    def _surroundings(self, command: Command, here: Path) -> None:
        how = self.chance.choice(list(SURROUNDINGS))
        done = self._process(command, here, SURROUNDINGS[how]).ended()
        self._count(command, "surroundings")
        self._judge(command, here, done, how)

    def _refer(self, command: Command) -> None:
        """Let a command run without a fault twice, and keep what it makes."""
        found = []
        for _ in range(1 + command.same):
            here = self.world.folder / "reference"
            self.world.copy(command, here)
            done = self._process(command, here).ended()
            if done.status not in command.statuses:
                self._fault(command, "nothing went wrong", f"status {done.status}", done.text)
            found.append(digest(here / command.makes))
            shutil.rmtree(here)
        if command.same and found[0] != found[1]:
            self._fault(command, "nothing went wrong", "made something else the second time", "")
        self.world.references[command.name] = found[0], done.seconds

    def _process(self, command: Command, here: Path, *arguments, **options) -> Process:
        return Process(here, self.world.folder, command.arguments, *arguments, **options)

    def _again(self, command: Command, here: Path, how: str) -> None:
        """After the fault the same command makes what it makes when nothing goes wrong."""
        done = self._process(command, here).ended()
        how = f"again after {how}"
        whole = done.status in command.statuses
        # Ended in time: what is there is not written over, or the run is longer already.
        there = "--replace" in done.text and command.name == "bundle"
        if not whole and not there:
            self._fault(command, how, f"status {done.status}", done.text)
            return
        self._opens(command, here, how, done.text)
        longer = command.name == "train --more"
        comparable = command.same and not longer and not there
        if comparable and digest(here / command.makes) != self.world.references[command.name][0]:
            self._fault(command, how, "made something else", done.text)

    def _judge(
        self, command: Command, here: Path, done: Ended, how: str, killed=None, inputs=True
    ) -> None:
        text, status = done.text, done.status
        dead = killed is not None and status in (-killed, 130, 143, 1)
        if "Traceback" in text or "Exception ignored" in text or "Error in sys" in text:
            self._fault(command, how, "traceback", text)
        elif status < 0 and not dead:
            self._fault(command, how, f"ended by signal {-status}", text)
        elif status not in (*command.statuses, 2) and not dead:
            self._fault(command, how, f"status {status}", text)
        elif status == 2 and len(re.findall(r"^reverbsynth: |^│ ", text, flags=re.M)) != 1:
            self._fault(command, how, "not one line", text)
        if killed != signal.SIGKILL:
            left = [str(p.relative_to(here)) for p in here.rglob("*") if is_partial(p)]
            if left:
                self._fault(command, how, f"left {left}", text)
        if inputs:
            for name in command.inputs:
                self._unchanged(command, here, name, how)
        stopped = "to go on:" in text  # a training that was asked to stop
        if status in command.statuses and inputs and not stopped:
            self._opens(command, here, how, text)

    def _opens(self, command: Command, here: Path, how: str, text: str) -> None:
        if reason := in_a_fork(lambda: command.opens(here / command.makes), self.world.folder):
            self._fault(command, how, reason, text)

    def _unchanged(self, command: Command, here: Path, name: str, how: str) -> None:
        """An input is as it was; where it is what the command writes, it opens whole."""
        before, after = contents(self.world.find(name)), contents(here / name)
        if name == command.makes.split("/")[0] or name == "run":
            if name == "run" and not command.name.startswith("train"):
                after = {path: after.get(path) for path in before if not path.endswith(".json")}
                before = {path: before[path] for path in after}
                if before != after:
                    self._fault(command, how, f"changed {name}", "")
            opens = opens_bundle if name == "bundle" else Run.open
            if name == "bundle" and not (here / name).exists():
                return  # Killed between two renames: the next command brings it back.
            if reason := in_a_fork(lambda: opens(here / name), self.world.folder):
                self._fault(command, how, f"{name}: {reason}", "")
        elif name != "sounds" and before != {path: after.get(path) for path in before}:
            self._fault(command, how, f"changed {name}", "")

    def _count(self, command: Command, what: str) -> None:
        self.counts[command.name, what] += 1

    def _fault(self, command: Command, how: str, what: str, text: str) -> None:
        tail = "\n    ".join(text.strip().splitlines()[-12:])
        fault = f"round {self.round}, {command.name}, {how}: {what}\n    {tail}"
        self.faults.append(fault)
        say(f"FAULT {fault}")

    def table(self) -> str:
        """How often each thing went wrong for each command."""
        columns = sorted({what for _, what in self.counts})
        lines = [" " * 20 + "".join(f"{what:>14}" for what in (*columns, "all"))]
        for name in (command.name for command in self.commands):
            cells = [self.counts[name, what] for what in columns]
            row = [f"{name:>20}", *(f"{cell or '':>14}" for cell in (*cells, sum(cells)))]
            lines.append("".join(row))
        every = [sum(self.counts[c.name, what] for c in self.commands) for what in columns]
        lines.append(f"{'all':>20}" + "".join(f"{n:>14}" for n in (*every, sum(every))))
        return "\n".join(lines)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [p for p in sorted(path.rglob("*")) if p.is_file()]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None, help="where the temporary folder lies")
    parser.add_argument("--only", nargs="*", default=[], metavar="COMMAND", help="its commands")
    parser.add_argument("--base", type=Path, default=None, help="folder of what rounds begin with")
    options = parser.parse_args()
    # A shell that starts it in the background would have it, and its commands, ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    until = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="soak") as folder:
        soak = Soak(Path(folder), options.base, options.seed, options.only)
        try:
            while time.monotonic() < until:
                soak.step()
        except KeyboardInterrupt:
            say("stopped")
        finally:
            soak.disk.close()
            killed = sum(n for (_, what), n in soak.counts.items() if what.startswith("SIG"))
            say(soak.table())
            say(f"{soak.round} rounds, {killed} kills, {len(soak.faults)} faults; seed {soak.seed}")
        return int(bool(soak.faults))


if __name__ == "__main__":
    sys.exit(main())
