"""Charts are valid SVG, and show every value."""

from xml.etree import ElementTree

import pytest

from text_recognizer.utils.charts import Series, histogram, lines, round_step

SVG = "{http://www.w3.org/2000/svg}"


def parse(chart):
    return ElementTree.fromstring(str(chart).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@pytest.mark.parametrize("values", [[], [0.0], [0.0, 0.1, 0.1, 3.7], [5.0] * 3, [1000.0, 2.0]])
def test_every_value_is_in_a_bin_of_the_histogram(values):
    bars = [tag for tag in parse(histogram(values, "CER", "pages")).iter(f"{SVG}rect") if tag.get("class") == "bar"]
    counts = [int(bar.find(f"{SVG}title").text.rpartition(": ")[2]) for bar in bars]
    assert sum(counts) == len(values)
    assert 1 <= len(bars) <= 21


def test_each_series_is_a_line_with_a_point_for_each_value():
    chart = parse(lines([Series("a", ((0, 1), (1, 2))), Series("b & c", ((0, 0), (1, 0), (2, 0)))], "epoch", "CER"))
    drawn = {tag.get("class"): len(tag.get("points").split()) for tag in chart.iter(f"{SVG}polyline")}
    assert drawn == {"line-0": 2, "line-1": 3}
    assert len(list(chart.iter(f"{SVG}circle"))) == 5


def test_labels_are_escaped():
    chart = histogram([1.0], "<x>", "a & b")
    assert "&lt;x&gt;" in chart
    assert "a &amp; b" in chart
    assert "<x>" not in chart


STEPS = [(1, 1), (1.1, 2), (2.1, 5), (7, 10), (0.03, 0.05), (120, 200), (0.1, 0.1)]


@pytest.mark.parametrize(("step", "rounded"), STEPS)
def test_a_step_is_rounded_up_to_1_2_or_5_times_a_power_of_ten(step, rounded):
    assert round_step(step) == pytest.approx(rounded)
