"""``reverbsynth`` in processes of its own, each of which starts with everything imported.

`Forks` is for tests; run as a program, this module is the process that forks. Each line of its
input is a JSON object, of what `child` takes or with the process id of a child to ``wait`` for. It
prints the process id of a child that it forks, and the exit status of one that has ended, as
`os.waitstatus_to_exitcode` gives it.

No thread may run yet when it forks: `Forks` sets ``OPENBLAS_NUM_THREADS=1``.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any


class Forks:
    """The process that forks."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.forks"],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, arguments: list[str], **options: Any) -> int:
        """Begin a command: its process id."""
        return self._asked(arguments=arguments, **options)

    def status(self, pid: int) -> int:
        """Wait for a command's end: its exit status, negative for a signal."""
        return self._asked(wait=pid)

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(60)

    def _asked(self, **line: Any) -> int:
        self._server.stdin.write(json.dumps(line) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


class Moments:
    """Counts the calls that make a file durable or rename one."""

    def __init__(self, full_at: int | None, watched: str | None, copies: str | None):
        self.count, self._full_at = 0, full_at
        self._folder, self._copies = watched, copies
        for name in ("fsync", "replace"):
            setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, action):
        def watched(*arguments):
            self.count += 1
            if self._folder is not None:
                shutil.copytree(self._folder, Path(self._copies) / str(self.count))
            if self._full_at is not None and self.count >= self._full_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return action(*arguments)

        return watched


def child(
    arguments: list[str],
    said: str = os.devnull,
    full_at: int | None = None,
    watched: str | None = None,
    copies: str | None = None,
    main: str = "reverbsynth.cli",
    environment: dict[str, str] | None = None,
) -> None:
    """A command, of the module that has its ``main``, with more variables in its environment.

    What it prints goes to the file ``said``, and ends with its moments: how often it made a file
    durable or renamed one. From the moment ``full_at`` on the disk is full. Before each moment the
    folder ``watched`` is copied into the folder ``copies``, named by the moment's number: what is
    there if the process is killed then.
    """
    os.environ.update(environment or {})
    with Path(said).open("w") as file:
        os.dup2(file.fileno(), 1)
        if said != os.devnull:
            os.dup2(file.fileno(), 2)
    moments = Moments(full_at, watched, copies)
    sys.argv = ["reverbsynth", *arguments]
    try:
        import_module(main).main()
    finally:
        sys.stdout.write(f"\nmoments: {moments.count}\n")


def waited(pid: int, seconds: float = 600) -> int:
    """The exit status of a child, which is killed if it takes longer."""
    end = time.monotonic() + seconds
    while not (found := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(found[1])


if __name__ == "__main__":
    import reverbsynth.training.train  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = waited(asked["wait"])
        else:
            assert threading.active_count() == len(os.listdir("/proc/self/task")) == 1
            answer = os.fork()
            if answer == 0:
                child(**asked)
                sys.exit(0)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
