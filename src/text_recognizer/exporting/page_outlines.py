"""The blocks and lines of a page as the formats need them: in reading order, with every outline filled in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from text_recognizer.core import schemas
from text_recognizer.core.geometry import Box, Point, bounding_box

# Where the baseline of a line lies in its box, from the top, if the record does not say.
BASELINE_SHARE = 0.75


@dataclass(frozen=True)
class Block:
    """A region with its lines, in reading order. `number` counts from 1; `first_line` is its first line's, from 1."""

    number: int
    box: Box
    lines: tuple[schemas.Line, ...]
    first_line: int

    def numbered_lines(self) -> Iterator[tuple[int, schemas.Line]]:
        """Yield the lines with their numbers on the page."""
        return enumerate(self.lines, start=self.first_line)


def blocks(page: schemas.Page) -> list[Block]:
    """Return the regions that have lines, in the order of their first lines."""
    grouped: dict[int, list[schemas.Line]] = {}
    for line in page.lines:
        grouped.setdefault(line.region, []).append(line)
    found: list[Block] = []
    first = 1
    for number, (region, lines) in enumerate(grouped.items(), start=1):
        around = bounding_box([line.box for line in lines]) or lines[0].box
        box = page.regions[region].box if region < len(page.regions) else around
        found.append(Block(number, box, tuple(lines), first))
        first += len(lines)
    return found


def outline(line: schemas.Line) -> tuple[Point, ...]:
    """Return the polygon of a line; the corners of its box if it has none."""
    return line.polygon if len(line.polygon) >= 3 else line.box.corners


def baseline(line: schemas.Line) -> tuple[Point, ...]:
    """Return the baseline of a line; a level one within its box if it has none."""
    if len(line.baseline) >= 2:
        return line.baseline
    height = line.box.y + round(BASELINE_SHARE * line.box.height)
    return (Point(line.box.x, height), Point(line.box.right, height))


def words(line: schemas.Line) -> tuple[schemas.Word, ...]:
    """Return the words of a line; the whole line as one word if it has none."""
    return line.words or (schemas.Word(text=line.text, confidence=line.confidence, box=line.box),)


def segment(line: schemas.Line, box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the beginning and the end of the part of a line's baseline that a box of one of its words covers.

    The part runs in the direction of reading, which is downwards or upwards if the picture lies on its side.
    """
    points = baseline(line)
    level = abs(points[-1].x - points[0].x) >= abs(points[-1].y - points[0].y)
    along, across = (0, 1) if level else (1, 0)
    near, far = (box.x, box.right) if level else (box.y, box.bottom)
    if points[-1][along] < points[0][along]:
        near, far = far, near
    ends = [(position, _across(points, position, along, across)) for position in (near, far)]
    first, last = ((a, b) if level else (b, a) for a, b in ends)
    return first, last


def _across(points: Sequence[Point], position: float, along: int, across: int) -> float:
    """Return the other coordinate of a polyline where its coordinate `along` is `position`, beyond its ends as well."""
    ordered = sorted(points, key=lambda point: point[along])
    pairs = list(pairwise(ordered))
    start, end = next((pair for pair in pairs if position <= pair[1][along]), pairs[-1])
    run = end[along] - start[along]
    share = (position - start[along]) / run if run else 0.0
    return start[across] + share * (end[across] - start[across])
