"""Score transcriptions against reference texts page by page, and summarise them. Definitions: docs/evaluation.md."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from text_recognizer.core.charset import join_lines
from text_recognizer.core.errors import DataError
from text_recognizer.core.metrics import Edits, Span, align, bootstrap_interval, character_edits, error_rate, word_edits
from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import Floors, PageRow, Summary, WriterScore
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.evaluation.page_style import ink_share, slant
from text_recognizer.inference import Recognizer, Transcription
from text_recognizer.inference.packed_paragraphs import read_paragraph
from text_recognizer.inference.transcription import UNCALIBRATED

# An answer that resembles English text and needs no picture. A reader that is no better has learnt nothing.
CONSTANT = "the "


@dataclass(frozen=True)
class PageScore:
    """The transcription of one page and its edits. `characters` takes a newline as a space, `newlines` keeps it.

    `transcription` holds the lines with their confidences, `uncalibrated` the same without the model's calibration.
    `ink` (share of dark pixels around the text) and `slant` (degrees to the right) describe the picture. `source` is
    the name of the page's source, if there are several.
    """

    id: str
    writer: str
    reference: str
    prediction: str
    confidence: float
    characters: Edits
    newlines: Edits
    words: Edits
    transcription: Transcription | None = None
    uncalibrated: Transcription | None = None
    ink: float = 0.0
    slant: float | None = None
    source: str = ""

    @property
    def length_ratio(self) -> float | None:
        """Transcribed characters per reference character, newlines as spaces; None on a page without text."""
        return len(join_lines(self.prediction)) / self.characters.length if self.characters.length else None

    @property
    def cer(self) -> float:
        """The CER of this page, newlines as spaces. On a page without text 0.0, or 1.0 if something was read."""
        if not self.characters.length:
            return float(self.characters.edits > 0)
        return self.characters.edits / self.characters.length

    @property
    def spans(self) -> list[Span]:
        """The edits behind `characters`, in order."""
        return align(join_lines(self.reference), join_lines(self.prediction))

    def row(self) -> PageRow:
        """Return the row of the page in `reports/pages.jsonl`."""
        return PageRow(
            id=self.id,
            writer=self.writer,
            reference=self.reference,
            prediction=self.prediction,
            confidence=round(self.confidence, 6),
            edits=self.characters.edits,
            characters=self.characters.length,
            cer=self.cer,
            length_ratio=self.length_ratio,
        )


def score_text(page: PackedPage, text: str, confidence: float = 1.0) -> PageScore:
    """Score a text against the reference text of a page."""
    return PageScore(
        id=page.id,
        writer=page.writer,
        reference=page.text,
        prediction=text,
        confidence=confidence,
        characters=character_edits(join_lines(page.text), join_lines(text)),
        newlines=character_edits(page.text, text),
        words=word_edits(page.text, text),
        source=page.source,
    )


def score_transcription(page: PackedPage, transcription: Transcription) -> PageScore:
    """Score a transcription against the reference text of a page, and keep it."""
    return replace(score_text(page, transcription.text, transcription.confidence), transcription=transcription)


def read_page(recognizer: Recognizer, canvas: np.ndarray, page: PackedPage) -> PageScore:
    """Read the picture of a canvas, uint8 (H, W), as any picture is read, and score it."""
    traced = read_paragraph(recognizer, canvas, page)
    row = score_transcription(page, traced.transcription)
    uncalibrated = traced.calibrated(UNCALIBRATED)
    return replace(row, uncalibrated=uncalibrated, ink=ink_share(canvas), slant=slant(canvas, page.boxes))


def read_split(recognizer: Recognizer, packed: PackedSplit) -> list[PageScore]:
    """Read and score every page, with a progress bar."""
    pages = tqdm(zip(packed.canvases, packed.pages, strict=True), desc="read", unit="page", total=len(packed))
    return [read_page(recognizer, np.asarray(canvas), page) for canvas, page in pages]


def summarise(pages: Sequence[PageScore], section: EvaluateSection) -> Summary:
    """Compute the error rates over all pages. Equal pages give equal figures: no clock is read.

    Raises DataError if there is no page, or if no page has text.
    """
    if not pages:
        raise DataError("there is no page to score", "give a split that holds pages")
    characters, words = [page.characters for page in pages], [page.words for page in pages]
    kinds = _edits_by_kind(pages)
    return Summary(
        cer=error_rate(characters),
        cer_newlines=error_rate([page.newlines for page in pages]),
        wer=error_rate(words),
        cer_interval=_interval(pages, characters, section),
        wer_interval=_interval(pages, words, section),
        level=section.level,
        resamples=section.resamples,
        pages=len(pages),
        characters=sum(page.characters.length for page in pages),
        words=sum(page.words.length for page in pages),
        writers=len({page.writer for page in pages}),
        substitutions=kinds["replace"],
        insertions=kinds["insert"],
        deletions=kinds["delete"],
        exact_pages=sum(not page.characters.edits for page in pages),
        length_ratio=sum(len(join_lines(page.prediction)) for page in pages) / sum(row.length for row in characters),
        floors=Floors(empty=1.0, constant=error_rate([_constant_answer(page.reference) for page in pages])),
        worst=worst_first(pages)[0].id,
        by_writer=scores_by_writer(pages),
    )


def scores_by_writer(pages: Sequence[PageScore]) -> tuple[WriterScore, ...]:
    """Return the sums of every writer, by name: what an interval, or a comparison of two models, is drawn over."""
    groups: dict[str, list[PageScore]] = {}
    for page in pages:
        groups.setdefault(page.writer, []).append(page)
    return tuple(
        WriterScore(
            writer=name,
            pages=len(group),
            edits=sum(page.characters.edits for page in group),
            characters=sum(page.characters.length for page in group),
            word_edits=sum(page.words.edits for page in group),
            words=sum(page.words.length for page in group),
        )
        for name, group in sorted(groups.items())
    )


def worst_first(pages: Sequence[PageScore]) -> list[PageScore]:
    """Sort the pages by CER, then by number of edits, then by id, so that the order is always the same."""
    return sorted(pages, key=lambda page: (-page.cer, -page.characters.edits, page.id))


def _interval(pages: Sequence[PageScore], rows: Sequence[Edits], section: EvaluateSection) -> tuple[float, float]:
    writers = [page.writer for page in pages]
    return bootstrap_interval(rows, writers, section.resamples, section.level, section.seed)


def _edits_by_kind(pages: Sequence[PageScore]) -> Counter[str]:
    """Count the edits of characters by the kind of their span."""
    kinds: Counter[str] = Counter()
    for page in pages:
        for span in page.spans:
            kinds[span.kind] += span.edits
    return kinds


def _constant_answer(reference: str) -> Edits:
    """Return the edits of the answer "the the ...", cut to the length of the reference."""
    line = join_lines(reference)
    return character_edits(line, (CONSTANT * (len(line) // len(CONSTANT) + 1))[: len(line)])
