"""Show the pages that a model reads worst, as pictures inside the Markdown: it needs no other server."""

from pathlib import Path

import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import PageRow
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation.score_report import data_uri

# Prefect keeps artifacts in its database, so the pictures are few and small: about 20 kB each.
COUNT, LARGEST = 3, (560, 360)


def worst_pages(project: Path) -> str:
    """Return the worst test pages of the last score as Markdown; empty if there is no score, or its pages are gone."""
    files = Layout(project)
    try:
        # splitlines() would also break at separators that JSON does not escape.
        lines = files.pages.read_text(encoding="utf-8").split("\n")
        rows = [PageRow.model_validate_json(line) for line in lines if line]
        packed = PackedSplit.open(files.processed, "test")
    except (DataError, OSError, ValueError):
        return ""
    canvases = {page.id: canvas for page, canvas in zip(packed.pages, packed.canvases, strict=True)}
    worst = sorted((row for row in rows if row.id in canvases), key=lambda row: (-row.cer, row.id))[:COUNT]
    return "\n\n".join(
        f"Page {row.id}, writer {row.writer}: {row.cer:.1%} of {row.characters} characters are wrong. "
        f"Read as: {_as_code(row.prediction)}\n\n![page {row.id}]({data_uri(np.asarray(canvases[row.id]), LARGEST)})"
        for row in worst
    )


def _as_code(text: str) -> str:
    """Return a text as Markdown shows it literally, on one line."""
    return "`" + " / ".join(text.replace("`", "'").splitlines()) + "`" if text.strip() else "nothing"
