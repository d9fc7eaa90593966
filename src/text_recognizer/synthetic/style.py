"""The style of one writer: size, slant, spacing, pen and irregularity, sampled once from the writer's seed."""

from dataclasses import dataclass

import numpy as np

from text_recognizer.synthetic.strokes import SourceFont

TALL_ASCENDER = 2.0  # x-heights


@dataclass(frozen=True)
class Style:
    """Lengths are in pixels at 300 dpi unless a comment says x-heights; angles are in radians.

    The distributions were chosen by measuring scanned IAM forms: x-height about 40 px, line pitch 180, pen width 5.
    """

    x_height: float
    slant: float  # lean to the right: shift in x-heights per x-height of rise
    width: float  # of letters, relative to the font
    reach: float  # of ascenders and descenders, relative to the font
    tracking: float  # space added between letters, x-heights
    word_gap: float  # from the last stroke of a word to the first of the next, x-heights
    gap_spread: float  # standard deviation of the logarithm of the word gap
    pen: float  # width of the pen
    pressure: float  # share by which the width of a stroke varies
    taper: float  # share of the width lost at the end of a stroke
    nib: float  # share of the width lost across a broad nib
    nib_angle: float
    ink: float  # grey level, 0 is black
    paper: float  # grey level, 255 is white
    dryness: float  # share of the ink that does not reach the paper because of its texture
    smoothing: float  # of strokes, in points
    letter_shape: float  # displacement that shapes the writer's letters, x-heights
    letter_change: float  # displacement from one instance of a letter to the next, x-heights
    bounce: float  # vertical offset of letters from the baseline, x-heights
    growth: float  # spread of the sizes of letters
    turn: float  # spread of the angles of letters
    joining: float  # chance that two unjoined letters are joined
    hyphens: float  # chance that a long word at the end of a line is broken
    pitch: float  # from baseline to baseline
    wander: float  # vertical deviation of the baseline, x-heights
    slope: float  # of the lines
    slope_spread: float
    drift: float  # shift of the left margin from line to line
    left: float  # 0 to 1: position in the range of left margins
    right: float  # 0 to 1: position in the range of right margins


def sample_style(rng: np.random.Generator, font: SourceFont) -> Style:
    """Sample a style for a font. Joined fonts get less slant and tracking, because their letters have to meet."""
    size = _log_normal(rng, 40, 0.14, 30, 56) * float(np.clip((TALL_ASCENDER / font.ascender) ** 0.35, 0.85, 1.12))
    width = _log_normal(rng, 0.97, 0.10, 0.76, 1.22)
    tracking = 0.0 if font.joined else float(np.clip(rng.normal(0.02, 0.05), -0.08, 0.14))
    gap = max(0.0, font.letter_gap * width + tracking)
    lean = (0.02, 0.10, -0.2, 0.25) if font.joined else (0.07, 0.13, -0.2, 0.42)
    ink = _choose(rng, (25, 38, 52, 68, 85, 105), (0.15, 0.18, 0.2, 0.2, 0.17, 0.1))
    return Style(
        x_height=size,
        slant=float(np.clip(rng.normal(*lean[:2]), *lean[2:])),
        width=width,
        reach=_log_normal(rng, 1, 0.09, 0.82, 1.2),
        tracking=tracking,
        # Words must be further apart than letters, or nobody could see where a word ends.
        word_gap=max(_log_normal(rng, 0.98, 0.22, 0.68, 1.6), 0.55 + 1.7 * gap),
        gap_spread=rng.uniform(0.10, 0.25),
        ink=ink,
        paper=float(np.clip(rng.normal(249, 2.6), 240, 253)),
        dryness=_choose(rng, (0, 0.08, 0.15, 0.28) if ink > 40 else (0, 0.05)),
        **_sample_pen(rng, size, font.joined),
        **_sample_irregularity(rng, font.joined),
        **_sample_lines(rng),
    )


def _sample_pen(rng: np.random.Generator, x_height: float, joined: bool) -> dict[str, float]:
    return {
        "pen": min(_log_normal(rng, 4.9, 0.22, 3, 8), (0.135 if joined else 0.15) * x_height),
        "pressure": rng.uniform(0.05, 0.16),
        "taper": rng.uniform(0, 0.45),
        "nib": _choose(rng, (0, 0, 0, 0.12, 0.25)),
        "nib_angle": rng.uniform(0.5, 1.0),
    }


def _sample_irregularity(rng: np.random.Generator, joined: bool) -> dict[str, float]:
    calm = 0.35 if joined else 1.0
    return {
        "smoothing": rng.uniform(0.6, 2.6),
        "letter_shape": rng.uniform(0.035, 0.075),
        "letter_change": rng.uniform(0.014, 0.034),
        "bounce": rng.uniform(0.012, 0.045) * calm,
        "growth": rng.uniform(0.015, 0.055) * calm,
        "turn": rng.uniform(0.006, 0.035) * calm,
        "joining": 0.0 if joined else _choose(rng, (0, 0, 0.25, 0.5, 0.75)),
    }


def _sample_lines(rng: np.random.Generator) -> dict[str, float]:
    return {
        "hyphens": _choose(rng, (0, 0, 0.4)),
        "pitch": float(np.clip(rng.normal(180, 7), 160, 200)),
        "wander": rng.uniform(0.02, 0.06),
        "slope": rng.normal(0, 0.0045),
        "slope_spread": rng.uniform(0.0008, 0.003),
        "drift": rng.normal(0, 7),
        "left": rng.uniform(0, 1),
        "right": rng.uniform(0, 1),
    }


def _log_normal(rng: np.random.Generator, middle: float, spread: float, low: float, high: float) -> float:
    """Sample a log-normal value with the median `middle`, clipped to `low` and `high`."""
    return float(np.clip(middle * np.exp(rng.normal(0, spread)), low, high))


def _choose(rng: np.random.Generator, values: tuple[float, ...], shares: tuple[float, ...] | None = None) -> float:
    return float(rng.choice(np.array(values, dtype=float), p=shares))
