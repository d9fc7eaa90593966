"""A look at a corpus counts what it holds, and names what cannot be used."""

import pytest
import yaml
from tests.corpora.archives import page_line, page_xml, picture, region, write_files

from text_recognizer.core.data_params import ShareSplit, SourceEntry
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_survey import EMPTY, NO_PLACE, NO_WRITING, UNKNOWN, survey
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.source_entries import entry_yaml

LINES = [
    page_line("plain"),
    page_line("“café” 5 £ £", "l2"),
    page_line("", "l3"),
    page_line("no place", "l4", "", ""),
    page_line("printed", "l5", attributes='production="printed"'),
]


def look(folder, files, **options):
    with open_corpus(write_files(folder, files)) as corpus:
        return survey(corpus, **options)


def test_pages_lines_groups_and_characters_are_counted(tmp_path):
    found = look(
        tmp_path, {"a.xml": page_xml(region(*LINES)), "a.png": picture(), "b.xml": "<PcGts>", "b.png": picture()}
    )
    assert (found.num_pages, found.num_lines, found.num_placed) == (1, 4, 3)
    assert (found.unknown, found.unaccented) == ({"£": 2}, {"é": 1})
    assert found.left_out == {EMPTY: 1, NO_WRITING: 1, UNKNOWN: 1, NO_PLACE: 1}
    assert found.num_bad_pages == 1
    assert str(tmp_path / "b.xml") in found.faults[0]
    assert found.parts == {"train": ("a",), "validation": (), "test": ()}
    assert all(str(count) in found.summary() for count in ("£ 2", "é 1"))


def test_the_printed_entry_is_one_of_data_sources(tmp_path):
    found = look(tmp_path, {"a.png": picture(), "a.txt": "one", "b.png": picture(), "b.txt": "two", "train.list": "a"})
    (entry,) = yaml.safe_load(entry_yaml(found.entry()))
    assert SourceEntry.model_validate(entry) == SourceEntry(format="text", address=str(tmp_path), split="lists")
    assert found.parts == {"train": ("a",)}
    (tmp_path / "train.list").unlink()
    again = look(tmp_path, {})
    (entry,) = yaml.safe_load(entry_yaml(again.entry()))
    assert SourceEntry.model_validate(entry).split == ShareSplit()


def test_pictures_are_opened_unless_it_must_be_quick(tmp_path):
    files = {"a.png": b"no picture", "a.txt": "one"}
    assert look(tmp_path, files, check_pictures=False).num_pages == 1
    with pytest.raises(DataError) as caught:
        look(tmp_path, files)
    assert "a.png" in caught.value.what


def test_a_document_in_two_parts_is_named(tmp_path):
    files = {
        f"{doc}/{name}.xml": page_xml(region(LINES[0]), f"{name}.png")
        for doc in "xy"
        for name in (doc + "1", doc + "2")
    }
    files |= {name.replace(".xml", ".png"): picture() for name in files}
    files |= {"train.list": "x1\ny1\ny2", "test.list": "x2"}
    found = look(tmp_path, files)
    assert (found.divided, set(found.groups)) == (("x",), {"x", "y"})


def test_a_corpus_without_usable_pages_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"a\.xml"):
        look(tmp_path, {"a.xml": "<PcGts>", "a.png": picture()})
