"""Corpora are exported as valid PAGE XML that says what the corpus says, and can be read again."""

from datetime import UTC, datetime

import numpy as np
import pytest
from htrvx.schemas import Validator
from lxml import etree
from tests.conftest import SmallArchive
from tests.corpora.archives import (
    alto_line,
    alto_xml,
    has_line_places,
    page_line,
    page_xml,
    picture,
    region,
    write_files,
)

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora import corrections
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.exporting.corpus_export import export_corpus

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def exported(address, out, **options):
    """Export a corpus; check each file against the schema; return the pages that are read from the result."""
    with open_corpus(address, **options) as corpus:
        export_corpus(corpus, out, NOW)
    validator = Validator("page")
    files = sorted(out.glob("*.xml"))
    assert files
    for file in files:
        assert validator.validate(etree.parse(file)), validator.xmlschema.error_log
    with open_corpus(out) as corpus:
        assert corpus.format == "page"
        return [page.open()[1] for page in corpus.pages()]


def marks(page):
    return [(line.text, line.baseline, line.polygon, line.region, line.is_writing) for line in page.lines]


def test_regions_lines_places_and_labels_survive(tmp_path):
    first = region(page_line('"a" &amp; &lt;b>'), page_line("", "l2", "10,70 200,70 200,99"), name="r1")
    second = region(
        page_line("KEW", "l3", "", "10,150 200,152"), name="r2", attributes='custom="structure {type:stamp;}"'
    )
    files = {"a.xml": page_xml(first + second), "a.png": picture(), "train.list": "a"}
    write_files(tmp_path / "in", files)
    with open_corpus(tmp_path / "in") as corpus:
        before = corpus.page("a").open()[1]
    (page,) = exported(tmp_path / "in", tmp_path / "out")
    assert marks(page)[:2] == marks(before)[:2]
    text, baseline, polygon, number, is_writing = marks(page)[2]
    assert (text, baseline, number, is_writing) == ("KEW", before.lines[2].baseline, 1, False)
    ys = [point.y for point in polygon]
    assert min(ys) < 150 < max(ys)
    assert (tmp_path / "out/a.png").read_bytes() == files["a.png"]
    assert (tmp_path / "out/train.list").read_text() == "a\n"


def test_points_are_those_of_the_picture(tmp_path):
    write_files(tmp_path / "in", {"a.xml": alto_xml(alto_line("some", "words")), "a.png": picture(200, 150)})
    (page,) = exported(tmp_path / "in", tmp_path / "out")
    assert (page.size, page.lines[0].box) == ((200, 150), Box(5, 10, 95, 20))


def test_texts_without_places_get_none(tmp_path):
    write_files(
        tmp_path / "in", {"d/a.png": picture(), "d/a.txt": "one\ntwo", "e/a.png": picture(), "e/a.txt": "three"}
    )
    pages = exported(tmp_path / "in", tmp_path / "out")
    assert [(page.id, page.text, has_line_places(page)) for page in pages] == [
        ("d_a", "one\ntwo", False),
        ("e_a", "three", False),
    ]


def test_a_form_of_iam_is_exported_with_its_split(tmp_path):
    pages = exported(SmallArchive().save(tmp_path / "iamdb.zip"), tmp_path / "out", split="lwitlrt")
    assert len(pages) == 5
    assert pages[0].lines[0].box == Box(50, 50, 310, 40)
    assert (tmp_path / "out/test.list").read_text() == "c01-000\n"


def test_packed_pages_are_exported_without_their_padding(tmp_path):
    canvases = np.full((1, 96, 128), 255, np.uint8)
    labels = PackedPage("p1", "w", "one\ntwo", (Box(4, 4, 40, 20), Box(4, 34, 50, 20)), (80, 60), 150.0)
    (tmp_path / "in").mkdir()
    PackedSplit(canvases, (labels,)).save(tmp_path / "in", "validation")
    (page,) = exported(tmp_path / "in", tmp_path / "out")
    assert (page.id, page.size) == ("validation_p1", (80, 60))
    assert [(line.text, line.box) for line in page.lines] == [("one", Box(4, 4, 40, 20)), ("two", Box(4, 34, 50, 20))]


def test_corrections_are_exported(tmp_path):
    record = corrections.new_record([("corrected text", (10, 20, 60, 30))], "digest", NOW)
    (tmp_path / "in").mkdir()
    corrections.save(tmp_path / "in", picture(120, 80), ".png", record)
    (page,) = exported(tmp_path / "in", tmp_path / "out")
    assert page.text == "corrected text"
    assert page.lines[0].box == pytest.approx(Box(10, 20, 60, 30), abs=1)


def test_pages_that_cannot_be_read_are_left_out_and_named(tmp_path):
    files = {"a.png": picture(), "a.txt": "one", "b.png": b"no picture", "b.txt": "two", "c.png": picture()}
    with open_corpus(write_files(tmp_path / "in", files)) as corpus:
        result = export_corpus(corpus, tmp_path / "out", NOW)
    assert (result.num_pages, result.num_lines, set(result.faults)) == (1, 1, {"b", "c"})
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "a.xml"]


def test_nothing_is_overwritten_and_nothing_is_left_of_a_failure(tmp_path):
    with open_corpus(write_files(tmp_path / "in", {"a.png": b"no picture", "a.txt": "one"})) as corpus:
        with pytest.raises(ConfigError):
            export_corpus(corpus, tmp_path / "in", NOW)
        with pytest.raises(DataError):
            export_corpus(corpus, tmp_path / "out", NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
