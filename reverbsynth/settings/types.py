"""Types that several groups of settings share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Pitch = Annotated[int, Field(ge=0, le=127)]
Velocity = Annotated[int, Field(ge=1, le=127)]
Positive = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Frozen(BaseModel):
    """What cannot be changed, and refuses a setting that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
