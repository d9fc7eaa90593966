"""Hold the labels of training lines against a reading: where text and picture disagree, one of them is wrong."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from text_recognizer.core.geometry import Box
from text_recognizer.core.params import ValidateSection
from text_recognizer.core.schemas import Audit
from text_recognizer.corpora.iam import SCAN_DPI, Form
from text_recognizer.corpora.page_sources import OpenSource, PageSource, open_sources
from text_recognizer.pages.normalisation import PAPER, normalise_contrast
from text_recognizer.pages.strips import MARGIN, STRIP_DPI, STRIP_HEIGHT
from text_recognizer.validation.form_tables import UNREADABLE

if TYPE_CHECKING:
    import pandas as pd

# Reads strips, each uint8 (STRIP_HEIGHT, W) with one line of writing.
ReadLines = Callable[[Sequence[np.ndarray]], Sequence[str]]
SHOWN_CER = 0.3  # the pictures of lines with fewer errors are not kept
QUALITY = 70


@dataclass(frozen=True)
class AuditedLine:
    """A line, what was read there, and its CER. `excess` is how far that is above the usual CER of its source.

    `picture` is a JPEG of the line if it may be shown.
    """

    id: str
    form: str
    source: str
    text: str
    reading: str
    cer: float
    picture: bytes = b""
    excess: float = 0.0


def audit(sources: Sequence[PageSource], exclude: Sequence[str], read: ReadLines) -> list[AuditedLine]:
    """Read every line of the training parts; the lines with the most errors, beside the usual ones, come first.

    Forms and lines that cannot be read are left out: the suites report them.
    """
    with open_sources(sources, exclude) as opened:
        total = sum(len(one.parts["train"]) for one in opened)
        with tqdm(total=total, desc="audit", unit="form") as bar:
            lines = [line for one in opened for line in _lines_of(one, read, bar.update)]
    cers: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        cers[line.source].append(line.cer)
    usual = {source: float(np.median(values)) for source, values in cers.items()}
    marked = (replace(line, excess=round(line.cer - usual[line.source], 4)) for line in lines)
    return sorted(marked, key=lambda line: (-line.excess, line.id))


def disagreeing(lines: Sequence[AuditedLine], section: ValidateSection) -> list[AuditedLine]:
    """Return the lines whose text and picture disagree, the worst first."""
    return [line for line in lines if line.excess > section.audit_margin]


def summary(lines: Sequence[AuditedLine], section: ValidateSection) -> Audit:
    """Return the lines that disagree, and the forms all of whose lines do, by their ids."""
    bad = {line.id for line in disagreeing(lines, section)}
    good_forms = {line.form for line in lines if line.id not in bad}
    return Audit(
        lines=len(lines),
        disagreeing=tuple(sorted(bad)),
        forms=tuple(sorted({line.form for line in lines} - good_forms)),
        leave_out=section.audit == "leave_out",
    )


def table(lines: Sequence[AuditedLine]) -> "pd.DataFrame":
    """Return one row for each line: its id, its form and its excess."""
    import pandas as pd

    return pd.DataFrame([(line.id, line.form, line.excess) for line in lines], columns=["id", "form", "excess"])


def _lines_of(source: OpenSource, read: ReadLines, done: Callable[[], object]) -> Iterator[AuditedLine]:
    for form_id in source.parts["train"]:
        done()
        try:
            form, picture = source.iam.form(form_id), source.iam.picture(form_id)
        except UNREADABLE:
            continue
        yield from audit_form(source.source.name, form, picture, read)


def audit_form(source: str, form: Form, picture: np.ndarray, read: ReadLines) -> list[AuditedLine]:
    """Read the lines of a form that have a text and a box on its picture, uint8 grey (H, W)."""
    cut = [(line, _strip(picture, line.box, form)) for line in form.lines if line.text and line.box]
    strips = [(line, strip) for line, strip in cut if strip is not None]
    readings = read([strip for _, strip in strips]) if strips else []
    return [
        AuditedLine(line.id, form.id, source, line.text, reading, cer, _jpeg(strip) if cer > SHOWN_CER else b"")
        for (line, strip), reading in zip(strips, readings, strict=True)
        for cer in [Levenshtein.distance(line.text, reading) / len(line.text)]
    ]


def _strip(picture: np.ndarray, box: Box, form: Form) -> np.ndarray | None:
    """Cut out a line as the reader gets it: at STRIP_DPI, with its middle on the strip's; None if nothing is there."""
    ratio = picture.shape[1] / form.width
    reach, margin = SCAN_DPI / STRIP_DPI * STRIP_HEIGHT / 2, SCAN_DPI / STRIP_DPI * MARGIN
    middle = box.y + box.height / 2
    edges = (box.x - margin, middle - reach, box.right + margin, middle + reach)
    left, top, right, bottom = (round(edge * ratio) for edge in edges)
    inside = picture[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if not inside.size:
        return None
    cleaned = normalise_contrast(inside)
    whole = np.full((bottom - top, right - left), PAPER, dtype=np.uint8)
    whole[max(0, -top) :, max(0, -left) :][: cleaned.shape[0], : cleaned.shape[1]] = cleaned
    width = max(1, round((edges[2] - edges[0]) * STRIP_DPI / SCAN_DPI))
    return np.asarray(Image.fromarray(whole).resize((width, STRIP_HEIGHT), Image.Resampling.BOX))


def _jpeg(pixels: np.ndarray) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
