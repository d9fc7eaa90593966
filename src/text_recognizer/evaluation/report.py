"""The report: one HTML file that needs no network, with the figures, the curves and the mistakes to look at."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from PIL import Image

from text_recognizer import charts
from text_recognizer.data.packed import PackedSplit
from text_recognizer.evaluation import curves
from text_recognizer.evaluation.confusions import confusions
from text_recognizer.evaluation.score import PageScore, worst_first
from text_recognizer.images import ink_box
from text_recognizer.inference import ModelInfo
from text_recognizer.metrics import Edits, Span
from text_recognizer.text import NEWLINE, one_line

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "report.html.jinja"
CONFUSIONS = 15  # shown; all of them are in a table beside the report
MARGIN = 8


@dataclass(frozen=True)
class Writer:
    """One writer's pages, `edits` in characters with newlines as spaces."""

    name: str
    pages: int
    edits: Edits

    @property
    def cer(self) -> float:
        return self.edits.edits / max(self.edits.length, 1)


@dataclass(frozen=True)
class Exhibit:
    """A page of the gallery: its picture as a data URI, and the reading as pieces that carry their kind of edit."""

    page: PageScore
    picture: str
    pieces: tuple[Span, ...]


def render(
    score: dict[str, Any],
    pages: Sequence[PageScore],
    packed: PackedSplit,
    info: ModelInfo,
    gallery: int,
    curves_path: Path,
) -> str:
    """The whole document. `gallery` is how many of the worst pages it shows; `curves_path` may be missing."""
    pictures = {page.id: canvas for page, canvas in zip(packed.pages, packed.canvases, strict=True)}
    rates, mistakes = [100 * page.cer for page in pages], confusions(pages)
    return _template().render(
        score=score,
        info=info,
        writers=by_writer(pages),
        confusions=mistakes[:CONFUSIONS],
        kinds=len(mistakes),
        median_cer=median(rates) / 100,
        histogram=charts.histogram(rates, "CER of the page, %", "pages"),
        curves=curves.draw(curves_path),
        slices=score["slices"],
        reliability=_reliability(score["calibration"]),
        review=_review(score["calibration"]),
        disturbed=_disturbed(score["robustness"]),
        exhibits=[_exhibit(page, pictures[page.id]) for page in worst_first(pages)[:gallery]],
    )


def _reliability(calibration: dict[str, Any]) -> Markup | None:
    """How sure the model was of words, and how many of those were right: on the dashed line the two agree."""
    rows = calibration["reliability"]
    if not rows:
        return None
    points = tuple((100 * row["confidence"], 100 * row["right"]) for row in rows)
    return charts.lines(
        [charts.Series("words right", points), charts.Series("what was promised", ((0.0, 0.0), (100.0, 100.0)))],
        "confidence of the words, %",
        "words that are right, %",
    )


def _review(calibration: dict[str, Any]) -> Markup | None:
    """What share of the wrong words is found by re-reading the least sure ones."""
    rows = calibration["review"]
    if not rows:
        return None
    points = ((0.0, 0.0), *((100 * row["share"], 100 * row["found"]) for row in rows))
    return charts.lines(
        [charts.Series("by confidence", points), charts.Series("by chance", ((0.0, 0.0), (100.0, 100.0)))],
        "words re-read, %",
        "wrong words found, %",
    )


def _disturbed(found: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The rows of the robustness table, each with how much worse than untouched it is."""
    if not found:
        return []
    base = found["cer"]["untouched"]
    return [{**row, "worse": row["cer"] - base} for row in found["disturbed"]]


def by_writer(pages: Sequence[PageScore]) -> list[Writer]:
    """Every writer's figures, highest CER first."""
    groups: dict[str, list[PageScore]] = {}
    for page in pages:
        groups.setdefault(page.writer, []).append(page)
    writers = [
        Writer(
            name,
            len(group),
            Edits(*(sum(getattr(page.characters, key) for page in group) for key in ("edits", "length"))),
        )
        for name, group in groups.items()
    ]
    return sorted(writers, key=lambda writer: (-writer.cer, writer.name))


def pieces(page: PageScore) -> tuple[Span, ...]:
    """The edits that the CER counts, with the reading's own line breaks back in their places where that is possible."""
    flat = one_line(page.prediction)
    if flat != page.prediction.replace(NEWLINE, " "):
        return tuple(page.spans)
    out, position = [], 0
    for span in page.spans:
        end = position + len(span.hypothesis)
        out.append(Span(span.kind, span.reference, page.prediction[position:end]))
        position = end
    return tuple(out)


def _exhibit(page: PageScore, canvas: np.ndarray) -> Exhibit:
    return Exhibit(page, _data_uri(np.asarray(canvas)), pieces(page))


def _data_uri(canvas: np.ndarray) -> str:
    """A canvas (H, W) as a PNG, without the empty paper right of and below the ink."""
    box = ink_box(canvas)
    if box:
        canvas = canvas[: box[3] + MARGIN, : box[2] + MARGIN]
    stream = io.BytesIO()
    Image.fromarray(canvas).save(stream, "PNG", optimize=True)
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
    """A count with thin spaces between thousands."""
    return f"{count:,}".replace(",", "\u202f")


def _visible(text: str) -> str:
    """Spaces and line breaks as signs: a mistake in them is otherwise not seen."""
    return text.replace(" ", "␣").replace(NEWLINE, "⏎" + NEWLINE)
