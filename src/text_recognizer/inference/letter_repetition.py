"""Measure how alike the equal letters of a line are: print repeats a letter exactly, a hand does not."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import cv2
import numpy as np

from text_recognizer.inference.transcription import EmittedCharacter

# Pixels of a strip: half the width of a letter's window, its rows, and how far it is moved to match another letter.
HALF_WIDTH, ROWS, SHIFT = 13, (14, 82), (8, 5)
MAX_SAME = 5  # occurrences of a character that are compared with each other
MAX_PAIRS = 60
MIN_DEVIATION = 8  # of the grey values; a window with less is blank


def similarities_of(strip: np.ndarray, characters: Sequence[EmittedCharacter], cell_width: float) -> np.ndarray:
    """Return the similarities (N,) of pairs of letters or digits of a line that were read as the same one.

    A similarity is the highest normalised correlation of the two windows when one is moved by up to SHIFT pixels. The
    strip is uint8 (STRIP_HEIGHT, W); a column of the reader covers `cell_width` of its pixels.
    """
    places: dict[str, list[int]] = {}
    for one in characters:
        if one.character.isalnum():
            places.setdefault(one.character, []).append(round((one.first + one.last + 1) / 2 * cell_width))
    pairs = [pair for same in places.values() for pair in combinations(same[:MAX_SAME], 2)]
    return np.array(list(_similarities(strip.astype(np.float32), pairs[:MAX_PAIRS])))


def _similarities(strip: np.ndarray, pairs: Sequence[tuple[int, int]]) -> Iterator[float]:
    (top, bottom), (across, down) = ROWS, SHIFT
    reach = HALF_WIDTH + across
    for first, second in pairs:
        window = strip[top:bottom, max(0, first - HALF_WIDTH) : first + HALF_WIDTH]
        around = strip[top - down : bottom + down, max(0, second - reach) : second + reach]
        if window.shape[1] == 2 * HALF_WIDTH and around.shape[1] == 2 * reach and window.std() >= MIN_DEVIATION:
            yield float(cv2.matchTemplate(around, window, cv2.TM_CCOEFF_NORMED).max())
