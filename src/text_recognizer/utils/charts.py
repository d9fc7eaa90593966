"""Draw small charts as inline SVG. The style of the page sets their colours, so that they fit light and dark pages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 560, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 12, 46
MAX_BINS = 20


@dataclass(frozen=True)
class Series:
    """A named line through `(x, y)` points."""

    name: str
    points: tuple[tuple[float, float], ...]


def histogram(values: Sequence[float], x_label: str, y_label: str) -> Markup:
    """Draw how many of the `values`, none negative, fall into each of at most 20 bins of equal, round width."""
    step = round_step(max([*values, 1.0]) / MAX_BINS)
    counts = [0] * (math.floor(max([*values, 0.0]) / step) + 1)
    for value in values:
        counts[math.floor(value / step)] += 1
    frame = _Frame(step * len(counts), max(counts))
    bars = []
    for index, count in enumerate(counts):
        left, right = frame.x(index * step), frame.x((index + 1) * step)
        top, bottom = frame.y(count), frame.y(0)
        tooltip = f"{index * step:g} up to {(index + 1) * step:g}: {count}"
        shape = f'x="{left + 1:.1f}" y="{top:.1f}" width="{right - left - 2:.1f}" height="{bottom - top:.1f}"'
        bars.append(f'<rect class="bar" {shape}><title>{tooltip}</title></rect>')
    return frame.draw("".join(bars), x_label, y_label)


def lines(series: Sequence[Series], x_label: str, y_label: str) -> Markup:
    """Draw lines over shared axes that start at 0. The n-th series has the CSS class `line-n`."""
    points = [point for entry in series for point in entry.points]
    frame = _Frame(max(x for x, _ in points), max(y for _, y in points))
    drawn = []
    for index, entry in enumerate(series):
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in entry.points)
        dots = "".join(
            f'<circle class="dot-{index}" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="3">'
            f"<title>{escape(entry.name)} at {x:g}: {y:.4g}</title></circle>"
            for x, y in entry.points
        )
        drawn.append(f'<polyline class="line-{index}" points="{path}"/>{dots}')
    return frame.draw("".join(drawn), x_label, y_label)


def round_step(step: float) -> float:
    """Return the smallest of ..., 0.1, 0.2, 0.5, 1, 2, 5, 10, ... that is not below `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


class _Frame:
    """The axes of a chart, both from 0, and the conversion of values to pixels."""

    def __init__(self, x_high: float, y_high: float) -> None:
        self.x_high, self.y_high = x_high or 1.0, y_high or 1.0

    def x(self, value: float) -> float:
        return LEFT + value / self.x_high * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - value / self.y_high * (HEIGHT - TOP - BOTTOM)

    def draw(self, body: str, x_label: str, y_label: str) -> Markup:
        baseline, middle = HEIGHT - BOTTOM, (HEIGHT - BOTTOM + TOP) / 2
        parts = [
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(tick):.1f}" y2="{self.y(tick):.1f}"/>'
            f'<text x="{LEFT - 8}" y="{self.y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
            for tick in _ticks(self.y_high, 4)
        ]
        parts += [
            f'<text x="{self.x(tick):.1f}" y="{baseline + 18}" text-anchor="middle">{tick:g}</text>'
            for tick in _ticks(self.x_high, 6)
        ]
        parts += [
            body,
            f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{baseline}" y2="{baseline}"/>',
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>',
            f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>',
        ]
        title = f"{escape(y_label)} by {escape(x_label)}"
        return Markup(
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{"".join(parts)}</svg>'
        )


def _ticks(high: float, count: int) -> list[float]:
    """Return about `count` round numbers from 0 to `high`, which are whole if `high` is at least `count`."""
    step = round_step(high / count)
    return [round(step * index, 12) for index in range(math.floor(high / step * (1 + 1e-9)) + 1)]
