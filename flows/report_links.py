"""Link the reports in Prefect's page. A browser opens no file:// links from there, so a server has to serve them."""

import os
from collections.abc import Sequence
from pathlib import Path

from text_recognizer.core.layout import Layout

# `make up` serves the folder reports/ and sets this to the server's address.
ADDRESS = "TEXT_RECOGNIZER_REPORTS_URL"


def link(page: Path, project: Path) -> str:
    """Return a Markdown link to a file below reports/; its path in the clone if nothing serves it."""
    place = page.relative_to(project).as_posix()
    address = os.environ.get(ADDRESS, "").rstrip("/")
    if not address:
        return f"`{place}`"
    shown = page.parent.name if page.name == "index.html" else page.name
    return f"[{shown}]({address}/{page.relative_to(Layout(project).score.parent).as_posix()})"


def data_docs_links(project: Path) -> str:
    """Return links to the Data Docs that there are, separated by commas."""
    files = Layout(project)
    pages = [folder / "index.html" for folder in (files.data_docs, files.crop_docs)]
    return ", ".join(link(page, project) for page in pages if page.is_file()) or "none"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)


def cell(value: str) -> str:
    """Return a text that fits a cell of a Markdown table."""
    return value.replace("|", "\\|").replace("\n", "<br>")
