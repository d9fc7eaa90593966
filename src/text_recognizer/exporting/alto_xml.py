"""ALTO 4: the format of libraries and of their viewers; eScriptorium and kraken open it too."""

from xml.etree.ElementTree import Element

from text_recognizer import __version__
from text_recognizer.core import schemas
from text_recognizer.core.geometry import Box, Point
from text_recognizer.exporting.page_outlines import Block, baseline, blocks, outline, words
from text_recognizer.exporting.picture_source import PictureSource
from text_recognizer.exporting.xml_documents import SOFTWARE, child, document, points_text

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-2.xsd"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
# The ids of the tags that say how a line was written.
TAGS = {"written": "written", "printed": "printed"}
CROSSED_OUT_TAG = "crossed-out"


def alto_xml(page: schemas.Page, source: PictureSource) -> bytes:
    """Return a page as ALTO 4.2, in pixels: blocks in reading order, their lines, and the lines' words.

    Each line refers to a tag that says whether it is written or printed, and so does each crossed-out word. ALTO
    has no attribute for dubious lines.
    """
    attributes = {"xmlns": NAMESPACE, "xmlns:xsi": SCHEMA_INSTANCE, "SCHEMAVERSION": "4.2",
                  "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}"}  # fmt: skip
    root = Element("alto", attributes)
    _add_description(root, source)
    kinds = sorted({line.kind for line in page.lines})
    tags = child(root, "Tags") if kinds else None
    for kind in kinds:
        child(tags if tags is not None else root, "OtherTag", {"ID": TAGS[kind], "LABEL": kind, "TYPE": "line"})
    if tags is not None and any(word.crossed_out for line in page.lines for word in line.words):
        child(tags, "OtherTag", {"ID": CROSSED_OUT_TAG, "LABEL": "crossed out", "TYPE": "word"})
    width, height = source.size(page)
    place: dict[str, object] = {"ID": "page", "PHYSICAL_IMG_NR": source.number, "WIDTH": width, "HEIGHT": height}
    place["PC"] = f"{page.confidence:.4f}" if page.lines else None
    element = child(child(root, "Layout"), "Page", place)
    space = child(element, "PrintSpace", _place(Box(0, 0, width, height)))
    for block in blocks(page):
        _add_block(space, block)
    return document(root)


def _add_description(root: Element, source: PictureSource) -> None:
    description = child(root, "Description")
    child(description, "MeasurementUnit", text="pixel")
    child(child(description, "sourceImageInformation"), "fileName", text=source.name)
    processing = child(description, "Processing", {"ID": "reading"})
    child(processing, "processingDateTime", text=source.created.isoformat())
    software = child(processing, "processingSoftware")
    child(software, "softwareName", text=SOFTWARE)
    child(software, "softwareVersion", text=__version__)


def _add_block(space: Element, block: Block) -> None:
    element = child(space, "TextBlock", {"ID": f"r{block.number}", **_place(block.box)})
    _add_shape(element, block.box.corners)
    for number, line in block.numbered_lines():
        _add_line(element, line, number)


def _add_line(block: Element, line: schemas.Line, number: int) -> None:
    attributes: dict[str, object] = {"ID": f"l{number}", "BASELINE": points_text(baseline(line))}
    element = child(block, "TextLine", {**attributes, "TAGREFS": TAGS[line.kind], **_place(line.box)})
    _add_shape(element, outline(line))
    before: schemas.Word | None = None
    for position, word in enumerate(words(line), start=1):
        if before:
            child(element, "SP", _gap(before.box, word.box))
        named: dict[str, object] = {"ID": f"l{number}w{position}", "CONTENT": word.text}
        named["TAGREFS"] = CROSSED_OUT_TAG if word.crossed_out else None
        child(element, "String", {**named, "WC": f"{word.confidence:.4f}", **_place(word.box)})
        before = word


def _add_shape(parent: Element, points: tuple[Point, ...]) -> None:
    child(child(parent, "Shape"), "Polygon", {"POINTS": points_text(points)})


def _place(box: Box) -> dict[str, object]:
    return {"HPOS": box.x, "VPOS": box.y, "WIDTH": box.width, "HEIGHT": box.height}


def _gap(left: Box, right: Box) -> dict[str, object]:
    return {"HPOS": left.right, "VPOS": left.y, "WIDTH": max(right.x - left.right, 0)}
