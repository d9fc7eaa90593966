"""Where pages with known text come from: text files, page XML, lists, and archives of forms."""

import numpy as np
import pytest
from PIL import Image
from tests.conftest import FORM_TEXTS, SmallArchive

from text_recognizer.benchmarks.page_truth import cut_out_forms, known_pages, xml_text
from text_recognizer.core.errors import DataError

PAGE = """<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"><Page><TextRegion>
<TextLine><Word><TextEquiv><Unicode>of a word</Unicode></TextEquiv></Word>
<TextEquiv index="0"><Unicode>first line</Unicode></TextEquiv>
<TextEquiv index="1"><Unicode>not this</Unicode></TextEquiv></TextLine>
<TextLine/><TextLine><TextEquiv><Unicode>second &amp; last</Unicode></TextEquiv></TextLine>
<TextEquiv><Unicode>of the region</Unicode></TextEquiv></TextRegion></Page></PcGts>"""
ALTO = """<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Layout><Page><TextBlock><TextLine>
<String CONTENT="two"/><SP/><String CONTENT="words"/></TextLine></TextBlock></Page></Layout></alto>"""


@pytest.fixture
def folder(tmp_path):
    """Pictures a, b, c and d: a has a text file, b PAGE XML, c an empty text file, and d nothing."""
    for name in ("a.png", "b.jpg", "c.png", "d.png"):
        Image.new("L", (40, 30), 255).save(tmp_path / name)
    (tmp_path / "a.txt").write_text("\ufeffécrit\n", encoding="utf-8")
    (tmp_path / "b.xml").write_text(PAGE)
    (tmp_path / "c.txt").write_text("")
    (tmp_path / "manifest.jsonl").write_text('{"file": "a.png", "kind": "note"}\n\n{"file": "b.jpg"}\n')
    return tmp_path


def test_texts_are_found_beside_the_pictures(folder):
    found = {page.name: (page.text, page.kind) for page in known_pages(folder)}
    assert found == {"a": ("écrit\n", "note"), "b": ("first line\n\nsecond & last", ""), "c": ("", "")}


def test_a_picture_without_text_can_count_as_one_without_writing(folder):
    assert [(page.name, page.text) for page in known_pages(folder, no_writing=True)][-1] == ("d", "")


def test_a_list_chooses_pictures_with_or_without_suffix(folder):
    listed = folder / "test.list"
    listed.write_text("b\n\n a.png \n")
    assert [page.name for page in known_pages(folder, listed)] == ["b", "a"]
    listed.write_text("a\nmissing\n")
    with pytest.raises(DataError) as caught:
        known_pages(folder, listed)
    assert "missing" in caught.value.what


def test_alto_is_read_and_other_files_are_refused(tmp_path):
    file = tmp_path / "page.xml"
    file.write_text(ALTO)
    assert xml_text(file) == "two words"
    for wrong in ("<form><TextLine/></form>", "<PcGts>", ""):
        file.write_text(wrong)
        with pytest.raises(DataError):
            xml_text(file)


@pytest.mark.parametrize(
    ("name", "content"), [("a.txt", b"\xff"), ("manifest.jsonl", b"not JSON"), ("manifest.jsonl", b"[1]")]
)
def test_damaged_files_are_named(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        known_pages(folder)
    assert name in caught.value.what


def test_a_folder_without_texts_is_refused(tmp_path):
    Image.new("L", (40, 30), 255).save(tmp_path / "a.png")
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(DataError):
            known_pages(folder)


def test_the_handwriting_of_forms_is_cut_out(tmp_path):
    archive = SmallArchive().save(tmp_path / "iamdb.zip")
    (page,) = cut_out_forms(archive, "lwitlrt/test", tmp_path)
    assert (page.name, page.text) == ("c01-000", "\n".join(FORM_TEXTS))
    # At 300 dpi, the lines with a margin of 45 px span (55, 55) to (765, 385). The form is at 150 dpi.
    pixels = np.asarray(Image.open(page.path))
    assert pixels.shape == (192 - 28, 382 - 28)
    assert pixels[20:25, 30:300].min() < 100 < pixels[:20].min()


@pytest.mark.parametrize("split", ["lwitlrt", "lwitlrt/other", "none/test"])
def test_an_unknown_split_is_refused(tmp_path, split):
    with pytest.raises(DataError):
        cut_out_forms(SmallArchive().save(tmp_path / "iamdb.zip"), split, tmp_path)
