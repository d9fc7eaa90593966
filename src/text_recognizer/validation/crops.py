"""The packed crops, checked before they take the place of the old ones: they are what a model will see."""

import hashlib
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.bands import CLOSEST, Grid
from text_recognizer.config import PreprocessSection
from text_recognizer.data.iam import SPLITS
from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.images import PAPER
from text_recognizer.text import NEWLINE, ctc_columns, unknown
from text_recognizer.validation import suites
from text_recognizer.validation.reading import REACH
from text_recognizer.validation.suites import Rule

if TYPE_CHECKING:
    import pandas as pd

SUITE = "crops"
INK = 128
# Of 599 crops of IAM at 75 dpi, 1.1 to 17.1 % is ink and 72 to 92 % white; of the sample's 2,180 at 60 dpi,
# 2.3 to 13.7 % and 74 to 93 %.
INK_LEAST, INK_MOST, PAPER_LEAST = 0.005, 0.5, 0.4
# A paragraph that is shrunk below this share of the resolution asked for has smaller writing than the model knows.
SHRUNK = 0.7
# Of IAM's crops, 4 of 599 have a line that was cut off with the foot of the page.
INKED = 0.985


@dataclass(frozen=True)
class CropRow:
    """One packed page.

    `canvas` is its height and width in words; `ink` and `paper` are shares of the paragraph, dark and white; `scale` is
    its resolution over the one asked for; `boxes_more` how many boxes it has beyond its lines; `text`, `outside` and
    `blank` say which line is at fault; `spare` is the least of its lines' columns beyond what CTC needs; `apart` the
    least distance between the middles of neighbouring lines, in inches.
    """

    id: str
    split: str
    canvas: str
    digest: str
    writer_length: int
    ink: float
    paper: float
    scale: float
    boxes_more: int
    text: str | None
    outside: str | None
    blank: str | None
    spare: float | None
    apart: float | None


def build(folder: Path, section: PreprocessSection) -> "pd.DataFrame":
    """One row per page of every split. Raises DataError where a pack is damaged."""
    import pandas as pd

    rows = []
    for split in SPLITS:
        packed = PackedSplit.open(folder, split)
        rows += [_row(split, np.asarray(packed.canvases[n]), page, section) for n, page in enumerate(packed.pages)]
    frame = pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in fields(CropRow)])
    for name in ("text", "outside", "blank"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    for name in ("spare", "apart"):
        frame[name] = frame[name].astype(float)
    return frame


def rules(section: PreprocessSection) -> tuple[Rule, ...]:
    size = f"{section.canvas_height} x {section.canvas_width}"
    again = "run `text-recognizer preprocess` again"
    return (
        Rule(SUITE, "crop_canvas", "canvas", "ExpectColumnValuesToBeInSet", f"a canvas is not {size} px", again,
             {"value_set": [size]}),
        suites.unique(SUITE, "crop_ids_unique", "id", "two pages have one id", "rename one of them"),
        suites.unique(SUITE, "crops_differ", "digest", "two pages have the very same crop",
                      "exclude one of them: in two splits it would flatter the score"),
        suites.between(SUITE, "crop_writer", "writer_length", "a page names no writer", "fill in writer-id",
                       min_value=1),
        suites.between(SUITE, "crop_ink", "ink",
                       f"less than {INK_LEAST:.1%} or more than {INK_MOST:.0%} of a paragraph is ink",
                       "look at the crop: its page is blank, blackened or pale", min_value=INK_LEAST,
                       max_value=INK_MOST),
        suites.between(SUITE, "crop_paper", "paper", f"less than {PAPER_LEAST:.0%} of a paragraph is white paper",
                       "look at the crop: its page has a shadow or a pattern", min_value=PAPER_LEAST),
        suites.between(SUITE, "crop_scale", "scale",
                       f"a paragraph had to be shrunk below {SHRUNK:.0%} of preprocess.dpi to fit its canvas",
                       "raise preprocess.canvas_height and canvas_width, or lower dpi", min_value=SHRUNK),
        suites.between(SUITE, "crop_boxes", "boxes_more", "a page has more or fewer boxes than lines", again,
                       min_value=0, max_value=0),
        suites.null(SUITE, "crop_text", "text", "a line has no text, or characters that the reader does not know",
                    "correct the transcription"),
        suites.null(SUITE, "crop_boxes_inside", "outside", "a line's box leaves the canvas", "correct the box"),
        Rule(SUITE, "crop_lines_inked", "blank", "ExpectColumnValuesToBeNull", "a line's box holds no ink",
             "correct the box, or exclude the form", {"mostly": INKED}),
        suites.between(SUITE, "crop_fits_box", "spare",
                       "a line has more characters than CTC can spell on its width on the canvas",
                       "raise preprocess.dpi, or correct the line", min_value=0),
        suites.between(SUITE, "crop_lines_apart", "apart",
                       f"two lines are nearer than {CLOSEST} inches, so the reader takes them for one",
                       "correct the boxes", min_value=CLOSEST),
    )  # fmt: skip


def _row(split: str, canvas: np.ndarray, page: Page, section: PreprocessSection) -> CropRow:
    height, width = canvas.shape
    region = canvas[: page.size[1] or height, : page.size[0] or width]
    lines = page.text.split(NEWLINE)
    pairs = list(zip(lines, page.boxes, strict=False))
    faults = ["has no text" if not line else " ".join(map(repr, unknown(line))) for line in lines]
    beyond = [x < 0 or y < 0 or x + w > width or y + h > height or min(w, h) < 1 for x, y, w, h in page.boxes]
    blank = [not (canvas[max(0, y) : y + h, max(0, x) : x + w] < INK).any() for x, y, w, h in page.boxes]
    middles = [y + h / 2 for _, y, _, h in page.boxes]
    steps = [abs(below - above) for above, below in pairwise(middles)]
    dpi = page.dpi or section.dpi
    sound = not any(beyond)
    column = Grid.at(section.dpi).cell_width
    return CropRow(
        id=page.id,
        split=split,
        canvas=f"{height} x {width}",
        digest=hashlib.sha256(canvas.tobytes()).hexdigest()[:16],
        writer_length=len(page.writer.strip()),
        ink=round(float((region < INK).mean()), 4),
        paper=round(float((region == PAPER).mean()), 4),
        scale=round(dpi / section.dpi, 3),
        boxes_more=len(page.boxes) - len(lines),
        text=_numbered(faults),
        outside=_numbered(["leaves the canvas" if out else "" for out in beyond]),
        blank=_numbered(["holds no ink" if empty else "" for empty in blank]) if sound and region.min() < INK else None,
        spare=min((box[2] // column + 2 * REACH - ctc_columns(line) for line, box in pairs), default=None)
        if sound
        else None,
        apart=round(min(steps) / dpi, 3) if steps and sound else None,
    )


def _numbered(faults: list[str]) -> str | None:
    return "; ".join(f"line {number} {fault}" for number, fault in enumerate(faults, 1) if fault) or None
