"""The formats in which a page that was read can be written."""

from typing import Literal

OutputFormat = Literal["text", "json", "page", "alto", "hocr", "markdown", "pdf"]

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
