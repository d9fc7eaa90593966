"""Look at a corpus before it is used: what it holds, and what of it cannot be trained on."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from tqdm import tqdm

from text_recognizer.core.charset import count_characters, normalise, to_label
from text_recognizer.core.data_params import SourceEntry, SourceFormat, Split
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_base import Corpus, Format
from text_recognizer.corpora.corpus_splits import Parts, divide_by_shares, split_corpus, suggested_split
from text_recognizer.corpora.page_lists import first_names
from text_recognizer.corpora.transcribed_pages import LabelledLine, TranscribedPage

SHOWN = 10  # pages and faults that are listed
EMPTY, NO_WRITING, UNKNOWN, NO_PLACE = (
    "no text",
    "labelled as printed, typed or stamped",
    "characters outside the charset",
    "no place in the picture",
)


@dataclass
class Survey:
    """What was found. `left_out` counts lines by reason, `unknown` characters; `faults` has a sentence for each page.

    `divided` are the groups with pages in several parts: a score on such a split is too optimistic.
    """

    format: Format
    address: Path
    split: Split
    parts: Parts = field(default_factory=dict)
    num_pages: int = 0
    num_lines: int = 0
    num_placed: int = 0
    groups: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    unaccented: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    num_bad_pages: int = 0
    divided: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return a text about everything that was found."""
        parts = ", ".join(f"{part} {len(ids)}" for part, ids in self.parts.items())
        grouped = "each page is its own" if len(self.groups) == self.num_pages else "a split keeps each in one part"
        return "\n".join(
            [
                f"format:     {self.format}",
                f"pages:      {self.num_pages} ({parts})",
                f"lines:      {self.num_lines} with a text, {self.num_placed} of them with a place in the picture",
                f"groups:     {len(self.groups)} writers or documents: {grouped}",
                *([f"divided:    {first_names(self.divided, SHOWN)} in more than one part"] if self.divided else []),
                *_characters("outside the charset", self.unknown),
                *_characters("read without their accents", self.unaccented),
                *(f"left out:   {count} lines: {reason}" for reason, count in self.left_out.most_common()),
                *([f"left out:   {self.num_bad_pages} pages that cannot be used"] if self.num_bad_pages else []),
                *(f"  {fault}" for fault in self.faults[:SHOWN]),
                *([f"  and {len(self.faults) - SHOWN} more"] if len(self.faults) > SHOWN else []),
            ]
        )

    def entry(self, pictures: Path | None = None) -> SourceEntry | None:
        """Return the entry of `data.sources`; None if the pipeline does not take pages of this format from there."""
        if self.format not in get_args(SourceFormat):
            return None
        return SourceEntry(
            address=str(self.address),
            format=cast(SourceFormat, self.format),
            split=self.split,
            pictures=str(pictures) if pictures else None,
        )


def survey(corpus: Corpus, check_pictures: bool = True) -> Survey:
    """Read the texts of all pages of a corpus and, if `check_pictures`, open all pictures.

    Raises DataError if a list is wrong, or no page can be used.
    """
    split = suggested_split(corpus)
    result = Survey(corpus.format, corpus.address, split)
    groups: dict[str, str] = {}
    for page_id in tqdm(corpus.ids, desc="look", unit="page", file=sys.stderr):
        try:
            groups[page_id] = _add_page(result, corpus.page(page_id), check_pictures)
        except DataError as error:
            result.num_bad_pages += 1
            result.faults.append(error.what)
    if not result.num_pages:
        raise DataError(f"{corpus.address} has no page that can be used: {result.faults[0]}", "correct its pages")
    parts = split_corpus(corpus, split) if isinstance(split, str) else divide_by_shares(groups, split)
    result.parts = {part: tuple(page_id for page_id in ids if page_id in groups) for part, ids in parts.items()}
    result.divided = _divided(result.parts, groups)
    return result


def _divided(parts: Parts, groups: Mapping[str, str]) -> tuple[str, ...]:
    """Return the groups with pages in more than one part, sorted."""
    counts = Counter(group for ids in parts.values() for group in {groups[page_id] for page_id in ids})
    return tuple(sorted(group for group, count in counts.items() if count > 1))


def _add_page(result: Survey, page: TranscribedPage, check_pictures: bool) -> str:
    """Count a page, and return its group. Raises DataError if its picture cannot be used."""
    if check_pictures:
        _, page = page.open()
    result.num_pages += 1
    result.groups[page.group] += 1
    if page.faults:
        more = f", and {len(page.faults) - 1} more" if len(page.faults) > 1 else ""
        result.faults.append(f"{page.id}: {page.faults[0]}{more}")
    placed = any(line.text and line.box for line in page.lines)
    for line in page.lines:
        _add_line(result, line, placed)
    return page.group


def _add_line(result: Survey, line: LabelledLine, placed: bool) -> None:
    """Count a line; `placed` says whether other lines of the page have a place."""
    if not line.text:
        result.left_out[EMPTY] += 1
        return
    label = to_label(normalise(line.text))
    result.num_lines += 1
    result.num_placed += bool(line.box)
    result.unknown.update(label.unknown)
    result.unaccented.update(label.unaccented)
    if not line.is_writing:
        result.left_out[NO_WRITING] += 1
    elif label.unknown:
        result.left_out[UNKNOWN] += 1
    elif placed and not line.box:
        result.left_out[NO_PLACE] += 1


def _characters(what: str, counts: Counter[str]) -> list[str]:
    """Return a row with characters and their counts; none if there are no characters."""
    return [f"characters: {what}: {count_characters(counts)}"] if counts else []
