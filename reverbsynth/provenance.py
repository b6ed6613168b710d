"""Where a result came from: the commit, the code and the versions it was made with."""

import hashlib
import os
import platform
import subprocess
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

REPOSITORY = "https://github.com/reverbsynth/reverbsynth"

_PACKAGES = ("reverbsynth", "keras", "tensorflow", "jax", "numpy", "scipy", "librosa", "soxr")


def cores() -> int:
    """How many of the processor's cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def commit() -> str:
    """The commit the package was run from, with ``+`` when the tree had changes, or ``unknown``."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return "unknown"
    # Variables that a hook or a shell has set name another repository.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    git = partial(
        subprocess.check_output, stderr=subprocess.DEVNULL, cwd=root, text=True, timeout=30, env=own
    )
    try:
        revision = git(["git", "rev-parse", "--short=12", "HEAD"]).strip()
        dirty = git(["git", "status", "--porcelain", "--untracked-files=no"])
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return revision + ("+" if dirty else "")


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    result = {"python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            result[name] = version(name)
    return result


@cache
def code_hash() -> str:
    """Six hexadecimal digits of the sources that make data, runs, instruments and reports.

    They cover the whole package but ``book`` and ``cli``, which only show results.
    """
    package, digest = Path(__file__).resolve().parent, hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        name = source.relative_to(package)
        if name.parts[0] not in ("book", "cli"):
            digest.update(name.as_posix().encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()[:6]
