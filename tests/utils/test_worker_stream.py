"""A stream of work through processes: in order, with few items ahead, and an end when a worker is killed."""

import os
import signal

import pytest

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.utils.workers import stream_through_processes


def square(number):
    return number * number


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers):
    assert list(stream_through_processes(square, iter(range(20)), "--jobs", workers)) == [n * n for n in range(20)]


@pytest.mark.parametrize("workers", [1, 2])
def test_few_items_are_taken_ahead_of_their_results(workers):
    taken = []
    items = (taken.append(number) or number for number in range(1000))
    results = stream_through_processes(square, items, "--jobs", workers)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(taken) <= 3 + 2 * workers
    results.close()


def test_a_killed_worker_is_an_error_that_names_the_option():
    with pytest.raises(TextRecognizerError, match="--jobs"):
        list(stream_through_processes(die, range(4), "--jobs", 2))
