"""Write transcribed pages as PAGE XML, version 2019-07-15, with their pictures: what other programs can go on with."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from xml.etree.ElementTree import Element

from text_recognizer.core.charset import NEWLINE
from text_recognizer.core.geometry import Box, Point, box_of_points
from text_recognizer.corpora.transcribed_pages import LabelledLine, TranscribedPage
from text_recognizer.exporting.page_xml import add_reading_order, page_root
from text_recognizer.exporting.xml_documents import child, document, points_text

ABOVE, BELOW = 0.7, 0.3  # of the distance between baselines: how far a line reaches above and below its baseline
USUAL_DISTANCE = 0.03  # of the page's height: the distance between baselines, if there is only one


def corpus_page_xml(page: TranscribedPage, picture: str, created: datetime) -> bytes:
    """Return a page as PAGE XML. `picture` is the name of its picture; the points are in its pixels: `page.fitted`.

    A region with a line whose place is not known has only its text: an invented place would be taken for a known one.
    """
    width, height = page.size or (1, 1)
    root = page_root(created)
    size: dict[str, object] = {"imageWidth": width, "imageHeight": height}
    element = child(root, "Page", {"imageFilename": picture, **size})
    regions = list(_regions(page.lines))
    add_reading_order(element, len(regions))
    first = 1
    for number, lines in enumerate(regions, 1):
        _add_region(element, f"r{number}", lines, _Frame(width, height, first))
        first += len(lines)
    return document(root)


class _Frame:
    """The box of a page, and the number of the first line of a region."""

    def __init__(self, width: int, height: int, first_line: int) -> None:
        self.box = Box(0, 0, width, height)
        self.first_line = first_line


def _regions(lines: Sequence[LabelledLine]) -> Iterator[list[LabelledLine]]:
    """Yield the lines of each region, in reading order."""
    for number in sorted({line.region for line in lines}):
        yield [line for line in lines if line.region == number]


def _add_region(parent: Element, name: str, lines: Sequence[LabelledLine], frame: _Frame) -> None:
    region = child(parent, "TextRegion", {"id": name})
    placed = all(line.box for line in lines)
    distance = _distance(lines, frame.box.height)
    outlines = [_outline(line, distance) for line in lines] if placed else []
    around = box_of_points(point for outline in outlines for point in outline) or frame.box
    child(region, "Coords", {"points": points_text(around.corners)})
    for index, (line, outline) in enumerate(zip(lines, outlines, strict=False)):
        attributes: dict[str, object] = {"id": f"l{frame.first_line + index}", "custom": _custom(index, line)}
        element = child(region, "TextLine", attributes)
        child(element, "Coords", {"points": points_text(outline)})
        if len(line.baseline) > 1:
            child(element, "Baseline", {"points": points_text(line.baseline)})
        child(child(element, "TextEquiv"), "Unicode", text=line.text)
    child(child(region, "TextEquiv"), "Unicode", text=NEWLINE.join(line.text for line in lines))


def _custom(index: int, line: LabelledLine) -> str:
    """Return the place of a line in its region, and its label, as Transkribus writes them.

    Only one label is written: the one that says that the line is no writing, else the last one.
    """
    labels = sorted(line.kinds, key=lambda kind: LabelledLine("", kinds=(kind,)).is_writing)
    chosen = labels[0] if not line.is_writing else (line.kinds or ("",))[-1]
    kind = "".join(character for character in chosen if character not in "{};")
    return f"readingOrder {{index:{index};}}" + (f" structure {{type:{kind};}}" if kind else "")


def _distance(lines: Sequence[LabelledLine], height: int) -> float:
    """Return the usual distance between two baselines of a region."""
    middles = [sum(point.y for point in line.baseline) / len(line.baseline) for line in lines if line.baseline]
    gaps = [abs(after - before) for before, after in pairwise(middles)]
    return float(median(gaps)) if gaps and median(gaps) > 1 else USUAL_DISTANCE * height


def _outline(line: LabelledLine, distance: float) -> tuple[Point, ...]:
    """Return the polygon of a line, else one around its baseline."""
    if len(line.polygon) > 2:
        return line.polygon
    points = line.baseline or line.polygon
    upper = [Point(x, max(0, round(y - ABOVE * distance))) for x, y in points]
    return (*upper, *(Point(x, round(y + BELOW * distance)) for x, y in reversed(points)))
