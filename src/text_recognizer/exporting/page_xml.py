"""PAGE XML, version 2019-07-15: what eScriptorium, Transkribus, OCR-D and kraken open."""

from datetime import datetime
from xml.etree.ElementTree import Element

from text_recognizer import __version__
from text_recognizer.core import schemas
from text_recognizer.core.geometry import Point
from text_recognizer.exporting.page_outlines import Block, baseline, blocks, outline, words
from text_recognizer.exporting.picture_source import PictureSource
from text_recognizer.exporting.xml_documents import SOFTWARE, allowed, child, document, points_text

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def page_xml(page: schemas.Page, source: PictureSource) -> bytes:
    """Return a page as PAGE XML: its regions in reading order, their lines, and the lines' words.

    A line in print has `production="printed"`. The text of a dubious line is marked `unclear`, as Transkribus does. A
    word that is crossed out has a text style with `strikethrough`.
    """
    root = page_root(source.created)
    width, height = source.size(page)
    size: dict[str, object] = {"imageWidth": width, "imageHeight": height}
    element = child(root, "Page", {"imageFilename": source.name, **size, "orientation": _orientation(page.turn)})
    if page.lines:
        element.set("conf", f"{page.confidence:.4f}")
    if page.sheet:
        _coordinates(child(element, "Border"), page.sheet)
    found = blocks(page)
    add_reading_order(element, len(found))
    for block in found:
        _add_region(element, block)
    return document(root)


def page_root(created: datetime) -> Element:
    """Return the root element of a document of PAGE XML, with its metadata."""
    root = Element("PcGts", {"xmlns": NAMESPACE, "xmlns:xsi": SCHEMA_INSTANCE,
                             "xsi:schemaLocation": f"{NAMESPACE} {NAMESPACE}/pagecontent.xsd"})  # fmt: skip
    metadata = child(root, "Metadata")
    child(metadata, "Creator", text=f"{SOFTWARE} {__version__}")
    child(metadata, "Created", text=created.isoformat())
    child(metadata, "LastChange", text=created.isoformat())
    return root


def add_reading_order(page: Element, num_regions: int) -> None:
    """Say that the regions `r1`, `r2` and so on are read in this order."""
    if num_regions:
        order = child(child(page, "ReadingOrder"), "OrderedGroup", {"id": "reading_order"})
        for index in range(num_regions):
            child(order, "RegionRefIndexed", {"index": index, "regionRef": f"r{index + 1}"})


def _orientation(turn: int) -> int | None:
    """Return the degrees clockwise that make the page upright as PAGE wants them, in -179 to 180; None for none."""
    return (turn if turn <= 180 else turn - 360) or None


def _add_region(parent: Element, block: Block) -> None:
    custom = f"readingOrder {{index:{block.number - 1};}}"
    region = child(parent, "TextRegion", {"id": f"r{block.number}", "type": "paragraph", "custom": custom})
    _coordinates(region, block.box.corners)
    for index, (number, line) in enumerate(block.numbered_lines()):
        _add_line(region, line, number, index)
    _add_text(region, "\n".join(line.text for line in block.lines))


def _add_line(region: Element, line: schemas.Line, number: int, index: int) -> None:
    length = len(allowed(line.text))
    unclear = f" unclear {{offset:0; length:{length};}}" if line.dubious else ""
    attributes: dict[str, object] = {
        "id": f"l{number}",
        "custom": f"readingOrder {{index:{index};}}{unclear}",
        "production": "printed" if line.kind == "printed" else None,
    }
    element = child(region, "TextLine", attributes)
    _coordinates(element, outline(line))
    child(element, "Baseline", {"points": points_text(baseline(line))})
    for position, word in enumerate(words(line), start=1):
        part = child(element, "Word", {"id": f"l{number}w{position}"})
        _coordinates(part, word.box.corners)
        _add_text(part, word.text, word.confidence)
        if word.crossed_out:
            child(part, "TextStyle", {"strikethrough": "true"})
    _add_text(element, line.text, line.confidence)


def _coordinates(parent: Element, points: tuple[Point, ...]) -> None:
    child(parent, "Coords", {"points": points_text(points)})


def _add_text(parent: Element, text: str, confidence: float | None = None) -> None:
    shown = None if confidence is None else f"{confidence:.4f}"
    child(child(parent, "TextEquiv", {"conf": shown}), "Unicode", text=text)
