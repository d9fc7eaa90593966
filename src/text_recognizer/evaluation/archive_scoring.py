"""Score a model on a split of an archive in IAM's layout. Nothing is written."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.params import EvaluateSection, PreprocessSection
from text_recognizer.core.schemas import ArchiveScore, SkippedForm
from text_recognizer.corpora.iam import SPLIT_LISTS, SPLITS, IamArchive
from text_recognizer.corpora.packed_pages import PackedPage, source_kind
from text_recognizer.evaluation.details import describe
from text_recognizer.evaluation.scoring import PageScore, read_page, summarise, worst_first
from text_recognizer.inference import Recognizer
from text_recognizer.inference.model_info import crops_of
from text_recognizer.preprocess import crop_form

SPLIT_NAMES = tuple(SPLIT_LISTS)
# A score that is compared elsewhere must not depend on the params.yaml of the folder that it was computed in.
SCORING = EvaluateSection(resamples=2000, level=0.95, seed=1, gallery=0, review_budget=0.1, robustness=0)
Crop = tuple[np.ndarray, PackedPage]
NUM_WORST = 10  # pages that a score names


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
    for canvas, page in cropped_pages(archive, split, preprocess or crops_of(recognizer.info), skipped):
        scores.append(read_page(recognizer, canvas, page))
    if not scores:
        raise DataError(f"no form of {split} in {archive} can be scored: {skipped[0].reason}", "correct the archive")
    origin = Origin(source_kind(str(archive)), split, tuple(skipped), time.monotonic() - started)
    return archive_score(recognizer, scores, section, origin)


@dataclass(frozen=True)
class Origin:
    """Which pages were scored: kind of source, split, the pages that were skipped; and how long it took, in seconds."""

    source: str | None
    split: str
    skipped: tuple[SkippedForm, ...]
    seconds: float


def archive_score(
    recognizer: Recognizer, scores: Sequence[PageScore], section: EvaluateSection, origin: Origin
) -> ArchiveScore:
    """Return the score of a model on the pages of an archive."""
    return ArchiveScore(
        **dict(summarise(scores, section)),
        **dict(describe(scores, section, recognizer.info.calibration)),
        model=recognizer.digest,
        source=origin.source,
        split=origin.split,
        skipped=origin.skipped,
        seconds=origin.seconds,
        worst_pages=tuple(one.row() for one in worst_first(scores)[:NUM_WORST] if one.characters.edits),
    )


def _parse(split: str) -> tuple[str, str]:
    """Return the name of the split and its part. Raises ConfigError if there is no such split."""
    name, _, part = split.partition("/")
    if name not in SPLIT_NAMES or part not in SPLITS:
        valid = ", ".join(f"{known}/{piece}" for known in SPLIT_NAMES for piece in SPLITS)
        raise ConfigError(f"there is no split {split!r}", f"name one of {valid}")
    return name, part


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


def cropped_pages(archive: Path, split: str, section: PreprocessSection, skipped: list[SkippedForm]) -> Iterator[Crop]:
    """Yield the canvas, uint8 (H, W), and the labels of each form of a split. One picture at a time is in memory.

    Forms that cannot be cropped are appended to `skipped`.
    """
    name, part = _parse(split)
    with IamArchive(archive) as iam:
        for form_id in tqdm(_form_ids(iam, name, part), desc="score", unit="form"):
            if crop := _crop(iam, form_id, section, skipped):
                yield crop


def _crop(iam: IamArchive, form_id: str, section: PreprocessSection, skipped: list[SkippedForm]) -> Crop | None:
    try:
        return crop_form(iam.form(form_id), iam.picture(form_id), section)
    except DataError as error:
        skipped.append(SkippedForm(id=form_id, reason=error.what))
        tqdm.write(f"skipped {form_id}: {error.what}", file=sys.stderr)
        return None
