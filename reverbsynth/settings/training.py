"""Settings of spectra, networks, losses, optimizer and schedule (Tables 3 to 5)."""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from reverbsynth.settings.types import AtLeastTwo, Frozen, Seed, Stage

Label = Literal["pitch", "effect", "instrument", "velocity"]
Decay = Annotated[float, Field(ge=0, lt=1)]


class SpectraSettings(Frozen):
    """The image that a note becomes (Table 5, ``data_type``)."""

    representation: Literal["mel", "linear", "phase"] = "mel"
    """Instantaneous frequency on a mel scale, on a linear scale, or the bare phase."""
    scale: tuple[float, float] = (0.0661371661726, 0.8)
    """The a of a·x + b, which normalizes log magnitude and instantaneous frequency."""
    shift: tuple[float, float] = (0.113718730221, 0.0)
    """The b of a·x + b, for the same two."""
    mel_inverse: Literal["transpose", "nnls"] = "transpose"
    """Inverse of the mel matrix: scaled transpose (original), or non-negative least squares."""
    projections: NonNegativeInt = 0
    """Griffin-Lim steps in decoding, which bring an image's phases nearer to those of a sound."""
    upscaling: Literal["nearest", "linear"] = "nearest"
    """What lies between the frames of a stage's smaller image: each is held (original), or straight
    lines lead from one to the next."""

    def of_encoding(self) -> dict[str, Any]:
        """Those that decide the image, as JSON values; the others decide how it is decoded."""
        return self.model_dump(mode="json", exclude={"mel_inverse", "projections", "upscaling"})


class GanSettings(Frozen):
    """The two networks (Tables 3 and 4)."""

    labels: tuple[Label, ...] = ("pitch",)
    """Labels that condition the generator and that the discriminator recognizes, with pitch."""
    pitch_input: Literal["one-hot", "harmonic"] = "one-hot"
    """How the generator is told the pitch: as one class of many (the paper), or as a number, with
    the places of its harmonics at blocks from the third on and an ideal tone for images to start
    from; labels must then begin with pitch."""
    key_shares: bool = False
    """Whether a pitch that is told as a number is also told by its key, or by the shares of the two
    trained keys that it lies between: a reverb's resonances differ from key to key. One-hot, it is
    its key."""
    skip_latent: bool = False
    """Whether every block is given the latent vector and the labels, not only the first (Brock et
    al., "Large Scale GAN Training", 2019): what a key's own decay needs is learned sooner."""
    label_scale: PositiveFloat = 1.0
    """What a label's class is given as (1: the paper), beside latent numbers drawn from N(0, 1)."""
    latent_size: PositiveInt = 256
    """Length of a latent vector."""
    timbres: NonNegativeInt = 0
    """How many of its first numbers say which timbre it is of, by the largest of them (0: none, as
    in the paper): the generator is given their shares, and each instrument has its own of them,
    among which its nearest images are sought (``losses.imle_weight``)."""
    filters_base: PositiveInt = 4096
    """The base in min(base / 2^block, max), the number of filters of a block."""
    filters_max: PositiveInt = 256
    """Largest number of filters."""
    kernel_size: PositiveInt = 3
    """Side of the convolution kernels, an odd number."""

    @model_validator(mode="after")
    def _consistent(self) -> "GanSettings":
        if len(set(self.labels)) < len(self.labels):
            raise ValueError(f"labels: found {list(self.labels)}, expected each label once")
        if "pitch" not in self.labels:
            raise ValueError(f"labels: found {list(self.labels)}, expected pitch among them")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size: found {self.kernel_size}, expected an odd number")
        if self.timbres > self.latent_size:
            expected = f"expected at most latent_size, {self.latent_size}"
            raise ValueError(f"timbres: found {self.timbres}, {expected}")
        if self.pitch_input == "harmonic" and self.labels[0] != "pitch":
            found = f"pitch_input: found harmonic with labels {', '.join(self.labels)}"
            raise ValueError(f"{found}, expected pitch as the first label")
        return self


class LossSettings(Frozen):
    """Weights of the loss terms (Table 5 and GANSynth's configuration), and departures."""

    gradient_penalty: NonNegativeFloat = 10.0
    """Weight of (gradient norm - 1)²."""
    penalty_image: Literal["full_size", "native"] = "full_size"
    """Image of which the gradient is taken: de-normalized at 128 x 1024 (the paper), or normalized
    at the stage's own resolution."""
    penalty_every: PositiveInt = 1
    """Steps from one gradient penalty to the next, by which its weight is multiplied."""
    real_score: NonNegativeFloat = 0.001
    """Weight of the squared score of real images."""
    generator_label: NonNegativeFloat = 10.0
    """Weight of the label losses of generated images (AC loss)."""
    discriminator_label: NonNegativeFloat = 10.0
    """Weight of the label losses of real images (AC loss)."""
    label_weights: dict[Label, NonNegativeFloat] = Field(default={})
    """Factors of the two above by label; 1 for labels not named."""
    griffin_lim_consistency: NonNegativeFloat = 0.0
    """Weight of the Griffin-Lim consistency of generated images."""
    imle_weight: NonNegativeFloat = 0.0
    """Weight of the distance from each real image to the nearest of a few generated ones with its
    labels (implicit maximum likelihood estimation)."""
    imle_crossfades: NonNegativeInt = 0
    """Crossfades of each pair of twins that count as real there, by shares of their effects."""
    imle_levels: NonNegativeFloat = 0.0
    """Weight of levels in the distance of two images, beside the pixels': those of 16 bands in each
    frame and in spans of a quarter of a second, and those of the energy decay curve."""
    adversarial_every: PositiveInt = 1
    """Steps from one adversarial step to the next; between them only the nearest images teach the
    generator, and the discriminator rests."""
    imle_samples: PositiveInt = 4
    """Generated images among which the nearest is sought."""
    imle_silence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Level up to which the phase does not count in that distance: that of silence is noise."""

    @model_validator(mode="after")
    def _taught_between(self) -> "LossSettings":
        if self.adversarial_every > 1 and not self.imle_weight:
            found = f"adversarial_every: found {self.adversarial_every} with imle_weight 0"
            raise ValueError(f"{found}, expected 1: nothing would teach the generator in between")
        return self


class OptimizerSettings(Frozen):
    """Adam (Table 5) and the moving average of the generator."""

    generator_rate: PositiveFloat = 8e-4
    """The generator's learning rate."""
    discriminator_rate: PositiveFloat = 8e-4
    """The discriminator's learning rate."""
    beta_1: Decay = 0.0
    """Decay of the gradient's moving average."""
    beta_2: Decay = 0.99
    """Decay of the squared gradient's average."""
    epsilon: PositiveFloat = 1e-8
    """Small constant in the denominator, placed as in TensorFlow 1."""
    final_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the learning rates that is left at the end of the last stage, along a cosine."""
    ema_decay: Decay = 0.999
    """Decay of the moving average of the generator's weights."""


class TrainingSettings(Frozen):
    """The progressive schedule, in images (Table 5 as the paper's figures show it).

    Only a schedule in images, not one in minutes, gives the same training for the same seed.
    """

    stable_images: PositiveInt = 800_000
    """Images of each even stage."""
    transition_images: PositiveInt = 800_000
    """Images of each odd stage."""
    total_images: PositiveInt = 11_000_000
    """Images after which training ends at the latest."""
    last_stage: Stage = 8
    """Last stage that is trained."""
    stage_images: tuple[NonNegativeInt, ...] | None = None
    """Images of each stage from 0 on, instead; training begins with the first that is not 0. Null
    where ``stage_minutes`` says how long they are."""
    stage_minutes: tuple[NonNegativeFloat, ...] | None = None
    """Minutes of each stage, 0 to last_stage, beginning with the first that is not 0; null: by
    images."""
    seed: Seed | None = None
    """Seed of weights, batches and latents, not of notes and split; null: the common ``seed``."""
    batch: AtLeastTwo = 64
    """Images of a training step."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision of the convolutions; weights and losses stay float32."""
    checkpoint_minutes: PositiveFloat = 10.0
    """Minutes from one checkpoint to the next."""
    samples: PositiveInt = 16
    """Notes kept of each stage, real and generated."""
    griffin_lim_every: PositiveInt = 100
    """Steps from one measurement of Griffin-Lim consistency to the next."""

    @model_validator(mode="after")
    def _a_length_for_every_stage(self) -> "TrainingSettings":
        if self.stage_images is not None and self.stage_minutes is not None:
            raise ValueError("stage_images: found beside stage_minutes, expected one of them")
        for name in ("stage_images", "stage_minutes"):
            lengths = getattr(self, name)
            if lengths is not None and len(lengths) != self.last_stage + 1:
                expected = f"{self.last_stage + 1}, one for each stage up to last_stage"
                found = f"{name}: found {len(lengths)} values"
                raise ValueError(f"{found}, expected {expected} {self.last_stage}")
            if lengths is not None and not lengths[-1]:
                raise ValueError(f"{name}: found 0 for the last stage, expected a greater value")
        return self
