"""Choose pages of a file: "1,3-5"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

from text_recognizer.core.errors import ConfigError, DataError

_RANGE = re.compile(r"\s*([0-9]{1,9})\s*(?:(-)\s*([0-9]{1,9})?\s*)?")
_EXAMPLE = "write page numbers and ranges, such as 1,3-5, or 7- for all from page 7 on"


class PageRange(NamedTuple):
    """The pages from `first` to `last`, both included and counted from 1; to the end of the file if `last` is None."""

    first: int
    last: int | None


@dataclass(frozen=True)
class PageSelection:
    """Some pages of a file. They are read in the order of the file, each once."""

    ranges: tuple[PageRange, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a selection that a person wrote, such as "1,3-5" or "7-".

        Raises:
            ConfigError: the text is not a selection, counts from 0, or has a range that ends before it begins.
        """
        return cls(tuple(_parse_range(part, text) for part in text.split(",")))

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Self:
        """Select the pages with these numbers, counted from 1."""
        return cls(tuple(_checked(PageRange(number, number), str(number)) for number in numbers))

    def numbers(self, count: int, label: str) -> list[int]:
        """Return the selected pages of a file with `count` pages, ascending. `label` names the file in errors.

        Raises:
            DataError: the file has no such page.
        """
        chosen: set[int] = set()
        for first, last in self.ranges:
            if max(first, last or 0) > count:
                fix = "choose page 1" if count == 1 else f"choose from pages 1 to {count}"
                raise DataError(f"{label} has no page {max(first, last or 0)}", fix)
            chosen.update(range(first, (last or count) + 1))
        return sorted(chosen)


def _parse_range(part: str, text: str) -> PageRange:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ConfigError(f"the pages {text!r} cannot be understood at {part!r}", _EXAMPLE)
    first, dash, last = found.groups()
    return _checked(PageRange(int(first), int(last) if last else None if dash else int(first)), text)


def _checked(pages: PageRange, text: str) -> PageRange:
    if pages.first < 1:
        raise ConfigError(f"the pages {text!r} begin at {pages.first}", "count pages from 1")
    if pages.last is not None and pages.last < pages.first:
        raise ConfigError(f"the pages {text!r} have a range that ends before it begins", _EXAMPLE)
    return pages
