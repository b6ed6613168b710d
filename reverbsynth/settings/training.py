"""Settings of spectra, networks, losses, optimizer and schedule (Tables 3 to 5)."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from reverbsynth.settings.types import Frozen, Positive

Label = Literal["pitch", "effect", "instrument"]


class SpectraSettings(Frozen):
    """The image a note becomes (Table 5, ``data_type``)."""

    representation: Literal["mel", "linear", "phase"] = Field(
        "mel", description="IF on a mel scale, IF on a linear scale, or the bare phase"
    )
    scale: tuple[float, float] = Field(
        (0.0661371661726, 0.8), description="a of x*a + b, for magnitude and IF"
    )
    shift: tuple[float, float] = Field((0.113718730221, 0.0), description="b of x*a + b")


class GanSettings(Frozen):
    """The two networks (Tables 3 and 4)."""

    labels: tuple[Label, ...] = Field(
        ("pitch",), min_length=1, description="what the generator is told and the critic names"
    )
    latent_size: Positive = Field(256, description="numbers of a latent vector")
    filters_base: Positive = Field(4096, description="f(k) = min(base / 2^k, max)")
    filters_max: Positive = Field(256, description="most filters of a block")
    kernel_size: Positive = Field(3, description="side of the convolutions' kernels, odd")

    @field_validator("labels")
    @classmethod
    def _unique(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("expected each label once")
        return value

    @field_validator("kernel_size")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("expected an odd number")
        return value


class LossSettings(Frozen):
    """Weights of the loss terms (Table 5 and GANSynth's configuration), and departures."""

    gradient_penalty: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of (slope - 1)²"
    )
    penalty_image: Literal["full_size", "native"] = Field(
        "full_size",
        description="image by which the slope is taken: de-normalized at 128 x 1024 (the paper), "
        "or normalized at the stage's own resolution",
    )
    penalty_every: Positive = Field(
        1, description="steps from one penalty to the next; its weight is multiplied by as many"
    )
    real_score: Annotated[float, Field(ge=0)] = Field(
        0.001, description="weight of the squared score of real images"
    )
    generator_label: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of the labels of generated images (AC loss)"
    )
    discriminator_label: Annotated[float, Field(ge=0)] = Field(
        10.0, description="weight of the labels of real images (AC loss)"
    )
    label_weights: dict[Label, Annotated[float, Field(ge=0)]] = Field(
        {}, description="factors of the two above by label; 1 for a label that is not named"
    )
    griffin_lim_consistency: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Griffin-Lim consistency"
    )
    imle_weight: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="distance of each real image to the nearest of a few generated ones with its "
        "labels (implicit maximum likelihood)",
    )
    imle_samples: Positive = Field(4, description="how many are generated to choose from")


class OptimizerSettings(Frozen):
    """Adam (Table 5) and the moving average of the generator."""

    generator_rate: Annotated[float, Field(gt=0)] = Field(8e-4, description="learning rate")
    discriminator_rate: Annotated[float, Field(gt=0)] = Field(8e-4, description="learning rate")
    beta_1: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="decay of the gradient")
    beta_2: Annotated[float, Field(ge=0, lt=1)] = Field(0.99, description="decay of its square")
    epsilon: Annotated[float, Field(gt=0)] = Field(1e-8, description="as TensorFlow 1 adds it")
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.999, description="of the moving average of the generator's weights"
    )


class TrainingSettings(Frozen):
    """The progressive schedule, in images (Table 5 as the paper's figures show it).

    With ``stage_minutes`` a stage lasts so long instead, however many images that is. Two such
    runs never see the same number of images: only a schedule in images gives the same training
    for the same seed.
    """

    stable_images: Positive = Field(800_000, description="images of each even stage")
    transition_images: Positive = Field(800_000, description="images of each odd stage")
    total_images: Positive = Field(11_000_000, description="where training ends at the latest")
    last_stage: Annotated[int, Field(ge=0, le=12)] = Field(8, description="the last to train")
    stage_minutes: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None, description="minutes of training of each stage, 0 to last_stage; null: by images"
    )
    batch: Annotated[int, Field(ge=2)] = Field(64, description="images of a step")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the convolutions; weights and losses are float32"
    )
    checkpoint_minutes: Annotated[float, Field(gt=0)] = Field(
        10.0, description="minutes from one checkpoint to the next"
    )
    samples: Positive = Field(16, description="notes kept of each stage, real and generated")
    griffin_lim_every: Positive = Field(
        100, description="steps between two measurements of Griffin-Lim consistency"
    )

    @model_validator(mode="after")
    def _a_time_for_every_stage(self) -> "TrainingSettings":
        minutes, expected = self.stage_minutes, self.last_stage + 1
        if minutes is not None and len(minutes) != expected:
            raise ValueError(
                f"stage_minutes: found {len(minutes)} values, expected {expected}, one for each "
                f"stage up to last_stage {self.last_stage}"
            )
        return self
