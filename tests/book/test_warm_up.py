"""What librosa compiles is compiled once, before several kernels need it."""

import inspect
import re
from pathlib import Path

import reverbsynth
from reverbsynth.audio import spectrum
from reverbsynth.audio.pitch import fundamentals
from reverbsynth.book.warm_up import warm_up


def functions(code: str) -> set[str]:
    return set(re.findall(r"librosa\.([\w.]+)\(", code))


def test_every_function_of_librosas_that_the_library_uses_is_warmed():
    library = Path(reverbsynth.__file__).parent.rglob("*.py")
    used = set().union(*(functions(path.read_text(encoding="utf-8")) for path in library))
    warmed = (functions(inspect.getsource(each)) for each in (warm_up, fundamentals, spectrum))
    assert used == set().union(*warmed)
    assert "yin" in used
