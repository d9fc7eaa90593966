"""Scoring a model on any archive in IAM's layout, apart from the pipeline: nothing is written."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from tqdm import tqdm

from text_recognizer.config import EvaluateSection, PreprocessSection
from text_recognizer.data.iam import SPLIT_LISTS, SPLITS, IamArchive
from text_recognizer.data.packed import Page, kind_of
from text_recognizer.errors import ConfigError, DataError, ModelError
from text_recognizer.evaluation.details import details
from text_recognizer.evaluation.score import PageScore, read_pages, summarise
from text_recognizer.inference import ModelInfo, Recognizer
from text_recognizer.preprocess import crop_form

SPLIT_NAMES = tuple(SPLIT_LISTS)
# A score to be compared elsewhere must not depend on the params.yaml of the folder that it was made in.
SCORING = EvaluateSection(batch_size=16, resamples=2000, level=0.95, seed=1, gallery=0, review=0.1, robustness=0)
Crop = tuple[np.ndarray, Page]


def score_archive(
    archive: Path, split: str, model: Path, section: EvaluateSection, preprocess: PreprocessSection | None = None
) -> dict[str, Any]:
    """The figures of `summarise` for a split of an archive, with `model`, `split`, `seconds` (wall time) and `skipped`.

    `split` is `<name>/<part>`, for instance `aachen/test`. Forms are cropped as the model asks, or by `preprocess`. One
    that cannot be cropped is skipped, named on stderr and listed with its reason; DataError where that leaves none.
    """
    started = time.monotonic()
    _parse(split)
    recognizer = Recognizer.load(model)
    skipped: list[dict[str, str]] = []
    scores: list[PageScore] = []
    for canvases, pages in cropped(archive, split, recognizer.info, section.batch_size, skipped, preprocess):
        scores += read_pages(recognizer, canvases, pages)
    if not scores:
        raise DataError(f"no form of {split} in {archive} can be scored: {skipped[0]['reason']}", "mend the archive")
    return {
        **summarise(scores, section),
        **details(scores, section, recognizer.info.doubt),
        "model": recognizer.digest,
        "source": kind_of(str(archive)),
        "split": split,
        "skipped": skipped,
        "seconds": time.monotonic() - started,
    }


def _parse(split: str) -> tuple[str, str]:
    name, _, part = split.partition("/")
    if name not in SPLIT_NAMES or part not in SPLITS:
        valid = ", ".join(f"{known}/{piece}" for known in SPLIT_NAMES for piece in SPLITS)
        raise ConfigError(f"there is no split {split!r}", f"name one of {valid}")
    return name, part


def _section_of(info: ModelInfo) -> PreprocessSection:
    """How the model wants its pages cropped."""
    try:
        return PreprocessSection(
            dpi=info.dpi,
            canvas_height=info.canvas_height,
            canvas_width=info.canvas_width,
            padding=info.padding,
            binarise=info.binarise,
            workers=1,
        )
    except ValidationError as error:
        named = ", ".join(".".join(map(str, item["loc"])) for item in error.errors())
        raise ModelError(f"the model asks for crops that are not valid: {named}", "train again") from None


def _ids(iam: IamArchive, name: str, part: str) -> list[str]:
    try:
        ids = iam.splits(name)[part]
    except DataError as error:
        others = " or ".join(other for other in SPLIT_NAMES if SPLIT_LISTS[other][0] != SPLIT_LISTS[name][0])
        raise DataError(error.what, f"name a split that the archive has; try {others}/{part}") from None
    if not ids:
        raise DataError(f"{name}/{part} of {iam.path} holds no form", "name a split that has forms in this archive")
    return ids


def cropped(
    archive: Path,
    split: str,
    info: ModelInfo,
    batch_size: int,
    skipped: list[dict[str, str]],
    preprocess: PreprocessSection | None = None,
) -> Iterator[tuple[np.ndarray, tuple[Page, ...]]]:
    """The forms of a split as the model wants them, canvases (N, H, W) and labels, so that no whole archive is held.

    What cannot be cropped is put into `skipped`, with its reason.
    """
    name, part = _parse(split)
    crops = preprocess or _section_of(info)
    with IamArchive(archive) as iam:
        ids = _ids(iam, name, part)
        with tqdm(total=len(ids), desc="score", unit="form") as bar:
            for start in range(0, len(ids), batch_size):
                chunk = ids[start : start + batch_size]
                made = [crop for form_id in chunk if (crop := _crop(iam, form_id, crops, skipped))]
                if made:
                    canvases, pages = zip(*made, strict=True)
                    yield np.stack(canvases), pages
                bar.update(len(chunk))


def _crop(iam: IamArchive, form_id: str, crops: PreprocessSection, skipped: list[dict[str, str]]) -> Crop | None:
    try:
        return crop_form(iam.form(form_id), iam.picture(form_id), crops)
    except DataError as error:
        skipped.append({"id": form_id, "reason": error.what})
        tqdm.write(f"skipped {form_id}: {error.what}", file=sys.stderr)
        return None
