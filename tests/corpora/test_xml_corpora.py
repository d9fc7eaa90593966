"""Pages with PAGE XML and ALTO are read as programs export them, and what is wrong with them is named."""

import numpy as np
import pytest
from tests.corpora.archives import (
    alto_line,
    alto_xml,
    has_line_places,
    page_line,
    page_xml,
    pages_and_faults,
    picture,
    region,
    write_files,
    write_zip,
)

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.geometry import Box, Point
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.xml_corpus import read_labels

ONE_LINE = page_xml(region(page_line("some words")))


def texts(labels):
    return [line.text for line in labels.lines]


def read(xml):
    return read_labels(xml.encode() if isinstance(xml, str) else xml, "a.xml")


def only_page(address, **options):
    with open_corpus(address, **options) as corpus:
        (page_id,) = corpus.ids
        return corpus.page(page_id)


def opened_page(address):
    with open_corpus(address) as corpus:
        (page_id,) = corpus.ids
        return corpus.page(page_id).open()


@pytest.mark.parametrize("year", ["2009-03-16", "2010-03-19", "2013-07-15", "2016-07-15", "2019-07-15"])
def test_every_version_of_page_is_read(year):
    labels = read(ONE_LINE.replace("2013-07-15", year))
    assert texts(labels) == ["some words"]
    assert (labels.picture, labels.size) == ("a.png", (400, 300))
    (line,) = labels.lines
    assert line.baseline == (Point(10, 50), Point(200, 52))
    assert line.box == Box(10, 20, 190, 40)


def test_prefixes_and_points_as_elements_are_understood():
    xml = """<?xml version="1.0" encoding="UTF-8"?><pc:PcGts
      xmlns:pc="http://schema.primaresearch.org/PAGE/gts/pagecontent/2010-03-19"><pc:Page imageFilename="x.tif"
      imageWidth="400" imageHeight="300"><pc:TextRegion id="r"><pc:TextLine id="l"><pc:Coords><pc:Point x="1" y="2"/>
      <pc:Point x="30" y="2"/><pc:Point x="30" y="9"/></pc:Coords><pc:TextEquiv><pc:Unicode>é</pc:Unicode>
      </pc:TextEquiv></pc:TextLine></pc:TextRegion></pc:Page></pc:PcGts>"""
    (line,) = read(xml).lines
    assert (line.text, line.polygon) == ("é", (Point(1, 2), Point(30, 2), Point(30, 9)))


def test_the_reading_order_counts_and_not_that_of_the_file():
    order = (
        '<ReadingOrder><OrderedGroup id="g"><UnorderedGroupIndexed index="1" id="h"><RegionRef regionRef="r1"/>'
        '</UnorderedGroupIndexed><RegionRefIndexed index="0" regionRef="r2"/></OrderedGroup></ReadingOrder>'
    )
    first = region(page_line("third", "a"), page_line("fourth", "b"), name="r1")
    second = region(
        page_line("second", "c", attributes='custom="readingOrder {index:1;}"'),
        page_line("first", "d", attributes='custom="readingOrder {index:0;} textStyle {offset:0;}"'),
        name="r2",
    )
    labels = read(page_xml(order + first + region(name="empty") + second))
    assert texts(labels) == ["first", "second", "third", "fourth"]
    assert [line.region for line in labels.lines] == [0, 0, 1, 1]


def test_regions_without_a_reading_order_follow_their_own_index():
    first = region(page_line("second"), name="r1", attributes='custom="readingOrder {index:1;}"')
    second = region(page_line("first"), name="r2", attributes='custom="readingOrder {index:0;}"')
    assert texts(read(page_xml(first + second))) == ["first", "second"]


def test_cells_of_tables_and_nested_regions_are_read():
    cell = f'<TableRegion id="t"><TableCell id="c">{page_line("a cell")}</TableCell></TableRegion>'
    nested = region(page_line("outside"), region(page_line("inside"), name="r2"))
    assert texts(read(page_xml(cell + nested))) == ["a cell", "outside", "inside"]


def test_the_first_alternative_is_the_text_else_that_of_the_words():
    alternatives = (
        '<TextLine id="a"><TextEquiv index="1"><Unicode>not this</Unicode></TextEquiv>'
        '<TextEquiv index="0"><Unicode>this\none</Unicode></TextEquiv></TextLine>'
    )
    words = (
        '<TextLine id="b"><Word><TextEquiv><Unicode>two</Unicode></TextEquiv></Word>'
        "<Word><TextEquiv><Unicode>words</Unicode></TextEquiv></Word></TextLine>"
    )
    assert texts(read(page_xml(region(alternatives, words, "<TextLine/>")))) == ["this one", "two words", ""]


def test_labels_of_regions_and_lines_tell_print_from_writing():
    stamp = region(page_line("KEW"), attributes='custom="structure {type:stamp;}"')
    printed = region(page_line("Royal"), page_line("Dear", "l2"), attributes='type="header"').replace(
        'id="l1"', 'id="l1" production="printed"'
    )
    lines = read(page_xml(stamp + printed)).lines
    assert [(line.text, line.is_writing) for line in lines] == [("KEW", False), ("Royal", False), ("Dear", True)]
    tags = '<Tags><OtherTag ID="T1" LABEL="DefaultLine:Typewritten"/></Tags>'
    typed = alto_xml(alto_line("typed", attributes='TAGREFS="T1"') + alto_line("written"), head=tags)
    assert [line.is_writing for line in read(typed).lines] == [False, True]


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.loc.gov/standards/alto/ns-v2#",
        "http://www.loc.gov/standards/alto/ns-v3#",
        "http://www.loc.gov/standards/alto/ns-v4#",
        "http://schema.ccs-gmbh.com/metae/alto-1-4.xsd/ALTO",
    ],
)
def test_every_version_of_alto_is_read(namespace):
    labels = read(alto_xml(alto_line("some", "words"), alto_line("more"), namespace=namespace))
    assert texts(labels) == ["some words", "more"]
    assert [line.region for line in labels.lines] == [0, 1]
    assert labels.lines[0].box == Box(10, 20, 190, 40)


@pytest.mark.parametrize(
    ("attributes", "baseline"),
    [
        ('BASELINE="10 50 200 52"', (Point(10, 50), Point(200, 52))),
        ('BASELINE="10,50 200,52"', (Point(10, 50), Point(200, 52))),
        ('BASELINE="55"', (Point(10, 55), Point(200, 55))),
        ("", ()),
    ],
)
def test_baselines_of_alto_have_several_forms(attributes, baseline):
    (line,) = read(alto_xml(alto_line("x", attributes=attributes))).lines
    assert line.baseline == baseline


def test_alto_has_polygons_hyphens_and_a_reading_order():
    shape = '<Shape><Polygon POINTS="10 20 200 20 200 60"/></Shape>'
    order = '<ReadingOrder><OrderedGroup><ElementRef REF="b1"/><ElementRef REF="b0"/></OrderedGroup></ReadingOrder>'
    hyphenated = alto_line("se", shape=shape).replace("</TextLine>", '<HYP CONTENT="-"/></TextLine>')
    labels = read(alto_xml(alto_line("cond"), hyphenated, head=order))
    assert texts(labels) == ["se-", "cond"]
    assert labels.lines[0].polygon == (Point(10, 20), Point(200, 20), Point(200, 60))


@pytest.mark.parametrize("points", ["NaN,3 4,5", "1,2 3", "1,2", "a,b c,d", "99999999,1 2,2"])
def test_a_line_with_wrong_points_keeps_its_text_and_is_named(points):
    labels = read(page_xml(region(page_line("text", points=points))))
    assert texts(labels) == ["text"]
    assert labels.lines[0].polygon == ()
    assert len(labels.faults) == 1
    assert "l1" in labels.faults[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_other_encodings_are_read_if_they_are_declared(encoding):
    head = "" if encoding == "utf-8-sig" else f'<?xml version="1.0" encoding="{encoding}"?>'
    assert texts(read(page_xml(region(page_line("Grüße")), head=head).encode(encoding))) == ["Grüße"]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<PcGts>",
        ONE_LINE[:-30].encode(),
        page_xml(region(page_line("&b;")), head=BOMB).encode(),
        page_xml(region(page_line("&a;")), head=OUTSIDE).encode(),
        page_xml(region(page_line("é"))).encode("latin-1"),
        page_xml("", head='<?xml version="1.0" encoding="nonsense"?>').encode(),
        page_xml("", namespace="http://example.org/page").encode(),
        alto_xml("", namespace="http://example.org/alto").encode(),
        b'<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"/>',
        ONE_LINE.replace("</PcGts>", "<Page/></PcGts>").encode(),
        b"<html><TextLine/></html>",
        b"<a>" * 5000 + b"</a>" * 5000,
    ],
)
def test_damaged_and_dangerous_files_are_refused_by_name(content):
    with pytest.raises(DataError) as caught:
        read(content)
    assert "a.xml" in caught.value.what


ARRANGEMENTS = {
    "beside": {"a.xml": ONE_LINE, "a.png": picture()},
    "in the folder above": {"doc/page/a.xml": ONE_LINE, "doc/a.png": picture()},
    "in another folder": {"labels/a.xml": ONE_LINE, "images/a.png": picture()},
    "with another suffix": {"a.xml": page_xml("", name="a.tif"), "a.PNG": picture()},
    "of another name": {"b.xml": ONE_LINE, "a.png": picture()},
    "with spaces and accents": {
        "p.xml": page_xml("", name="Brief%20à Zoë.png"),
        "Brief a\u0300 Zoe\u0308.png": picture(),
    },
    "from another computer": {"p.xml": page_xml("", name="C:\\scans\\a.png"), "a.png": picture()},
    "not named": {"a.xml": page_xml("", name=""), "a.png": picture()},
    "hidden files beside it": {"a.xml": ONE_LINE, "a.png": picture(), "__MACOSX/._a.png": b"", "._a.xml": b""},
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("files", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_the_picture_of_a_page_is_found(files, packed, tmp_path):
    address = write_zip(tmp_path / "a.zip", files) if packed else write_files(tmp_path / "a", files)
    rgb, page = opened_page(address)
    assert rgb.shape == (300, 400, 3)
    assert page.group == page.id


def test_pictures_may_lie_outside_the_archive(tmp_path):
    labels = write_files(tmp_path / "labels", {"a.xml": ONE_LINE})
    pictures = write_files(tmp_path / "scans", {"a.png": picture()})
    assert only_page(labels, pictures=pictures).picture.label == str(pictures / "a.png")
    with pytest.raises(DataError, match=r"a\.png"):
        only_page(labels)


def test_the_picture_nearest_to_the_labels_counts(tmp_path):
    files = {f"{doc}/{name}": text for doc in "xy" for name, text in (("page/a.xml", ONE_LINE), ("a.png", picture()))}
    with open_corpus(write_files(tmp_path, files)) as corpus:
        pages = list(corpus.pages())
    assert [(page.id, page.group) for page in pages] == [("x/page/a", "x"), ("y/page/a", "y")]
    assert [page.picture.label for page in pages] == [str(tmp_path / doc / "a.png") for doc in "xy"]


def test_pictures_that_are_equally_near_are_refused(tmp_path):
    write_files(tmp_path, {"xml/a.xml": ONE_LINE, "one/a.png": picture(), "two/a.png": picture()})
    with pytest.raises(DataError, match="several pictures"):
        only_page(tmp_path)


def test_mets_says_which_picture_belongs_to_a_page(tmp_path):
    mets = """<ns3:mets xmlns:ns3="http://www.loc.gov/METS/" xmlns:x="http://www.w3.org/1999/xlink"><ns3:fileSec>
    <ns3:fileGrp ID="MASTER"><ns3:fileGrp ID="IMG"><ns3:file ID="I1"><ns3:FLocat x:href="scan%201.png"/></ns3:file>
    </ns3:fileGrp><ns3:fileGrp ID="PAGEXML"><ns3:file ID="P1"><ns3:FLocat x:href="page/0001.xml"/></ns3:file>
    </ns3:fileGrp></ns3:fileGrp></ns3:fileSec><ns3:structMap><ns3:div TYPE="DOC"><ns3:div TYPE="SINGLE_PAGE"><ns3:fptr>
    <ns3:area FILEID="I1"/></ns3:fptr><ns3:fptr><ns3:area FILEID="P1"/></ns3:fptr></ns3:div></ns3:div></ns3:structMap>
    </ns3:mets>"""
    files = {"d/mets.xml": mets, "d/page/0001.xml": page_xml("", name="gone.png"), "d/scan 1.png": picture()}
    assert only_page(write_files(tmp_path, files)).picture.name == "scan 1.png"


def test_the_documents_of_transkribus_are_groups(tmp_path):
    for name, document in (("a", 1), ("b", 1), ("c", 2)):
        xml = page_xml("", name=f"{name}.png").replace(
            "</Metadata>", f'<TranskribusMetadata docId="{document}"/></Metadata>'
        )
        write_files(tmp_path, {f"{name}.xml": xml, f"{name}.png": picture()})
    with open_corpus(tmp_path) as corpus:
        assert [page.group for page in corpus.pages()] == ["1", "1", "2"]


def test_points_are_scaled_to_a_smaller_picture(tmp_path):
    write_files(tmp_path, {"a.xml": ONE_LINE, "a.png": picture(200, 150)})
    rgb, page = opened_page(tmp_path)
    assert rgb.shape == (150, 200, 3)
    assert page.size == (200, 150)
    assert page.lines[0].box == Box(5, 10, 95, 20)
    assert has_line_places(page)


def test_a_picture_of_other_proportions_is_refused(tmp_path):
    write_files(tmp_path, {"a.xml": ONE_LINE, "a.png": picture(300, 400)})
    with pytest.raises(DataError, match="300 x 400"):
        opened_page(tmp_path)


def test_points_outside_the_picture_or_away_from_the_baseline_are_left_out_and_named(tmp_path):
    lines = [
        page_line("in", "l1", "-3,20 404,20 404,60", ""),
        page_line("out", "l2", "10,20 900,20 900,60", "10,50 200,52"),
        page_line("gone", "l3", "10,900 300,900 300,950", ""),
        page_line("apart", "l4", "10,20 200,20 200,60", "10,150 200,152"),
    ]
    write_files(tmp_path, {"a.xml": page_xml(region(*lines)), "a.png": picture()})
    _, page = opened_page(tmp_path)
    assert [line.box for line in page.lines] == [Box(0, 20, 400, 40), Box(10, 50, 190, 2), None, Box(10, 150, 190, 2)]
    assert [name in fault for name, fault in zip(("l2", "l3", "l4"), page.faults, strict=True)] == [True] * 3


def test_a_damaged_page_is_one_fault_and_the_others_are_read(tmp_path):
    files = {f"{name}.png": picture() for name in "abce"} | {"e.xml": b"\x00\x01", "other.xml": "<TEI/>"}
    files |= {"a.xml": ONE_LINE, "b.xml": ONE_LINE[:-20], "c.xml": page_xml(region(page_line("c")), name="c.png")}
    files["d.xml"] = page_xml("", name="d.png")
    with open_corpus(write_files(tmp_path, files)) as corpus:
        found = pages_and_faults(corpus)
    faults = {page_id: error.what for page_id, error in found.items() if isinstance(error, DataError)}
    assert set(faults) == {"b", "d", "e"}
    assert all(str(tmp_path / f"{page_id}.xml") in what for page_id, what in faults.items())


def test_page_counts_where_an_export_holds_both_formats(tmp_path):
    files = {"page/a.xml": ONE_LINE, "alto/a.xml": alto_xml(alto_line("alto")), "a.png": picture()}
    write_files(tmp_path, files)
    assert only_page(tmp_path).text == "some words"
    assert only_page(tmp_path, form="alto").text == "alto"
    with pytest.raises(ConfigError):
        open_corpus(tmp_path, "docx")


def test_labels_of_another_kind_are_named(tmp_path):
    write_files(tmp_path, {"a.xml": "<TEI/>", "a.png": picture()})
    with pytest.raises(DataError) as caught:
        open_corpus(tmp_path)
    assert str(tmp_path / "a.xml") in caught.value.what


def test_lists_name_pages_with_or_without_suffix_and_mark(tmp_path):
    files = {f"{name}.xml": page_xml("", name=f"{name}.png") for name in "abc"} | {f"{n}.png": picture() for n in "abc"}
    files |= {"train.list": b"\xef\xbb\xbfa.xml\r\nb.png\r\n\r\n", "test.list": "c"}
    with open_corpus(write_files(tmp_path, files)) as corpus:
        assert corpus.lists() == {"train": ("a", "b"), "test": ("c",)}


def test_the_size_may_be_missing(tmp_path):
    write_files(tmp_path, {"a.xml": ONE_LINE.replace('imageWidth="400"', ""), "a.png": picture()})
    rgb, page = opened_page(tmp_path)
    assert page.lines[0].box == Box(10, 20, 190, 40)
    assert np.all(rgb == 255)
