"""Keep corrections in the feedback folder: how each picture is written, and how much is kept in all."""

import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from text_recognizer.core import config
from text_recognizer.core.errors import ConfigError
from text_recognizer.corpora import corrections
from text_recognizer.inference.model_info import ModelInfo, crops_of
from text_recognizer.pages.opening import FORMATS
from text_recognizer.pages.pdf_pages import is_pdf
from text_recognizer.serving.problems import RequestError
from text_recognizer.serving.review import WAITING, source_of
from text_recognizer.validation.correction_checks import CorrectionLimits

FEEDBACK_VARIABLE = "TEXT_RECOGNIZER_FEEDBACK"
REVIEW_VARIABLE = "TEXT_RECOGNIZER_REVIEW"
PARAMS_VARIABLE = "TEXT_RECOGNIZER_PARAMS"
INK_MIN = 0.005  # validate.ink_min of the pipeline as it is shipped
# Pictures in these formats have lost the exact pixels already, and are much larger as PNG.
LOSSY = ("JPEG", "MPO", "WEBP", "HEIF", "AVIF")
JPEG_QUALITY = 85
MAX_JPEG_SIDE = 65_500


@dataclass(frozen=True)
class Quota:
    """How much the feedback folder may hold. Anybody may send corrections, so they must not fill the disk.

    `bytes` counts all files in the folder; `spare_bytes` stay free on its disk. `of_source` bounds the corrections of
    one token, so that no sender outweighs the others in the training.
    """

    corrections: int = 10_000
    of_source: int = 500
    bytes: int = 5 << 30
    spare_bytes: int = 1 << 30


class KeptRecord(corrections.CorrectionRecord):
    """A correction's JSON with the name of the token that it was sent with. The pipeline does not use that name."""

    source: str | None = None


@dataclass(frozen=True)
class KeptPicture:
    """A page as a file: its content, and the suffix of its format."""

    content: bytes
    suffix: str

    @classmethod
    def of(cls, grey: np.ndarray, sent: bytes) -> "KeptPicture":
        """Encode a page, uint8 grey (H, W), without metadata: as JPEG if the file that was sent has lost pixels too."""
        stream = io.BytesIO()
        lossy = _lossy_options(sent)
        if lossy and max(grey.shape) <= MAX_JPEG_SIDE:
            Image.fromarray(grey).save(stream, "JPEG", **lossy)
            return cls(stream.getvalue(), ".jpg")
        # Any higher level takes several times as long, for a few per cent.
        Image.fromarray(grey).save(stream, "PNG", compress_level=1)
        return cls(stream.getvalue(), ".png")


@dataclass(frozen=True)
class FeedbackFolder:
    """Where corrections are kept, how much of them, and what they are checked by.

    The limits are those of the model that is served, or else `of_pipeline`. With `review`, corrections wait until a
    person accepts them.
    """

    path: Path
    limits: CorrectionLimits
    quota: Quota = Quota()
    of_pipeline: bool = False
    review: bool = False

    def for_model(self, info: ModelInfo) -> "FeedbackFolder":
        """Return the same folder for a service that serves another model."""
        return self if self.of_pipeline else replace(self, limits=limits_of_model(info))

    def keep(self, picture: KeptPicture, record: corrections.CorrectionRecord, source: str | None = None) -> str:
        """Write a correction and return its name. Raises RequestError, status 507, if the quota or the disk is full."""
        kept = KeptRecord(**dict(record), source=source)
        try:
            self._require_room(len(picture.content), source)
            place = self.path / WAITING if self.review else self.path
            place.mkdir(exist_ok=True)
            return corrections.save(place, picture.content, picture.suffix, kept)
        except OSError as error:
            raise RequestError(507, f"the correction could not be kept: {error.strerror or error}") from None

    def _require_room(self, size: int, source: str | None) -> None:
        places = [place for place in (self.path, self.path / WAITING) if place.is_dir()]
        files = [Path(entry) for place in places for entry in os.scandir(place) if entry.is_file()]
        records = [path for path in files if path.suffix == ".json"]
        if len(records) >= self.quota.corrections:
            raise OSError(f"{self.quota.corrections:,} corrections are kept, the most that this service keeps")
        if source and sum(source_of(path.parent, path.stem) == source for path in records) >= self.quota.of_source:
            raise OSError(f"{self.quota.of_source:,} corrections of {source} are kept, the most of one token")
        if sum(path.stat().st_size for path in files) + size > self.quota.bytes:
            raise OSError(f"the corrections take {self.quota.bytes:,} bytes, the most that this service keeps")
        if shutil.disk_usage(self.path).free < self.quota.spare_bytes + size:
            raise OSError("the disk is nearly full")


def feedback_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder for corrections; None if FEEDBACK_VARIABLE is not set or empty: corrections are then off.

    Raises ConfigError if the path is relative, or is not a folder that can be written to.
    """
    if not (value := environment.get(FEEDBACK_VARIABLE, "")):
        return None
    folder = Path(value)
    fix = f"make the folder and give its absolute path, or set {FEEDBACK_VARIABLE} empty to turn corrections off"
    if not folder.is_absolute():
        raise ConfigError(f"{FEEDBACK_VARIABLE} = {value!r} is not an absolute path", fix)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{FEEDBACK_VARIABLE} = {value!r} is not a folder that can be written to", fix)
    return folder


def open_feedback(environment: Mapping[str, str], info: ModelInfo) -> FeedbackFolder | None:
    """Return where corrections go; None if they are off. Raises ConfigError if the folder or the parameters are wrong.

    They are checked by the `params.yaml` that PARAMS_VARIABLE names, else by the canvas of the model that is served.
    """
    if (folder := feedback_folder(environment)) is None:
        return None
    review = environment.get(REVIEW_VARIABLE, "") not in ("", "0")
    if named := environment.get(PARAMS_VARIABLE, ""):
        limits = CorrectionLimits.of(config.load(Path(named)))
        return FeedbackFolder(folder, limits, of_pipeline=True, review=review)
    return FeedbackFolder(folder, limits_of_model(info), review=review)


def limits_of_model(info: ModelInfo) -> CorrectionLimits:
    """Return the limits of a pipeline that trains a model of the same canvas."""
    return CorrectionLimits(crops_of(info), INK_MIN)


def _lossy_options(sent: bytes) -> dict[str, Any]:
    """Return how to write a page of this file as JPEG; nothing, if the file has all of its exact pixels.

    With the quantisation of the file itself, a JPEG loses next to nothing and stays as small as it was.
    """
    if is_pdf(sent):
        return {"quality": JPEG_QUALITY}
    with Image.open(io.BytesIO(sent), formats=FORMATS) as picture:
        if picture.format not in LOSSY:
            return {}
        tables = getattr(picture, "quantization", {})
        return {"qtables": [tables[0]]} if 0 in tables else {"quality": JPEG_QUALITY}
