"""hOCR: well-formed, nested as the specification says, with boxes inside the page."""

import io
import re

from lxml import etree

from text_recognizer.exporting import PictureSource, write_page

NESTED = {"ocr_carea": "ocr_page", "ocr_par": "ocr_carea", "ocr_line": "ocr_par", "ocrx_word": "ocr_line"}


def parsed(page, source):
    return etree.parse(io.BytesIO(write_page(page, source, "hocr")))


def of_class(tree, name):
    return tree.xpath(f"//*[@class='{name}']")


def properties(element):
    """The properties of an element: those of its title, by name."""
    parts = (part.strip().split(" ", 1) for part in element.get("title").split(";"))
    return dict(part for part in parts if len(part) == 2)


def test_the_elements_are_nested_and_have_boxes(any_page, source):
    tree = parsed(any_page, source)
    (page,) = of_class(tree, "ocr_page")
    right, bottom = map(int, properties(page)["bbox"].split()[2:])
    assert len(of_class(tree, "ocr_line")) == len(any_page.lines)
    for name, parent in NESTED.items():
        for element in of_class(tree, name):
            assert element.getparent().get("class") == parent
            left, top, *far = map(int, properties(element)["bbox"].split())
            assert left < far[0] <= right
            assert top < far[1] <= bottom


def test_words_have_their_text_and_confidence_in_percent(two_columns, source):
    found = of_class(parsed(two_columns, source), "ocrx_word")
    assert [word.text for word in found] == two_columns.text.split()
    assert {properties(word)["x_wconf"] for word in found} == {"90"}


def test_the_baseline_is_a_slope_and_a_height_above_the_box_s_lower_edge(two_columns, source):
    line = of_class(parsed(two_columns, source), "ocr_line")[2]
    slope, height = map(float, properties(line)["baseline"].split())
    # At the left edge of the box, whose lower edge is at 150, the baseline is at 140; at the right edge at 130.
    assert (slope, height) == (-0.05, -10.0)


def test_a_line_that_runs_upwards_says_so(sideways, source):
    (line,) = of_class(parsed(sideways, source), "ocr_line")
    assert properties(line)["textangle"] == "90"


def test_the_kind_of_a_line_is_an_attribute(two_columns, source):
    lines = of_class(parsed(two_columns, source), "ocr_line")
    assert [line.get("data-kind") for line in lines] == ["written", "printed", "written"]
    assert [line.get("data-dubious") for line in lines] == [None, None, "true"]


def test_a_name_with_quotes_stays_one_property(empty):
    (page,) = of_class(parsed(empty, PictureSource('a "b" \\ c.png')), "ocr_page")
    quoted = re.search(r'image "((?:[^"\\]|\\.)*)"', page.get("title")).group(1)
    assert re.sub(r"\\(.)", r"\1", quoted) == 'a "b" \\ c.png'
