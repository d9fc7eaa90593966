"""Write a page in any of the formats, and join several pages to one output."""

import json
from collections.abc import Callable, Sequence

from text_recognizer.core import schemas
from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.output_formats import SINGLE_PAGE, OutputFormat
from text_recognizer.exporting.alto_xml import alto_xml
from text_recognizer.exporting.hocr import hocr
from text_recognizer.exporting.page_xml import page_xml
from text_recognizer.exporting.picture_source import PictureSource
from text_recognizer.exporting.plain_text import markdown, plain_text
from text_recognizer.exporting.xml_documents import allowed

# What stands between two pages of one file. Programs know the form feed as the end of a page.
SEPARATORS: dict[OutputFormat, bytes] = {"text": b"\f", "json": b"", "markdown": b"\n---\n\n"}


def write_page(page: schemas.Page, source: PictureSource, kind: OutputFormat) -> bytes:
    """Return a page in one of the formats, as the content of a file. `pdf` needs the pixels of `source`."""
    return _WRITERS[kind](page, source)


def join_pages(pages: Sequence[bytes], kind: OutputFormat) -> bytes:
    """Join pages that `write_page` wrote to one file.

    Pages of text are separated by a form feed, pages of Markdown by a rule; JSON has a line for each page. Raises
    TextRecognizerError for several pages of a format that holds one page in each file.
    """
    if len(pages) == 1:
        return pages[0]
    if kind == "pdf":
        from text_recognizer.exporting.searchable_pdf import join_pdfs

        return join_pdfs(pages)
    if kind in SINGLE_PAGE:
        raise TextRecognizerError(
            f"a file in the format {kind} holds one page, but there are {len(pages)}", "write them with --output FOLDER"
        )
    return SEPARATORS[kind].join(pages)


def _json_record(page: schemas.Page, source: PictureSource) -> bytes:
    """Return a page as one line of JSON: where it comes from, the record of the page, and what read it."""
    place = {"picture": allowed(source.name), "page": source.number, "pages": source.count}
    read_by = {"model": source.model, "runtime": source.runtime}
    return (json.dumps({**place, **page.model_dump(mode="json"), **read_by}, ensure_ascii=False) + "\n").encode(
        errors="replace"
    )


def _pdf(page: schemas.Page, source: PictureSource) -> bytes:
    from text_recognizer.exporting.searchable_pdf import searchable_pdf

    return searchable_pdf(page, source)


_WRITERS: dict[OutputFormat, Callable[[schemas.Page, PictureSource], bytes]] = {
    "text": lambda page, _: plain_text(page),
    "json": _json_record,
    "page": page_xml,
    "alto": alto_xml,
    "hocr": hocr,
    "markdown": lambda page, _: markdown(page),
    "pdf": _pdf,
}
