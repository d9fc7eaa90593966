"""The list of measurements, and the time that one measurement takes."""

import importlib

import pytest

from text_recognizer.benchmarks.measure import MEASUREMENTS, Measurement, run, timed
from text_recognizer.core.errors import ConfigError


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_names_a_function(name):
    module, function = MEASUREMENTS[name].split(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_an_unknown_measurement_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError) as caught:
        run(["nothing"])
    assert "nothing" in caught.value.what
    assert all(name in caught.value.fix for name in MEASUREMENTS)


def test_the_ratio_of_a_measurement_is_the_reference_over_its_own_time():
    assert Measurement("one", "another", seconds=2.0, reference=6.0).ratio == 3.0


def test_work_is_repeated_and_its_last_result_is_returned():
    calls = []
    seconds, result = timed(lambda: calls.append(None) or len(calls), repeats=3)
    assert (len(calls), result) == (3, 3)
    assert seconds >= 0
