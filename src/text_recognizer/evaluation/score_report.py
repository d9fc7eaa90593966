"""The report of a score: one HTML file that needs no network, with figures, charts and the worst pages."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from PIL import Image

from text_recognizer.core.charset import NEWLINE, join_lines
from text_recognizer.core.metrics import Span
from text_recognizer.core.schemas import CalibrationFigures, PerturbedScore, Robustness, Score, WriterScore
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation import curves
from text_recognizer.evaluation.confusions import count_confusions
from text_recognizer.evaluation.scoring import PageScore, worst_first
from text_recognizer.inference import ModelInfo
from text_recognizer.pages.foreground import foreground_box
from text_recognizer.utils import charts

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "score_report.html.jinja"
NUM_CONFUSIONS = 15  # shown in the report; `confusions.csv` holds all of them
MARGIN = 8  # px of paper around a page of the gallery
DIAGONAL = ((0.0, 0.0), (100.0, 100.0))


@dataclass(frozen=True)
class WriterRow:
    """A row of the table of writers."""

    score: WriterScore

    @property
    def cer(self) -> float:
        """The CER over all pages of the writer."""
        return self.score.edits / max(self.score.characters, 1)


@dataclass(frozen=True)
class PerturbedRow:
    """A row of the robustness table. `increase` is the CER less that of the untouched pages."""

    score: PerturbedScore
    increase: float


@dataclass(frozen=True)
class Exhibit:
    """A page of the gallery: its picture as a data URI, and its transcription in spans of one kind of edit each."""

    page: PageScore
    picture: str
    spans: tuple[Span, ...]


def render(
    score: Score,
    pages: Sequence[PageScore],
    packed: PackedSplit,
    info: ModelInfo,
    gallery: int,
    curves_path: Path,
) -> str:
    """Return the document. It shows the `gallery` worst pages, and the curves if `curves_path` exists."""
    pictures = {page.id: canvas for page, canvas in zip(packed.pages, packed.canvases, strict=True)}
    rates, confusions = [100 * page.cer for page in pages], count_confusions(pages)
    return _template().render(
        score=score,
        info=info,
        writers=writers_worst_first(score),
        confusions=confusions[:NUM_CONFUSIONS],
        num_confusions=len(confusions),
        median_cer=median(rates) / 100,
        histogram=charts.histogram(rates, "CER of the page, %", "pages"),
        curves=curves.draw(curves_path),
        reliability=_reliability_chart(score.calibration),
        risk_coverage=_risk_coverage_chart(score.calibration),
        calibration_errors=_calibration_errors(score.calibration),
        perturbed=_perturbed_rows(score.robustness),
        exhibits=[_exhibit(page, pictures[page.id]) for page in worst_first(pages)[:gallery]],
    )


def _reliability_chart(calibration: CalibrationFigures) -> Markup | None:
    """Draw the share of right words over their confidence; the dashed line is perfect calibration."""
    if not calibration.reliability:
        return None
    points = tuple((100 * one.confidence, 100 * one.right) for one in calibration.reliability)
    return charts.lines(
        [charts.Series("words", points), charts.Series("perfect calibration", DIAGONAL)],
        "confidence of the words, %",
        "words that are right, %",
    )


def _risk_coverage_chart(calibration: CalibrationFigures) -> Markup | None:
    """Draw the share of the wrong words that is found over the share of the words that is re-read."""
    if not calibration.review:
        return None
    points = ((0.0, 0.0), *((100 * point.share, 100 * point.found) for point in calibration.review))
    return charts.lines(
        [charts.Series("by confidence", points), charts.Series("by chance", DIAGONAL)],
        "words re-read, %",
        "wrong words found, %",
    )


def _calibration_errors(calibration: CalibrationFigures) -> list[tuple[str, float | None, float | None]]:
    """Return the rows of the table of calibration errors: of what, before and after calibration."""
    return [
        ("characters", calibration.ece_characters_before, calibration.ece_characters),
        ("words", calibration.ece_words_before, calibration.ece_words),
        ("lines", calibration.ece_lines_before, calibration.ece_lines),
    ]


def _perturbed_rows(robustness: Robustness | None) -> list[PerturbedRow]:
    if robustness is None:
        return []
    baseline = robustness.cer["untouched"]
    return [PerturbedRow(row, row.cer - baseline) for row in robustness.perturbed]


def writers_worst_first(score: Score) -> list[WriterRow]:
    """Return the rows of the table of writers, the highest CER first."""
    rows = [WriterRow(one) for one in score.by_writer]
    return sorted(rows, key=lambda row: (-row.cer, row.score.writer))


def marked_spans(page: PageScore) -> tuple[Span, ...]:
    """Return the edits behind the CER, with the line breaks of the transcription restored if they can be placed."""
    flat = join_lines(page.prediction)
    if flat != page.prediction.replace(NEWLINE, " "):
        return tuple(page.spans)
    out, position = [], 0
    for span in page.spans:
        end = position + len(span.hypothesis)
        out.append(Span(span.kind, span.reference, page.prediction[position:end]))
        position = end
    return tuple(out)


def _exhibit(page: PageScore, canvas: np.ndarray) -> Exhibit:
    return Exhibit(page, data_uri(np.asarray(canvas)), marked_spans(page))


def data_uri(canvas: np.ndarray, largest: tuple[int, int] | None = None) -> str:
    """Return a canvas (H, W) as a PNG, without the empty paper right of and below the writing.

    It is made smaller if it is larger than the width and height of `largest`.
    """
    box = foreground_box(canvas)
    if box:
        canvas = canvas[: box.bottom + MARGIN, : box.right + MARGIN]
    picture, stream = Image.fromarray(canvas), io.BytesIO()
    if largest:
        picture.thumbnail(largest)
    picture.save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "number": _number, "visible": _visible}
    return environment.get_template(TEMPLATE)


def _percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f}\u00a0%"


def _number(count: int) -> str:
    """Return a count with thin spaces between thousands."""
    return f"{count:,}".replace(",", "\u202f")


def _visible(text: str) -> str:
    """Show spaces and line breaks as signs, so that edits of them are visible."""
    return text.replace(" ", "␣").replace(NEWLINE, "⏎" + NEWLINE)
