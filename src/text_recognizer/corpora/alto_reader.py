"""Read ALTO, versions 2 to 4: what eScriptorium, kraken, Transkribus and libraries export."""

import re
from xml.etree.ElementTree import Element

from text_recognizer.corpora.page_labels import LineCollector, PageLabels, in_order, only_page, page_size
from text_recognizer.corpora.safe_xml import local_name
from text_recognizer.corpora.transcribed_pages import LabelledLine

NAMESPACE = re.compile(r"https?://(www\.loc\.gov/standards/alto/.*|schema\.ccs-gmbh\.com/.*ALTO.*)", re.IGNORECASE)
PICTURE = "{*}Description/{*}sourceImageInformation/{*}fileName"


def is_alto(root: Element) -> bool:
    """Return whether the root element is one of ALTO, in whatever namespace."""
    return local_name(root) == "alto"


def alto_labels(root: Element, label: str) -> PageLabels:
    """Return the labels of a page of ALTO: its lines in reading order, empty ones too.

    Raises DataError if the namespace is not one of ALTO, or there is not exactly one page.
    """
    page = only_page(root, "{*}Layout/{*}Page", label, "ALTO", NAMESPACE)
    tags = {tag.get("ID", ""): tag.get("LABEL", "") for tags in root.findall("{*}Tags") for tag in tags}
    order = {reference: place for place, reference in enumerate(_references(root))}
    collector = LineCollector()
    blocks = [block for block in page.iter() if block.find("{*}TextLine") is not None]
    for number, block in enumerate(in_order(blocks, order, "ID")):
        for line in in_order(block.findall("{*}TextLine"), order, "ID"):
            kinds = (*_kinds(block, tags), *_kinds(line, tags))
            labelled = LabelledLine(line_text(line), line.get("ID", ""), region=number, kinds=kinds)
            _add_line(collector, line, labelled)
    size = page_size(page, "WIDTH", "HEIGHT")
    return collector.labels((root.findtext(PICTURE) or "").strip(), size)


def line_text(line: Element) -> str:
    """Return the text of a line: its strings, and the hyphen at its end."""
    words = " ".join(word.get("CONTENT", "") for word in line.findall("{*}String"))
    return words + "".join(hyphen.get("CONTENT", "-") for hyphen in line.findall("{*}HYP"))


def _references(root: Element) -> list[str]:
    """Return the ids of blocks and lines in the order that ALTO 4.3 gives them."""
    return [ref for order in root.iterfind(".//{*}ReadingOrder") for one in order.iter() if (ref := one.get("REF"))]


def _kinds(element: Element, tags: dict[str, str]) -> tuple[str, ...]:
    return tuple(tags.get(reference, "") for reference in element.get("TAGREFS", "").split())


def _add_line(collector: LineCollector, line: Element, labelled: LabelledLine) -> None:
    polygon = line.find("{*}Shape/{*}Polygon")
    corners = _corners(line)
    points = polygon.get("POINTS") if polygon is not None else corners
    baseline = (line.get("BASELINE") or "").strip()
    if baseline and len(re.split(r"[\s,]+", baseline)) == 1:  # until version 4.1: how far the baseline is from the top
        baseline = _level_baseline(line, baseline)
    collector.add(labelled, baseline, points)


def _corners(line: Element) -> str | None:
    """Return the corners of the box of a line as text; None if it has none."""
    edges = [line.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    try:
        left, top, width, height = (float(edge) for edge in edges if edge is not None)
    except ValueError:
        return None
    return f"{left},{top} {left + width},{top} {left + width},{top + height} {left},{top + height}"


def _level_baseline(line: Element, height: str) -> str:
    """Return a baseline at one height, along the box of the line."""
    try:
        left, width, y = (float(value) for value in (line.get("HPOS", ""), line.get("WIDTH", ""), height))
    except ValueError:
        return height
    return f"{left},{y} {left + width},{y}"
