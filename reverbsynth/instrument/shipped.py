"""The instruments that come with the package, by name."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from reverbsynth.errors import RunError, SettingsError
from reverbsynth.files.reading import user_path
from reverbsynth.training.run import INSTRUMENT, MANIFEST

_CHECKOUT = Path(__file__).resolve().parents[2] / "book" / "results"
_NO_INSTRUMENTS = (".mid", ".midi", ".rmi", ".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")


def shipped() -> dict[str, Path]:
    """The file of each instrument, by name: in a checkout's results, or beside a wheel's files.

    >>> "laptop" in shipped()
    True
    """
    if _CHECKOUT.is_dir():
        paths = list(_CHECKOUT.glob(f"*/{INSTRUMENT}"))
    else:
        try:
            files = distribution("reverbsynth").files or []
        except PackageNotFoundError:
            files = []
        paths = [Path(str(file.locate())).resolve() for file in files if file.name == INSTRUMENT]
    return {path.parent.name: path for path in sorted(paths)}


def find(source: Path | str) -> Path:
    """The path of a run or instrument, which may be the name of one that comes with the package."""
    path, known = user_path(Path(source)), shipped()
    expected = ", or one of ".join(filter(None, ["a run, an instrument's file", ", ".join(known)]))
    if path.suffix.lower() in _NO_INSTRUMENTS:
        raise SettingsError(f"{path}: expected an instrument first: {expected}")
    hidden = str(source) in known and path.is_dir() and not (path / MANIFEST).exists()
    if (path.exists() or path.is_symlink()) and not hidden:  # A page may be called as its source.
        return path
    if str(source) not in known:
        raise RunError(f"{path}: no such file or folder, expected {expected}")
    return known[str(source)]
