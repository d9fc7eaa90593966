"""The gate does not judge the slice of a source that does not count, unless it has a limit of its own."""

import pytest

from text_recognizer.release.gate_rules import apply_rules


@pytest.mark.parametrize(("by", "passed"), [("source", False), ("uncounted source", True)])
def test_the_worst_slice_is_one_of_a_source_that_counts(params, by, passed):
    good = {"by": "lines", "name": "1 line", "pages": 60, "cer": 0.01}
    slices = [good, {**good, "by": by, "name": "source letters", "cer": 0.99}]
    (rule,) = (rule for rule in apply_rules({"slices": slices}, params.gate) if rule.name == "worst_slice")
    assert rule.passed is passed
