"""Read the figures of a score that the gate needs. Each function checks one figure and names it if it is unusable.

The gate works on the raw JSON, not on `core.schemas.Score`: one damaged figure must fail the rules that need it, each
with its own reason, and leave the other rules to judge what they can.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import JsonValue

from text_recognizer.utils.files import json_digest

DIGEST = re.compile("[0-9a-f]{64}")
# A larger integer is no count of anything in a score, and may not fit a float.
LARGEST = 2**53
RawScore = Mapping[str, JsonValue]
Figure = TypeVar("Figure")


class UnusableFigureError(Exception):
    """A figure that is missing, of a wrong type, out of range or inconsistent. The message is a rule's reason."""


def cer(score: RawScore) -> float:
    """Return the character error rate, a share of 1."""
    return number(score, "cer")


def wer(score: RawScore) -> float:
    """Return the word error rate, a share of 1."""
    return number(score, "wer")


def pages(score: RawScore) -> int:
    """Return the number of test pages."""
    return count(score, "pages")


def model(score: RawScore) -> str:
    """Return the digest of the model that was scored."""
    return digest(score, "model")


def data(score: RawScore) -> str:
    """Return the digest of the test pages."""
    return digest(score, "data")


def own_digest(score: RawScore) -> str:
    """Return the digest that the score states of its own fields. They must still give it."""
    stated = digest(score, "sha256")
    try:
        found = json_digest({name: value for name, value in score.items() if name != "sha256"})
    except RecursionError:
        raise UnusableFigureError("the score is nested too deeply for a digest") from None
    if found != stated:
        raise UnusableFigureError(f"sha256 is {stated[:12]}, but the fields give {found[:12]}: the score was changed")
    return stated


def source(score: RawScore) -> str:
    """Return the kind of source that the test pages came from."""
    value = score.get("source")
    if not isinstance(value, str) or not value:
        raise UnusableFigureError(f"source is {show(value)}, not the name of a source: run `preprocess` again")
    return value


def interval(score: RawScore) -> tuple[float, float]:
    """Return the lower and the upper bound of the CER's interval, which must contain the CER."""
    value = score.get("cer_interval")
    if not isinstance(value, list) or len(value) != 2:
        raise UnusableFigureError(f"cer_interval is {show(value)}, not two numbers")
    low, high = (number({"cer_interval": bound}, "cer_interval") for bound in value)
    rate = cer(score)
    if not low <= rate <= high:
        raise UnusableFigureError(f"cer_interval, {low:.4f} to {high:.4f}, does not contain the CER, {rate:.4f}")
    return low, high


def interval_width(score: RawScore) -> float:
    """Return the width of the CER's interval. With one writer it would be 0 whatever the model does."""
    low, high = interval(score)
    if (writers := count(score, "writers")) < 2:
        raise UnusableFigureError(f"cer_interval is drawn over {writers} writers; at least 2 are needed")
    return high - low


def baseline(score: RawScore, name: str) -> float:
    """Return the CER of an answer that needs no picture; `name` is a key of `floors`."""
    return number(table(score, "floors"), name)


def word_calibration_error(score: RawScore) -> float:
    """Return the expected calibration error of the words."""
    return number(table(score, "calibration"), "ece_words")


def perturbed_cer(score: RawScore, name: str) -> float:
    """Return the CER of the pages with the perturbation `name`."""
    return number(table(table(score, "robustness"), "cer"), name)


def blank_characters(score: RawScore) -> int:
    """Return the number of characters that were read on blank pages."""
    return count(table(score, "robustness"), "blank_characters")


def table(score: RawScore, name: str) -> RawScore:
    """Return a JSON object inside the score."""
    value = score.get(name)
    if not isinstance(value, dict):
        raise UnusableFigureError(f"{name} is {show(value)}, not a table of figures")
    return value


def rows(score: RawScore, name: str) -> list[RawScore]:
    """Return a list of JSON objects inside the score; it may be empty."""
    value = score.get(name)
    if not isinstance(value, list):
        raise UnusableFigureError(f"{name} is {show(value)}, not a list of tables")
    found: list[RawScore] = [row for row in value if isinstance(row, dict)]
    if len(found) != len(value):
        raise UnusableFigureError(f"{name} is not a list of tables")
    return found


def digest(score: RawScore, name: str) -> str:
    """Return a sha256 digest, in hexadecimal."""
    value = score.get(name)
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise UnusableFigureError(f"{name} is {show(value)}, not a sha256 digest")
    return value


def count(score: RawScore, name: str) -> int:
    """Return an integer that is at least 0."""
    value = number(score, name)
    if not isinstance(value, int):
        raise UnusableFigureError(f"{name} is {show(value)}, not an integer")
    return value


def number(score: RawScore, name: str) -> float:
    """Return a finite number that is at least 0."""
    if name not in score:
        raise UnusableFigureError(f"the score has no {name}")
    value = score[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableFigureError(f"{name} is {show(value)}, not a number")
    if (isinstance(value, int) and abs(value) > LARGEST) or not math.isfinite(value):
        raise UnusableFigureError(f"{name} is not a finite number")
    if value < 0:
        raise UnusableFigureError(f"{name} is {value}, below 0")
    return value


def usable(figure: Callable[[RawScore], Figure], score: RawScore) -> Figure | None:
    """Return the figure, or None if it is unusable."""
    try:
        return figure(score)
    except UnusableFigureError:
        return None


def show(value: JsonValue) -> str:
    """Describe a value in a reason. Only values with a short form are quoted."""
    if value is None:
        return "missing"
    if isinstance(value, str | bool | float):
        return repr(value[:40] if isinstance(value, str) else value)
    return f"a {type(value).__name__}"
