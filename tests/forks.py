"""``reverbsynth`` in one process after another, each of which starts with everything imported.

`Forks` is for tests; run as a program, this module is the process that forks. Each line of its
input is a JSON object with the ``arguments`` of a command. For each it forks, prints the child's
process id, and when the child has ended its exit status as `os.waitstatus_to_exitcode` gives it.
What the child prints goes to the file ``said``, if one is named, and ends with its moments: how
often it made a file durable or renamed one. At the moment ``die_at`` it ends as by SIGKILL, and
from the moment ``full_at`` on the disk is full.

No thread may run yet when it forks: `Forks` sets ``OPENBLAS_NUM_THREADS=1``.
"""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

KILLED = 137  # exit status of a child that died at a moment


class Forks:
    """The process that forks, and its children, one at a time."""

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
        self._server.stdin.write(json.dumps({"arguments": arguments, **options}) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def status(self) -> int:
        """Wait for the command's end: its exit status, negative for a signal."""
        return int(self._server.stdout.readline())

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(60)


class Moments:
    """Counts the calls that make a file durable or rename one, and ends the process at one."""

    def __init__(self, die_at: int | None, full_at: int | None):
        self.count, self._die_at, self._full_at = 0, die_at, full_at
        for name in ("fsync", "replace"):
            setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, action):
        def watched(*arguments):
            self.count += 1
            if self.count == self._die_at:
                os._exit(KILLED)
            if self._full_at is not None and self.count >= self._full_at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return action(*arguments)

        return watched


def child(
    arguments: list[str],
    said: str = os.devnull,
    die_at: int | None = None,
    full_at: int | None = None,
) -> None:
    from reverbsynth.cli import main

    with Path(said).open("w") as file:
        os.dup2(file.fileno(), 1)
        if said != os.devnull:
            os.dup2(file.fileno(), 2)
    moments = Moments(die_at, full_at)
    sys.argv = ["reverbsynth", *arguments]
    try:
        main()
    finally:
        sys.stdout.write(f"\nmoments: {moments.count}\n")


if __name__ == "__main__":
    import tensorflow  # noqa: F401

    import reverbsynth.training.train  # noqa: F401

    for line in sys.stdin:
        assert threading.active_count() == len(os.listdir("/proc/self/task")) == 1
        pid = os.fork()
        if pid == 0:
            child(**json.loads(line))
            sys.exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()
