"""The report: one HTML file that needs no network, with the figures, the curves and the mistakes to look at."""

import base64
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from text_recognizer import charts
from text_recognizer.data.packed import PackedSplit
from text_recognizer.evaluation import curves
from text_recognizer.evaluation.score import PageScore, worst_first
from text_recognizer.images import ink_box
from text_recognizer.inference import ModelInfo
from text_recognizer.metrics import Edits, Span
from text_recognizer.text import NEWLINE, one_line

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "report.html.jinja"
CONFUSIONS = 15
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
class Confusion:
    """A mistake and how often it was made; `true` is empty for an inserted character, `read` for a missing one."""

    true: str
    read: str
    count: int


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
    rates = [100 * page.cer for page in pages]
    return _template().render(
        score=score,
        info=info,
        writers=by_writer(pages),
        confusions=confusions(pages),
        median_cer=median(rates) / 100,
        histogram=charts.histogram(rates, "CER of the page, %", "pages"),
        curves=curves.draw(curves_path),
        exhibits=[_exhibit(page, pictures[page.id]) for page in worst_first(pages)[:gallery]],
    )


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


def confusions(pages: Sequence[PageScore]) -> list[Confusion]:
    """The most frequent mistakes by character, newlines as spaces."""
    counts: Counter[tuple[str, str]] = Counter()
    for span in (span for page in pages for span in page.spans):
        if span.kind == "replace":
            counts.update(zip(span.reference, span.hypothesis, strict=True))
        elif span.kind == "delete":
            counts.update((character, "") for character in span.reference)
        elif span.kind == "insert":
            counts.update(("", character) for character in span.hypothesis)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(true, read, count) for (true, read), count in ranked[:CONFUSIONS]]


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
