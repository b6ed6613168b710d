"""Types that several groups of settings share."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from reverbsynth.files.reading import user_path

Pitch = Annotated[int, Field(ge=0, le=127)]
Velocity = Annotated[int, Field(ge=1, le=127)]
Stage = Annotated[int, Field(ge=0, le=12)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
AtLeastTwo = Annotated[int, Field(ge=2)]
UserPath = Annotated[Path, AfterValidator(user_path)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Frozen(
    BaseModel, frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
):
    """Settings that cannot be changed once made, and refuse a name that they do not know."""
