"""A character n-gram language model, counted on the training text.

Smoothed by the modified Kneser-Ney method (Chen and Goodman 1998, "An empirical study of smoothing techniques for
language modeling"): a discount is subtracted from every count, the discounted mass of a context goes to the next
shorter context, and there an n-gram counts as often as different characters precede it. The ten digits form one class
whose probability they share equally, because the picture is better evidence for a digit than text statistics are.
"""

import zipfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from text_recognizer.core.charset import INDEX, encode, join_lines
from text_recognizer.core.errors import ModelError
from text_recognizer.inference.next_character import NUM_DISCOUNTS, NextCharacters
from text_recognizer.inference.ngram_keys import BITS, CLASS_OF, PRUNED, TEXT_START

SPACE = INDEX[" "]
UNPRUNED_ORDER = 3  # n-grams up to this length are kept, even if they are rare
DEFAULT_DISCOUNT = 0.75  # if there are too few counts to estimate one
MIN_DISCOUNT = 0.1  # every context leaves some probability to the shorter one


class NGram:
    """`grams[n]` holds, sorted, every kept n-gram of `n + 1` ids, packed into one key; `counts[n]` its counts.

    An n-gram that ends in `PRUNED` stands for all n-grams of the same context that were pruned. `discounts[n]` are
    those of counts of 1, of 2, and of 3 or more.
    """

    def __init__(
        self, grams: Sequence[np.ndarray], counts: Sequence[np.ndarray], discounts: Sequence[np.ndarray]
    ) -> None:
        self.grams, self.counts, self.discounts = tuple(grams), tuple(counts), tuple(discounts)

    @property
    def order(self) -> int:
        """The length of the longest n-grams, in characters."""
        return len(self.grams)

    @cached_property
    def next_characters(self) -> NextCharacters:
        """The log-probabilities of the next character after any context."""
        return NextCharacters(self.grams, self.counts, self.discounts)

    def save(self, path: Path) -> None:
        """Write the model to a file. Equal counts give equal bytes."""
        arrays = {f"grams{n}": gram for n, gram in enumerate(self.grams)}
        arrays |= {f"counts{n}": count for n, count in enumerate(self.counts)}
        arrays["discounts"] = np.array(self.discounts)
        with path.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "NGram":
        """Load a model from its file. Raises ModelError if the file is missing or holds no n-gram model."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                discounts = arrays["discounts"]
                order = range(len(discounts))
                return cls([arrays[f"grams{n}"] for n in order], [arrays[f"counts{n}"] for n in order], discounts)
        except FileNotFoundError:
            raise ModelError(f"{path} does not exist", "restore the whole model folder") from None
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} holds no n-gram model: {error}", "restore the whole model folder") from None


def count_ngrams(texts: Iterable[str], order: int, min_count: int = 2) -> NGram:
    """Count n-grams of up to `order` (1 to 8) characters, newlines as spaces. Every text begins after a space.

    N-grams of four and more characters that count fewer than `min_count` times are pruned: they are specific to these
    texts, and would make up most of the file. The sum of the pruned counts after each context is kept.
    """
    sequences = [CLASS_OF[[TEXT_START, SPACE, *encode(join_lines(text))]].astype(np.uint64) for text in texts]
    grams, counts, discounts = [], [], []
    for length in range(1, order + 1):
        gram, seen = _occurrences(sequences, length) if length == order else _preceding(sequences, length)
        discounts.append(_discounts(seen))
        gram, seen = _pruned(gram, seen, seen < (min_count if length > UNPRUNED_ORDER else 1))
        grams.append(gram)
        counts.append(seen.astype(np.uint32))
    return NGram(grams, counts, discounts)


def _occurrences(sequences: list[np.ndarray], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all n-grams of `length` ids, and the number of their occurrences."""
    first = 2 if length == 1 else 1  # the space before a text is a context only
    return np.unique(_keys(sequences, first, length), return_counts=True)


def _preceding(sequences: list[np.ndarray], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all n-grams of `length` ids, and the number of different ids that precede each (Kneser-Ney counts)."""
    first = 1 if length == 1 else 0
    longer = np.unique(_keys(sequences, first, length + 1))
    return np.unique(longer & np.uint64((1 << BITS * length) - 1), return_counts=True)


def _discounts(seen: np.ndarray) -> np.ndarray:
    """Return the discounts of counts of 1, of 2, and of 3 or more (Chen and Goodman 1998, equation 17)."""
    of = [np.count_nonzero(seen == times) for times in range(1, NUM_DISCOUNTS + 2)]
    if not all(of):
        return np.full(NUM_DISCOUNTS, DEFAULT_DISCOUNT)
    share = of[0] / (of[0] + 2 * of[1])
    found = [times - (times + 1) * share * of[times] / of[times - 1] for times in range(1, NUM_DISCOUNTS + 1)]
    return np.clip(found, MIN_DISCOUNT, range(1, NUM_DISCOUNTS + 1))


def _pruned(gram: np.ndarray, seen: np.ndarray, dropped: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the n-grams that are not dropped, sorted.

    For each context of theirs, one more n-gram that ends in `PRUNED` holds the sum of the dropped counts.
    """
    context = gram >> np.uint64(BITS) << np.uint64(BITS)
    shared = dropped & np.isin(context, context[~dropped])
    contexts, owner = np.unique(context[shared], return_inverse=True)
    sums = np.bincount(owner, weights=seen[shared], minlength=len(contexts)).astype(seen.dtype)
    keys, times = np.append(gram[~dropped], contexts + np.uint64(PRUNED)), np.append(seen[~dropped], sums)
    order = np.argsort(keys)
    return keys[order], times[order]


def _keys(sequences: list[np.ndarray], first: int, length: int) -> np.ndarray:
    """Return the key of every occurrence of `length` ids in a row. Ids of a sequence before `first` are left out."""
    return np.concatenate([np.zeros(0, dtype=np.uint64), *(_windows(ids[first:], length) for ids in sequences)])


def _windows(ids: np.ndarray, length: int) -> np.ndarray:
    """Return the key of every `length` ids in a row of one sequence."""
    total = max(0, len(ids) - length + 1)
    keys = np.zeros(total, dtype=np.uint64)
    for offset in range(length):
        keys = (keys << np.uint64(BITS)) | ids[offset : offset + total]
    return keys
