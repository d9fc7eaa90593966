"""Other libraries give the same figures where their conventions are the same, and differ where these tests say."""

import editdistance
import jiwer
import pytest
import torchmetrics.functional.text as torchmetrics

from text_recognizer.core.charset import join_lines
from text_recognizer.core.metrics import character_edits, word_edits

CASES = [
    ("to be or not to be", "to bee or nut be"),
    ("Ann", "ann"),
    ("a sea of ink", ""),
    ("pens, paper", "pens paper"),
    ("the cat sat", "the the cat sat sat"),
]


def test_character_edits_agree_with_jiwer_torchmetrics_and_editdistance():
    references, predictions = (list(side) for side in zip(*CASES, strict=True))
    own = [character_edits(*case) for case in CASES]
    rate = sum(one.edits for one in own) / sum(one.length for one in own)
    assert rate == pytest.approx(jiwer.cer(references, predictions))
    assert rate == pytest.approx(float(torchmetrics.char_error_rate(predictions, references)))
    assert [one.edits for one in own] == [editdistance.eval(*case) for case in CASES]


def test_word_edits_agree_with_jiwer_torchmetrics_and_editdistance():
    references, predictions = (list(side) for side in zip(*CASES, strict=True))
    own = [word_edits(*case) for case in CASES]
    rate = sum(one.edits for one in own) / sum(one.length for one in own)
    assert rate == pytest.approx(jiwer.wer(references, predictions))
    assert rate == pytest.approx(float(torchmetrics.word_error_rate(predictions, references)))
    assert [one.edits for one in own] == [editdistance.eval(a.split(), b.split()) for a, b in CASES]


def test_words_are_split_at_newlines_which_jiwer_does_not():
    # Its default transform splits at single spaces, so that "be\nor" is one word.
    assert word_edits("to be\nor not", "to be or not").edits == 0
    assert jiwer.wer("to be\nor not", "to be or not") > 0


def test_outer_spaces_count_as_characters_which_jiwer_strips():
    assert jiwer.cer("ink", " ink ") == 0
    assert character_edits("ink", " ink ").edits == 2
    # A score joins the lines of both texts first, which strips them, so that there it makes no difference.
    assert character_edits(join_lines("ink"), join_lines(" ink ")).edits == 0
