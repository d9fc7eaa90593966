"""The texts of the splits have nothing in common, and together they hold every character of the charset."""

from itertools import combinations, islice

import numpy as np
import pytest

from text_recognizer.core.charset import CHARACTERS, unknown_characters
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.synthetic.prose import fill_template, prose_by_split, sentences
from text_recognizer.synthetic.templates import TEMPLATES


def opening(split, number, seed=1):
    """Return the first twenty characters of a form, about one line of a small page."""
    words = prose_by_split(seed)[split].words(number, np.random.default_rng((seed, number)))
    return " ".join(islice(words, 20))[:20]


def test_no_sentence_is_in_two_splits():
    parts = [{sentence.lower() for sentence in prose_by_split(1)[split].sentences} for split in SPLITS]
    assert all(not a & b for a, b in combinations(parts, 2))
    assert sum(map(len, parts)) == len(sentences())


def test_no_template_is_in_two_splits():
    assert all(not set(TEMPLATES[a]) & set(TEMPLATES[b]) for a, b in combinations(SPLITS, 2))


def test_a_thousand_training_forms_hold_every_character():
    text = " ".join(opening("train", number) for number in range(1000))
    assert set(CHARACTERS) - set(text) == {"\n"}


def test_about_half_of_the_forms_start_with_a_sentence_from_a_template():
    prose = prose_by_split(1)["train"]
    first = {sentence[:20] for sentence in prose.sentences}
    made = sum(opening("train", number) not in first for number in range(500))
    assert 0.35 < made / 500 < 0.65


def test_forms_start_with_different_sentences():
    openings = {opening("train", number) for number in range(500)}
    assert len(openings) > 450


@pytest.mark.parametrize("split", SPLITS)
def test_filled_templates_have_no_slot_and_no_unknown_character(split):
    rng = np.random.default_rng(0)
    for template in TEMPLATES[split]:
        text = fill_template(template, rng)
        assert not unknown_characters(text)
        assert "{" not in text


def test_a_number_slot_gives_every_number_of_its_range_and_no_other():
    rng = np.random.default_rng(0)
    assert {int(fill_template("{3-5}", rng)) for _ in range(100)} == {3, 4, 5}
