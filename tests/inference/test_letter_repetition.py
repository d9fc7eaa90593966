"""Equal letters of print are alike, those of a hand are not; only letters and digits count."""

import cv2
import numpy as np
import pytest

from text_recognizer.inference.letter_repetition import MAX_PAIRS, similarities_of
from text_recognizer.inference.transcription import EmittedCharacter

CELL = 8.0
WIDTH = 900


def _characters(text):
    """Characters at every 64 pixels of a strip."""
    return [EmittedCharacter(letter, 1.0, 8 * place + 4, 8 * place + 4) for place, letter in enumerate(text, 1)]


def _strip(scales):
    """A strip with an `e` of each scale, one every 64 pixels, at about the places of `_characters`."""
    strip = np.full((96, WIDTH), 255, np.uint8)
    for place, scale in enumerate(scales, 1):
        at = (64 * place + 36 - int(9 * scale), 48 + int(9 * scale))
        cv2.putText(strip, "e", at, cv2.FONT_HERSHEY_TRIPLEX, scale, 0, 2, cv2.LINE_AA)
    return strip


def test_the_letters_of_print_are_alike():
    alike = similarities_of(_strip([1.3] * 5), _characters("eeeee"), CELL)
    assert len(alike) == 10
    assert np.median(alike) > 0.95


def test_letters_of_other_shapes_are_less_alike():
    mixed = similarities_of(_strip([0.6, 1.0, 1.5, 2.1, 0.8]), _characters("eeeee"), CELL)
    assert len(mixed) == 10
    assert np.median(mixed) < 0.75


def test_noise_and_blur_leave_print_alike():
    rng = np.random.default_rng(1)
    blurred = cv2.GaussianBlur(_strip([1.3] * 5), (0, 0), 1.5) + rng.normal(0, 8, (96, WIDTH))
    alike = similarities_of(np.clip(blurred, 0, 255).astype(np.uint8), _characters("eeeee"), CELL)
    assert np.median(alike) > 0.85


@pytest.mark.parametrize("text", ["", "e", "abcde", "#####", "....."])
def test_without_equal_letters_there_are_no_pairs(text):
    assert similarities_of(_strip([1.3] * 5), _characters(text), CELL).shape == (0,)


def test_blank_windows_and_the_ends_of_a_strip_are_left_out():
    assert len(similarities_of(np.full((96, WIDTH), 255, np.uint8), _characters("eeeee"), CELL)) == 0
    at_the_ends = [EmittedCharacter("e", 1.0, 0, 0), EmittedCharacter("e", 1.0, 112, 112)]
    assert len(similarities_of(_strip([1.3] * 5), at_the_ends, CELL)) == 0


def test_a_long_line_gives_a_bounded_number_of_pairs():
    strip = np.tile(_strip([1.3] * 5), (1, 8))
    characters = [EmittedCharacter("abcdefgh"[at % 8], 1.0, 8 * at + 4, 8 * at + 4) for at in range(1, 110)]
    assert 20 < len(similarities_of(strip, characters, CELL)) <= MAX_PAIRS
