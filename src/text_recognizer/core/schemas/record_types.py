"""What all records share: their base classes, and the types of their fields."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="a sha256 digest, in hexadecimal")]
Rate = Annotated[float, Field(ge=0, description="edits per reference character or word; may exceed 1")]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Interval = Annotated[tuple[Rate, Rate], Field(strict=False, description="lower and upper bound")]
Confidence = Annotated[float, Field(ge=0, le=1, description="calibrated probability that the text is right")]


class Record(BaseModel):
    """The base of every record."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class Figures(Record):
    """The base of the records that are read back from files: a value of another type is refused, not converted."""

    model_config = ConfigDict(strict=True)
