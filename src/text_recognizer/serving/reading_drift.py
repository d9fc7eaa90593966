"""Watch what is read: count it for Prometheus, and compare the last pages with the test pages of the model.

Pages that differ much from those the model was scored on are read with an error rate that nobody has measured.
"""

import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import Drift, DriftFigure, Page
from text_recognizer.utils.files import read_json_object

PREFIX = "text_recognizer"
WINDOW = 500  # pages that are compared
MIN_PAGES = 30  # fewer say nothing
CONFIDENCES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# A figure has drifted if it differs from that of the test pages by more than this: mean confidence and the share of
# pages without writing by a difference, the share of doubtful words and the words of a page by a factor.
MAX_DIFFERENCE, MAX_FACTOR = 0.1, 3.0
REVIEW_THRESHOLD = 0.5  # of models whose score names none
FIX = "evaluate the model again"


@dataclass(frozen=True)
class Reference:
    """The figures of the pages that a model was scored on, which all have writing.

    `threshold` is the confidence below which words are doubtful, and `doubtful` is the share of such words.
    """

    words_per_page: float
    confidence: float
    threshold: float
    doubtful: float

    @classmethod
    def read(cls, score: Path) -> "Reference | None":
        """Take the figures from a `score.json`; None if there is none, or if it lacks some of them."""
        try:
            return cls._of(read_json_object(score, FIX, FIX))
        except (DataError, KeyError, TypeError, ZeroDivisionError):
            return None

    @classmethod
    def _of(cls, score: dict[str, Any]) -> "Reference":
        bins, budget = score["calibration"]["reliability"], score["calibration"]["at_budget"]
        words = sum(one["count"] for one in bins)
        mean = sum(one["count"] * one["confidence"] for one in bins) / words
        return cls(score["words"] / score["pages"], mean, budget["threshold"], budget["share"])


@dataclass(frozen=True)
class SeenPage:
    """What is remembered of a page: no text."""

    words: int
    confidence: float
    doubtful: int


class PageWatch:
    """Count the pages that are read, and remember the figures of the last ones."""

    def __init__(self, reference: Reference | None = None) -> None:
        self.registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._seen: deque[SeenPage] = deque(maxlen=WINDOW)
        self._reference = reference
        mine = self.registry
        self._pages = Counter(f"{PREFIX}_pages", "Pages that were read", registry=mine)
        self._blank = Counter(f"{PREFIX}_blank_pages", "Pages on which no writing was found", registry=mine)
        self._lines = Counter(f"{PREFIX}_lines", "Lines that were read", registry=mine)
        what = "Words by confidence"
        self._words = Histogram(f"{PREFIX}_word_confidence", what, buckets=CONFIDENCES, registry=mine)
        what = "Words below the review threshold of the model"
        self._doubtful = Counter(f"{PREFIX}_doubtful_words", what, registry=mine)
        what = "Time of each step of reading a page"
        self._steps = Histogram(f"{PREFIX}_step_seconds", what, ("step",), buckets=SECONDS, registry=mine)
        self.corrections = Counter(f"{PREFIX}_corrections", "Corrections that were kept", registry=mine)
        self._model = Gauge(f"{PREFIX}_model", "1 for the model that answers", ("digest",), registry=mine)
        what = "1 if a figure of the last pages differs much from that of the test pages"
        self._drifted = Gauge(f"{PREFIX}_drifted", what, ("figure",), registry=mine)

    def begin(self, digest: str, reference: Reference | None) -> None:
        """Forget the pages of the model before this one."""
        with self._lock:
            self._seen.clear()
            self._reference = reference
            self._model.clear()
            self._model.labels(digest).set(1)

    def add(self, page: Page) -> None:
        """Take in a page that was read."""
        words = [word.confidence for line in page.lines if line.kind == "written" for word in line.words]
        threshold = self._reference.threshold if self._reference else REVIEW_THRESHOLD
        doubtful = sum(confidence < threshold for confidence in words)
        self._pages.inc()
        self._blank.inc(0 if words else 1)
        self._lines.inc(len(page.lines))
        self._doubtful.inc(doubtful)
        for confidence in words:
            self._words.observe(confidence)
        for timing in page.timings:
            self._steps.labels(timing.step).observe(timing.seconds)
        with self._lock:
            self._seen.append(SeenPage(len(words), sum(words), doubtful))
        for figure in self.compare().figures:
            self._drifted.labels(figure.name).set(figure.drifted)

    def compare(self) -> Drift:
        """Compare the last pages with the test pages."""
        with self._lock:
            seen, reference = list(self._seen), self._reference
        enough = reference is not None and len(seen) >= MIN_PAGES
        figures = _figures(seen, reference) if seen and reference else ()
        judged = tuple(one if enough else one.model_copy(update={"drifted": False}) for one in figures)
        drifted = any(one.drifted for one in judged)
        return Drift(pages=len(seen), needed=MIN_PAGES, window=WINDOW, figures=judged, drifted=drifted)


def _figures(seen: list[SeenPage], reference: Reference) -> tuple[DriftFigure, ...]:
    written = [page for page in seen if page.words]
    words = sum(page.words for page in written)
    blank = 1 - len(written) / len(seen)
    figures = [_differing("blank_pages", blank, 0.0, blank)]
    if words:
        confidence = sum(page.confidence for page in written) / words
        figures.append(_differing("confidence", confidence, reference.confidence, reference.confidence - confidence))
        doubtful = sum(page.doubtful for page in written) / words
        figures.append(_scaled("doubtful_words", doubtful, reference.doubtful, both_ways=False))
        figures.append(_scaled("words_per_page", words / len(written), reference.words_per_page, both_ways=True))
    return tuple(figures)


def _differing(name: str, recent: float, expected: float, difference: float) -> DriftFigure:
    return DriftFigure(name=name, recent=recent, expected=expected, drifted=difference > MAX_DIFFERENCE)


def _scaled(name: str, recent: float, expected: float, both_ways: bool) -> DriftFigure:
    above, below = recent > MAX_FACTOR * expected, recent * MAX_FACTOR < expected
    return DriftFigure(name=name, recent=recent, expected=expected, drifted=above or (both_ways and below))
