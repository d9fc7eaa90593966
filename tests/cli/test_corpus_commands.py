"""`import` looks at transcribed pages, and `export` writes them as PAGE XML."""

import pytest
import yaml
from tests.corpora.archives import alto_line, alto_xml, picture, write_files

from text_recognizer.corpora.opening_corpora import open_corpus


@pytest.fixture
def folder(tmp_path):
    write_files(tmp_path / "labels", {"a.xml": alto_xml(alto_line("some", "wörds"))})
    write_files(tmp_path / "scans", {"a.png": picture()})
    return tmp_path


def test_import_prints_what_it_found_and_the_entry(command):
    status, out, err = command("import", "labels", "--pictures", "scans")
    assert status == 0, err
    summary, _, entry = out.partition("\n\n")
    assert "ö 1" in summary
    assert yaml.safe_load(entry.partition(":\n")[2])[0]["format"] == "alto"


def test_export_writes_a_folder_that_can_be_read(command, folder):
    status, out, err = command("export", "labels", "--pictures", "scans", "--output", "out")
    assert (status, out) == (0, "1 pages with 1 lines\n"), err
    with open_corpus(folder / "out") as corpus:
        assert corpus.page("a").text == "some wörds"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("import", "nowhere"), "nowhere"),
        (("import", "labels"), "a.xml"),
        (("import", "labels", "--format", "docx"), "docx"),
        (("export", "labels", "--pictures", "scans", "--output", "scans"), "scans"),
    ],
)
def test_mistakes_get_a_message(command, arguments, named):
    status, out, err = command(*arguments)
    assert (status, out) == (1, "")
    assert named in err
