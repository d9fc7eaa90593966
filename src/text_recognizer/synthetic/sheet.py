"""The empty form: its size, its margins and its printed parts. Lengths are in pixels at 300 dpi."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora.iam import SCAN_DPI
from text_recognizer.synthetic.style import Style
from text_recognizer.synthetic.writer import ABOVE, BELOW

# A form of this height or more has IAM's printed prompt, rules and name field; a lower one a number and a thin rule.
PROMPT_HEIGHT = 2000
IAM_WIDTH = 2000  # a form of this width or more has IAM's margins
HEADER_RULE, PROMPT_RULE = 70, 285
RULE = 3
PROMPT_TOP, PROMPT_PITCH, PROMPT_SIZE, NUMBER_SIZE = 330, 62, 46, 30
CLEAR = 40  # between print and writing
FOOT, NAME_FOOT = 20, 250
NAME_RULE = 0.785  # of the height, unless the writing reaches further down
PITCH = 200  # the widest pitch: lines must fit at it
TIGHT_PITCH = 165  # the same on forms with a prompt, where IAM's writers also write more tightly


@dataclass(frozen=True)
class Sheet:
    """The size of a form. `scale` is the picture's pixels per pixel at 300 dpi."""

    width: int
    height: int
    scale: float

    @property
    def has_prompt(self) -> bool:
        """Whether the form shows its text in print, as IAM's forms do."""
        return self.height >= PROMPT_HEIGHT

    @property
    def foot(self) -> int:
        """The lowest y that writing may reach."""
        return self.height - (NAME_FOOT if self.has_prompt else FOOT)

    @property
    def shape(self) -> tuple[int, int]:
        """The height and width of the picture, in pixels of the picture."""
        return round(self.height * self.scale), round(self.width * self.scale)

    def header(self, prompt_lines: int) -> int:
        """Return the y at which the print above the writing ends."""
        if not self.has_prompt:
            return HEADER_RULE + RULE
        return PROMPT_TOP + prompt_lines * PROMPT_PITCH + 42 + RULE

    def margins(self, style: Style) -> tuple[float, float]:
        """Return the left and right edge of the writing, within the range of IAM's forms or of small pages."""
        wide = self.width >= IAM_WIDTH
        left, right = ((0.121, 0.169), (0.863, 0.940)) if wide else ((0.06, 0.13), (0.88, 0.94))
        edges = np.interp(style.left, (0, 1), left), np.interp(style.right, (0, 1), right)
        return float(edges[0]) * self.width, float(edges[1]) * self.width


def make_sheet(section: SyntheticSection) -> Sheet:
    """Return the sheet that the section describes. Raises ConfigError if `lines_max` lines do not fit on it."""
    picture_width = round(section.page_width * section.dpi / SCAN_DPI)
    sheet = Sheet(section.page_width, section.page_height, picture_width / section.page_width)
    fit = _lines_that_fit(sheet)
    if section.lines_max > fit:
        raise ConfigError(
            f"synthetic.lines_max = {section.lines_max}, but a page of synthetic.page_height = {section.page_height} "
            f"holds {fit} handwritten lines at most",
            f"set synthetic.lines_max to {fit} or less, or increase synthetic.page_height"
            if fit
            else "increase synthetic.page_height",
        )
    return sheet


def _lines_that_fit(sheet: Sheet) -> int:
    """Return the number of lines that fit whatever the writer."""
    lines = 0
    while _needed_height(sheet, lines + 1) <= sheet.foot:
        lines += 1
    return lines


def _needed_height(sheet: Sheet, lines: int) -> float:
    # Printed, a text takes at most three quarters as many lines as written.
    prompt = ceil(0.75 * lines) + 1
    pitch = TIGHT_PITCH if sheet.has_prompt else PITCH
    return sheet.header(prompt) + CLEAR + ABOVE + (lines - 1) * pitch + BELOW
