"""Metrics that measure notes against each other: distribution, memory, diversity and control."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from reverbsynth.audio import spectrum, tails
from reverbsynth.evaluation.bootstrap import TOO_FEW, Measure, NotMeasured
from reverbsynth.evaluation.classifier import FEATURES
from reverbsynth.evaluation.grid import Grid
from reverbsynth.evaluation.metrics.base import NOT_APPLICABLE, Metric
from reverbsynth.evaluation.metrics.distribution import (
    KernelDistance,
    different_bins,
    frechet_distance,
    inception_score,
)
from reverbsynth.evaluation.metrics.diversity import Spread, intraclass_correlation
from reverbsynth.evaluation.metrics.memorization import copying, nearest
from reverbsynth.evaluation.note_sets import EvaluationData, NoteSet


def distribution(data: EvaluationData) -> Iterator[Metric]:
    """Measure GANSynth's Table 1, of equally many notes where their number decides."""
    statistic, training = data.bootstrap.statistic, data.training.clips.origin

    def drawn(notes: NoteSet) -> np.ndarray:
        return notes.clips.origin[data.draw(notes)]

    def bins(notes: NoteSet, share: bool = False) -> Measure:
        if data.bins is None or len(notes) < data.bootstrap.least:
            raise NotMeasured(TOO_FEW)
        count = data.bins.count
        most = 1 if share else count
        return statistic(
            lambda first, second: different_bins(first, second, count) * most / count,
            *(data.bins.reference, data.bins.assign(notes.levels[data.draw(notes)])),
            groups=(training, drawn(notes)),
            bounds=(0, most),
        )

    def frechet(notes: NoteSet) -> Measure:
        samples = [each.pitch.features for each in (notes, data.training)]
        samples[0] = samples[0][data.draw(notes)]
        groups, least = (drawn(notes), training), FEATURES + 1
        return statistic(frechet_distance, *samples, groups=groups, least=least, bounds=(0, np.inf))

    def kernel(notes: NoteSet) -> Measure:
        features = [each.pitch.features for each in (notes, data.training)]
        if not len(notes):
            raise NotMeasured(TOO_FEW)
        indices, groups = map(np.arange, map(len, features)), (notes.clips.origin, training)
        return statistic(KernelDistance(*features), *indices, groups=groups)

    def inception(notes: NoteSet) -> Measure:
        probabilities = notes.pitch.probabilities[data.draw(notes)]
        return statistic(inception_score, probabilities, groups=[drawn(notes)], bounds=(1, np.inf))

    share = "NDB, as a share of the bins"
    yield Metric("distribution.ndb", "NDB", "", bins)
    yield Metric("distribution.bins", share, "%", lambda notes: bins(notes, share=True))
    yield Metric("distribution.fid", "Fréchet distance", "", frechet)
    yield Metric("distribution.kernel", "kernel distance", "", kernel)
    yield Metric("distribution.inception", "inception score", "", inception)


def memory(data: EvaluationData) -> Iterator[Metric]:
    """Measure distances to what the generator was shown, and to what it was not, in dB."""
    training = data.training

    def median(notes: NoteSet, others: NoteSet) -> Measure:
        distances = nearest(notes, others)
        return data.bootstrap.median(distances, groups=notes.clips.origin[: len(distances)])

    def among(notes: NoteSet) -> Measure:
        if notes is not data.real:
            raise NotMeasured(NOT_APPLICABLE)
        return median(training, training)

    def nearer(notes: NoteSet) -> Measure:
        if notes is data.ceiling:
            raise NotMeasured("the reference")
        # A training note is to the others what a held-out one is to them all.
        others = (data.ceiling, data.trained)
        distances = nearest(notes, training), np.concatenate([nearest(s, training) for s in others])
        groups = notes.clips.origin, np.concatenate([s.clips.origin for s in others])
        return data.bootstrap.statistic(copying, *distances, groups=groups, bounds=(0, 1))

    to_training = "distance to the nearest training note"
    to_held_out = "distance to the nearest held-out note"
    to_others = "nearer to other training notes than real ones are"
    yield Metric("memory.among", "distance between training notes", "dB", among)
    yield Metric("memory.training", to_training, "dB", lambda s: median(s, training))
    yield Metric("memory.held-out", to_held_out, "dB", lambda s: median(s, data.real))
    yield Metric("memory.copying", to_others, "%", nearer)


def control(data: EvaluationData) -> Iterator[Metric]:
    """Measure what a latent vector decides, and what a label does, on a grid of notes."""
    statistic = data.bootstrap.statistic

    def diversity(notes: NoteSet) -> Measure:
        grid = _complete(notes.grid)
        # Two latent vectors may be of one timbre; two draws of the real timbres once in so many.
        differ = 1.0 if notes is data.generated else 1.0 - 1.0 / grid.timbres
        spread = Spread(grid.levels)
        timbres = np.arange(grid.timbres)
        return statistic(lambda drawn: differ * spread(drawn), timbres, bounds=(0, np.inf))

    def accuracy(notes: NoteSet) -> Measure:
        grid = _complete(notes.grid)
        right = notes.grid_pitch.best == grid.clips.pitch
        return data.bootstrap.proportion(right, grid.clips.origin)

    def consistency(function: Callable[[np.ndarray], float], notes: NoteSet) -> Measure:
        grid = _complete(notes.grid)
        values = np.reshape([function(wave) for wave in grid.clips.waves], (grid.timbres, -1))
        return statistic(intraclass_correlation, values, bounds=(-1, 1))

    tail = partial(consistency, tails.tail_ratio)
    brightness = partial(consistency, spectrum.brightness)
    yield Metric("control.diversity", "distance of timbres at one pitch", "dB", diversity)
    yield Metric("control.pitch", "pitch accuracy of one timbre", "%", accuracy)
    yield Metric("control.tail", "tail that follows the timbre (ICC)", "", tail)
    yield Metric("control.brightness", "brightness that follows the timbre (ICC)", "", brightness)


def _complete(grid: Grid) -> Grid:
    """Return a grid all of whose notes are sounds."""
    if grid.clips.missing_reason or not grid.timbres:
        raise NotMeasured(grid.clips.missing_reason or TOO_FEW)
    return grid
