"""The source fonts of the synthetic forms: the pen's centre lines of 78 characters in 54 fonts.

They were traced from openly licensed handwriting fonts; `assets/strokes.npz` holds them. Lengths are in x-heights of
the font. The origin of a character lies on the baseline at its left edge, and y points down.
"""

import json
import zipfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from text_recognizer.core.errors import DataError

ASSETS = Path(__file__).parent / "assets"
UNITS_PER_X_HEIGHT = 128
# Limits of the kerning, in x-heights. The fonts kern a few pairs by half a letter, and no pen does that.
KERNING = (-0.25, 0.12)


@dataclass(frozen=True)
class Glyph:
    """One character: `points` (n, 2) holds its strokes one after another, `lengths` (s,) the points of each."""

    advance: float
    points: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class SourceFont:
    """One font. `kerning` maps a pair of characters to the space added between them, in x-heights."""

    name: str
    glyphs: dict[str, Glyph]
    kerning: dict[str, float]

    @cached_property
    def joined(self) -> bool:
        """Whether most small letters reach their right edge, so that they join the next letter."""
        reach = [self.glyphs[letter].points[:, 0].max() - self.glyphs[letter].advance for letter in "aceimnu"]
        return sum(bool(distance > -0.04) for distance in reach) > len(reach) / 2

    @cached_property
    def ascender(self) -> float:
        """The median height of the tall letters."""
        return float(np.median([-self.glyphs[letter].points[:, 1].min() for letter in "bdhkl"]))

    @cached_property
    def letter_gap(self) -> float:
        """The mean distance between the strokes of two neighbouring small letters."""
        glyphs = [self.glyphs[letter] for letter in "nuoaehs"]
        return float(np.mean([glyph.advance - np.ptp(glyph.points[:, 0]) for glyph in glyphs]))


def asset_path(name: str) -> Path:
    """Return the path of a file that ships with the package. Raises DataError if it is missing."""
    path = ASSETS / name
    if not path.is_file():
        raise DataError(f"{path} is missing, so the synthetic forms cannot be drawn", "install text-recognizer again")
    return path


@lru_cache(maxsize=1)
def load_source_fonts() -> tuple[SourceFont, ...]:
    """Return all source fonts in the order of the file. Raises DataError if the file is missing or damaged."""
    path = asset_path("strokes.npz")
    try:
        with np.load(path, allow_pickle=False) as archive:
            tables = dict(archive)
        kerning = json.loads(tables["kerning"].tobytes())
        characters = [str(character) for character in tables["chars"]]
        return tuple(
            SourceFont(str(name), dict(zip(characters, row, strict=True)), _clipped(pairs))
            for name, row, pairs in zip(tables["hands"], _read_glyphs(tables), kerning, strict=True)
        )
    except (ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged: {error}", "install text-recognizer again") from None


def _clipped(pairs: dict[str, float]) -> dict[str, float]:
    return {pair: float(np.clip(value, *KERNING)) for pair, value in pairs.items()}


def _read_points(tables: dict[str, np.ndarray]) -> np.ndarray:
    """Return every point of the file, (n, 2) in x-heights. The file has a start and int8 steps for each stroke."""
    counts = tables["points_per_stroke"].astype(np.int64)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    steps = np.zeros((counts.sum(), 2), dtype=np.int64)
    is_step = np.ones(len(steps), dtype=bool)
    is_step[first] = False
    steps[is_step] = np.stack([tables["dx"], tables["dy"]], axis=1)
    walked = np.cumsum(steps, axis=0)
    walked += np.repeat(tables["start"] - walked[first], counts, axis=0)
    return (walked / UNITS_PER_X_HEIGHT).astype(np.float32)


def _read_glyphs(tables: dict[str, np.ndarray]) -> list[list[Glyph]]:
    """Return one row of glyphs for each font, in the order of `chars`."""
    points, counts = _read_points(tables), tables["points_per_stroke"].astype(np.int64)
    advance, strokes = tables["advance"] / UNITS_PER_X_HEIGHT, tables["strokes_per_glyph"].astype(np.int64)
    stroke_end = np.cumsum(strokes.ravel())
    point_end = np.concatenate([[0], np.cumsum(counts)])
    glyphs = []
    for width, end, number in zip(advance.ravel(), stroke_end, strokes.ravel(), strict=True):
        own = points[point_end[end - number] : point_end[end]]
        glyphs.append(Glyph(float(width), own, counts[end - number : end]))
    characters = strokes.shape[1]
    return [glyphs[start : start + characters] for start in range(0, len(glyphs), characters)]
