"""The files of a model folder, and `reader.json`, which describes the model."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import ModelError
from text_recognizer.core.params import PreprocessSection
from text_recognizer.inference.transcription import Calibration
from text_recognizer.pages.feature_grid import FeatureGrid
from text_recognizer.utils.files import json_text

INFO_FILE, WEIGHTS_FILE, GRAPH_FILE = "reader.json", "weights.safetensors", "reader.onnx"
LANGUAGE_FILE = "language.npz"
MIN_LM_SHARE = 0.0  # of models whose `reader.json` does not say it
# Keys of earlier versions of `reader.json` and what they are called now.
RENAMED = {
    "power": "exponent",
    "language.weight": "language.lm_weight",
    "language.bonus": "language.insertion_bonus",
    "language.width": "language.beam_width",
}


class LanguageInfo(BaseModel):
    """How the language model of a model folder is fused: see `BeamSearchDecoder`. `sha256` is of its file.

    `min_lm_share` is the least share of its weight that it has on a line that does not fit it: see `language_fit`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lm_weight: float
    insertion_bonus: float
    beam_width: Annotated[int, Field(ge=1)]
    sha256: str
    min_lm_share: Annotated[float, Field(ge=0, le=1)] = MIN_LM_SHARE

    @model_serializer(mode="wrap")
    def _without_default(self, serialise: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave the default of `min_lm_share` out, so that models without it keep their digest."""
        values: dict[str, object] = serialise(self)
        if self.min_lm_share == MIN_LM_SHARE:
            del values["min_lm_share"]
        return values


class ModelInfo(BaseModel):
    """`reader.json`: the model, the canvas it expects in pixels, and the digests of its other files.

    `language` is None if the model reads without a language model.
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
    precision: Literal["float32", "int8"] = "float32"  # in which the graph computes
    weights_sha256: str
    graph_sha256: str
    language: LanguageInfo | None = None
    # See `Calibration`: fitted on validation pages by `text-recognizer calibrate`.
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    exponent: Annotated[float, Field(gt=0, le=100)] = 1.0

    @property
    def digest(self) -> str:
        """The sha256 of `reader.json`, which identifies the model: the file holds the digests of all other files."""
        return hashlib.sha256(json_text(self.model_dump()).encode()).hexdigest()

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width of the canvas, in pixels."""
        return self.canvas_height, self.canvas_width

    @property
    def calibration(self) -> Calibration:
        """How log-probabilities become confidences."""
        return Calibration(self.temperature, self.exponent)

    @property
    def grid(self) -> FeatureGrid:
        """The grid of the encoder."""
        return FeatureGrid(self.dpi, self.cell_height, self.cell_width)


def read_info(path: Path) -> ModelInfo:
    """Read a `reader.json`. Raises ModelError if it is missing, describes no model, or one with another charset."""
    try:
        info = ModelInfo.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(f"{path} does not exist", "train a model, or name a folder that holds one") from None
    except ValidationError as error:
        if renamed := _renamed(error):
            fix = "train again with this version, or rename the keys if you know what the file says"
            raise ModelError(f"{path} was written by an earlier version: {renamed}", fix) from None
        raise ModelError(f"{path} does not describe a model: {' '.join(str(error).split())}", "train again") from None
    except ValueError as error:
        raise ModelError(f"{path} does not describe a model: {' '.join(str(error).split())}", "train again") from None
    if info.charset != CHARSET:
        raise ModelError(f"{path} was made for another charset", "train again with this version")
    return info


def _renamed(error: ValidationError) -> str:
    """Name the keys of earlier versions in the file, each with its present name."""
    found = (".".join(map(str, item["loc"])) for item in error.errors() if item["type"] == "extra_forbidden")
    return ", ".join(f"{name} is now called {RENAMED[name]}" for name in found if name in RENAMED)


def crops_of(info: ModelInfo) -> PreprocessSection:
    """Return how a model asks its pages to be cropped. Raises ModelError if its values are not valid."""
    try:
        return PreprocessSection(
            dpi=info.dpi,
            canvas_height=info.canvas_height,
            canvas_width=info.canvas_width,
            padding=info.padding,
            binarise=info.binarise,
        )
    except ValidationError as error:
        named = ", ".join(".".join(map(str, item["loc"])) for item in error.errors())
        raise ModelError(f"the model asks for crops that are not valid: {named}", "train again") from None
