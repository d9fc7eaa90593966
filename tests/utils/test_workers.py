"""Results are in order, and a killed worker is an error instead of an endless wait."""

import os

import pytest

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.utils.workers import map_in_processes


def square(number):
    return number * number


def die(_number):
    os._exit(1)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_are_in_the_order_of_the_items(workers):
    assert list(map_in_processes(square, range(20), "a.workers", workers)) == [number**2 for number in range(20)]


def test_no_items_give_no_results():
    assert list(map_in_processes(square, [], "a.workers", 2)) == []


def test_a_killed_worker_is_an_error_with_the_parameter_to_change():
    with pytest.raises(TextRecognizerError) as caught:
        list(map_in_processes(die, range(4), "a.workers", 2))
    assert "a.workers" in caught.value.fix
