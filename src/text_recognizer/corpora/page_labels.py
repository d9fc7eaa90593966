"""What PAGE XML and ALTO say about a page, and the values that both formats share."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from text_recognizer.core.charset import join_lines
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Point
from text_recognizer.corpora.safe_xml import REPAIR, namespace
from text_recognizer.corpora.transcribed_pages import LabelledLine

MAX_COORDINATE = 1_000_000


@dataclass(frozen=True)
class PageLabels:
    """The labels of a page: the file name of its picture and its size, where they are named, and its lines in order.

    `faults` are values that were left out.
    """

    picture: str
    size: tuple[int, int] | None
    lines: tuple[LabelledLine, ...]
    faults: tuple[str, ...] = ()


@dataclass
class LineCollector:
    """Collect the lines of a page, and the faults of those whose coordinates cannot be used."""

    lines: list[LabelledLine] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, line: LabelledLine, baseline: str | None, polygon: str | None) -> None:
        """Add a line with its points, which are given as text; without them, the points that it has stay."""
        points = []
        for name, text, own in (("baseline", baseline, line.baseline), ("polygon", polygon, line.polygon)):
            try:
                points.append(parse_points(text) if text else own)
            except ValueError as error:
                self.faults.append(f"the {name} of line {line.id or len(self.lines) + 1} is wrong: {error}")
                points.append(())
        self.lines.append(
            LabelledLine(
                join_lines(line.text), line.id, points[0], points[1], line.region, tuple(filter(None, line.kinds))
            )
        )

    def labels(self, picture: str, size: tuple[int, int] | None) -> PageLabels:
        """Return the labels of the page."""
        return PageLabels(picture, size, tuple(self.lines), tuple(self.faults))


def only_page(root: Element, path: str, label: str, form: str, namespaces: re.Pattern[str]) -> Element:
    """Return the one page of a document of a format. Raises DataError for another namespace or number of pages."""
    found = namespace(root)
    if found and not namespaces.fullmatch(found):
        raise DataError(f"{label} has the namespace {found[:100]!r}, which is not one of {form}", REPAIR)
    pages = root.findall(path)
    if len(pages) != 1:
        raise DataError(f"{label} holds {len(pages)} pages, not one", "export a file for each page")
    return pages[0]


def parse_points(text: str) -> tuple[Point, ...]:
    """Return the points of `x,y x,y` or `x y x y`, rounded. Raises ValueError if they are not pairs of numbers."""
    numbers = [float(number) for number in re.split(r"[\s,]+", text.strip()) if number]
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers are no pairs")
    if not all(abs(number) <= MAX_COORDINATE for number in numbers):
        raise ValueError("a coordinate is no usable number")
    points = [Point(round(x), round(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    if len(points) < 2:
        raise ValueError("it has fewer than two points")
    return tuple(points)


def page_size(element: Element, width: str, height: str) -> tuple[int, int] | None:
    """Return the size that two attributes give; None if one is missing, 0 or no number."""
    try:
        size = round(float(element.get(width, ""))), round(float(element.get(height, "")))
    except (ValueError, OverflowError):
        return None
    return size if min(size) > 0 else None


def in_order(elements: Sequence[Element], places: dict[str, int], key: str) -> list[Element]:
    """Return elements by the places that a reading order gives their ids; those without a place stay behind them."""
    last = len(places)
    return sorted(elements, key=lambda element: places.get(element.get(key, ""), last))
