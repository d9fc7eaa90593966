"""Score a model on whole pages of a corpus in any format but IAM's layout. Nothing is written."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
from tqdm import tqdm

from text_recognizer.core.charset import NEWLINE
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import ArchiveScore, SkippedForm
from text_recognizer.corpora.corpus_base import Corpus
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.packed_pages import PackedPage, source_kind
from text_recognizer.evaluation.archive_scoring import Origin, archive_score
from text_recognizer.evaluation.page_style import ink_share, slant
from text_recognizer.evaluation.scoring import PageScore, score_transcription
from text_recognizer.inference import Recognizer
from text_recognizer.inference.model_info import crops_of
from text_recognizer.inference.transcription import UNCALIBRATED
from text_recognizer.preprocess.line_sources import CorpusPage

ALL = "all"
PARTS = (*SPLITS, ALL)


def score_corpus(address: Path, part: str, model: Path, section: EvaluateSection) -> ArchiveScore:
    """Score the pages of a part: `train`, `validation`, `test`, or `all`. Each page is read whole.

    The pages of a part are those of its list, or of the format's own part. A page that cannot be used is skipped, named
    on stderr and listed with its reason. Writers or documents are the groups of the intervals.

    Raises:
        ConfigError: there is no such part.
        DataError: the address has no pages of a known format, no such part, or no page that can be scored.
    """
    started = time.monotonic()
    if part not in PARTS:
        raise ConfigError(f"there is no part {part!r}", f"name one of {', '.join(PARTS)}")
    recognizer, skipped = Recognizer.load(model), list[SkippedForm]()
    with open_corpus(address) as corpus:
        scores = list(_read(recognizer, corpus, _ids(corpus, part), skipped))
    if not scores:
        raise DataError(f"no page of {part} in {address} can be scored: {skipped[0].reason}", "correct the pages")
    origin = Origin(source_kind(str(address)), part, tuple(skipped), time.monotonic() - started)
    return archive_score(recognizer, scores, section, origin)


def _ids(corpus: Corpus, part: str) -> tuple[str, ...]:
    """Return the pages of a part. Raises DataError if there are none."""
    parts = corpus.parts()
    ids = corpus.ids if part == ALL else parts.get(part, ())
    if not ids:
        known = ", ".join([*parts, ALL])
        raise DataError(f"{corpus.address} has no pages for {part}", f"write a {part}.list, or name one of {known}")
    return ids


def _read(
    recognizer: Recognizer, corpus: Corpus, ids: tuple[str, ...], skipped: list[SkippedForm]
) -> Iterator[PageScore]:
    """Read and score pages, one picture at a time in memory."""
    for page_id in tqdm(ids, desc="score", unit="page"):
        try:
            yield _read_page(recognizer, corpus, page_id)
        except DataError as error:
            skipped.append(SkippedForm(id=page_id, reason=error.what))
            tqdm.write(f"skipped {page_id}: {error.what}", file=sys.stderr)


def _read_page(recognizer: Recognizer, corpus: Corpus, page_id: str) -> PageScore:
    page = CorpusPage(corpus, page_id).open(crops_of(recognizer.info))
    traced, grey = recognizer.reader.trace(page.rgb), cv2.cvtColor(page.rgb, cv2.COLOR_RGB2GRAY)
    labels = PackedPage(page_id, page.writer, NEWLINE.join(page.texts), ())
    score = score_transcription(labels, traced.transcription)
    return replace(score, uncalibrated=traced.calibrated(UNCALIBRATED), ink=ink_share(grey), slant=slant(grey))
