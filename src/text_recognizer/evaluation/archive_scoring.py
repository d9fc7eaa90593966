"""Score a model on a split of any archive in IAM's layout. Nothing is written."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from tqdm import tqdm

from text_recognizer.core.errors import ConfigError, DataError, ModelError
from text_recognizer.core.params import EvaluateSection, PreprocessSection
from text_recognizer.core.schemas import ArchiveScore, SkippedForm
from text_recognizer.corpora.iam import SPLIT_LISTS, SPLITS, IamArchive
from text_recognizer.corpora.packed_pages import PackedPage, source_kind
from text_recognizer.evaluation.details import describe
from text_recognizer.evaluation.scoring import PageScore, read_pages, summarise
from text_recognizer.inference import ModelInfo, Recognizer
from text_recognizer.preprocess import crop_form

SPLIT_NAMES = tuple(SPLIT_LISTS)
# A score that is compared elsewhere must not depend on the params.yaml of the folder that it was computed in.
SCORING = EvaluateSection(batch_size=16, resamples=2000, level=0.95, seed=1, gallery=0, review_budget=0.1, robustness=0)
Crop = tuple[np.ndarray, PackedPage]


def score_archive(
    archive: Path, split: str, model: Path, section: EvaluateSection, preprocess: PreprocessSection | None = None
) -> ArchiveScore:
    """Score a split of an archive. `split` is `<name>/<part>`, for instance `aachen/test`.

    Forms are cropped as the model asks, or by `preprocess`. A form that cannot be cropped is skipped, named on stderr
    and listed with its reason. Raises DataError if no form is left, ConfigError for an unknown split.
    """
    started = time.monotonic()
    _parse(split)
    recognizer = Recognizer.load(model)
    skipped: list[SkippedForm] = []
    scores: list[PageScore] = []
    for canvases, pages in cropped_batches(archive, split, recognizer.info, section.batch_size, skipped, preprocess):
        scores += read_pages(recognizer, canvases, pages)
    if not scores:
        raise DataError(f"no form of {split} in {archive} can be scored: {skipped[0].reason}", "correct the archive")
    return ArchiveScore(
        **dict(summarise(scores, section)),
        **dict(describe(scores, section, recognizer.info.calibration)),
        model=recognizer.digest,
        source=source_kind(str(archive)),
        split=split,
        skipped=tuple(skipped),
        seconds=time.monotonic() - started,
    )


def _parse(split: str) -> tuple[str, str]:
    """Return the name of the split and its part. Raises ConfigError if there is no such split."""
    name, _, part = split.partition("/")
    if name not in SPLIT_NAMES or part not in SPLITS:
        valid = ", ".join(f"{known}/{piece}" for known in SPLIT_NAMES for piece in SPLITS)
        raise ConfigError(f"there is no split {split!r}", f"name one of {valid}")
    return name, part


def _crops_of(info: ModelInfo) -> PreprocessSection:
    """Return how the model asks its pages to be cropped."""
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


def _form_ids(iam: IamArchive, name: str, part: str) -> list[str]:
    """Return the ids of the forms of a split. Raises DataError if the archive lacks it, or if it is empty."""
    try:
        ids = iam.splits(name)[part]
    except DataError as error:
        others = " or ".join(other for other in SPLIT_NAMES if SPLIT_LISTS[other][0] != SPLIT_LISTS[name][0])
        raise DataError(error.what, f"name a split that the archive has; try {others}/{part}") from None
    if not ids:
        raise DataError(f"{name}/{part} of {iam.path} holds no form", "name a split that has forms in this archive")
    return ids


def cropped_batches(
    archive: Path,
    split: str,
    info: ModelInfo,
    batch_size: int,
    skipped: list[SkippedForm],
    preprocess: PreprocessSection | None = None,
) -> Iterator[tuple[np.ndarray, tuple[PackedPage, ...]]]:
    """Yield the forms of a split in batches: canvases, uint8 (B, H, W), and labels. No more than a batch is in memory.

    Forms that cannot be cropped are appended to `skipped`.
    """
    name, part = _parse(split)
    section = preprocess or _crops_of(info)
    with IamArchive(archive) as iam:
        ids = _form_ids(iam, name, part)
        with tqdm(total=len(ids), desc="score", unit="form") as bar:
            for start in range(0, len(ids), batch_size):
                chunk = ids[start : start + batch_size]
                crops = [crop for form_id in chunk if (crop := _crop(iam, form_id, section, skipped))]
                if crops:
                    canvases, pages = zip(*crops, strict=True)
                    yield np.stack(canvases), pages
                bar.update(len(chunk))


def _crop(iam: IamArchive, form_id: str, section: PreprocessSection, skipped: list[SkippedForm]) -> Crop | None:
    try:
        return crop_form(iam.form(form_id), iam.picture(form_id), section)
    except DataError as error:
        skipped.append(SkippedForm(id=form_id, reason=error.what))
        tqdm.write(f"skipped {form_id}: {error.what}", file=sys.stderr)
        return None
