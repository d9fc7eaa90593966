"""Archives as people have them: letters from Transkribus and eScriptorium, and pictures with text files."""

from collections import Counter
from pathlib import Path

import pytest
from lxml import etree
from tests.corpora.archives import pages_and_faults

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_splits import split_corpus
from text_recognizer.corpora.opening_corpora import open_corpus

SHARED = Path(__file__).parents[3] / "shared" / "data"


def folder(name):
    """Return a folder of real pages; skip the test without it."""
    path = SHARED / name
    if not path.is_dir():
        pytest.skip(f"there is no ../shared/data/{name}")
    return path


def pages_of(corpus):
    pages = pages_and_faults(corpus)
    assert [page for page in pages.values() if isinstance(page, DataError)] == []
    return pages


@pytest.mark.slow
def test_all_letters_from_transkribus_are_read():
    with open_corpus(folder("hooker-letters")) as corpus:
        pages = pages_of(corpus)
        parts = split_corpus(corpus, "lists")
    assert (corpus.format, len(pages)) == ("page", 248)
    assert {part: len(ids) for part, ids in parts.items()} == {"train": 192, "validation": 25, "test": 31}
    lines = [line for page in pages.values() for line in page.lines]
    assert (len(lines), sum(not line.text for line in lines)) == (5176, 73)
    assert all(len(line.baseline) > 1 and len(line.polygon) > 2 for line in lines)
    assert not any(page.faults for page in pages.values())
    assert len({page.group for page in pages.values()}) == 86


def test_letters_from_escriptorium_are_read():
    with open_corpus(folder("stanford-alto")) as corpus:
        pages = pages_of(corpus)
        for page in pages.values():
            _, fitted = page.open()
            assert fitted.faults == ()
    assert (corpus.format, len(pages)) == ("alto", 6)
    kinds = Counter(line.is_writing for page in pages.values() for line in page.lines)
    assert kinds == {False: 143, True: 37}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("hooker-letters", "//*[local-name()='TextLine']"), ("stanford-alto", "//*[local-name()='String']")],
)
def test_another_parser_finds_as_many_lines_and_characters(name, pattern):
    path = folder(name)
    with open_corpus(path) as corpus:
        for page_id in corpus.ids[::12]:
            nodes = etree.parse(path / f"{page_id}.xml").xpath(pattern)
            texts = [node.get("CONTENT") or node.xpath("string(*[local-name()='TextEquiv'])") for node in nodes]
            expected = sorted(" ".join(text.split()) for text in texts)
            assert sorted(line.text for line in corpus.page(page_id).lines) == expected


@pytest.mark.parametrize(("name", "breaks"), [("smhd", True), ("prompted-pages", False)])
def test_pictures_with_texts_are_read(name, breaks):
    with open_corpus(folder(name)) as corpus:
        pages = pages_of(corpus)
        parts = split_corpus(corpus, "lists")
    assert corpus.format == "text"
    assert {page.has_line_breaks for page in pages.values()} == {breaks}
    assert sum(map(len, parts.values())) == len(pages) > 0
