"""Match the text that was found on a page with the lines of an archive that says where its lines are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from text_recognizer.corpora.transcribed_pages import LabelledLine
from text_recognizer.pages.line_building import TextLine
from text_recognizer.pages.line_finding import FoundLines, Upright
from text_recognizer.pages.strips import distances_along, rectify
from text_recognizer.preprocess.line_alignment import LeftOut, Reason

SAMPLES = 40  # points along a line of an archive
BASELINE_PLACE = 0.4  # of a baseline, across a piece of text: from its axis (0) to its lower edge (1)
MAX_OFFSET = 0.75  # by which a point of a line may lie off that place, in half heights of the piece
MIN_INSIDE = 0.6  # share of a piece of text that lies on a line that it belongs to
MIN_TOUCH = 0.12  # share of a piece of text that lies on a line that it touches
MIN_ON_LINE = 0.85  # share of the points of a line that lie on the text that was found
MIN_COVERED = 0.97  # share of the points of a line that lie between the ends of the text, with MAX_MISSING beyond
MAX_MISSING = 0.7  # heights of the text by which a line may go on beyond it
MAX_BEYOND = 1.3  # heights by which the text may go on beyond the line
MAX_GAP = 1.5  # heights between two pieces of text on one line


@dataclass(frozen=True, eq=False)
class PlacedStrip:
    """A strip, uint8 (STRIP_HEIGHT, W), with the line of the archive that it shows."""

    pixels: np.ndarray
    line: LabelledLine


@dataclass(frozen=True)
class PlacedLines:
    """The strips of a page whose text is known, in the order of the archive, and what is left out."""

    strips: tuple[PlacedStrip, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class _Curve:
    """A line of an archive as points (SAMPLES, 2) of the upright picture, which lie at `place` across its text."""

    points: np.ndarray
    place: float


@dataclass(frozen=True)
class _Position:
    """Points relative to a piece of text: `along` its axis in pixels, `across` it in half heights, its `length`."""

    along: np.ndarray
    across: np.ndarray
    length: float

    def on_text(self, place: float) -> np.ndarray:
        """Return for each point whether it lies at `place` across the text."""
        on: np.ndarray = np.abs(self.across - place) <= MAX_OFFSET
        return on


def match_places(found: FoundLines, lines: Sequence[LabelledLine]) -> PlacedLines:
    """Cut out the lines of an archive as strips, from the pieces of text that were found where they lie.

    `lines` have their points in pixels of the picture. A line is left out if what was found there is less than the line
    or more. Lines without text and lines that are labelled as no writing take their pieces, too, but are left out.
    """
    curves = {number: curve for number, line in enumerate(lines) if (curve := _curve(line, found.upright))}
    pieces, left_out = _assign([TextLine((piece,)) for line in found.ordered.lines for piece in line.pieces], curves)
    texts: dict[int, TextLine] = {}
    for number, line in enumerate(lines):
        result = _label_reason(line) or _join(curves.get(number), pieces.get(number, ()))
        if isinstance(result, TextLine):
            texts[number] = result
        else:
            left_out.append(LeftOut(line.text, result))
    strips = rectify(cv2.cvtColor(found.rgb, cv2.COLOR_RGB2GRAY), list(texts.values()))
    placed = (PlacedStrip(strip.pixels, lines[number]) for number, strip in zip(texts, strips, strict=True))
    return PlacedLines(tuple(placed), tuple(left_out))


def _label_reason(line: LabelledLine) -> Reason | None:
    """Return why a line is left out by its labels alone; None if it is not."""
    if not line.text:
        return Reason.EMPTY
    return None if line.is_writing else Reason.NO_WRITING


def _assign(
    pieces: Sequence[TextLine], curves: dict[int, _Curve]
) -> tuple[dict[int, Sequence[TextLine] | None], list[LeftOut]]:
    """Return the pieces of text on each line; None for a line that shares a piece with other lines.

    A piece that lies on several lines belongs to the one that its middle is nearest to.
    """
    owned: dict[int, list[TextLine]] = defaultdict(list)
    shared: set[int] = set()
    left_out = []
    for piece in pieces:
        touched = {number: hit for number, curve in curves.items() if (hit := _overlap(piece, curve))[0] > MIN_TOUCH}
        on_line = [number for number, hit in touched.items() if hit[0] > MIN_INSIDE]
        if on_line:
            owned[min(on_line, key=lambda number: touched[number][1])].append(piece)
        elif touched:
            shared |= set(touched)
        else:
            left_out.append(LeftOut("", Reason.NO_LABEL))
    return {**owned, **dict.fromkeys(shared)}, left_out


def _overlap(piece: TextLine, curve: _Curve) -> tuple[float, float]:
    """Return the share of a piece's length that a line covers, and how far off the line lies, in half heights."""
    position = _position(curve.points, piece)
    on = position.on_text(curve.place) & (position.along >= 0) & (position.along <= position.length)
    if on.sum() < 2:
        return 0.0, np.inf
    covered = float(np.ptp(position.along[on])) / position.length
    return covered, abs(float(np.median(position.across[on])) - curve.place)


def _join(curve: _Curve | None, pieces: Sequence[TextLine] | None) -> TextLine | Reason:
    """Return the text of a line, joined from its pieces; the reason to leave it out if they are not just the line."""
    if curve is None:
        return Reason.NO_PLACE
    if pieces is None:
        return Reason.SHARED
    if not pieces:
        return Reason.NOT_FOUND
    direction = curve.points[-1] - curve.points[0]
    ordered = sorted(pieces, key=lambda piece: float(piece.along(0.0).mean(axis=0) @ direction))
    text = TextLine(tuple(box for piece in ordered for box in piece.pieces))
    gaps = [np.linalg.norm(after.along(0.0)[0] - before.along(0.0)[-1]) for before, after in pairwise(ordered)]
    position = _position(curve.points, text)
    if position.along[-1] < position.along[0]:
        return Reason.UPSIDE_DOWN
    height = text.height
    covered = (position.along > -MAX_MISSING * height) & (position.along < position.length + MAX_MISSING * height)
    if max(gaps, default=0) > MAX_GAP * height or covered.mean() < MIN_COVERED:
        return Reason.PARTLY_FOUND
    if max(position.along[0], position.length - position.along[-1]) > MAX_BEYOND * height:
        return Reason.FOUND_LONGER
    return text if position.on_text(curve.place).mean() >= MIN_ON_LINE else Reason.PARTLY_FOUND


def _position(points: np.ndarray, text: TextLine) -> _Position:
    """Return where points (N, 2) lie relative to a text: from its nearest sample, along its direction there."""
    axis, lower = text.along(0.0), text.along(1.0)
    places = distances_along(axis)
    nearest = ((points[:, None] - axis[None]) ** 2).sum(axis=-1).argmin(axis=1)
    ahead = axis[np.minimum(nearest + 1, len(axis) - 1)] - axis[np.maximum(nearest - 1, 0)]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-6)
    down = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    offset = points - axis[nearest]
    half = np.maximum(np.linalg.norm(lower - axis, axis=1), 1e-6)[nearest]
    along = places[nearest] + (offset * ahead).sum(axis=1)
    return _Position(along, (offset * down).sum(axis=1) / half, max(float(places[-1]), 1e-6))


def _curve(line: LabelledLine, upright: Upright) -> _Curve | None:
    """Return the baseline of a line, else the middle of its polygon; None if it has neither."""
    baseline, polygon = (upright.points_of(points) for points in (line.baseline, line.polygon))
    if len(baseline) > 1 and np.ptp(baseline, axis=0).max() > 0:
        return _Curve(_evenly(baseline), BASELINE_PLACE)
    if len(polygon) > 1 and np.ptp(polygon[:, 0]) > 0:
        return _Curve(_middle(polygon), 0.0)
    return None


def _evenly(points: np.ndarray) -> np.ndarray:
    """Return SAMPLES points at even distances along a polyline (N, 2)."""
    places = distances_along(points)
    wanted = np.linspace(0, places[-1], SAMPLES)
    return np.stack([np.interp(wanted, places, points[:, axis]) for axis in (0, 1)], axis=1)


def _middle(polygon: np.ndarray) -> np.ndarray:
    """Return SAMPLES points from left to right, halfway between the upper and the lower edge of a polygon (N, 2)."""
    following = np.roll(polygon, -1, axis=0)
    columns = np.linspace(polygon[:, 0].min(), polygon[:, 0].max(), SAMPLES)
    middles = []
    for x in columns:
        crossed = (np.minimum(polygon[:, 0], following[:, 0]) <= x) & (x <= np.maximum(polygon[:, 0], following[:, 0]))
        one, other = polygon[crossed], following[crossed]
        width = np.where(other[:, 0] == one[:, 0], 1.0, other[:, 0] - one[:, 0])
        heights = one[:, 1] + (x - one[:, 0]) / width * (other[:, 1] - one[:, 1])
        edges = np.concatenate([heights, other[other[:, 0] == one[:, 0], 1]])
        middles.append((edges.min() + edges.max()) / 2)
    return np.stack([columns, np.array(middles)], axis=1)
