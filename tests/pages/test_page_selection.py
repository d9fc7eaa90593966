"""Choosing pages of a file."""

import pytest

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.pages.page_selection import PageSelection


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1", [1]),
        ("1,3-5", [1, 3, 4, 5]),
        (" 2 , 4 - 6 ", [2, 4, 5, 6]),
        ("5-", [5, 6, 7]),
        ("7,1", [1, 7]),
        ("2-4,3-5,3", [2, 3, 4, 5]),
    ],
)
def test_pages_and_ranges_are_read_in_the_order_of_the_file(text, numbers):
    assert PageSelection.parse(text).numbers(7, "letters.pdf") == numbers


@pytest.mark.parametrize("text", ["", ",", "1,", "a", "1-2-3", "-3", "1;2", "1.5", "0", "0-3", "5-3", "²", "9" * 5000])
def test_what_is_no_selection_is_refused_with_an_example(text):
    with pytest.raises(ConfigError) as caught:
        PageSelection.parse(text)
    assert caught.value.fix


@pytest.mark.parametrize("text", ["8", "1-8", "8-", "999999999-", "1-999999999"])
def test_a_page_that_the_file_lacks_is_named(text):
    with pytest.raises(DataError) as caught:
        PageSelection.parse(text).numbers(7, "letters.pdf")
    assert "letters.pdf" in caught.value.what
    assert "7" in caught.value.fix


def test_numbers_may_be_given_as_they_are():
    assert PageSelection.of([4, 2, 2]).numbers(7, "letters.pdf") == [2, 4]
    with pytest.raises(ConfigError):
        PageSelection.of([0])
