"""Figures of a score as the gate takes them: each is there and is what it claims to be, or says why it is unusable."""

import math
import re
from collections.abc import Callable
from typing import Any

DIGEST = re.compile("[0-9a-f]{64}")
# A whole number above this is no count of anything here, and may not even fit a float.
LARGEST = 2**53
Score = dict[str, Any]


class UnusableError(Exception):
    """A figure that is missing or cannot be what it claims; the message is the reason. A rule turns it into words."""


def cer(score: Score) -> float:
    return number(score, "cer")


def wer(score: Score) -> float:
    return number(score, "wer")


def pages(score: Score) -> int:
    return count(score, "pages")


def model(score: Score) -> str:
    return digest(score, "model")


def data(score: Score) -> str:
    return digest(score, "data")


def source(score: Score) -> str:
    """What kind of source the pages came from."""
    value = score.get("source")
    if not isinstance(value, str) or not value:
        raise UnusableError(f"source is {show(value)}, not the name of a source: pack the pages anew")
    return value


def width(score: Score) -> float:
    """The interval's width. Over a single writer it would be 0 whatever the model does."""
    low, high = bounds(score)
    if (writers := count(score, "writers")) < 2:
        raise UnusableError(f"the interval is drawn over {writers} writer, and one takes at least 2")
    return high - low


def bounds(score: Score) -> list[float]:
    """The CER's interval, `[low, high]`."""
    value = score.get("cer_interval")
    if not isinstance(value, list) or len(value) != 2:
        raise UnusableError(f"cer_interval is {show(value)}, not two numbers")
    low, high = (number({"cer_interval": bound}, "cer_interval") for bound in value)
    rate = cer(score)
    if not low <= rate <= high:
        raise UnusableError(f"the interval {low:.4f} to {high:.4f} does not hold the CER, {rate:.4f}")
    return [low, high]


def floor(score: Score, name: str) -> float:
    """What an answer gets that needs no picture; `name` is one of `floors`."""
    return number(part(score, "floors"), name)


def part(score: Score, name: str) -> Score:
    """A table of figures inside the score."""
    value = score.get(name)
    if not isinstance(value, dict):
        raise UnusableError(f"{name} is {show(value)}, not a table of figures")
    return value


def rows(score: Score, name: str) -> list[Score]:
    """A list of tables inside the score; it may be empty."""
    value = score.get(name)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise UnusableError(f"{name} is {show(value)}, not a list of tables")
    return value


def digest(score: Score, name: str) -> str:
    value = score.get(name)
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise UnusableError(f"{name} is {show(value)}, not a sha256 digest")
    return value


def count(score: Score, name: str) -> int:
    value = number(score, name)
    if not isinstance(value, int):
        raise UnusableError(f"{name} is {show(value)}, not a whole number")
    return value


def number(score: Score, name: str) -> float:
    """A number that is there, is one, is finite and is not negative."""
    if name not in score:
        raise UnusableError(f"the score has no {name}")
    value = score[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnusableError(f"{name} is {show(value)}, not a number")
    if (isinstance(value, int) and abs(value) > LARGEST) or not math.isfinite(value):
        raise UnusableError(f"{name} is not a finite number")
    if value < 0:
        raise UnusableError(f"{name} is {value}, below 0")
    return value


def usable(figure: Callable[[Score], object], score: Score) -> object:
    """The figure, or None where it cannot be used."""
    try:
        return figure(score)
    except UnusableError:
        return None


def show(value: object) -> str:
    """A value for a reason: short, whatever it is. Only what is sure to have a short form is quoted."""
    if value is None:
        return "missing"
    if isinstance(value, str | bool | float):
        return repr(value[:40] if isinstance(value, str) else value)
    return f"a {type(value).__name__}"
