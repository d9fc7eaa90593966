"""What one writer does their own way: size, slant, spacing, pen and unsteadiness, drawn once from their seed."""

from dataclasses import dataclass

import numpy as np

from text_recognizer.data.synthetic.strokes import Hand

TALL_ASCENDER = 2.0


@dataclass(frozen=True)
class Style:
    """Lengths in pixels at 300 dpi, or in x-heights where said; angles in radians.

    The distributions are fitted by eye and ruler to scanned IAM forms: x-height about 40 px, line pitch 180, pen 5.
    """

    x_height: float
    slant: float  # rightward lean: shift in x-heights per x-height of rise
    width: float  # of letters, 1 as the hand has it
    reach: float  # of ascenders and descenders, 1 as the hand has it
    tracking: float  # added between letters, x-heights
    word_gap: float  # ink to ink, x-heights
    gap_spread: float  # of the word gap's logarithm
    pen: float
    pressure: float  # share by which the stroke's width comes and goes
    taper: float  # share of the width lost at a stroke's end
    nib: float  # share of the width lost across a broad nib
    nib_angle: float
    ink: float  # grey, 0 black
    paper: float  # grey, 255 white
    starved: float  # share of ink that the paper's texture takes away
    smoothing: float  # of strokes, in points
    letter_shape: float  # displacement that makes the writer's letters, x-heights
    letter_change: float  # displacement from one instance to the next, x-heights
    bounce: float  # of letters off the baseline, x-heights
    growth: float  # spread of the letters' sizes
    turn: float  # spread of the letters' angles
    joining: float  # chance that two unjoined letters are joined
    hyphens: float  # chance that a long word at the line's end is broken
    pitch: float  # baseline to baseline
    wander: float  # of the baseline, x-heights
    slope: float  # of the lines
    slope_spread: float
    drift: float  # of the left margin from line to line
    left: float  # 0 to 1: where in the range of left margins
    right: float  # 0 to 1: likewise right


def draw_style(rng: np.random.Generator, hand: Hand) -> Style:
    """A style that suits the hand: joined hands slant and track less, since their letters have to meet."""
    size = _about(rng, 40, 0.14, 30, 56) * float(np.clip((TALL_ASCENDER / hand.ascender) ** 0.35, 0.85, 1.12))
    width = _about(rng, 0.97, 0.10, 0.76, 1.22)
    tracking = 0.0 if hand.joined else float(np.clip(rng.normal(0.02, 0.05), -0.08, 0.14))
    gap = max(0.0, hand.letter_gap * width + tracking)
    lean = (0.02, 0.10, -0.2, 0.25) if hand.joined else (0.07, 0.13, -0.2, 0.42)
    ink = _one_of(rng, (25, 38, 52, 68, 85, 105), (0.15, 0.18, 0.2, 0.2, 0.17, 0.1))
    return Style(
        x_height=size,
        slant=float(np.clip(rng.normal(*lean[:2]), *lean[2:])),
        width=width,
        reach=_about(rng, 1, 0.09, 0.82, 1.2),
        tracking=tracking,
        # Words must stand further apart than letters do, or nobody could tell them apart.
        word_gap=max(_about(rng, 0.98, 0.22, 0.68, 1.6), 0.55 + 1.7 * gap),
        gap_spread=rng.uniform(0.10, 0.25),
        ink=ink,
        paper=float(np.clip(rng.normal(249, 2.6), 240, 253)),
        starved=_one_of(rng, (0, 0.08, 0.15, 0.28) if ink > 40 else (0, 0.05)),
        **_pen(rng, size, hand.joined),
        **_unsteadiness(rng, hand.joined),
        **_lines(rng),
    )


def _pen(rng: np.random.Generator, x_height: float, joined: bool) -> dict[str, float]:
    return {
        "pen": min(_about(rng, 4.9, 0.22, 3, 8), (0.135 if joined else 0.15) * x_height),
        "pressure": rng.uniform(0.05, 0.16),
        "taper": rng.uniform(0, 0.45),
        "nib": _one_of(rng, (0, 0, 0, 0.12, 0.25)),
        "nib_angle": rng.uniform(0.5, 1.0),
    }


def _unsteadiness(rng: np.random.Generator, joined: bool) -> dict[str, float]:
    calm = 0.35 if joined else 1.0
    return {
        "smoothing": rng.uniform(0.6, 2.6),
        "letter_shape": rng.uniform(0.035, 0.075),
        "letter_change": rng.uniform(0.014, 0.034),
        "bounce": rng.uniform(0.012, 0.045) * calm,
        "growth": rng.uniform(0.015, 0.055) * calm,
        "turn": rng.uniform(0.006, 0.035) * calm,
        "joining": 0.0 if joined else _one_of(rng, (0, 0, 0.25, 0.5, 0.75)),
    }


def _lines(rng: np.random.Generator) -> dict[str, float]:
    return {
        "hyphens": _one_of(rng, (0, 0, 0.4)),
        "pitch": float(np.clip(rng.normal(180, 7), 160, 200)),
        "wander": rng.uniform(0.02, 0.06),
        "slope": rng.normal(0, 0.0045),
        "slope_spread": rng.uniform(0.0008, 0.003),
        "drift": rng.normal(0, 7),
        "left": rng.uniform(0, 1),
        "right": rng.uniform(0, 1),
    }


def _about(rng: np.random.Generator, middle: float, spread: float, low: float, high: float) -> float:
    """Log-normal around `middle`, clipped."""
    return float(np.clip(middle * np.exp(rng.normal(0, spread)), low, high))


def _one_of(rng: np.random.Generator, values: tuple[float, ...], shares: tuple[float, ...] | None = None) -> float:
    return float(rng.choice(np.array(values, dtype=float), p=shares))
