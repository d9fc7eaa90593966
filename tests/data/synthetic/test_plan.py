"""Hands, writers and forms are dealt out to the splits so that none is in two of them."""

from collections import Counter
from itertools import combinations

from text_recognizer.data.synthetic import plan
from text_recognizer.data.synthetic.strokes import load_hands


def by_split(writers, what):
    out = {}
    for writer in writers:
        out.setdefault(writer.split, set()).update(what(writer))
    return out


def default(section):
    return plan(section(train_forms=1200, validation_forms=60, test_forms=120, forms_per_writer=4))


def test_no_hand_is_in_two_splits_not_even_a_borrowed_one(section):
    hands = by_split(default(section), lambda writer: {writer.hand, *writer.borrow})
    assert {split: len(own) for split, own in hands.items()} == {"train": 38, "validation": 5, "test": 11}
    assert all(not a & b for a, b in combinations(hands.values(), 2))


def test_no_writer_and_no_form_is_in_two_splits(section):
    writers = default(section)
    assert len({writer.id for writer in writers}) == len(writers)
    assert [number for writer in writers for number in writer.forms] == list(range(1380))


def test_hands_have_equally_many_writers(section):
    counts = Counter(writer.hand for writer in default(section) if writer.split == "train")
    assert max(counts.values()) - min(counts.values()) <= 1


def test_few_forms_still_use_many_hands(section):
    writers = plan(section(train_forms=20, forms_per_writer=1))
    assert len({writer.hand for writer in writers if writer.split == "train"}) == 20


def test_the_last_writer_of_a_split_takes_what_is_left(section):
    writers = plan(section(train_forms=7, forms_per_writer=3))
    assert [len(writer.forms) for writer in writers if writer.split == "train"] == [3, 3, 1]


def test_another_seed_deals_the_hands_otherwise(section):
    one, two = plan(section(seed=1)), plan(section(seed=2))
    assert [writer.hand for writer in one] != [writer.hand for writer in two]


def test_every_hand_knows_every_character_of_every_other():
    alphabets = {frozenset(hand.glyphs) for hand in load_hands()}
    assert len(alphabets) == 1
    assert len(alphabets.pop()) == 78
