"""Read PAGE XML, 2009 to 2019: what Transkribus, eScriptorium, kraken and OCR-D export."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from text_recognizer.corpora.page_labels import LineCollector, PageLabels, in_order, only_page, page_size
from text_recognizer.corpora.safe_xml import local_name
from text_recognizer.corpora.transcribed_pages import LabelledLine

NAMESPACE = re.compile(r"https?://schema\.primaresearch\.org/PAGE/gts/pagecontent/20\d\d-\d\d-\d\d/?")
DOCUMENT = re.compile(rb"""<(?:[\w.-]+:)?TranskribusMetadata\b[^>]*?\bdocId=["']([^"']*)""")
CUSTOM_INDEX = re.compile(r"readingOrder\s*\{[^}]*?index\s*:\s*(\d+)")
CUSTOM_TYPE = re.compile(r"structure\s*\{[^}]*?type\s*:\s*([^;}]+)")


@dataclass(frozen=True)
class _Region:
    """A region: its number in reading order, and what it and the regions around it are labelled as."""

    number: int
    kinds: tuple[str, ...]


def is_page_xml(root: Element) -> bool:
    """Return whether the root element is one of PAGE XML, in whatever namespace."""
    return local_name(root) == "PcGts"


def page_labels(root: Element, label: str) -> PageLabels:
    """Return the labels of a page of PAGE XML: its lines in reading order, empty ones too.

    Raises DataError if the namespace is not one of PAGE, or there is not exactly one page.
    """
    page, collector = only_page(root, "{*}Page", label, "PAGE XML", NAMESPACE), LineCollector()
    region_number = 0
    places = _reading_order(page)
    for element, kinds in _regions(page, places, ()):
        lines = element.findall("{*}TextLine")
        own = _Region(region_number, kinds)
        for line in _lines_in_order(lines):
            _add_line(collector, line, own)
        texts = [] if lines else _text_without_lines(element)
        for text in texts:
            collector.add(LabelledLine(text, region=own.number, kinds=own.kinds), None, None)
        region_number += bool(lines or texts)
    return collector.labels(page.get("imageFilename", ""), page_size(page, "imageWidth", "imageHeight"))


def line_text(line: Element) -> str:
    """Return the text of a line: its first alternative, else the texts of its words."""
    own = _first_text(line)
    if own is not None:
        return own
    return " ".join(filter(None, (_first_text(word) for word in line.findall("{*}Word"))))


def _text_without_lines(region: Element) -> list[str]:
    """Return the lines of a region's own text: nobody has said where its lines are."""
    return [line for line in (_first_text(region) or "").splitlines() if line.strip()]


def _first_text(element: Element) -> str | None:
    """Return the text of the alternative with the lowest index; None if there is none."""
    alternatives = element.findall("{*}TextEquiv")
    if not alternatives:
        return None
    first = min(alternatives, key=lambda one: _number(one.get("index"), 0))
    return first.findtext("{*}Unicode") or first.findtext("{*}PlainText") or ""


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,9}", text) else default


def document_of(data: bytes) -> str:
    """Return the number of the document in Transkribus that a file of PAGE XML belongs to; nothing if it names none."""
    found = DOCUMENT.search(data)
    return found[1].decode("utf-8", "replace") if found else ""


def _reading_order(page: Element) -> dict[str, int]:
    """Return the place of each region that the reading order names."""
    places: dict[str, int] = {}
    for order in page.findall("{*}ReadingOrder"):
        for reference in _references(order):
            places.setdefault(reference, len(places))
    return places


def _references(group: Element) -> Iterator[str]:
    """Yield the ids of the regions of a group and of the groups in it, by their indices."""
    members = sorted(group, key=lambda member: _number(member.get("index"), 0))
    for member in members:
        if reference := member.get("regionRef"):
            yield reference
        yield from _references(member)


def _regions(
    parent: Element, places: dict[str, int], kinds: tuple[str, ...]
) -> Iterator[tuple[Element, tuple[str, ...]]]:
    """Yield the regions below an element in reading order, each with its labels and those of the regions around it."""
    regions = [child for child in parent if local_name(child).endswith("Region") or local_name(child) == "TableCell"]
    if not any(region.get("id") in places for region in regions):
        regions = _by_custom_index(regions)
    for region in in_order(regions, places, "id"):
        own = (*kinds, *_kinds(region))
        yield region, own
        yield from _regions(region, places, own)


def _lines_in_order(lines: list[Element]) -> list[Element]:
    """Return lines by the index that they give themselves, if each has one; else in the order of the document."""
    if lines and all(line.get("index") is not None for line in lines):
        return sorted(lines, key=lambda line: _number(line.get("index"), 0))
    return _by_custom_index(lines)


def _by_custom_index(elements: list[Element]) -> list[Element]:
    """Return elements by the index in their attribute `custom`, as Transkribus writes it, if each has one."""
    found = [CUSTOM_INDEX.search(element.get("custom", "")) for element in elements]
    indices = [int(match[1]) for match in found if match]
    if len(indices) < len(elements):
        return elements
    return [elements[place] for place in sorted(range(len(elements)), key=indices.__getitem__)]


def _kinds(element: Element) -> tuple[str, ...]:
    """Return the labels of a region or a line."""
    custom = CUSTOM_TYPE.search(element.get("custom", ""))
    found = (custom[1].strip() if custom else "", element.get("type"), element.get("production"))
    return tuple(kind for kind in found if kind)


def _add_line(collector: LineCollector, line: Element, region: _Region) -> None:
    kinds = (*region.kinds, *_kinds(line))
    labelled = LabelledLine(line_text(line), line.get("id", ""), region=region.number, kinds=kinds)
    collector.add(labelled, _points(line.find("{*}Baseline")), _points(line.find("{*}Coords")))


def _points(element: Element | None) -> str | None:
    """Return the points of an element as text: an attribute since 2013, children before."""
    if element is None:
        return None
    children = element.findall("{*}Point")
    return element.get("points") or " ".join(f"{point.get('x')},{point.get('y')}" for point in children)
