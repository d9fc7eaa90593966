"""The table and the rules of the packed crops."""

import hashlib
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.core.charset import NEWLINE, min_ctc_steps, unknown_characters
from text_recognizer.core.params import PreprocessSection
from text_recognizer.corpora.corrections import ID_PREFIX
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.pages.feature_grid import MIN_LINE_DISTANCE, FeatureGrid
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.validation import suites
from text_recognizer.validation.form_tables import CONTEXT_COLUMNS
from text_recognizer.validation.row_checks import broken_rules, describe_fault
from text_recognizer.validation.suites import MIN_SCALE, Rule

if TYPE_CHECKING:
    import pandas as pd

SUITE = "crops"
DARK = 128  # grey level below which a pixel counts as ink
# Shares of a paragraph. Of 599 crops of IAM at 75 dpi, 1.1 to 17.1 % is ink and 72 to 92 % white; of 2,180 synthetic
# crops at 60 dpi, 2.3 to 13.7 % and 74 to 93 %.
MIN_INK, MAX_INK, MIN_PAPER = 0.005, 0.5, 0.4
# Share of the pages whose lines must all contain ink. 4 of 599 crops of IAM have a line below the edge of the scan.
LINES_WITH_INK = 0.985


@dataclass(frozen=True)
class CropRow:
    """One packed page.

    `canvas` is its height and width as text. `ink` and `paper` are the dark and the white share of the paragraph, and
    `scale` is its resolution relative to preprocess.dpi. `extra_boxes` is the number of boxes minus that of lines.
    `text`, `outside` and `blank` name the faulty lines. `spare` is the least number of columns that a line has beyond
    what CTC needs, and `line_distance` the least distance between the middles of neighbouring lines, in inches.
    """

    id: str
    split: str
    canvas: str
    digest: str
    writer_length: int
    ink: float
    paper: float
    scale: float
    extra_boxes: int
    text: str | None
    outside: str | None
    blank: str | None
    spare: float | None
    line_distance: float | None


def build(folder: Path, section: PreprocessSection) -> "pd.DataFrame":
    """Return one row per page of every split. Raises DataError if the files are damaged."""
    import pandas as pd

    rows = []
    for split in SPLITS:
        packed = PackedSplit.open(folder, split)
        rows += [_row(split, np.asarray(packed.canvases[n]), page, section) for n, page in enumerate(packed.pages)]
    frame = pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in fields(CropRow)])
    for name in ("text", "outside", "blank"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    for name in ("spare", "line_distance"):
        frame[name] = frame[name].astype(float)
    return frame


def rules(section: PreprocessSection) -> tuple[Rule, ...]:
    """Return the rules for the crops of this section."""
    size = f"{section.canvas_height} x {section.canvas_width}"
    again = "run `text-recognizer preprocess` again"
    return (
        Rule(SUITE, "crop_canvas", "canvas", "ExpectColumnValuesToBeInSet", f"a canvas is not {size} px", again,
             {"value_set": [size]}),
        suites.unique(SUITE, "crop_ids_unique", "id", "two pages have the same id", "rename one of them"),
        suites.unique(SUITE, "crops_differ", "digest", "two pages have identical crops",
                      "exclude one of them: a page in two splits inflates the score"),
        suites.between(SUITE, "crop_writer", "writer_length", "a page names no writer", "fill in writer-id",
                       min_value=1),
        suites.between(SUITE, "crop_ink", "ink",
                       f"less than {MIN_INK:.1%} or more than {MAX_INK:.0%} of a paragraph is ink",
                       "look at the crop: its page is blank, black or pale", min_value=MIN_INK,
                       max_value=MAX_INK),
        suites.between(SUITE, "crop_paper", "paper", f"less than {MIN_PAPER:.0%} of a paragraph is white paper",
                       "look at the crop: its page has a shadow or a pattern", min_value=MIN_PAPER),
        suites.between(SUITE, "crop_scale", "scale",
                       f"a paragraph was scaled below {MIN_SCALE:.0%} of preprocess.dpi to fit its canvas",
                       "raise preprocess.canvas_height and canvas_width, or lower dpi", min_value=MIN_SCALE),
        suites.between(SUITE, "crop_boxes", "extra_boxes", "a page has more or fewer boxes than lines", again,
                       min_value=0, max_value=0),
        suites.null(SUITE, "crop_text", "text", "a line has no text, or characters outside the charset",
                    "correct the transcription"),
        suites.null(SUITE, "crop_boxes_inside", "outside", "the box of a line extends beyond the canvas",
                    "correct the box"),
        Rule(SUITE, "crop_lines_inked", "blank", "ExpectColumnValuesToBeNull", "the box of a line contains no ink",
             "correct the box, or exclude the form", {"mostly": LINES_WITH_INK}),
        suites.between(SUITE, "crop_fits_box", "spare",
                       "a line has more characters than CTC can decode from its width on the canvas",
                       "raise preprocess.dpi, or correct the line", min_value=0),
        suites.between(SUITE, "crop_lines_apart", "line_distance",
                       f"two lines are nearer than {MIN_LINE_DISTANCE} inches, so they are hardly two",
                       "correct the boxes", min_value=MIN_LINE_DISTANCE),
    )  # fmt: skip


def faults(canvas: np.ndarray, page: PackedPage, section: PreprocessSection) -> list[str]:
    """Return what is wrong with one crop, by the rules that need no other crop."""
    row = _row("train", canvas, page, section)
    return [describe_fault(row, rule) for rule in broken_rules(row, rules(section))]


def _row(split: str, canvas: np.ndarray, page: PackedPage, section: PreprocessSection) -> CropRow:
    height, width = canvas.shape
    paragraph = canvas[: page.size[1] or height, : page.size[0] or width]
    lines = page.text.split(NEWLINE)
    dpi = page.dpi or section.dpi
    outside = _outside(canvas, page)
    # Faults that other rules report are not reported twice.
    inside, has_ink = outside is None, bool(paragraph.min() < DARK)
    return CropRow(
        id=page.id,
        split=split,
        canvas=f"{height} x {width}",
        digest=hashlib.sha256(correction_salt(page.id) + canvas.tobytes()).hexdigest()[:16],
        writer_length=len(page.writer.strip()),
        ink=round(float((paragraph < DARK).mean()), 4),
        paper=round(float((paragraph == PAPER).mean()), 4),
        scale=round(dpi / section.dpi, 3),
        extra_boxes=len(page.boxes) - len(lines),
        text=_numbered(["has no text" if not line else _unknown(line) for line in lines]),
        outside=outside,
        blank=_blank(canvas, page) if inside and has_ink else None,
        spare=_spare_columns(page, section) if inside else None,
        line_distance=_line_distance(page, dpi) if inside else None,
    )


def correction_salt(page_id: str) -> bytes:
    """Return what makes the digest of a correction its own: it may show a page of the training split again."""
    return page_id.encode() if page_id.startswith(ID_PREFIX) else b""


def _unknown(line: str) -> str:
    return " ".join(map(repr, unknown_characters(line)))


def _outside(canvas: np.ndarray, page: PackedPage) -> str | None:
    """Name the lines whose box extends beyond the canvas or has no area."""
    height, width = canvas.shape
    beyond = [x < 0 or y < 0 or x + w > width or y + h > height or min(w, h) < 1 for x, y, w, h in page.boxes]
    return _numbered(["extends beyond the canvas" if out else "" for out in beyond])


def _blank(canvas: np.ndarray, page: PackedPage) -> str | None:
    """Name the lines whose box contains no ink."""
    blank = [not (canvas[y : y + h, x : x + w] < DARK).any() for x, y, w, h in page.boxes]
    return _numbered(["contains no ink" if empty else "" for empty in blank])


def _spare_columns(page: PackedPage, section: PreprocessSection) -> int | None:
    """Return the least number of columns that a line has beyond what CTC needs."""
    column = FeatureGrid.at(section.dpi).cell_width
    pairs = zip(page.text.split(NEWLINE), page.boxes, strict=False)
    spare = (box[2] // column + 2 * CONTEXT_COLUMNS - min_ctc_steps(line) for line, box in pairs)
    return min(spare, default=None)


def _line_distance(page: PackedPage, dpi: float) -> float | None:
    """Return the least distance between the middles of neighbouring lines, in inches; None for a single line."""
    middles = [y + h / 2 for _, y, _, h in page.boxes]
    steps = [abs(below - above) for above, below in pairwise(middles)]
    return round(min(steps) / dpi, 3) if steps else None


def _numbered(faults: list[str]) -> str | None:
    return "; ".join(f"line {number} {fault}" for number, fault in enumerate(faults, 1) if fault) or None
