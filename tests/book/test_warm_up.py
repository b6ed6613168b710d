"""What librosa compiles is compiled once, before several kernels need it."""

import inspect
import re
from pathlib import Path

import reverbsynth
from reverbsynth.audio.pitch import fundamentals
from reverbsynth.audio.spectrum import _constant_q_filters, constant_q_levels, mel_levels
from reverbsynth.book.warm_up import warm_up


def functions(code: str) -> set[str]:
    return set(re.findall(r"librosa\.([\w.]+)\(", code))


def test_every_function_of_librosas_that_the_library_uses_is_warmed():
    library = Path(reverbsynth.__file__).parent.rglob("*.py")
    used = set().union(*(functions(path.read_text(encoding="utf-8")) for path in library))
    called = (warm_up, fundamentals, mel_levels, constant_q_levels, _constant_q_filters)
    warmed = (functions(inspect.getsource(each)) for each in called)
    assert used == set().union(*warmed)
    assert "yin" in used
