"""The page of the Data Docs about lines that were left out when the lines of pages were found."""

import zipfile
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from text_recognizer.corpora.left_out import LeftOutLine, read_left_out
from text_recognizer.corpora.page_sources import PageSource
from text_recognizer.validation.data_docs import render

MAX_ROWS, MAX_PICTURES = 400, 120  # of a source; further rows are counted


def site_files(sources: Sequence[PageSource]) -> dict[str, bytes]:
    """Return the page and its pictures by their names in the site; nothing if nothing was left out."""
    left_out = {source: rows for source in sources if (rows := read_left_out(source.archive))}
    if not left_out:
        return {}
    files: dict[str, bytes] = {}
    for source, rows in left_out.items():
        files |= _pictures(source, rows)
    shown = [
        {
            "name": source.name,
            "counts": Counter(row.reason for row in rows if row.text is not None).most_common(),
            "rows": [(row, _file(source, row) if _file(source, row) in files else "") for row in rows[:MAX_ROWS]],
            "more": max(0, len(rows) - MAX_ROWS),
        }
        for source, rows in left_out.items()
    ]
    return {"left_out.html": render("left_out.j2", sources=shown).encode(), **files}


def _file(source: PageSource, row: LeftOutLine) -> str:
    return f"pictures/{source.name}-{row.picture.rpartition('/')[2]}" if row.picture else ""


def _pictures(source: PageSource, rows: Sequence[LeftOutLine]) -> dict[str, bytes]:
    named = {_file(source, row): row.picture for row in rows[:MAX_ROWS] if row.picture}
    with zipfile.ZipFile(source.archive) as archive:
        return {file: archive.read(name) for file, name in islice(named.items(), MAX_PICTURES)}
