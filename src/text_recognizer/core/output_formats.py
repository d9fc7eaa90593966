"""The formats in which a page that was read can be written."""

from typing import Literal

OutputFormat = Literal["text", "json", "page", "alto", "hocr", "markdown", "pdf"]
# What becomes of words that the writer crossed out: `#` stands for each of them, or they are left out.
CrossedOut = Literal["mark", "drop"]
CROSSED_OUT_CHOICES: tuple[CrossedOut, ...] = ("mark", "drop")

# The end of a file's name in each format.
SUFFIXES: dict[OutputFormat, str] = {
    "text": ".txt",
    "json": ".json",
    "page": ".page.xml",
    "alto": ".alto.xml",
    "hocr": ".hocr",
    "markdown": ".md",
    "pdf": ".pdf",
}
FORMATS: tuple[OutputFormat, ...] = tuple(SUFFIXES)
# A file in one of these formats holds one page.
SINGLE_PAGE: tuple[OutputFormat, ...] = ("page", "alto", "hocr")
