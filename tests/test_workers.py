"""Work is shared out in order, and a worker that dies is an error, not a wait for ever."""

import os

import pytest

from text_recognizer.errors import TextRecognizerError
from text_recognizer.workers import in_processes


def square(number):
    return number * number


def die(_number):
    os._exit(1)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    assert list(in_processes(square, range(20), "a.workers", workers)) == [number**2 for number in range(20)]


def test_no_items_give_no_results():
    assert list(in_processes(square, [], "a.workers", 2)) == []


def test_a_worker_that_is_killed_is_refused_with_the_parameter_to_change():
    with pytest.raises(TextRecognizerError, match=r"killed.*\n.*set a\.workers"):
        list(in_processes(die, range(4), "a.workers", 2))
