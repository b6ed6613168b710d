"""The run directory: everything one training leaves behind.

::

    RUN/
      settings.yaml         every setting
      manifest.json         commit, versions, data, labels, device, images seen, time, legs
      metrics.csv           one row a step
      stages/00/            weights.safetensors and samples.npz of each finished stage
      checkpoints/          the last two states of training, to resume from
      tensorboard/          events

A results bundle (`reverbsynth.book.bundle`) is a reduced run: of each stage it keeps samples,
and of all weights those of the instrument, in ``instrument.safetensors``.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reverbsynth import provenance
from reverbsynth.data.dataset import DataSet, note_files
from reverbsynth.errors import RunError
from reverbsynth.files.atomic import is_partial, write_json, write_text
from reverbsynth.files.reading import read_json, sha256
from reverbsynth.files.tensors import load_tensors, save_tensors
from reverbsynth.gan.labels import LabelSpace
from reverbsynth.gan.schedule import Schedule, final_progress
from reverbsynth.gan.trained_generator import TrainedGenerator
from reverbsynth.settings import Settings, differences
from reverbsynth.settings.settings import first_of
from reverbsynth.training.samples import Samples
from reverbsynth.training.stage_lengths import is_longer

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 2  # 2 writes labels in order, as pairs of a name and its values.

MANIFEST = "manifest.json"
SETTINGS = "settings.yaml"
INSTRUMENT = "instrument.safetensors"  # The instrument of a results bundle.

# Entries of every manifest with their types, those of each leg in it, and those of a bundle.
_FACTS: dict[str, type] = {
    **dict.fromkeys(("settings_hash", "preset", "commit", "data_sha256"), str),
    **dict.fromkeys(("vocabulary", "histogram", "stage_ends", "legs"), list),
    **{"versions": dict, "seed": int, "images_seen": int, "wall_seconds": float, "finished": bool},
}
_LEG = {"commit": str, "settings": dict, "images": int, "minutes": float}
_BUNDLE = {"settings": str, "files": dict}


class Run:
    """One training and its directory. Use `open` or `create`.

    >>> Run.open("run").stages
    [0, 1, 2]

    Of several processes that train together only one ``writes`` the directory.
    """

    writes = True

    def __init__(self, directory: Path, settings: Settings, manifest: dict[str, Any]):
        self.directory, self.settings, self.manifest = directory, settings, manifest

    @classmethod
    def open(cls, directory: Path | str) -> "Run":
        """Open a run; `RunError` where the directory is none, or its files are damaged."""
        directory = Path(directory)
        path = directory / MANIFEST
        if not path.exists():
            raise RunError(f"{directory}: not a run (no {MANIFEST} in it)")
        if note_files(directory):
            raise RunError(f"{directory}: is a data set, expected a run")
        manifest = read_json(path, FORMAT, RunError)
        settings = Settings.load(directory / SETTINGS)
        _check(manifest, _FACTS, f"{path}: ")
        for leg in manifest["legs"] or [{}]:
            _check(leg, _LEG, f"{path}: legs: ")
        if "bundle" in manifest:
            _check(manifest["bundle"], _BUNDLE, f"{path}: bundle: ")
            # Published results outlive changes of what the hash is taken of.
            actual, stated = sha256(directory / SETTINGS), manifest["bundle"]["settings"]
        else:
            _check(manifest, {"data_directory": str}, f"{path}: ")
            stated = manifest["settings_hash"]
            if settings.hash != stated:
                # A process killed while a leg began leaves the settings of the leg before.
                settings = settings.replace(**manifest["legs"][-1]["settings"])
            actual = settings.hash
        if actual != stated:
            raise RunError(f"{directory}: {SETTINGS} has hash {actual}, {MANIFEST} says {stated}")
        return cls(directory, settings, manifest)

    @classmethod
    def create(
        cls,
        directory: Path | str,
        settings: Settings,
        data: DataSet,
        origin: dict[str, Any] | None = None,
        **facts: Any,
    ) -> "Run":
        """Open the run in a directory, or begin one in an empty or new directory.

        The settings of a run that is there are its own, or those of a new leg of it (see `go_on`).
        The manifest of a new one tells the origin, its networks' `Origin.facts`, and other facts.
        """
        directory = Path(directory)
        if (directory / MANIFEST).exists():
            run = cls.open(directory)
            run.check_trainable()
            begun_from = run.manifest.get("origin", {}).get("sha256")
            for what, old, new in (
                ("data", run.manifest["data_sha256"], data.sha256),
                ("origin", begun_from, origin and origin["sha256"]),
            ):
                if new and old != new:
                    raise RunError(f"{directory}: a run of other {what} ({old}, expected {new})")
            run.go_on(settings)
            return run
        if directory.exists() and not _is_free(directory, settings):
            raise RunError(f"{directory}: not a run and not empty, expected a new directory")
        labels = LabelSpace({name: data.vocabulary(name) for name in settings.gan.labels})
        rows = data.index("train")
        counts = Counter(tuple(labels.index(name, row[name]) for name in labels) for row in rows)
        # A path in the run is kept relative: the run may be moved.
        data_path, here = Path(data.directory).resolve(), directory.resolve()
        if data_path.is_relative_to(here):
            data_path = data_path.relative_to(here)
        manifest = {
            "format": FORMAT,
            "commit": provenance.commit(),
            "versions": provenance.versions(),
            "preset": settings.name,
            "settings_hash": settings.hash,
            "seed": settings.training_seed,
            "data_sha256": data.sha256,
            "data_directory": str(data_path),
            "vocabulary": labels.to_json(),
            "histogram": [[*classes, counts[classes]] for classes in sorted(counts)],
            "images_seen": 0,
            "stage_ends": [],
            "wall_seconds": 0.0,
            "finished": False,
            "legs": [_leg({})],
            **({} if origin is None else {"origin": origin}),
            **facts,
        }
        write_text(directory / SETTINGS, settings.to_yaml())
        write_json(directory / MANIFEST, manifest)
        return cls(directory, settings, manifest)

    def go_on(self, settings: Settings) -> None:
        """Begin a new leg of the training, where the settings have a longer schedule.

        Settings with a shorter one, those of an earlier leg, change nothing.
        """
        if is_longer(settings, self.settings):
            # A process that was killed below has left the file of the leg before.
            if Settings.load(self.directory / SETTINGS).hash != self.settings.hash:
                write_text(self.directory / SETTINGS, self.settings.to_yaml())
            return
        changed = differences(self.settings, settings)
        if not is_longer(self.settings, settings):
            raise RunError(f"{self.directory}: a run of other settings: {first_of(changed)}")
        # What cannot go on is left as it is.
        from reverbsynth.training.checkpoints import Checkpoints

        if not Checkpoints(self.directory / "checkpoints").latest():
            raise self.without_checkpoint("its schedule would be longer")
        self.settings = settings
        leg = _leg({name: new for name, (_, new) in changed.items()})
        # The manifest first: `open` makes the settings from it.
        self.update(settings_hash=settings.hash, finished=False, legs=[*self.legs, leg])
        write_text(self.directory / SETTINGS, settings.to_yaml())

    def without_checkpoint(self, begun: str) -> RunError:
        """The error of a run that has ``begun`` and lost its checkpoints."""
        lost = f"{begun}, but there is no checkpoint to go on from"
        return RunError(f"{self.directory}: {lost}; expected the whole run directory")

    def count(self, images_seen: int, seconds: float, **facts: Any) -> None:
        """Note in the manifest how long it has trained, in all and in the last leg."""
        *earlier, leg = self.legs
        images = images_seen - sum(leg["images"] for leg in earlier)
        minutes = seconds / 60 - sum(leg["minutes"] for leg in earlier)
        legs = [*earlier, {**leg, "images": images, "minutes": round(minutes, 3)}]
        self.update(images_seen=images_seen, wall_seconds=round(seconds, 3), legs=legs, **facts)

    @property
    def legs(self) -> list[dict[str, Any]]:
        """The parts of the training: the first, and each time that it was made longer.

        Each has the commit, when it ``begun``, the ``settings`` that it changed, and the images and
        minutes of training that are its own.
        """
        return self.manifest["legs"]

    @property
    def data_directory(self) -> Path:
        """Where the data set lies that the run was trained on; a results bundle has none."""
        if self.bundled:
            raise RunError(f"{self.directory}: no data in a results bundle, expected --data")
        return self.directory / self.manifest["data_directory"]

    def update(self, **facts: Any) -> None:
        """Change entries of the manifest."""
        self.manifest = {**self.manifest, **facts}
        if self.writes:
            write_json(self.directory / MANIFEST, self.manifest)

    @property
    def finished(self) -> bool:
        """Whether all stages are done."""
        return self.manifest["finished"]

    @property
    def bundled(self) -> bool:
        """Whether this is a results bundle."""
        return "bundle" in self.manifest

    def check_trainable(self) -> None:
        """Raise `RunError` for a results bundle: it has neither data nor checkpoints."""
        if self.bundled:
            refused = "a results bundle, which cannot be trained; expected a run"
            raise RunError(f"{self.directory}: {refused}")

    @property
    def labels(self) -> LabelSpace:
        """What the networks are conditioned on."""
        try:
            return LabelSpace.from_json(self.manifest["vocabulary"])
        except ValueError as error:
            raise RunError(f"{self.directory / MANIFEST}: {error}") from None

    @property
    def histogram(self) -> np.ndarray:
        """Joint histogram of the training labels: class indices and a count in each row."""
        return np.asarray(self.manifest["histogram"])

    @property
    def stages(self) -> list[int]:
        """Finished stages."""
        mark = "samples.npz" if self.bundled else "weights.safetensors"
        paths = self.directory.glob(f"stages/[0-9][0-9]/{mark}")
        return sorted(int(path.parent.name) for path in paths)

    @property
    def schedule(self) -> Schedule:
        """When each stage starts and ends, in images seen; by the clock, the finished ones."""
        if self.settings.training.stage_minutes is None:
            return Schedule.of(self.settings.training)
        ends = tuple(self.manifest["stage_ends"])
        return Schedule(ends, max(ends, default=0))

    @property
    def metrics_path(self) -> Path:
        return self.directory / "metrics.csv"

    def report_path(self, stage: int) -> Path:
        """Where the evaluation of a stage is kept: that of the last has no number."""
        last = self.stages[-1:] == [stage]
        return self.directory / ("evaluation.json" if last else f"evaluation-{stage:02d}.json")

    def metrics(self) -> "pd.DataFrame":
        """Metrics of each step: images, stage, blend, seconds and all loss terms."""
        import pandas as pd

        try:
            return pd.read_csv(self.metrics_path)
        except (OSError, ValueError) as error:
            raise RunError(f"{self.metrics_path}: cannot be read ({error})") from None

    def save_stage(self, stage: int, weights: dict[str, np.ndarray], samples: Samples) -> None:
        """Keep a finished stage's weights and samples (at the stage's resolution)."""
        folder = self._stage_folder(stage)
        samples.save(folder / "samples.npz")
        # Written last: its presence marks the stage as finished.
        save_tensors(folder / "weights.safetensors", weights, {"stage": str(stage)})

    def weights(self, stage: int | None = None) -> dict[str, np.ndarray]:
        """Weights after a stage (the last finished one by default), by names such as
        ``ema_generator/block_1/conv0/kernel``. A results bundle has the last stage's averages only.
        """
        if self.bundled:
            if self.stage(stage) != self.stages[-1]:
                kept = f"a results bundle has the instrument of stage {self.stages[-1]} only"
                raise RunError(f"{self.directory}: {kept}, not of stage {stage}")
            path = self.directory / INSTRUMENT
            if sha256(path) != self.manifest["bundle"]["files"].get(INSTRUMENT):
                raise RunError(f"{path}: changed since it was written (SHA-256 differs)")
            averages = load_tensors(path)[0]
            return {f"ema_generator/{name}": value for name, value in averages.items()}
        return load_tensors(self._stage_folder(self.stage(stage)) / "weights.safetensors")[0]

    def trained_generator(self, stage: int | None = None) -> TrainedGenerator:
        """The averaged generator after a stage (the last finished one by default)."""
        stage = self.stage(stage)
        names = ("commit", "versions", "preset", "settings_hash", "data_sha256", "seed")
        facts = {name: self.manifest[name] for name in names}
        facts["images_seen"] = self.images_at(stage)
        facts |= {"origin": self.manifest["origin"]} if "origin" in self.manifest else {}
        labels, p = self.labels, final_progress(self.settings.training, stage)
        trained = np.unique(self.histogram[:, tuple(labels).index("pitch")])
        averages = {
            name.removeprefix("ema_generator/"): value.astype(np.float32)
            for name, value in self.weights(stage).items()
            if name.startswith("ema_generator/")
        }
        pitches = tuple(labels["pitch"][index] for index in trained)
        gan, spectra = self.settings.gan, self.settings.spectra
        return TrainedGenerator(gan, spectra, labels, stage, p, averages, facts, pitches)

    def samples(self, stage: int | None = None) -> Samples:
        """Real and generated images after a stage (the last finished one by default)."""
        return Samples.load(self._stage_folder(self.stage(stage)) / "samples.npz")

    def stage(self, stage: int | None) -> int:
        """A finished stage, by default the last."""
        finished = self.stages
        if not finished:
            raise RunError(f"{self.directory}: no stage of this run is finished yet")
        if stage is None:
            return finished[-1]
        if stage not in finished:
            listed = ", ".join(map(str, finished))
            raise RunError(f"{self.directory}: found stages {listed}, expected {stage}")
        return stage

    def images_at(self, stage: int) -> int:
        """Images seen at the end of a finished stage."""
        ends = self.manifest["stage_ends"]
        return ends[stage] if stage < len(ends) else self.manifest["images_seen"]

    def _stage_folder(self, stage: int) -> Path:
        return self.directory / "stages" / f"{stage:02d}"


def _check(entries: Any, types: Mapping[str, type], where: str) -> None:
    """Raise `RunError` where an entry of a manifest is missing or of another type."""
    for name, kind in types.items():
        value = entries.get(name) if isinstance(entries, dict) else None
        if type(value) is not kind and (kind is not float or type(value) is not int):
            raise RunError(f"{where}{name}: found {value!r}, expected {kind.__name__}")


def _leg(settings: dict[str, Any]) -> dict[str, Any]:
    """A leg that begins now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"commit": provenance.commit(), "begun": now, "settings": settings}
    return {**facts, "images": 0, "minutes": 0.0}


def _is_free(directory: Path, settings: Settings) -> bool:
    """Whether a folder holds at most a data set and what a process killed while beginning left."""

    def free(path: Path) -> bool:
        begun = path.name == SETTINGS and path.read_bytes() == settings.to_yaml().encode()
        return path.name == "data" or is_partial(path) or begun

    return directory.is_dir() and all(free(path) for path in directory.iterdir())
