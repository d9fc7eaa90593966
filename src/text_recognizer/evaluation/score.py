"""What a model read on every page of a split, and the figures over all of them. Definitions: docs/evaluation.md."""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from text_recognizer.config import EvaluateSection
from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.errors import DataError
from text_recognizer.evaluation.picture import ink, slant
from text_recognizer.inference import Reading, Recognizer
from text_recognizer.inference.reading import OWN
from text_recognizer.metrics import Edits, Span, align, bootstrap_interval, character_edits, error_rate, word_edits
from text_recognizer.text import one_line

# English running text without a look at the page: a reader that is no better has learnt nothing from the picture.
CONSTANT = "the "


@dataclass(frozen=True)
class PageScore:
    """One page's reading. `characters` takes a newline as a space, `newlines` keeps it; `confidence` is in 0..1.

    `reading` holds the lines and their confidences, `plain` the same without the model's calibration. `ink` and `slant`
    (degrees) describe the picture.
    """

    id: str
    writer: str
    reference: str
    prediction: str
    confidence: float
    characters: Edits
    newlines: Edits
    words: Edits
    reading: Reading | None = None
    plain: Reading | None = None
    ink: float = 0.0
    slant: float | None = None

    @property
    def length_ratio(self) -> float | None:
        """Characters read for each true character, newlines as spaces; None on a page without text."""
        return len(one_line(self.prediction)) / self.characters.length if self.characters.length else None

    @property
    def cer(self) -> float:
        """This page's CER, newlines as spaces; on a page without text 0.0, or 1.0 where something was read."""
        if not self.characters.length:
            return float(self.characters.edits > 0)
        return self.characters.edits / self.characters.length

    @property
    def spans(self) -> list[Span]:
        """The edits behind `characters`."""
        return align(one_line(self.reference), one_line(self.prediction))

    def row(self) -> dict[str, Any]:
        """The page's row in `reports/pages.jsonl`; edits and CER with newlines as spaces."""
        return {
            "id": self.id,
            "writer": self.writer,
            "reference": self.reference,
            "prediction": self.prediction,
            "confidence": round(self.confidence, 6),
            "edits": self.characters.edits,
            "characters": self.characters.length,
            "cer": self.cer,
            "length_ratio": self.length_ratio,
        }


def score_page(page: Page, prediction: str | Reading, confidence: float = 1.0) -> PageScore:
    """What a reading is worth; one that comes as a `Reading` brings its own confidence."""
    if isinstance(prediction, Reading):
        whole = score_page(page, prediction.text, prediction.confidence)
        return dataclasses.replace(whole, reading=prediction)
    return PageScore(
        id=page.id,
        writer=page.writer,
        reference=page.text,
        prediction=prediction,
        confidence=confidence,
        characters=character_edits(one_line(page.text), one_line(prediction)),
        newlines=character_edits(page.text, prediction),
        words=word_edits(page.text, prediction),
    )


def read_pages(recognizer: Recognizer, canvases: np.ndarray, pages: Sequence[Page]) -> list[PageScore]:
    """Reads canvases, uint8 (N, H, W), and scores each against its page."""
    rows = []
    for page, canvas, found in zip(pages, canvases, recognizer.scored(canvases), strict=True):
        row = score_page(page, recognizer.spelled(found))
        plain = recognizer.spelled(found, OWN)
        rows.append(dataclasses.replace(row, plain=plain, ink=ink(canvas), slant=slant(canvas, page.boxes)))
    return rows


def read_split(recognizer: Recognizer, packed: PackedSplit, section: EvaluateSection) -> list[PageScore]:
    """Reads and scores every page under a progress bar. Raises ModelError where the canvases are not the model's."""
    scores: list[PageScore] = []
    with tqdm(total=len(packed), desc="read", unit="page") as bar:
        for start in range(0, len(packed), section.batch_size):
            batch = slice(start, start + section.batch_size)
            pages = packed.pages[batch]
            scores += read_pages(recognizer, np.asarray(packed.canvases[batch]), pages)
            bar.update(len(pages))
    return scores


def summarise(pages: Sequence[PageScore], section: EvaluateSection) -> dict[str, Any]:
    """The figures over all pages, ready for JSON: equal pages give equal figures, and no clock is read.

    Rates are shares (0.05 is 5 %); counts are of characters, words, pages or writers. DataError where no page has text.
    """
    if not pages:
        raise DataError("there is no page to score", "give a split that holds pages")
    characters, words = [page.characters for page in pages], [page.words for page in pages]
    return {
        "cer": error_rate(characters),
        "cer_newlines": error_rate([page.newlines for page in pages]),
        "wer": error_rate(words),
        "cer_interval": _interval(pages, characters, section),
        "wer_interval": _interval(pages, words, section),
        "level": section.level,
        "resamples": section.resamples,
        **_counts(pages),
        "length_ratio": sum(len(one_line(page.prediction)) for page in pages) / sum(row.length for row in characters),
        "floors": {"empty": 1.0, "constant": error_rate([_constant(page.reference) for page in pages])},
        "worst": worst_first(pages)[0].id,
        "by_writer": by_writer(pages),
    }


def by_writer(pages: Sequence[PageScore]) -> list[dict[str, Any]]:
    """Every writer's sums, by name: what it takes to draw an interval, or to compare two models on the same pages."""
    sums: dict[str, Counter[str]] = {}
    for page in pages:
        sums.setdefault(page.writer, Counter()).update(
            pages=1,
            edits=page.characters.edits,
            characters=page.characters.length,
            word_edits=page.words.edits,
            words=page.words.length,
        )
    return [{"writer": name, **sums[name]} for name in sorted(sums)]


def worst_first(pages: Sequence[PageScore]) -> list[PageScore]:
    """By CER, then by number of edits, then by id, so that the order is always the same."""
    return sorted(pages, key=lambda page: (-page.cer, -page.characters.edits, page.id))


def data_digest(packed: PackedSplit) -> str:
    """sha256 over ids, writers, texts and pictures of a split, in their order: what exactly was scored."""
    labels = [[page.id, page.writer, page.text] for page in packed.pages]
    header = [labels, list(packed.canvases.shape), str(packed.canvases.dtype)]
    digest = hashlib.sha256(json.dumps(header).encode())
    for canvas in packed.canvases:
        digest.update(np.ascontiguousarray(canvas).tobytes())
    return digest.hexdigest()


def _interval(pages: Sequence[PageScore], rows: Sequence[Edits], section: EvaluateSection) -> list[float]:
    writers = [page.writer for page in pages]
    return list(bootstrap_interval(rows, writers, section.resamples, section.level, section.seed))


def _counts(pages: Sequence[PageScore]) -> dict[str, int]:
    """What was measured, and how many edits of each kind there are."""
    kinds: Counter[str] = Counter()
    for page in pages:
        for span in page.spans:
            kinds[span.kind] += span.edits
    return {
        "pages": len(pages),
        "characters": sum(page.characters.length for page in pages),
        "words": sum(page.words.length for page in pages),
        "writers": len({page.writer for page in pages}),
        "substitutions": kinds["replace"],
        "insertions": kinds["insert"],
        "deletions": kinds["delete"],
        "exact_pages": sum(not page.characters.edits for page in pages),
    }


def _constant(reference: str) -> Edits:
    """What it costs to answer "the the ..." in the right number of characters."""
    line = one_line(reference)
    return character_edits(line, (CONSTANT * (len(line) // len(CONSTANT) + 1))[: len(line)])
