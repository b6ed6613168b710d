"""``reverbsynth`` in one process after another, each of which starts with everything imported.

Reads one JSON list of arguments a line from standard input. For each it forks, prints the child's
process id, and when the child has ended its exit status as `os.waitstatus_to_exitcode` gives it.
No thread may run yet when it forks: the caller sets ``OPENBLAS_NUM_THREADS=1``.
"""

import json
import os
import sys
import threading
from pathlib import Path

import tensorflow  # noqa: F401

import reverbsynth.training.train  # noqa: F401
from reverbsynth.cli import main


def child(arguments: list[str]) -> None:
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    sys.argv = ["reverbsynth", *arguments]
    main()


if __name__ == "__main__":
    for line in sys.stdin:
        assert threading.active_count() == len(os.listdir("/proc/self/task")) == 1
        pid = os.fork()
        if pid == 0:
            child(json.loads(line))
            sys.exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()
