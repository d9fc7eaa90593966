"""Source fonts, writers and forms are divided among the splits so that none is in two of them."""

from collections import Counter
from itertools import combinations

from text_recognizer.synthetic import plan
from text_recognizer.synthetic.strokes import load_source_fonts


def by_split(writers, values):
    """Collect `values(writer)` of the writers of each split."""
    out = {}
    for writer in writers:
        out.setdefault(writer.split, set()).update(values(writer))
    return out


def large_plan(section):
    return plan(section(train_forms=1200, validation_forms=60, test_forms=120, forms_per_writer=4))


def test_no_source_font_is_in_two_splits_not_even_a_lender(section):
    fonts = by_split(large_plan(section), lambda writer: {writer.font, *writer.lenders})
    assert {split: len(own) for split, own in fonts.items()} == {"train": 38, "validation": 5, "test": 11}
    assert all(not a & b for a, b in combinations(fonts.values(), 2))


def test_no_writer_and_no_form_is_in_two_splits(section):
    writers = large_plan(section)
    assert len({writer.id for writer in writers}) == len(writers)
    assert [number for writer in writers for number in writer.forms] == list(range(1380))


def test_every_font_has_about_as_many_writers_as_any_other(section):
    counts = Counter(writer.font for writer in large_plan(section) if writer.split == "train")
    assert max(counts.values()) - min(counts.values()) <= 1


def test_few_forms_still_use_many_fonts(section):
    writers = plan(section(train_forms=20, forms_per_writer=1))
    assert len({writer.font for writer in writers if writer.split == "train"}) == 20


def test_the_last_writer_of_a_split_gets_the_remaining_forms(section):
    writers = plan(section(train_forms=7, forms_per_writer=3))
    assert [len(writer.forms) for writer in writers if writer.split == "train"] == [3, 3, 1]


def test_another_seed_assigns_the_fonts_differently(section):
    one, two = plan(section(seed=1)), plan(section(seed=2))
    assert [writer.font for writer in one] != [writer.font for writer in two]


def test_every_font_has_the_same_characters():
    alphabets = {frozenset(font.glyphs) for font in load_source_fonts()}
    assert len(alphabets) == 1
    assert len(alphabets.pop()) == 78
