"""Read whole pictures: find the lines, tell writing from print, read each line, and say where it is."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.core import schemas
from text_recognizer.core.geometry import Box, bounding_box
from text_recognizer.inference.letter_repetition import similarities_of
from text_recognizer.inference.line_kind import NONE, PRINTED, WRITTEN, LineKindClassifier
from text_recognizer.inference.page_writing import MIN_EVIDENCE, LineKinds, WrittenText, shows_writing, with_repetition
from text_recognizer.inference.transcription import (
    Calibration,
    DecodedLine,
    PageGeometry,
    TranscribedLine,
    Transcription,
    best_path,
    emitted_characters,
    recalibrate,
    renumber_regions,
    to_line,
)
from text_recognizer.pages.line_finding import ASSETS, FoundLines, LineFinder, Upright
from text_recognizer.pages.sheet_finding import Sheet, find_sheet
from text_recognizer.pages.strips import STRIP_DPI, LineStrip

if TYPE_CHECKING:
    from text_recognizer.inference.recognizer import Recognizer

# A page whose lines the network reads with less confidence than this is also tried upside down.
UPRIGHT_CONFIDENCE = 0.95
UPRIGHT_GAIN = 0.03  # by which the confidence must rise if the page is turned
SAMPLED_LINES = 5  # that decide which side is up: the longest ones
SAMPLED_WIDTH = 512  # pixels of the middle of such a line that are read upside down
MIN_CONFIDENCE = 0.5  # a line below is dubious, and so is one that is less likely writing than not


@dataclass(frozen=True)
class StripPlace:
    """Where a strip lies in the picture. A grid column covers `cell_width` of its pixels."""

    strip: LineStrip
    upright: Upright
    cell_width: float

    def box(self, first: int, last: int) -> Box:
        """Return the box of the text from grid column `first` to `last`, in pixels of the picture."""
        return self.upright.box(self.strip.box(round(first * self.cell_width), round((last + 1) * self.cell_width)))


@dataclass
class Stopwatch:
    """The seconds that each step took. `check` is called after each step, and may raise to end the reading."""

    check: Callable[[], None] = lambda: None
    timings: list[schemas.Timing] = field(default_factory=list)
    _last: float = field(default_factory=time.perf_counter)

    def stop(self, step: str) -> None:
        """Record the time since the last step as that of `step`."""
        now = time.perf_counter()
        self.timings.append(schemas.Timing(step=step, seconds=now - self._last))
        self._last = now
        self.check()


@dataclass(frozen=True)
class TracedPage:
    """A page that was read, with what was seen on the way: the lines found, upright, and the kind (N,) of each.

    `decoded` holds what each line of the transcription was read from.
    """

    transcription: Transcription
    found: FoundLines
    kinds: np.ndarray
    decoded: tuple[DecodedLine, ...]

    def calibrated(self, calibration: Calibration) -> Transcription:
        """Return the transcription with the confidences that another calibration gives. The text stays the same."""
        pairs = zip(self.transcription.lines, self.decoded, strict=True)
        lines = tuple(recalibrate(line, decoded, calibration) for line, decoded in pairs)
        return replace(self.transcription, lines=lines, confidence=Transcription.of(lines).confidence)


class PageReader:
    """Read pictures of any size: `recognizer` reads the lines that `finder` finds and `classifier` lets pass."""

    def __init__(self, recognizer: "Recognizer", finder: LineFinder, classifier: LineKindClassifier) -> None:
        self._recognizer = recognizer
        self._finder = finder
        self._classifier = classifier

    @classmethod
    def load(cls, recognizer: "Recognizer", threads: int = 0) -> "PageReader":
        """Load the networks that come with the package."""
        return cls(recognizer, LineFinder.load(threads), LineKindClassifier.load(ASSETS, threads))

    def read(self, rgb: np.ndarray, printed: bool = False, check: Callable[[], None] = lambda: None) -> Transcription:
        """Read a picture, uint8 RGB (H, W, 3). Printed lines are left out unless `printed`.

        `check` is called after each step. What it raises ends the reading.
        """
        return self.trace(rgb, printed, check).transcription

    def trace(self, rgb: np.ndarray, printed: bool = False, check: Callable[[], None] = lambda: None) -> TracedPage:
        """Read a picture, and return what was found on the way too."""
        watch = Stopwatch(check)
        found = self._finder.find(rgb)
        watch.stop("find lines")
        scores = self._score(found)
        kinds = self._classify(found, scores)
        watch.stop("read lines")
        if turned := self._turned(rgb, found, kinds, scores):
            found, scores = turned, self._score(turned)
            kinds = self._classify(found, scores)
            watch.stop("read again, turned by 180 degrees")
        read = self._lines(found, kinds, scores, printed)
        watch.stop("decode")
        sheet = find_sheet(rgb)
        watch.stop("find the sheet")
        page = _page([line for line, _ in read], found, sheet, tuple(watch.timings))
        return TracedPage(page, found, kinds.kinds, tuple(decoded for _, decoded in read))

    def _classify(self, found: FoundLines, scores: Sequence[np.ndarray]) -> LineKinds:
        """Tell the writing on a page from print and from what is no text, also by how alike equal letters are."""
        strips, limit = [strip.pixels for strip in found.strips], self._classifier.info.min_written
        probabilities = self._classifier.classify(strips)
        similarities = [np.zeros(0)] * len(strips)
        for index in np.flatnonzero(probabilities[:, WRITTEN] >= limit).tolist():
            similarities[index] = similarities_of(strips[index], best_path(scores[index]), self._cell_width)
        least = with_repetition(self._classifier.least_written(strips, probabilities), similarities)
        return LineKinds.of(with_repetition(probabilities, similarities), least, strips, limit)

    @property
    def _cell_width(self) -> float:
        """The pixels of a strip that a column of the reader covers."""
        return self._recognizer.info.grid.cell_width * STRIP_DPI / self._recognizer.info.dpi

    def _score(self, found: FoundLines) -> list[np.ndarray]:
        """Return the log-probabilities (w, C) of each line."""
        return self._recognizer.score_strips([strip.pixels for strip in found.strips])

    def _turned(
        self, rgb: np.ndarray, found: FoundLines, kinds: LineKinds, scores: Sequence[np.ndarray]
    ) -> FoundLines | None:
        """Return the lines of the page turned by 180 degrees, if they are read better than the lines of `found`."""
        text = np.flatnonzero(kinds.kinds != NONE).tolist() or list(range(len(scores)))
        longest = sorted(text, key=lambda index: -found.strips[index].pixels.shape[1])[:SAMPLED_LINES]
        if not longest:
            return None
        upright = float(np.mean([_confidence(scores[index]) for index in longest]))
        if upright >= UPRIGHT_CONFIDENCE:
            return None
        flipped = [_flipped_middle(found.strips[index].pixels) for index in longest]
        turned = float(np.mean([_confidence(score) for score in self._recognizer.score_strips(flipped)]))
        return self._finder.find(rgb, found.upright.quarters + 2) if turned > upright + UPRIGHT_GAIN else None

    def _lines(
        self, found: FoundLines, kinds: LineKinds, scores: Sequence[np.ndarray], printed: bool
    ) -> list[tuple[TranscribedLine, DecodedLine]]:
        """Return the lines with text on them, in reading order; no written ones if none is clearly written."""
        kept = [index for index, kind in enumerate(kinds.kinds) if kind != NONE and (printed or kind != PRINTED)]
        info, lines, texts = self._recognizer.info, [], []
        decoded = self._recognizer.decode_lines([scores[index] for index in kept])
        for index, one in zip(kept, decoded, strict=True):
            strip = found.strips[index]
            place = StripPlace(strip, found.upright, self._cell_width)
            line = to_line(emitted_characters(one.log_probabilities, one.path, info.calibration), place)
            written = kinds.kinds[index] == WRITTEN
            evidence = kinds.written[index] * line.confidence if line and written else 0.0
            if line is None or (written and evidence < MIN_EVIDENCE):
                continue
            if written:
                texts.append(WrittenText(line.text, evidence, kinds.surely[index] * line.confidence))
            likely = line.confidence >= MIN_CONFIDENCE and (not written or kinds.written[index] >= MIN_CONFIDENCE)
            line = replace(
                line,
                kind="written" if written else "printed",
                dubious=not likely,
                region=found.ordered.regions[index],
            )
            lines.append((_outlined(line, strip, found.upright), one))
        has_writing = shows_writing(texts)
        return [read for read in lines if has_writing or read[0].kind == "printed"]


def _confidence(score: np.ndarray) -> float:
    """Return the mean confidence of the characters on the best path of a line, 0 if there are none."""
    emitted = best_path(score)
    return float(np.mean([one.probability for one in emitted])) if emitted else 0.0


def _flipped_middle(strip: np.ndarray) -> np.ndarray:
    """Return the middle of a strip, turned by 180 degrees."""
    start = max(0, (strip.shape[1] - SAMPLED_WIDTH) // 2)
    return np.ascontiguousarray(strip[::-1, start : start + SAMPLED_WIDTH][:, ::-1])


def _outlined(line: TranscribedLine, strip: LineStrip, upright: Upright) -> TranscribedLine:
    """Return the line with its box, outline and baseline in pixels of the picture."""
    return replace(
        line,
        box=upright.box(strip.line.box()),
        polygon=tuple(map(upright.point, strip.line.polygon())),
        baseline=tuple(map(upright.point, strip.line.baseline())),
    )


def _page(
    lines: Sequence[TranscribedLine],
    found: FoundLines,
    sheet: Sheet | None,
    timings: tuple[schemas.Timing, ...],
) -> Transcription:
    """Return the transcription of a page. Regions without lines are left out."""
    numbers, numbered = renumber_regions(lines)
    regions = [bounding_box(line.box for line in lines if line.region == number) for number in numbers]
    height, width = found.upright.size
    geometry = PageGeometry(width, height, found.upright.degrees, sheet, tuple(box for box in regions if box))
    return replace(Transcription.of(numbered), geometry=geometry, timings=timings)
