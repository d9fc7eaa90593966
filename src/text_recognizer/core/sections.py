"""What every section of `params.yaml` is built from."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Section(BaseModel):
    """Frozen; unknown keys and silent conversions (a string for a number) are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
