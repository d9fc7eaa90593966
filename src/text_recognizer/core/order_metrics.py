"""Measure the reading order of a page apart from its characters.

The lines that were read are matched with the true lines by their text, in any order. Two figures follow.

- What order costs: the edits between the two texts in order, less the edits that remain if the lines may be read in any
  order. Vidal et al. 2023 ("End-to-end page-level assessment of handwritten text recognition") propose this difference
  for words.
- How far the order is from the true one: Kendall's tau distance and Spearman's footrule, both normalised to 0 for the
  true order and 1 for its reverse (Quirós and Vidal 2022, "Reading order detection on handwritten documents").

A line may be read in two parts, and two lines may be read as one, so parts of lines are matched (as in Clausner et al.
2020, "Flexible character accuracy measure for reading-order-independent evaluation").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from text_recognizer.core.metrics import character_edits

MIN_PART = 3  # characters; a shorter rest of a line is not matched with a rest of another
MIN_SIMILARITY = 0.6  # of two parts: the share of the longer one's characters that needs no edit


@dataclass(frozen=True)
class LinePart:
    """A part of the line with index `line`. It begins at character `start` of that line."""

    line: int
    start: int
    text: str


@dataclass(frozen=True)
class PartMatch:
    """A true part, the part that was read for it, and the edits between them."""

    true: LinePart
    read: LinePart
    edits: int


@dataclass(frozen=True)
class PageOrder:
    """The order of the lines that were read, compared with the true one.

    `edits` are between the whole texts in order; `edits_any_order` remain if the lines may be read in any order.
    `kendall` and `footrule` are distances between 0 and 1 over the `matched` parts of lines, 0 for the true order.
    """

    characters: int
    edits: int
    edits_any_order: int
    matched: int
    kendall: float
    footrule: float


def kendall_distance(ranks: Sequence[int]) -> float:
    """Return the share of pairs that are in the wrong order. `ranks` are the true places of what was read, in order."""
    places, count = np.asarray(ranks), len(ranks)
    if count < 2:
        return 0.0
    wrong = int(np.count_nonzero(np.triu(places[:, None] > places[None, :], 1)))
    return wrong / (count * (count - 1) / 2)


def footrule_distance(ranks: Sequence[int]) -> float:
    """Return the sum of the displacements over its largest possible value, for a permutation of 0 to n - 1."""
    count = len(ranks)
    if count < 2:
        return 0.0
    return float(np.abs(np.asarray(ranks) - np.arange(count)).sum()) / (count * count // 2)


def compare_order(true_lines: Sequence[str], read_lines: Sequence[str]) -> PageOrder:
    """Compare the lines that were read with the true ones, both in order. White space is collapsed.

    The text in order is the lines joined by spaces. In any order, an unread true character and an invented one make one
    edit, as a substitution does. The matching is greedy, so `edits_any_order` is not always the least possible number.
    """
    true, read = _collapsed(true_lines), _collapsed(read_lines)
    whole = character_edits(" ".join(true), " ".join(read))
    matches = match_parts(true, read)
    unread = _unmatched(true, [match.true.text for match in matches])
    invented = _unmatched(read, [match.read.text for match in matches])
    any_order = sum(match.edits for match in matches) + max(unread, invented)
    ranks = _ranks(matches)
    return PageOrder(
        characters=whole.length,
        edits=whole.edits,
        edits_any_order=min(any_order, whole.edits),
        matched=len(matches),
        kendall=kendall_distance(ranks),
        footrule=footrule_distance(ranks),
    )


def match_parts(true_lines: Sequence[str], read_lines: Sequence[str]) -> list[PartMatch]:
    """Match parts of true lines with parts of read lines, each character at most once, in any order.

    The pair with the most equal characters comes first; of equal pairs, the one at the most similar places of the page.
    What is left of the two lines on either side is matched further.
    """
    return _Matching(true_lines, read_lines).run()


class _Matching:
    """The parts of lines that are still to be matched, and the pairs of them, the best first."""

    def __init__(self, true_lines: Sequence[str], read_lines: Sequence[str]) -> None:
        self._counts = max(1, len(true_lines)), max(1, len(read_lines))
        self._true = {number: LinePart(number, 0, text) for number, text in enumerate(true_lines)}
        self._read = {number: LinePart(number, 0, text) for number, text in enumerate(read_lines)}
        self._next = len(true_lines) + len(read_lines)
        self._pairs = [pair for true in self._true for read in self._read if (pair := self._pair(true, read))]
        heapify(self._pairs)

    def run(self) -> list[PartMatch]:
        """Take the best pair until none is left, and return what was matched."""
        matches = []
        while self._pairs:
            _, _, true, read = heappop(self._pairs)
            if true in self._true and read in self._read:
                match = _best_match(self._true[true], self._read[read])
                if match:
                    matches.append(match)
                    self._replace(true, read, match)
        return matches

    def _replace(self, true: int, read: int, match: PartMatch) -> None:
        """Take out two parts that were matched, and put in what is left of them."""
        true_rests = _rests(self._true.pop(true), match.true)
        read_rests = _rests(self._read.pop(read), match.read)
        for parts, rests in ((self._true, true_rests), (self._read, read_rests)):
            for rest in rests:
                parts[self._next] = rest
                self._add_pairs(self._next, is_true=parts is self._true)
                self._next += 1

    def _add_pairs(self, number: int, is_true: bool) -> None:
        others = self._read if is_true else self._true
        for other in others:
            pair = self._pair(number, other) if is_true else self._pair(other, number)
            if pair:
                heappush(self._pairs, pair)

    def _pair(self, true: int, read: int) -> tuple[int, float, int, int] | None:
        """Return a pair of parts with its rank, lower for a better one; None if they are not alike."""
        match = _best_match(self._true[true], self._read[read])
        if match is None:
            return None
        equal = max(len(match.true.text), len(match.read.text)) - match.edits
        places = match.true.line / self._counts[0], match.read.line / self._counts[1]
        return -equal, abs(places[0] - places[1]), true, read


def _best_match(true: LinePart, read: LinePart) -> PartMatch | None:
    """Match two parts as a whole, or the shorter one with a part of the longer one; None if they are not alike."""
    if min(len(true.text), len(read.text)) < MIN_PART:
        return None
    whole = PartMatch(true, read, Levenshtein.distance(true.text, read.text))
    found = fuzz.partial_ratio_alignment(true.text, read.text, score_cutoff=100 * MIN_SIMILARITY)
    if found is not None and found.src_end - found.src_start >= MIN_PART and found.dest_end > found.dest_start:
        inner = _inner(true, found.src_start, found.src_end), _inner(read, found.dest_start, found.dest_end)
        part = PartMatch(*inner, Levenshtein.distance(inner[0].text, inner[1].text))
        if part.edits + abs(len(true.text) - len(read.text)) <= whole.edits or not _is_alike(whole):
            return part if _is_alike(part) else None
    return whole if _is_alike(whole) else None


def _is_alike(match: PartMatch) -> bool:
    length = max(len(match.true.text), len(match.read.text))
    return length - match.edits >= MIN_SIMILARITY * length


def _inner(part: LinePart, start: int, stop: int) -> LinePart:
    """Return a part of a part, without the spaces around it."""
    text = part.text[start:stop]
    return LinePart(part.line, part.start + start + len(text) - len(text.lstrip()), text.strip())


def _rests(whole: LinePart, inner: LinePart) -> list[LinePart]:
    """Return what is left of a part before and after an inner part of it."""
    start = inner.start - whole.start
    rests = (_inner(whole, 0, start), _inner(whole, start + len(inner.text), len(whole.text)))
    return [rest for rest in rests if rest.text]


def _ranks(matches: Sequence[PartMatch]) -> list[int]:
    """Return the true places of the matched parts, in the order in which they were read."""
    read = sorted(matches, key=lambda match: (match.read.line, match.read.start))
    true = sorted(range(len(read)), key=lambda index: (read[index].true.line, read[index].true.start))
    return np.argsort(true).tolist() if true else []


def _collapsed(lines: Sequence[str]) -> list[str]:
    """Return the lines with white space collapsed, without empty ones."""
    return [text for line in lines if (text := " ".join(line.split()))]


def _unmatched(lines: Sequence[str], parts: Sequence[str]) -> int:
    """Return how many characters of lines are in none of their matched parts, with a space after each line and part."""
    return max(0, sum(len(line) + 1 for line in lines) - sum(len(part) + 1 for part in parts))
