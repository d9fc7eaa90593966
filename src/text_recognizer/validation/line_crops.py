"""The lines that are packed on their own, checked beside the crops of their paragraphs."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.config import PreprocessSection
from text_recognizer.data.iam import SPLITS
from text_recognizer.data.packed_lines import Line, PackedLines
from text_recognizer.images import PAPER
from text_recognizer.text import NEWLINE, unknown
from text_recognizer.validation import suites
from text_recognizer.validation.suites import Rule

if TYPE_CHECKING:
    import pandas as pd

SUITE = "line_crops"
INK = 128
INK_LEAST, INK_MOST, PAPER_LEAST = 0.003, 0.6, 0.25
# Lines that are cut off with the foot of their page, or hold one full stop, are a handful of thousands.
MOSTLY = 0.995
# Of the height: a page of writing is at most this wide for one line. IAMLines makes wider ones smaller.
WIDEST = 2048 / 56


@dataclass(frozen=True)
class LineCropRow:
    """One packed line. `ink` and `paper` are shares of it, dark and white; `wide` is its width over its height."""

    id: str
    split: str
    digest: str
    writer_length: int
    text: str | None
    ink: float
    paper: float
    wide: float


def build(folder: Path) -> "pd.DataFrame":
    """One row per line of every split. Raises DataError where a pack is damaged."""
    import pandas as pd

    rows = []
    for split in SPLITS:
        packed = PackedLines.open(folder, split)
        rows += [_row(split, packed.picture(number), line) for number, line in enumerate(packed.lines)]
    frame = pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in fields(LineCropRow)])
    frame["text"] = frame["text"].astype(object).where(frame["text"].notna(), None)
    return frame


def rules(section: PreprocessSection) -> tuple[Rule, ...]:
    wide = round(WIDEST * section.lines)
    return (
        suites.unique(SUITE, "line_crop_ids_unique", "id", "two lines have one id", "number the lines again"),
        suites.unique(SUITE, "line_crops_differ", "digest", "two lines have the very same crop",
                      "exclude the form of one of them: in two splits it would flatter the score"),
        suites.between(SUITE, "line_crop_writer", "writer_length", "a line names no writer", "fill in writer-id",
                       min_value=1),
        suites.null(SUITE, "line_crop_text", "text", "a line has no text, or characters that the reader does not know",
                    "correct the transcription"),
        suites.between(SUITE, "line_crop_ink", "ink",
                       f"less than {INK_LEAST:.1%} or more than {INK_MOST:.0%} of a line is ink",
                       "look at the crop, and correct the box", min_value=INK_LEAST, max_value=INK_MOST,
                       mostly=MOSTLY),
        suites.between(SUITE, "line_crop_paper", "paper", f"less than {PAPER_LEAST:.0%} of a line is white paper",
                       "look at the crop: its page has a shadow or a pattern", min_value=PAPER_LEAST, mostly=MOSTLY),
        suites.between(SUITE, "line_crop_width", "wide", f"a line is wider than {wide} px, so that it is made smaller",
                       "correct the box, or break the line as the page does", max_value=WIDEST, mostly=MOSTLY),
    )  # fmt: skip


def _row(split: str, picture: np.ndarray, line: Line) -> LineCropRow:
    strangers = " ".join(map(repr, unknown(line.text) + [NEWLINE] * (NEWLINE in line.text)))
    return LineCropRow(
        id=line.id,
        split=split,
        digest=hashlib.sha256(f"{picture.shape}".encode() + picture.tobytes()).hexdigest()[:16],
        writer_length=len(line.writer.strip()),
        text=strangers or ("has no text" if not line.text else None),
        ink=round(float((picture < INK).mean()), 4),
        paper=round(float((picture == PAPER).mean()), 4),
        wide=round(picture.shape[1] / picture.shape[0], 3),
    )
