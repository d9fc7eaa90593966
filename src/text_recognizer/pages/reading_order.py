"""Put the lines of a page into regions and into reading order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.pages.line_building import TextLine

MIN_GUTTER = 0.8  # heights; the least width of the gap between two columns
MIN_COLUMN_LINES = 3  # a column has at least so many lines
MIN_COLUMN_WIDTH = 4.0  # heights; half of the lines of a column are at least so long
SAME_ROW = 0.5  # share of the height that two lines of one row have in common


@dataclass(frozen=True)
class OrderedLines:
    """Lines in reading order; `regions[i]` is the number of the region of `lines[i]`."""

    lines: tuple[TextLine, ...]
    regions: tuple[int, ...]


def order_lines(lines: Sequence[TextLine]) -> OrderedLines:
    """Order lines: columns from left to right, each from top to bottom; lines of a row from left to right.

    The page is cut recursively between columns and between rows (XY cut, Nagy and Seth 1984).
    """
    if not lines:
        return OrderedLines((), ())
    spans = _upright_spans(lines)
    blocks = _cut(np.arange(len(lines)), spans)
    regions = [number for number, block in enumerate(blocks) for _ in block]
    return OrderedLines(tuple(lines[index] for block in blocks for index in block), tuple(regions))


def _upright_spans(lines: Sequence[TextLine]) -> np.ndarray:
    """Return left, right, top, bottom and height (N, 5) of the lines, turned by their usual direction."""
    degrees = np.median([box.degrees for line in lines for box in line.pieces])
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    spans = []
    for line in lines:
        axis = line.along(0.0) @ turn
        middle = float(np.median(axis[:, 1]))
        spans.append(
            (axis[:, 0].min(), axis[:, 0].max(), middle - line.height / 2, middle + line.height / 2, line.height)
        )
    return np.array(spans)


def _cut(indices: np.ndarray, spans: np.ndarray) -> list[list[int]]:
    """Return the regions of a block of lines, each in reading order."""
    for parts in (_columns(indices, spans), _bands(indices, spans)):
        if len(parts) > 1:
            return [region for part in parts for region in _cut(part, spans)]
    return [_rows(indices, spans)]


def _columns(indices: np.ndarray, spans: np.ndarray) -> list[np.ndarray]:
    """Cut the block at its widest gutter, if there are columns on both sides."""
    height = float(np.median(spans[indices, 4]))
    order = indices[np.argsort(spans[indices, 0])]
    ends = np.maximum.accumulate(spans[order, 1])
    gutters = spans[order[1:], 0] - ends[:-1]
    for cut in np.argsort(-gutters):
        if gutters[cut] < MIN_GUTTER * height:
            break
        sides = order[: cut + 1], order[cut + 1 :]
        if all(_is_column(side, spans, height) for side in sides):
            return list(sides)
    return [indices]


def _is_column(indices: np.ndarray, spans: np.ndarray, height: float) -> bool:
    widths = spans[indices, 1] - spans[indices, 0]
    return len(indices) >= MIN_COLUMN_LINES and float(np.median(widths)) >= MIN_COLUMN_WIDTH * height


def _bands(indices: np.ndarray, spans: np.ndarray) -> list[np.ndarray]:
    """Cut the block across, where below or above a cut columns begin or end."""
    order = indices[np.argsort(spans[indices, 2] + spans[indices, 3])]
    for cut in range(1, len(order)):
        above, below = order[:cut], order[cut:]
        if spans[above, 3].max() > spans[below, 2].min() + SAME_ROW * float(np.median(spans[indices, 4])):
            continue
        if any(len(_columns(part, spans)) > 1 for part in (above, below)):
            return [above, below]
    return [indices]


def _rows(indices: np.ndarray, spans: np.ndarray) -> list[int]:
    """Order the lines of one region: rows from top to bottom, each from left to right."""
    middles = (spans[:, 2] + spans[:, 3]) / 2
    rows: list[list[int]] = []
    for index in indices[np.argsort(middles[indices])]:
        row = rows[-1] if rows else []
        near = bool(row) and abs(middles[index] - np.mean(middles[row])) < SAME_ROW * np.mean(spans[row, 4])
        if near and not any(_overlap(spans[index], spans[other]) for other in row):
            row.append(int(index))
        else:
            rows.append([int(index)])
    return [index for row in rows for index in sorted(row, key=lambda index: spans[index, 0])]


def _overlap(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether two lines overlap along the row by more than a height."""
    return bool(min(first[1], second[1]) - max(first[0], second[0]) > min(first[4], second[4]))
