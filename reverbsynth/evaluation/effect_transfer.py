"""Learned effects and fitted impulse responses for held-out notes, against their true twins."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reverbsynth import provenance
from reverbsynth.audio.spectrum import log_spectral_distance, mel_levels
from reverbsynth.data.dataset import DataSet
from reverbsynth.data.notes import Note
from reverbsynth.evaluation import effect_baselines
from reverbsynth.evaluation.bootstrap import UNDEFINED, Bootstrap, Measure
from reverbsynth.evaluation.clips import Clips
from reverbsynth.evaluation.metrics.paired import shared_effects
from reverbsynth.evaluation.metrics.transfer import DISTANCES, distances
from reverbsynth.evaluation.seeds import FOLDER as SEEDS
from reverbsynth.evaluation.seeds import together
from reverbsynth.evaluation.stored import StoredResult
from reverbsynth.instrument.apply import learned_change
from reverbsynth.instrument.effect_change import EffectChange
from reverbsynth.instrument.instrument import Instrument
from reverbsynth.progress import ProgressDisplay
from reverbsynth.seeds import evenly_spaced, generator
from reverbsynth.settings import Settings
from reverbsynth.training.run import Run

FILE = "applied.json"
METHODS = {
    "nothing": "left as it was",
    "network": "the network",
    "played": "the network's own note",
    "response": "estimated impulse response",
    "delays": "fitted feedback delay network",
    "image": "the twin through an image",
}
"""By key: what is compared with the true twin, where it is there."""

_HELD_OUT = ("valid", "test")
_TWINS = 200  # training notes that impulse responses are fitted to, at most
_SIZES = ("notes", "starts", "steps")
_KEY = ("data_sha256", "stage", "images_seen", "seed", *_SIZES)


@dataclass(frozen=True)
class TransferTrial:
    """One recording with one effect: what the search found, and how near the result comes.

    ``reconstruction`` is its log-spectral distance to the recording in dB, ``weights`` are those of
    the `EffectChange`, and ``distances`` to the true twin are by keys of `METHODS` and `DISTANCES`.
    """

    id: str
    origin: str
    pitch: int
    effect: str
    z: list[float]
    labels: dict[str, Any]
    reconstruction: float
    weights: list[list[float]]
    distances: dict[str, dict[str, float | None]]

    def spectrum(self, method: str) -> float:
        """Log-spectral distance of what a method made to the true twin, in dB; NaN without it."""
        found = self.distances.get(method, {}).get("spectrum")
        return np.nan if found is None else found

    def play(self, instrument: Instrument, recording: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Make the reconstruction and the result again, each [shape=(64000,)]."""
        known = instrument.labels
        labels = {name: _restored(each, known.get(name, ())) for name, each in self.labels.items()}
        labels["effect"] = [labels["effect"], self.effect]
        waves = instrument.notes([self.pitch] * 2, z=np.array(self.z, np.float32), **labels)
        return waves[0], EffectChange(np.array(self.weights)).apply(recording, waves[1])

    def notes(self, data: DataSet) -> dict[str, Note]:
        """Return the recording and its twins, by effect; empty where other data stand in."""
        notes = chain.from_iterable(map(data.notes, _HELD_OUT))
        return {note.effect: note for note in notes if note.origin == self.origin}


@dataclass
class TransferTrials(StoredResult):
    """All trials of an instrument, and of further seeds, with the facts that they rest on."""

    trials: list[TransferTrial] = field(default_factory=list)
    seeds: list["TransferTrials"] = field(default_factory=list)

    def table(self, settings: Settings) -> pd.DataFrame:
        """Return medians of distances to the true twin and gains, a row for each method.

        Of several seeds they are the means, with the least and the most.
        """
        bootstrap, rows = Bootstrap.of(settings.evaluation, settings.seed), []
        # Trials are few, and of some nothing decays: half of them tell what there is to tell.
        half = max(settings.evaluation.transfer_notes // 2, 2)
        bootstrap = replace(bootstrap, least=min(bootstrap.least, half))
        for effect in dict.fromkeys(trial.effect for trial in self.trials):
            of_effect = [
                [trial.distances for trial in each.trials if trial.effect == effect]
                for each in (self, *self.seeds)
            ]
            rows += [
                {"effect": effect, "method": title, **_compared(of_effect, method, bootstrap)}
                for method, title in METHODS.items()
                if all(method in trial for each in of_effect for trial in each)
            ]
        return pd.DataFrame(rows)


def apply_to_held_out(
    run: Run,
    data: DataSet | Path | str,
    settings: Settings | None = None,
    force: bool = False,
    allow_other_data: bool = False,
) -> TransferTrials:
    """Apply effects to held-out notes, or load the trials that the run keeps (``applied.json``).

    The parameters are those of `reverbsynth.evaluation.evaluate.evaluate`.
    """
    settings = settings or run.settings
    instrument = Instrument.from_run(run)
    data = data if isinstance(data, DataSet) else DataSet.open(data)
    facts = {
        "data_sha256": data.sha256,
        "stage": instrument.stage,
        "images_seen": instrument.facts["images_seen"],
        "seed": settings.seed,
        **{name: getattr(settings.evaluation, f"transfer_{name}") for name in _SIZES},
        "code": provenance.code_hash(),
    }
    if len(instrument.labels.get("effect", ())) < 2:
        return TransferTrials(facts)

    def make() -> TransferTrials:
        return TransferTrials(facts, list(_trials(instrument, data, settings)))

    path = run.directory / FILE
    found = TransferTrials.load_or_evaluate(path, run, facts, _KEY, make, force, allow_other_data)
    kept = (TransferTrials.load(path) for path in sorted(run.directory.glob(f"{SEEDS}/*/{FILE}")))
    same = set(_KEY) - {"images_seen"}
    found.seeds = [
        each for each in kept if all(each.facts.get(n) == found.facts.get(n) for n in same)
    ]
    return found


def _restored(chosen: Any, values: Sequence) -> Any:
    """A value of a label, or a mixture of some, whose keys JSON has turned into text."""
    if not isinstance(chosen, dict):
        return chosen
    known = {str(value): value for value in values}
    return {known.get(str(key), key): share for key, share in chosen.items()}


def _trials(instrument: Instrument, data: DataSet, settings: Settings) -> Iterator[TransferTrial]:
    limits, effects = settings.evaluation, shared_effects(instrument, data)
    if not effects:
        return

    def choose(count: int) -> np.ndarray:
        order = generator(settings.seed, "evaluation", "applied").permutation(count)
        return order[: limits.transfer_notes]

    sources = _twins(data, _HELD_OUT, effects, choose, instrument.pitches)
    responses = _responses(data, effects) if sources else {}
    with ProgressDisplay() as display:
        task = display.add_task("searching", total=len(sources) * limits.transfer_steps)
        for twins in sources:
            recording = twins[effects[0]]
            applied = instrument.apply_effect(
                recording.audio,
                effects[1],
                recording.pitch,
                seed=settings.seed,
                # A note of the data set begins, and is as loud, as those that were trained on.
                gain=1.0,
                onset=0,
                starts=limits.transfer_starts,
                steps=limits.transfer_steps,
                progress=lambda *_: display.advance(task),
            )
            fit, pitch = applied.fit, recording.pitch
            for effect in effects[1:]:
                first = effect == effects[1]
                change = applied.change if first else learned_change(instrument, fit, effect)
                played = instrument.notes([pitch], z=fit.z, **{**fit.labels, "effect": effect})[0]
                twin = Clips.from_notes([twins[effect]])
                ceiling = twin.resynthesized(instrument.representation, instrument.stage)
                result = change.apply(recording.audio, played)
                methods = {"nothing": recording.audio, "network": result, "played": played}
                for name, response in responses[effect].items():
                    methods[name] = effect_baselines.convolved(recording.audio[None], response)[0]
                methods["image"] = ceiling.waves[0]
                pair = mel_levels(np.stack([recording.audio, applied.reconstruction]))
                yield TransferTrial(
                    *(recording.id, recording.origin, pitch, effect, fit.z.tolist(), fit.labels),
                    float(log_spectral_distance(*pair)),
                    change.weights.tolist(),
                    {name: distances(wave, twin.waves[0]) for name, wave in methods.items()},
                )


def _compared(seeds: Sequence[list[dict]], method: str, bootstrap: Bootstrap) -> dict[str, str]:
    """Median distances of a method, what it gains, and how often it is the nearer one."""

    def of(method: str, key: str = "spectrum") -> list[np.ndarray]:
        return [np.array([trial[method][key] for trial in trials], float) for trials in seeds]

    def text(measures: Sequence[Measure], digits: int = 2, scale: float = 1) -> str:
        # Only the network has other weights in another seed.
        several = len(seeds) > 1 and method in ("network", "played")
        return (together(measures) if several else measures[0]).text(digits, scale)

    row = {}
    for key, title in DISTANCES.items():
        missing = [["no decay"] * int(np.isnan(values).sum()) for values in of(method, key)]
        row[title] = text([*map(bootstrap.median, of(method, key), missing)])
    own, nothing = of(method), of("nothing")
    if all("response" in trial for trials in seeds for trial in trials):
        whole = (nothing[0] - of("response")[0]).mean()
        gains = [Measure((nothing[0] - each).mean() / whole) for each in own if whole > 0]
        title = "gain, as a share of the impulse response's"
        row[title] = f"{text(gains, 0, 100)}%" if gains else UNDEFINED
    for title, other in (("left as it was", nothing), ("the network", of("network"))):
        nearer = [int((a < b).sum()) for a, b in zip(own, other, strict=True)]
        row[f"nearer than {title}"] = f"{', '.join(map(str, nearer))} of {len(own[0])}"
    return row


def _responses(data: DataSet, effects: list[str]) -> dict[str, dict[str, np.ndarray]]:
    """Fit impulse responses to training notes and their twins, by effect and method."""
    twins = _twins(data, ("train",), effects, lambda count: evenly_spaced(count, _TWINS))
    responses: dict[str, dict[str, np.ndarray]] = {effect: {} for effect in effects[1:]}
    if not twins:
        return responses
    dry = np.stack([each[effects[0]].audio for each in twins])
    for effect, of_effect in responses.items():
        wet = np.stack([each[effect].audio for each in twins])
        of_effect["response"] = effect_baselines.estimated_response(dry, wet)
        delays = effect_baselines.fitted_feedback_delays(dry, wet, of_effect["response"])
        if delays is not None:
            of_effect["delays"] = delays
    return responses


def _twins(
    data: DataSet,
    splits: Sequence[str],
    effects: list[str],
    choose: Callable[[int], np.ndarray],
    pitches: Sequence[int] = (),
) -> list[dict[str, Note]]:
    """Read chosen ones of the source notes that are there in every effect, each by effect."""
    known: defaultdict[str, set[str]] = defaultdict(set)
    for row in chain.from_iterable(map(data.index, splits)):
        if not pitches or row["pitch"] in pitches:
            known[str(row["origin"])].add(str(row["effect"]))
    complete = sorted(origin for origin, of_note in known.items() if set(effects) <= of_note)
    twins: dict[str, dict[str, Note]] = {complete[i]: {} for i in choose(len(complete))}
    for note in chain.from_iterable(map(data.notes, splits)):
        if note.origin in twins:
            twins[note.origin][note.effect] = note
    return list(twins.values())
