"""How a run is evaluated, stated before it is: no part of these settings decides a run."""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt

from reverbsynth.settings.types import AtLeastTwo, Fraction, Frozen


class ClaimSettings(Frozen):
    """What must be measured, over the whole confidence interval, for a claim to hold.

    The ceiling is of real notes after the round trip through the stage's resolution.
    """

    loss_fall: Fraction = 0.1
    """Smallest fall of each AC and GL loss, as a share of its beginning."""
    pitch_accuracy: Fraction = 0.9
    """Smallest pitch accuracy, as a share of the ceiling's."""
    cents: PositiveFloat = 25.0
    """Largest median error of the estimated pitch, in cents."""
    wet_share: Fraction = 0.15
    """Largest difference between the shares of wet notes."""
    effect_accuracy: Fraction = 0.9
    """Smallest accuracy of the requested effect, as a share of the ceiling's."""
    effect_change: Fraction = 0.5
    """Smallest change of the tail by the effect's label alone, as a share of the ceiling's."""
    dial: Fraction = 0.9
    """Smallest rank correlation between an effect's level and the tail."""
    decaying: Fraction = 0.7
    """Smallest share of wet tails that decay, as a share of the ceiling's."""
    decay_ratio: PositiveFloat = 1.25
    """Largest allowed ratio between the median T20 and the ceiling's, either way."""
    tail: PositiveFloat = 6.0
    """Largest difference between levels of tails, in dB; dry ones may be quieter by any amount."""
    treble: PositiveFloat = 6.0
    """Largest difference between the energies above 4 kHz, in dB."""
    spectral_distance: PositiveFloat = 1.5
    """Largest ratio of the distance to the nearest real note to the ceiling's."""
    bins: Fraction = 0.25
    """Largest share of different bins (NDB) beyond the ceiling's."""
    copying: Fraction = 0.6
    """Largest chance that a generated note is nearer to the training notes than a real one is."""
    diversity: Fraction = 0.6
    """Smallest diversity at one pitch, as a share of the ceiling's."""
    timbre: Fraction = 0.5
    """Smallest correlation of one timbre's tails over pitches, as a share of the ceiling's."""


class EvaluationSettings(Frozen):
    """Sizes of the samples, the statistics, and the training of the label classifiers."""

    notes: PositiveInt = 200
    """Number of generated notes."""
    real_notes: PositiveInt = 2000
    """Largest number of notes used of a split."""
    min_notes: AtLeastTwo = 8
    """Smallest number of notes of which a measure is taken."""
    grid_pitches: AtLeastTwo = 8
    """Pitches at which each latent vector of the grid is played."""
    grid_latents: AtLeastTwo = 16
    """Latent vectors of the grid."""
    pairs: PositiveInt = 50
    """Generated notes that are played with every effect."""
    sweep_notes: PositiveInt = 12
    """Notes whose effect is turned up step by step."""
    transfer_notes: PositiveInt = 8
    """Held-out notes that effects are applied to."""
    transfer_starts: PositiveInt = 4
    """Parallel searches for the latent vector of each such note."""
    transfer_steps: PositiveInt = 60
    """Gradient steps of each search."""
    resamples: Annotated[int, Field(ge=100)] = 1000
    """Resamples of each bootstrap."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Confidence level of the intervals."""
    bins: AtLeastTwo = 50
    """Largest number of bins of NDB (k in the GANSynth paper)."""
    straightness: Fraction = 0.95
    """Smallest r² of the line fitted to a curve that counts as a decay."""
    classifier_steps: PositiveInt = 500
    """Training steps of each classifier."""
    classifier_batch: PositiveInt = 32
    """Notes in a training step of a classifier."""
    claims: ClaimSettings = ClaimSettings()
