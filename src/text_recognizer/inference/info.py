"""What a model folder holds, and `reader.json`, which describes it."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from text_recognizer.bands import Grid
from text_recognizer.errors import ModelError
from text_recognizer.files import json_text
from text_recognizer.inference.reading import Doubt
from text_recognizer.text import MAPPING

INFO_FILE, WEIGHTS_FILE, GRAPH_FILE = "reader.json", "weights.safetensors", "reader.onnx"
LANGUAGE_FILE = "language.npz"


class LanguageInfo(BaseModel):
    """How the n-gram of a model folder is used: see `inference.beam.Speller`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float
    bonus: float
    width: Annotated[int, Field(ge=1)]
    sha256: str


class ModelInfo(BaseModel):
    """`reader.json`: what a model is, what it expects, and the digests of its other files.

    `language` is None where the model reads without an n-gram.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_class: str
    charset: tuple[str, ...]
    canvas_height: int
    canvas_width: int
    dpi: int
    padding: int
    binarise: bool = False
    cell_height: int
    cell_width: int
    weights_sha256: str
    graph_sha256: str
    language: LanguageInfo | None = None
    # How scores become confidences: see `Doubt`; fitted on validation pages by `text-recognizer calibrate`.
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    power: Annotated[float, Field(gt=0, le=100)] = 1.0

    @property
    def digest(self) -> str:
        """Names the model: the sha256 of `reader.json`, which holds the digests of all that decides what it reads."""
        return hashlib.sha256(json_text(self.model_dump()).encode()).hexdigest()

    @property
    def canvas(self) -> tuple[int, int]:
        return self.canvas_height, self.canvas_width

    @property
    def doubt(self) -> Doubt:
        return Doubt(self.temperature, self.power)

    @property
    def grid(self) -> Grid:
        return Grid(self.dpi, self.cell_height, self.cell_width)


def read_info(path: Path) -> ModelInfo:
    """Raises ModelError where the file is missing, describes no model, or one with another charset."""
    try:
        info = ModelInfo.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(f"{path} does not exist", "train a model, or name a folder that holds one") from None
    except (ValueError, ValidationError) as error:
        raise ModelError(f"{path} does not describe a model: {' '.join(str(error).split())}", "train again") from None
    if info.charset != MAPPING:
        raise ModelError(f"{path} was made for another charset", "train again with this version")
    return info
