"""Text, Markdown and JSON, and several pages in one file."""

import json

import pytest
from markdown_it import MarkdownIt

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.exporting import FORMATS, SUFFIXES, PictureSource, join_pages, write_page
from text_recognizer.exporting.plain_text import _escaped

MARKS = (
    *("*a* _b_ **c**", "# 1", "1. one", "2) two", "- x", "+ x", "> q", "a < b & c", "&amp;", "[a](b)", "`x`", "~~x~~"),
    *("| a | b |", "===", "---", "a\\b", "<br>", "![x](y)", "http://x.y", "    four"),
)


def test_every_format_has_a_suffix_and_writes_every_page(any_page, source):
    assert set(SUFFIXES) == set(FORMATS)
    for kind in FORMATS:
        assert isinstance(write_page(any_page, source, kind), bytes)


def test_text_is_the_page_s_text(two_columns, empty, source):
    assert write_page(two_columns, source, "text").decode() == "To be, or not\nFORM 17\nto be\n"
    assert write_page(empty, source, "text") == b""


def test_json_is_one_line_with_the_record_and_what_read_it(two_columns, source):
    (line,) = write_page(two_columns, source, "json").decode().splitlines()
    answer = json.loads(line)
    place = {"picture": "scan.png", "page": 2, "pages": 3}
    read_by = {"model": "f" * 64, "runtime": "none"}
    assert answer == place | two_columns.model_dump(mode="json") | read_by


def test_a_file_name_that_is_not_unicode_can_be_written(bare, source):
    for kind in FORMATS:
        assert write_page(bare, PictureSource("b\udcff.png", source.pixels), kind)


def rendered(content):
    """The text of each paragraph that a CommonMark renderer shows, with its line breaks."""
    tokens = MarkdownIt().enable("table").enable("strikethrough").parse(content)
    kinds = {token.type for token in tokens}
    assert kinds <= {"paragraph_open", "inline", "paragraph_close"}
    shown = {"hardbreak": "\n"}
    children = [token.children for token in tokens if token.type == "inline"]
    for parts in children:
        assert {part.type for part in parts} <= {"text", "hardbreak", "text_special"}
    return ["".join(shown.get(part.type, part.content) for part in parts) for parts in children]


def test_markdown_has_a_paragraph_for_each_region_with_its_line_breaks(two_columns, source):
    assert rendered(write_page(two_columns, source, "markdown").decode()) == ["To be, or not\nFORM 17", "to be"]


@pytest.mark.parametrize("text", MARKS)
def test_markdown_shows_marks_as_they_are(text):
    assert rendered(_escaped(text)) == [" ".join(text.split())]
    assert rendered("above\\\n" + _escaped(text)) == ["above\n" + " ".join(text.split())]


def test_pages_of_text_are_separated_by_a_form_feed():
    assert join_pages([b"one\n", b"two\n"], "text") == b"one\n\ftwo\n"
    assert join_pages([b"one\n"], "text") == b"one\n"


def test_a_file_of_a_format_of_one_page_holds_no_two():
    for kind in ("page", "alto", "hocr"):
        with pytest.raises(TextRecognizerError, match="--output"):
            join_pages([b"<a/>", b"<b/>"], kind)
