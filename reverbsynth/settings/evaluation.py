"""How a run is judged, stated before it is: no part of these settings decides a run."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reverbsynth.settings.types import Fraction, Positive

Limit = Annotated[float, Field(gt=0)]


class ClaimSettings(BaseModel):
    """What must be measured for a claim of the paper to count as reproduced.

    A claim passes where the whole confidence interval does, not only the value in it. Limits "of
    the ceiling" are relative to real notes after the round trip through the stage's resolution.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss_fall: Fraction = Field(0.1, description="least fall of each AC and GL loss, as a share")
    pitch_accuracy: Fraction = Field(0.9, description="least pitch accuracy, of the ceiling's")
    cents: Limit = Field(25.0, description="most median error of the estimated pitch")
    wet_share: Fraction = Field(0.15, description="most difference of the share of wet notes")
    effect_accuracy: Fraction = Field(
        0.9, description="least accuracy of an effect that was asked for, of the ceiling's"
    )
    effect_change: Fraction = Field(
        0.5, description="least change of the tail by the effect's label alone, of the ceiling's"
    )
    dial: Fraction = Field(0.9, description="least rank correlation of the tail with the dial")
    decaying: Fraction = Field(0.7, description="least share of wet tails that decay, of ceiling")
    decay_ratio: Limit = Field(1.25, description="most factor between median T20 and ceiling's")
    tail: Limit = Field(6.0, description="most difference of the tail's level, in dB")
    treble: Limit = Field(6.0, description="most difference of the energy above 4 kHz, in dB")
    spectral_distance: Limit = Field(
        1.5, description="most ratio of the distance to the nearest real note to the ceiling's"
    )
    bins: Fraction = Field(0.25, description="most share of different bins beyond the ceiling's")
    copying: Fraction = Field(
        0.6, description="most chance that a generated note is nearer to training than a real one"
    )
    diversity: Fraction = Field(0.6, description="least diversity at one pitch, of the ceiling's")
    timbre: Fraction = Field(
        0.5, description="least correlation of a timbre's tails over pitches, of the ceiling's"
    )


class EvaluationSettings(BaseModel):
    """Sizes of the samples, the statistics, and the training of the label classifiers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notes: Positive = Field(200, description="generated notes")
    real_notes: Positive = Field(2000, description="at most so many notes of a split are used")
    min_notes: Annotated[int, Field(ge=2)] = Field(
        8, description="a measure of fewer notes than this is left out"
    )
    grid_pitches: Annotated[int, Field(ge=2)] = Field(
        8, description="pitches at which each latent vector of the grid is played"
    )
    grid_latents: Annotated[int, Field(ge=2)] = Field(8, description="latent vectors of the grid")
    pairs: Positive = Field(50, description="generated notes that are played in every effect")
    sweep_notes: Positive = Field(12, description="notes whose effect is turned up step by step")
    transfer_notes: Positive = Field(8, description="held-out notes that effects are applied to")
    transfer_starts: Positive = Field(6, description="searches side by side for each of them")
    transfer_steps: Positive = Field(200, description="gradient steps of each search")
    resamples: Annotated[int, Field(ge=100)] = Field(1000, description="of each bootstrap")
    confidence: Annotated[float, Field(gt=0, lt=1)] = Field(0.95, description="of intervals")
    bins: Annotated[int, Field(ge=2)] = Field(50, description="of NDB (GANSynth's k), at most")
    straightness: Fraction = Field(
        0.95, description="least r² of a line through a decay curve that counts as a decay"
    )
    classifier_steps: Positive = Field(500, description="training steps of each classifier")
    classifier_batch: Positive = Field(32, description="notes in a classifier's training step")
    claims: ClaimSettings = ClaimSettings()
