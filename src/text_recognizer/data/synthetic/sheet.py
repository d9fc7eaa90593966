"""The empty form: its size, its margins, and what stands on it in print. Lengths in pixels at 300 dpi."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from text_recognizer.config import SyntheticSection
from text_recognizer.data.iam import SCAN_DPI
from text_recognizer.data.synthetic.style import Style
from text_recognizer.data.synthetic.writer import ABOVE, BELOW
from text_recognizer.errors import ConfigError

# From this height on a form carries IAM's printed prompt, rules and name field; below it a number and one thin rule.
PROMPT_HEIGHT = 2000
IAM_WIDTH = 2000  # from this width on margins are IAM's
HEADER_RULE, PROMPT_RULE = 70, 285
RULE = 3
PROMPT_TOP, PROMPT_PITCH, PROMPT_SIZE, NUMBER_SIZE = 330, 62, 46, 30
CLEAR = 40  # between print and writing
FOOT, NAME_FOOT = 20, 250
NAME_RULE = 0.785  # of the height, unless the writing goes on below it
PITCH = 200  # lines of the widest pitch have to fit
TIGHT_PITCH = 165  # on forms with a prompt, where IAM's writers close up too


@dataclass(frozen=True)
class Sheet:
    """`scale` is the picture's pixels per pixel at 300 dpi."""

    width: int
    height: int
    scale: float

    @property
    def has_prompt(self) -> bool:
        return self.height >= PROMPT_HEIGHT

    @property
    def foot(self) -> int:
        """Lowest place for ink."""
        return self.height - (NAME_FOOT if self.has_prompt else FOOT)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return round(self.height * self.scale), round(self.width * self.scale)

    def header(self, prompt_lines: int) -> int:
        """Where the print above the writing ends."""
        if not self.has_prompt:
            return HEADER_RULE + RULE
        return PROMPT_TOP + prompt_lines * PROMPT_PITCH + 42 + RULE

    def margins(self, style: Style) -> tuple[float, float]:
        """Left and right edge of the writing: a place in the range that IAM's forms, or small pages, have."""
        wide = self.width >= IAM_WIDTH
        left, right = ((0.121, 0.169), (0.863, 0.940)) if wide else ((0.06, 0.13), (0.88, 0.94))
        edges = np.interp(style.left, (0, 1), left), np.interp(style.right, (0, 1), right)
        return float(edges[0]) * self.width, float(edges[1]) * self.width


def sheet_of(section: SyntheticSection) -> Sheet:
    """The sheet that the section asks for. Raises ConfigError where `lines_max` lines do not fit."""
    picture_width = round(section.page_width * section.dpi / SCAN_DPI)
    sheet = Sheet(section.page_width, section.page_height, picture_width / section.page_width)
    fit = _lines_that_fit(sheet)
    if section.lines_max > fit:
        raise ConfigError(
            f"synthetic.lines_max = {section.lines_max}, but a page of synthetic.page_height = {section.page_height} "
            f"holds {fit} handwritten lines at most",
            f"set synthetic.lines_max to {fit} or less, or make the page higher" if fit else "make the page higher",
        )
    return sheet


def _lines_that_fit(sheet: Sheet) -> int:
    """How many lines have room whatever the writer: print takes about half as many lines as writing."""
    lines = 0
    while _needed(sheet, lines + 1) <= sheet.foot:
        lines += 1
    return lines


def _needed(sheet: Sheet, lines: int) -> float:
    prompt = ceil(0.75 * lines) + 1
    pitch = TIGHT_PITCH if sheet.has_prompt else PITCH
    return sheet.header(prompt) + CLEAR + ABOVE + (lines - 1) * pitch + BELOW
