"""Results of an evaluation that a run keeps as JSON files in its directory."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from reverbsynth.errors import RunError
from reverbsynth.files.atomic import write_json
from reverbsynth.files.reading import read_json
from reverbsynth.training.run import Run

FORMAT = 1


@dataclass
class StoredResult:
    """A result with the facts that it rests on: data, stage, seed, settings, code."""

    facts: dict[str, Any]

    def save(self, path: Path | str) -> None:
        """Write the result as JSON, atomically; numbers that JSON lacks become null."""
        stored, listed = {"format": FORMAT, **asdict(self)}, methodcaller("tolist")
        write_json(path, to_jsonable_python(stored, inf_nan_mode="null", fallback=listed))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote; `RunError` for a file that is missing, damaged or another."""
        try:
            return TypeAdapter(cls).validate_python(read_json(path, FORMAT, RunError))
        except ValidationError as error:
            entry = ".".join(map(str, error.errors()[0]["loc"]))
            expected = f"expected a {cls.__name__} of format {FORMAT}; remove the file"
            raise RunError(f"{path}: {entry} is wrong, {expected} to evaluate anew") from None

    @classmethod
    def load_or_evaluate(
        cls,
        path: Path,
        run: Run,
        facts: dict[str, Any],
        key: Sequence[str],
        make: Callable[[], Self],
        force: bool = False,
        allow_other_data: bool = False,
    ) -> Self:
        """Load the result that a run keeps if it is the one that is requested, else make it.

        It must agree in the facts that ``key`` names, and in the code, unless ``force`` is set. A
        bundle's results are published: they stay, whatever the code, and nothing is written there.
        A result on other data does not take the place of one on the run's own. With
        ``allow_other_data`` the data only stand in for the run's own: a result on these is as good,
        and any of a bundle's.
        """
        own_data = run.manifest["data_sha256"]
        names = key if run.bundled else (*key, "code")
        wanted = {name: facts[name] for name in names}
        if path.exists() and not force:
            kept = cls.load(path)
            kept_key = {name: kept.facts.get(name) for name in names}
            if allow_other_data and kept_key["data_sha256"] == own_data:
                kept_key["data_sha256"] = facts["data_sha256"]
            if kept_key == wanted or (allow_other_data and run.bundled):
                return kept
        result, kept_on_own_data = make(), False
        with suppress(RunError):
            kept_on_own_data = cls.load(path).facts.get("data_sha256") == own_data
        if not run.bundled and (facts["data_sha256"] == own_data or not kept_on_own_data):
            result.save(path)
        return result
