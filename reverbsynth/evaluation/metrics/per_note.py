"""Metrics that measure each note by itself: reverb, pitch and spectrum."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy import stats

from reverbsynth.audio import tails
from reverbsynth.audio.pitch import UNHEARD
from reverbsynth.audio.reverberation import EDT, OCTAVES, SLOW, T20
from reverbsynth.audio.spectrum import nearest_of_same_pitch
from reverbsynth.evaluation.bootstrap import Measure, NotMeasured
from reverbsynth.evaluation.metrics.base import NOT_APPLICABLE, NOT_ASKED, Metric, share
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet

# Cents: Poliner et al., "Melody transcription from music audio" (2007), section III-A.
HIT = 50.0

_LONGEST = dict.fromkeys(("t20", "octaves"), tails.longest_measurable_decay(T20))
_LONGEST["edt"] = tails.longest_measurable_decay(EDT)


def usable(data: EvaluationData) -> Iterator[Metric]:
    """Measure how many notes are sounds at all."""

    def are_sounds(notes: NoteSet) -> Measure:
        return data.bootstrap.proportion(notes.usable, notes.all_clips.origin)

    yield Metric("notes.usable", "neither silent nor NaN", "%", are_sounds)


def reverb(data: EvaluationData) -> Iterator[Metric]:
    """Measure `Tails` by effect, requested or else predicted, and how far all are from training."""
    for effect in data.effects:
        tail = partial(_tail, data, effect)

        def decays(notes: NoteSet, effect: str = effect) -> Measure:
            return data.bootstrap.proportion(notes.tails.decays[notes.effects == effect])

        for key, name, unit, measure in (
            ("ratio", "tail-to-sustain ratio", "dB", partial(tail, "ratio")),
            ("late", "tail-to-sustain ratio from 3.2 s", "dB", partial(tail, "late")),
            ("decays", "tails that decay", "%", decays),
            ("t20", "T20", "s", partial(tail, "t20")),
            ("r2", "r² of its line", "", partial(tail, "r2")),
            ("edt", "early decay time", "s", partial(tail, "edt")),
        ):
            yield Metric(f"reverb.{key}.{effect}", f"{effect}: {name}", unit, measure)

    if wet := data.wet:

        def requested(notes: NoteSet, wet: str = wet) -> Measure:
            if notes is data.ceiling:
                raise NotMeasured(NOT_APPLICABLE)
            if notes is data.generated:
                return _tail(data, wet, "t20", notes)
            return _tail(data, wet, "t20", data.training, chosen=_of_generated_keys(data))

        name = f"{wet}: T20, beside training notes of the same keys"
        yield Metric("reverb.requested", name, "s", requested)
    for field, name, unit in (("ratio", "ratios", "dB"), ("t20", "T20", "s")):
        title = f"Wasserstein distance of {name} to training notes"
        yield Metric(f"reverb.distance.{field}", title, unit, partial(_distance, data, field))

    def accuracy(notes: NoteSet) -> Measure:
        best = notes.effect.best
        if len(notes) and notes.clips.effect[0] == "":
            raise NotMeasured(NOT_ASKED)
        return share(data, notes, best == notes.clips.effect)

    yield Metric("effect.accuracy", "effect accuracy", "%", accuracy)
    if wet:

        def are_wet(notes: NoteSet) -> Measure:
            return data.bootstrap.proportion(notes.effect.best == wet, notes.clips.origin)

        yield Metric("effect.share", f"notes classified as {wet}", "%", are_wet)


def octaves(data: EvaluationData) -> Iterator[Metric]:
    """Measure T20 of each octave band by effect: medians over notes, in seconds."""
    for effect in data.effects:
        for octave, center in enumerate(OCTAVES):
            name = f"{effect}: T20 around {center:g} Hz"
            measure = partial(_tail, data, effect, "octaves", octave=octave)
            yield Metric(f"reverb.octave.{effect}.{center:g}", name, "s", measure)


def pitch(data: EvaluationData) -> Iterator[Metric]:
    """Measure pitch by the classifier, as GANSynth does, and by an estimator without training."""

    def accuracy(notes: NoteSet) -> Measure:
        return share(data, notes, notes.pitch.best == notes.clips.pitch)

    def entropy(notes: NoteSet) -> Measure:
        entropies = stats.entropy(notes.pitch.probabilities, axis=1)
        return data.bootstrap.mean(entropies, notes.clips.origin)

    within, error = partial(within_50_cents, data), partial(pitch_error, data)
    yield Metric("pitch.accuracy", "pitch accuracy", "%", accuracy)
    yield Metric("pitch.entropy", "pitch entropy", "nats", entropy)
    yield Metric("pitch.within", "estimate within 50 cents", "%", within)
    yield Metric("pitch.cents", "median error of the estimate", "cents", error)


def within_50_cents(data: EvaluationData, notes: NoteSet) -> Measure:
    """Measure the share of notes whose estimated pitch is within 50 cents of the requested one."""
    return share(data, notes, np.abs(notes.cents) <= HIT)


def pitch_error(data: EvaluationData, notes: NoteSet) -> Measure:
    """Measure the median distance in cents of the estimated from the requested pitch."""
    reasons = [UNHEARD if np.isnan(cents) else "" for cents in notes.cents]
    return data.bootstrap.median(np.abs(notes.cents), reasons, notes.clips.origin)


def spectrum(data: EvaluationData) -> Iterator[Metric]:
    """Measure spectra against real ones, and a sampler's that lacks the key, as a baseline."""
    name = "distance to the nearest training note of the pitch"

    def median(values: np.ndarray, notes: NoteSet) -> Measure:
        return data.bootstrap.median(values, groups=notes.clips.origin)

    def resampled(notes: NoteSet) -> Measure:
        if notes is not data.real or data.resampled is None:
            raise NotMeasured(NOT_APPLICABLE)
        return median(nearest_of_pitch(data, data.resampled), data.resampled)

    yield Metric("spectrum.treble", "energy above 4 kHz", "dB", lambda s: median(s.treble, s))
    yield Metric("spectrum.nearest", name, "dB", lambda s: median(nearest_of_pitch(data, s), s))
    yield Metric("spectrum.resampled", f"a neighbouring key resampled: {name}", "dB", resampled)


def nearest_of_pitch(data: EvaluationData, notes: NoteSet) -> np.ndarray:
    """Return each note's distance in dB to the nearest training note of its pitch, or NaN."""
    real = data.training
    return nearest_of_same_pitch(notes.levels, notes.clips.pitch, real.levels, real.clips.pitch)


def _of_generated_keys(data: EvaluationData) -> np.ndarray:
    """Return indices of training notes: one for each generated wet note, of its key.

    How long a reverb rings differs from key to key, and generated notes are of other keys than the
    held-out ones. Where a key has several wet training notes, they take turns, each key's where the
    last one's stopped: decays differ from instrument to instrument, too.
    """
    training, generated = data.training.clips, data.generated
    alike: list[int] = []
    for pitch in np.unique(generated.clips.pitch):
        of_pitch = (generated.effects == data.wet) & (generated.clips.pitch == pitch)
        real = np.flatnonzero((training.effect == data.wet) & (training.pitch == pitch))
        turns = np.resize(np.roll(real, -len(alike)), of_pitch.sum() if len(real) else 0)
        alike += turns.tolist()
    return np.array(alike, int)


def _tail(
    data: EvaluationData,
    effect: str,
    field: str,
    notes: NoteSet,
    octave: int | None = None,
    chosen: np.ndarray | None = None,
) -> Measure:
    """Median over an effect's notes of a field of `Tails`, or of one octave, if not too slow.

    With ``chosen`` it is of those notes instead.
    """
    chosen = notes.effects == effect if chosen is None else chosen
    values = getattr(notes.tails, field)[chosen]
    missing = notes.tails.missing[field][chosen]
    if octave is not None:
        values, missing = values[:, octave], missing[:, octave]
    median = data.bootstrap.median(values, missing.tolist(), notes.clips.origin[chosen])
    if median.value is not None and median.value >= _LONGEST.get(field, np.inf):
        return Measure(notes=median.notes, missing_reason=SLOW)
    return median


def _distance(data: EvaluationData, field: str, notes: NoteSet) -> Measure:
    known = [(s, np.isfinite(getattr(s.tails, field))) for s in (notes, data.training)]
    finite = [getattr(notes.tails, field)[of] for notes, of in known]
    groups = [notes.clips.origin[of] for notes, of in known]
    distance, bounds = stats.wasserstein_distance, (0, np.inf)
    return data.bootstrap.statistic(distance, *finite, groups=groups, bounds=bounds)
