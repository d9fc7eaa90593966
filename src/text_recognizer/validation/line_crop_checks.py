"""The table and the rules of the lines that are packed on their own."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.core.charset import NEWLINE, unknown_characters
from text_recognizer.core.params import PreprocessSection
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.packed_lines import PackedLine, PackedLines
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.validation import suites
from text_recognizer.validation.crop_checks import correction_salt
from text_recognizer.validation.row_checks import broken_rules, describe_fault
from text_recognizer.validation.suites import Rule

if TYPE_CHECKING:
    import pandas as pd

SUITE = "line_crops"
DARK = 128  # grey level below which a pixel counts as ink
MIN_INK, MAX_INK, MIN_PAPER = 0.003, 0.6, 0.25  # shares of a line
# Share of the lines that must pass. A few in thousands lie partly below the edge of the scan, or are one full stop.
MOSTLY = 0.995
# Greatest width of a line relative to its height. IAMLines scales wider lines down.
MAX_ASPECT = 2048 / 56


@dataclass(frozen=True)
class LineCropRow:
    """One packed line. `ink` and `paper` are its dark and white share, `aspect` its width divided by its height."""

    id: str
    split: str
    digest: str
    writer_length: int
    text: str | None
    ink: float
    paper: float
    aspect: float


def build(folder: Path) -> "pd.DataFrame":
    """Return one row per line of every split. Raises DataError if the files are damaged."""
    import pandas as pd

    rows = []
    for split in SPLITS:
        packed = PackedLines.open(folder, split)
        rows += [_row(split, packed.picture(number), line) for number, line in enumerate(packed.lines)]
    frame = pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in fields(LineCropRow)])
    frame["text"] = frame["text"].astype(object).where(frame["text"].notna(), None)
    return frame


def rules(section: PreprocessSection) -> tuple[Rule, ...]:
    """Return the rules for lines of this section's height."""
    widest = round(MAX_ASPECT * section.line_height)
    return (
        suites.unique(SUITE, "line_crop_ids_unique", "id", "two lines have the same id", "number the lines again"),
        suites.unique(SUITE, "line_crops_differ", "digest", "two lines have identical crops",
                      "exclude the form of one of them: a line in two splits inflates the score"),
        suites.between(SUITE, "line_crop_writer", "writer_length", "a line names no writer", "fill in writer-id",
                       min_value=1),
        suites.null(SUITE, "line_crop_text", "text", "a line has no text, or characters outside the charset",
                    "correct the transcription"),
        suites.between(SUITE, "line_crop_ink", "ink",
                       f"less than {MIN_INK:.1%} or more than {MAX_INK:.0%} of a line is ink",
                       "look at the crop, and correct the box", min_value=MIN_INK, max_value=MAX_INK,
                       mostly=MOSTLY),
        suites.between(SUITE, "line_crop_paper", "paper", f"less than {MIN_PAPER:.0%} of a line is white paper",
                       "look at the crop: its page has a shadow or a pattern", min_value=MIN_PAPER, mostly=MOSTLY),
        suites.between(SUITE, "line_crop_width", "aspect", f"a line is wider than {widest} px, so it is scaled down",
                       "correct the box, or break the line as the page does", max_value=MAX_ASPECT, mostly=MOSTLY),
    )  # fmt: skip


def faults(picture: np.ndarray, line: PackedLine, section: PreprocessSection) -> list[str]:
    """Return what is wrong with one line, by the rules that need no other line."""
    row = _row("train", picture, line)
    return [describe_fault(row, rule) for rule in broken_rules(row, rules(section))]


def _row(split: str, picture: np.ndarray, line: PackedLine) -> LineCropRow:
    unknown = " ".join(map(repr, unknown_characters(line.text) + [NEWLINE] * (NEWLINE in line.text)))
    return LineCropRow(
        id=line.id,
        split=split,
        digest=hashlib.sha256(correction_salt(line.id) + f"{picture.shape}".encode() + picture.tobytes()).hexdigest()[
            :16
        ],
        writer_length=len(line.writer.strip()),
        text=unknown or ("has no text" if not line.text else None),
        ink=round(float((picture < DARK).mean()), 4),
        paper=round(float((picture == PAPER).mean()), 4),
        aspect=round(picture.shape[1] / picture.shape[0], 3),
    )
