"""Plain text and Markdown."""

import re

from text_recognizer.core import schemas
from text_recognizer.exporting.page_outlines import blocks

# Characters that mean something anywhere in a line of Markdown, and those that do at its beginning only.
ANYWHERE = re.compile(r"([\\`*_\[\]<>&~|$])")
AT_START = re.compile(r"^(\s*)([#+\-=:]|\d{1,9}(?=[.)]))")
BREAK = "\\\n"


def plain_text(page: schemas.Page) -> bytes:
    """Return the text of a page: a line of text for each line, nothing for a page without writing."""
    return f"{page.text}\n".encode(errors="replace") if page.text else b""


def markdown(page: schemas.Page) -> bytes:
    """Return a page as Markdown: a paragraph for each region, with the line breaks of the page."""
    paragraphs = [BREAK.join(_escaped(line.text) for line in block.lines) for block in blocks(page)]
    return "".join(f"{paragraph}\n\n" for paragraph in paragraphs).removesuffix("\n").encode(errors="replace")


def _escaped(text: str) -> str:
    """Return a line in which no character formats the text. Line breaks of other systems become spaces."""
    flat = ANYWHERE.sub(r"\\\1", " ".join(text.split()))
    return AT_START.sub(_escaped_start, flat)


def _escaped_start(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark}\\" if mark.isdigit() else f"{space}\\{mark}"
