"""What the forms say: apart for each split, and with every character that a reader has to know."""

from itertools import combinations, islice

import numpy as np
import pytest

from text_recognizer.data.iam import SPLITS
from text_recognizer.data.synthetic.prose import fill, prose_of, sentences
from text_recognizer.data.synthetic.templates import TEMPLATES
from text_recognizer.text import CHARACTERS, unknown


def opening(split, number, seed=1):
    """The first twenty characters of a form: about what one line of a small page holds."""
    words = prose_of(seed)[split].words(number, np.random.default_rng((seed, number)))
    return " ".join(islice(words, 20))[:20]


def test_no_sentence_is_in_two_splits():
    parts = [{sentence.lower() for sentence in prose_of(1)[split].sentences} for split in SPLITS]
    assert all(not a & b for a, b in combinations(parts, 2))
    assert sum(map(len, parts)) == len(sentences())


def test_no_template_is_in_two_splits():
    assert all(not set(TEMPLATES[a]) & set(TEMPLATES[b]) for a, b in combinations(SPLITS, 2))


def test_a_thousand_training_forms_hold_every_character():
    text = " ".join(opening("train", number) for number in range(1000))
    assert set(CHARACTERS) - set(text) == {"\n"}


def test_most_forms_open_with_a_sentence_from_a_template():
    prose = prose_of(1)["train"]
    first = {sentence[:20] for sentence in prose.sentences}
    made = sum(opening("train", number) not in first for number in range(500))
    assert 0.35 < made / 500 < 0.65


def test_forms_open_with_different_sentences():
    openings = {opening("train", number) for number in range(500)}
    assert len(openings) > 450


@pytest.mark.parametrize("split", SPLITS)
def test_filled_templates_are_in_the_charset(split):
    rng = np.random.default_rng(0)
    for template in TEMPLATES[split]:
        text = fill(template, rng)
        assert not unknown(text)
        assert "{" not in text


def test_a_number_slot_stays_in_its_range():
    rng = np.random.default_rng(0)
    assert {int(fill("{3-5}", rng)) for _ in range(100)} == {3, 4, 5}
