"""A character n-gram: how likely each character is after those before it, counted on training text.

Smoothed as by Chen and Goodman (An empirical study of smoothing techniques for language modeling, 1998), their modified
form of Kneser and Ney's: every count is lowered by a discount, what a context gains by that goes to the shorter one,
and there a run counts as often as it had different characters before it. The ten digits count as one character, and
share its probability alike: which digit it is, the picture says better than other texts do.
"""

import math
import zipfile
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from text_recognizer.errors import ModelError
from text_recognizer.text import BLANK_ID, INDEX, MAPPING, encode, one_line

BITS = 7  # an id fits, and nine of them fit one 64-bit key
LONGEST = 8
SPACE = INDEX[" "]
UNSEEN = 0.1  # added to the count of every character
KEPT = 3  # runs up to this length stay, however rare
DIGITS = tuple(INDEX[digit] for digit in "0123456789")
DIGIT = DIGITS[0]
CLASS = np.arange(len(MAPPING), dtype=np.uint64)  # what a character counts as
CLASS[list(DIGITS)] = DIGIT
CLASSES = CLASS.tolist()
NOTHING = REST = BLANK_ID  # no character: what stands before a text; as a follower, all those that were left out
RARE = 3  # counts of 1, 2, and 3 or more have a discount each
USUAL = 0.75  # the discount where there are too few counts to estimate one
LEAST = 0.1  # any context leaves something to the shorter one
REMEMBERED = 100_000  # contexts: about 60 MB


class Followers:
    """How likely each class is after one context. What was asked once is remembered."""

    __slots__ = ("_rest", "_shares", "_shorter")

    def __init__(self, seen: dict[int, float], rest: float = 0.0, shorter: "Followers | None" = None) -> None:
        """`seen` are the context's own discounted shares; `rest` is what it leaves to the shorter context."""
        self._rest, self._shorter = rest, shorter
        self._shares = {index: share + self._left(index) for index, share in seen.items()}

    def log(self, index: int) -> float:
        """The log-probability of a class."""
        return math.log(self._share(DIGIT) / len(DIGITS) if index in DIGITS else self._share(index))

    def _share(self, index: int) -> float:
        if index not in self._shares:
            self._shares[index] = self._left(index)
        return self._shares[index]

    def _left(self, index: int) -> float:
        return self._rest * self._shorter._share(index) if self._shorter else 0.0


class NGram:
    """`grams[n]` holds, sorted, every run of `n + 1` ids that is kept, as one key; `counts[n]` how often it counts.

    A run that ends in the id `REST` stands for all that were left out after the same context. `discounts[n]` are those
    of counts of 1, 2, and 3 or more.
    """

    def __init__(
        self, grams: Sequence[np.ndarray], counts: Sequence[np.ndarray], discounts: Sequence[np.ndarray]
    ) -> None:
        self.grams, self.counts, self.discounts = tuple(grams), tuple(counts), tuple(discounts)
        # One number of a memoryview is had ten times as fast as one of an array.
        self._tables = [(gram.data, count.data) for gram, count in zip(grams, counts, strict=True)]
        self._known: dict[tuple[int, ...], Followers] = {}

    @property
    def order(self) -> int:
        """The longest run that was counted, in characters."""
        return len(self.grams)

    def after(self, context: tuple[int, ...]) -> Followers:
        """What may follow these ids, of which the last `order - 1` count."""
        context = context[len(context) - min(len(context), self.order - 1) :]
        found = self._known.get(context)
        if found is None:
            found = self._smoothed(context)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[context] = found
        return found

    def _smoothed(self, context: tuple[int, ...]) -> Followers:
        seen = self._seen(context)
        if not context:
            total = sum(seen.values()) + UNSEEN * len(MAPPING)
            more = dict.fromkeys(range(len(MAPPING)), UNSEEN) | {DIGIT: UNSEEN * len(DIGITS)}
            return Followers({index: (seen.get(index, 0) + unseen) / total for index, unseen in more.items()})
        if not seen:
            return self.after(context[1:])
        total = sum(seen.values())
        seen.pop(REST, None)
        discounts = self.discounts[len(context)]
        shares = {index: (times - discounts[min(times, RARE) - 1]) / total for index, times in seen.items()}
        return Followers(shares, 1 - sum(shares.values()), self.after(context[1:]))

    def _seen(self, context: tuple[int, ...]) -> dict[int, int]:
        """How often each class counts after a context."""
        grams, counts = self._tables[len(context)]
        first = _pack(CLASSES[index] for index in context) << BITS
        seen = {}
        at = bisect_left(grams, first)
        while at < len(grams) and grams[at] < first + (1 << BITS):
            seen[grams[at] - first] = counts[at]
            at += 1
        return seen

    def save(self, path: Path) -> None:
        """Equal counts give equal bytes."""
        arrays = {f"grams{n}": gram for n, gram in enumerate(self.grams)}
        arrays |= {f"counts{n}": count for n, count in enumerate(self.counts)}
        arrays["discounts"] = np.array(self.discounts)
        with path.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "NGram":
        """Raises ModelError where the file is missing or no n-gram."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                discounts = arrays["discounts"]
                order = range(len(discounts))
                return cls([arrays[f"grams{n}"] for n in order], [arrays[f"counts{n}"] for n in order], discounts)
        except FileNotFoundError:
            raise ModelError(f"{path} does not exist", "restore the whole model folder") from None
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} holds no n-gram: {error}", "restore the whole model folder") from None


def count(texts: Iterable[str], order: int, least: int = 2) -> NGram:
    """Counts runs of up to `order` (1 to 8) characters, newlines as spaces; each text begins after a space.

    Runs of four and more that count fewer than `least` times are left out: they are what the texts said rather than how
    the language goes, and they are most of the file. How often they counted after a context is kept.
    """
    runs = [CLASS[[NOTHING, SPACE, *encode(one_line(text))]] for text in texts]
    grams, counts, discounts = [], [], []
    for length in range(1, order + 1):
        gram, seen = _seen(runs, length) if length == order else _preceded(runs, length)
        discounts.append(_discounts(seen))
        gram, seen = _without(gram, seen, seen < (least if length > KEPT else 1))
        grams.append(gram)
        counts.append(seen.astype(np.uint32))
    return NGram(grams, counts, discounts)


def _seen(runs: list[np.ndarray], length: int) -> tuple[np.ndarray, np.ndarray]:
    """All runs of `length` ids, and how often each was seen; `runs` are texts, after `NOTHING` and a space."""
    first = 2 if length == 1 else 1  # the space before a text is only ever context
    return np.unique(_keys(runs, first, length), return_counts=True)


def _preceded(runs: list[np.ndarray], length: int) -> tuple[np.ndarray, np.ndarray]:
    """All runs of `length` ids, and how many different ids were seen before each."""
    first = 1 if length == 1 else 0
    longer = np.unique(_keys(runs, first, length + 1))
    return np.unique(longer & np.uint64((1 << BITS * length) - 1), return_counts=True)


def _discounts(seen: np.ndarray) -> np.ndarray:
    """Of counts of 1, 2, and 3 or more, by how many runs have each count (Chen and Goodman 1998, equation 17)."""
    of = [np.count_nonzero(seen == times) for times in range(1, RARE + 2)]
    if not all(of):
        return np.full(RARE, USUAL)
    share = of[0] / (of[0] + 2 * of[1])
    found = [times - (times + 1) * share * of[times] / of[times - 1] for times in range(1, RARE + 1)]
    return np.clip(found, LEAST, range(1, RARE + 1))


def _without(gram: np.ndarray, seen: np.ndarray, dropped: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The runs that are not dropped, and one for each of their contexts with what was dropped there; sorted."""
    context = gram >> np.uint64(BITS) << np.uint64(BITS)
    shared = dropped & np.isin(context, context[~dropped])
    contexts, owner = np.unique(context[shared], return_inverse=True)
    rest = np.bincount(owner, weights=seen[shared], minlength=len(contexts)).astype(seen.dtype)
    keys, times = np.append(gram[~dropped], contexts + np.uint64(REST)), np.append(seen[~dropped], rest)
    order = np.argsort(keys)
    return keys[order], times[order]


def _keys(runs: list[np.ndarray], first: int, length: int) -> np.ndarray:
    """The keys of all runs of `length` ids, one each time it is seen; ids before a text's `first` are left out."""
    return np.concatenate([np.zeros(0, dtype=np.uint64), *(_windows(ids[first:], length) for ids in runs)])


def _windows(ids: np.ndarray, length: int) -> np.ndarray:
    """The keys of all runs of `length` ids of one text."""
    total = max(0, len(ids) - length + 1)
    keys = np.zeros(total, dtype=np.uint64)
    for offset in range(length):
        keys = (keys << np.uint64(BITS)) | ids[offset : offset + total]
    return keys


def _pack(ids: Iterable[int]) -> int:
    key = 0
    for index in ids:
        key = key << BITS | index
    return key
