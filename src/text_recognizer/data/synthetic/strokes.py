"""The pen's centre lines of 78 characters in 54 hands (`assets/strokes.npz`), traced from openly licensed fonts.

Units are x-heights of the hand; the origin lies on the baseline at the letter's left edge, y points down.
"""

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from text_recognizer.errors import DataError

ASSETS = Path(__file__).parent / "assets"
UNITS_PER_X_HEIGHT = 128
# A few pairs in the fonts are kerned by half a letter, which no pen does.
KERNING = (-0.25, 0.12)


@dataclass(frozen=True)
class Glyph:
    """One character: `points` (n, 2) holds its strokes one after another, `lengths` (s,) the points of each."""

    advance: float
    points: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class Hand:
    """One hand. `kerning` maps a pair of characters to what is added between them, in x-heights."""

    name: str
    glyphs: dict[str, Glyph]
    kerning: dict[str, float]

    @cached_property
    def joined(self) -> bool:
        """Whether most small letters reach their right edge, so that the next one joins on."""
        reach = [self.glyphs[letter].points[:, 0].max() - self.glyphs[letter].advance for letter in "aceimnu"]
        return sum(distance > -0.04 for distance in reach) > len(reach) / 2

    @cached_property
    def ascender(self) -> float:
        """Height of the tall letters."""
        return float(np.median([-self.glyphs[letter].points[:, 1].min() for letter in "bdhkl"]))

    @cached_property
    def letter_gap(self) -> float:
        """Mean distance between the ink of two neighbouring small letters."""
        glyphs = [self.glyphs[letter] for letter in "nuoaehs"]
        return float(np.mean([glyph.advance - np.ptp(glyph.points[:, 0]) for glyph in glyphs]))


def read_asset(name: str) -> Path:
    """Path of a file that ships with the package. Raises DataError where it is missing."""
    path = ASSETS / name
    if not path.is_file():
        raise DataError(f"{path} is missing: the built-in sample cannot be drawn", "install text-recognizer again")
    return path


@lru_cache(maxsize=1)
def load_hands() -> tuple[Hand, ...]:
    """All hands, in the file's order. Raises DataError where the file is missing or damaged."""
    path = read_asset("strokes.npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            tables = dict(archive)
        kerning = json.loads(tables["kerning"].tobytes())
        glyphs = _glyphs(tables)
        characters = [str(character) for character in tables["chars"]]
        return tuple(
            Hand(str(name), dict(zip(characters, row, strict=True)), _clipped(pairs))
            for name, row, pairs in zip(tables["hands"], glyphs, kerning, strict=True)
        )
    except (ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged: {error}", "install text-recognizer again") from None


def _clipped(pairs: dict[str, float]) -> dict[str, float]:
    return {pair: float(np.clip(value, *KERNING)) for pair, value in pairs.items()}


def _points(tables: dict[str, np.ndarray]) -> np.ndarray:
    """Every point of the file, (n, 2) in x-heights: each stroke is a start and int8 steps from there."""
    counts = tables["points_per_stroke"].astype(np.int64)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    steps = np.zeros((counts.sum(), 2), dtype=np.int64)
    is_step = np.ones(len(steps), dtype=bool)
    is_step[first] = False
    steps[is_step] = np.stack([tables["dx"], tables["dy"]], axis=1)
    walked = np.cumsum(steps, axis=0)
    walked += np.repeat(tables["start"] - walked[first], counts, axis=0)
    return (walked / UNITS_PER_X_HEIGHT).astype(np.float32)


def _glyphs(tables: dict[str, np.ndarray]) -> list[list[Glyph]]:
    """One row of glyphs a hand, in the order of `chars`."""
    points, counts = _points(tables), tables["points_per_stroke"].astype(np.int64)
    advance, strokes = tables["advance"] / UNITS_PER_X_HEIGHT, tables["strokes_per_glyph"].astype(np.int64)
    stroke_end = np.cumsum(strokes.ravel())
    point_end = np.concatenate([[0], np.cumsum(counts)])
    glyphs = []
    for width, end, number in zip(advance.ravel(), stroke_end, strokes.ravel(), strict=True):
        own = points[point_end[end - number] : point_end[end]]
        glyphs.append(Glyph(float(width), own, counts[end - number : end]))
    characters = strokes.shape[1]
    return [glyphs[start : start + characters] for start in range(0, len(glyphs), characters)]
