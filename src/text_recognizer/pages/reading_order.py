"""Put the lines of a page into regions and into reading order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.pages.column_starts import MIN_GUTTER
from text_recognizer.pages.line_building import TextLine

MIN_COLUMN_LINES = 3  # a column has at least so many lines
MIN_COLUMN_WIDTH = 4.0  # heights; half of the lines of a column are at least so long
SAME_ROW = 0.5  # share of the height that two lines of one row have in common
ALIGNED = 0.3  # heights by which the middles of lines of one row may differ
MIN_ALIGNED = 0.8  # share of the lines of a column of a table that are in a row with lines of the next column
MAX_NOTE_ALIGNED = 0.5  # share of the lines of a note that are in a row with lines of the column beside it, by chance
MIN_TABLE_GAP = 0.8  # of the usual length of a cell; the usual gap between the cells of a row is at least so wide
MIN_BAND = 2.0  # heights; the least height of a gap across the page that comes before the gaps between columns
BAND_RATIO = 2.5  # of the usual gap between lines; such a gap is at least so high
MAX_TILT = 10  # degrees; a line that is tilted by more does not belong to a row
STEEP = 30  # degrees; a line that is tilted by more is as high as its axis is


@dataclass(frozen=True)
class OrderedLines:
    """Lines in reading order; `regions[i]` is the number of the region of `lines[i]`."""

    lines: tuple[TextLine, ...]
    regions: tuple[int, ...]


def order_lines(lines: Sequence[TextLine]) -> OrderedLines:
    """Order lines: columns from left to right, each from top to bottom; lines of a row from left to right.

    The page is cut recursively between columns and between rows (XY cut, Nagy and Seth 1984). A note beside a column is
    read before or after the whole column. A table is read row by row.
    """
    if not lines:
        return OrderedLines((), ())
    spans = _upright_spans(lines)
    blocks = _cut(np.arange(len(lines)), spans)
    regions = [number for number, block in enumerate(blocks) for _ in block]
    return OrderedLines(tuple(lines[index] for block in blocks for index in block), tuple(regions))


def _upright_spans(lines: Sequence[TextLine]) -> np.ndarray:
    """Return left, right, top, bottom, height and tilt (N, 6) of the lines, turned by their usual direction.

    The tilt is in degrees, 0 to 90, from that direction.
    """
    degrees = np.median([box.degrees for line in lines for box in line.pieces])
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.array([_span(line.along(0.0) @ turn, line.height) for line in lines])


def _span(axis: np.ndarray, height: float) -> tuple[float, ...]:
    """Return left, right, top, bottom, height and tilt of a line with an axis (N, 2)."""
    run, rise = np.abs(axis[-1] - axis[0])
    tilt = float(np.degrees(np.arctan2(rise, run)))
    top = bottom = float(np.median(axis[:, 1]))
    if tilt > STEEP:
        top, bottom = float(axis[:, 1].min()), float(axis[:, 1].max())
    return axis[:, 0].min(), axis[:, 0].max(), top - height / 2, bottom + height / 2, height, tilt


def _cut(indices: np.ndarray, spans: np.ndarray) -> list[list[int]]:
    """Return the regions of a block of lines, each in reading order."""
    for parts in (_rows_of_boxes(indices, spans), _columns(indices, spans), _bands(indices, spans)):
        if len(parts) > 1:
            return [region for part in parts for region in _cut(part, spans)]
    return [_rows(indices, spans)]


def _columns(indices: np.ndarray, spans: np.ndarray) -> list[np.ndarray]:
    """Cut the block at its widest gutter that has columns on both sides, or a column and a note beside it."""
    height = float(np.median(spans[indices, 4]))
    order = indices[np.argsort(spans[indices, 0])]
    ends = np.maximum.accumulate(spans[order, 1])
    gutters = spans[order[1:], 0] - ends[:-1]
    for cut in np.argsort(-gutters):
        if gutters[cut] < MIN_GUTTER * height:
            break
        sides = order[: cut + 1], order[cut + 1 :]
        columns = [_is_column(side, spans, height) for side in sides]
        if all(columns) and not _is_table(*sides, spans):
            return list(sides)
        if (columns[0] and _is_note(sides[1], sides[0], spans)) or (columns[1] and _is_note(*sides, spans)):
            return list(sides)
    return [indices]


def _is_column(indices: np.ndarray, spans: np.ndarray, height: float) -> bool:
    widths = spans[indices, 1] - spans[indices, 0]
    return len(indices) >= MIN_COLUMN_LINES and float(np.median(widths)) >= MIN_COLUMN_WIDTH * height


def _is_table(left: np.ndarray, right: np.ndarray, spans: np.ndarray) -> bool:
    """Return whether the lines of two columns are in rows, and usually far apart for their length."""
    if not all(_aligned(*sides, spans) >= MIN_ALIGNED for sides in ((left, right), (right, left))):
        return False
    distances = np.abs(_middles(spans, left)[:, None] - _middles(spans, right))
    gaps = spans[right[distances.argmin(axis=1)], 0] - spans[left, 1]
    return float(np.median(gaps)) >= MIN_TABLE_GAP * float(np.median(spans[left, 1] - spans[left, 0]))


def _is_note(note: np.ndarray, column: np.ndarray, spans: np.ndarray) -> bool:
    """Return whether lines beside a column are a note: fewer than its lines, between them, and not in its rows."""
    middles, rows = _middles(spans, note), _middles(spans, column)
    between = rows.min() <= middles.min() and middles.max() <= rows.max()
    return len(note) < len(column) and bool(between) and _aligned(note, column, spans) <= MAX_NOTE_ALIGNED


def _aligned(lines: np.ndarray, others: np.ndarray, spans: np.ndarray) -> float:
    """Return the share of the lines that are in a row with one of the others."""
    distances = np.abs(_middles(spans, lines)[:, None] - _middles(spans, others)).min(axis=1)
    return float(np.mean((distances < ALIGNED * spans[lines, 4]) & (spans[lines, 5] <= MAX_TILT)))


def _middles(spans: np.ndarray, indices: np.ndarray) -> np.ndarray:
    middles: np.ndarray = (spans[indices, 2] + spans[indices, 3]) / 2
    return middles


def _rows_of_boxes(indices: np.ndarray, spans: np.ndarray) -> list[np.ndarray]:
    """Cut the block at its highest gap between two rows of boxes: blocks of lines that are side by side."""
    columns = _columns(indices, spans)
    if len(columns) < 2:
        return [indices]
    order = indices[np.argsort(_middles(spans, indices))]
    gaps = spans[order[1:], 2] - np.maximum.accumulate(spans[order, 3])[:-1]
    between_lines = [np.diff(np.sort(_middles(spans, side))) for side in columns]
    usual = float(np.median(np.concatenate(between_lines))) - float(np.median(spans[indices, 4]))
    cut = int(gaps.argmax())
    gutter = spans[columns[1], 0].min() - spans[columns[0], 1].max()
    if gaps[cut] < max(MIN_BAND * float(np.median(spans[indices, 4])), BAND_RATIO * usual, gutter):
        return [indices]
    parts = [order[: cut + 1], order[cut + 1 :]]
    return parts if all(len(_columns(part, spans)) > 1 for part in parts) else [indices]


def _bands(indices: np.ndarray, spans: np.ndarray) -> list[np.ndarray]:
    """Cut the block across, above and below the first lines that are in columns."""
    order = indices[np.argsort(_middles(spans, indices))]
    if not _any_beside(order, spans):
        return [indices]
    cuts = _cuts_across(order, spans)
    for start in cuts:
        for stop in reversed(cuts):
            if stop - start <= MIN_COLUMN_LINES or stop - start == len(order):
                continue
            if len(_columns(order[start:stop], spans)) > 1:
                return [part for part in (order[:start], order[start:stop], order[stop:]) if len(part)]
    return [indices]


def _cuts_across(order: np.ndarray, spans: np.ndarray) -> list[int]:
    """Return where lines, from top to bottom, can be cut between rows, with both ends."""
    overlap = SAME_ROW * float(np.median(spans[order, 4]))
    above = np.maximum.accumulate(spans[order, 3])[:-1]
    below = np.minimum.accumulate(spans[order[::-1], 2])[::-1][1:]
    return [0, *(int(cut) + 1 for cut in np.flatnonzero(above <= below + overlap)), len(order)]


def _any_beside(indices: np.ndarray, spans: np.ndarray) -> bool:
    """Return whether any two lines are side by side."""
    left, right, top, bottom, height = spans[indices, :5].T
    apart = left[:, None] - right[None, :] >= MIN_GUTTER * height
    return bool((apart & (top[:, None] < bottom[None, :]) & (top[None, :] < bottom[:, None])).any())


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
