"""A character n-gram: how likely each character is after those before it, counted on training text.

Smoothed as by Witten and Bell (IEEE Transactions on Information Theory 37, 1991): a context that was seen with many
different followers trusts its own counts less and those of the shorter context more. The ten digits count as one
character, and share its probability alike: which digit it is, the picture says better than other texts do.
"""

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from text_recognizer.errors import ModelError
from text_recognizer.text import INDEX, MAPPING, encode, one_line

BITS = 7  # an id fits, and nine of them fit one 64-bit key
LONGEST = 8
SPACE = INDEX[" "]
UNSEEN = 0.1  # added to the count of every character
DIGITS = [INDEX[digit] for digit in "0123456789"]
CLASS = np.arange(len(MAPPING), dtype=np.uint64)  # what a character counts as
CLASS[DIGITS] = DIGITS[0]


class NGram:
    """`grams[n]` holds, sorted, every run of `n + 1` ids that was seen, as one key; `counts[n]` how often it was."""

    def __init__(self, grams: Sequence[np.ndarray], counts: Sequence[np.ndarray]) -> None:
        self.grams, self.counts = tuple(grams), tuple(counts)
        self._known: dict[tuple[int, ...], np.ndarray] = {}
        self._logs: dict[tuple[int, ...], list[float]] = {}

    @property
    def order(self) -> int:
        """The longest run that was counted, in characters."""
        return len(self.grams)

    def following(self, context: tuple[int, ...]) -> list[float]:
        """Log-probabilities of all `C` classes after these ids, of which the last `order - 1` count."""
        context = context[len(context) - min(len(context), self.order - 1) :]
        if context not in self._logs:
            shares = self._shares(tuple(CLASS[list(context)].tolist())).copy()
            shares[DIGITS] = shares[DIGITS].sum() / len(DIGITS)
            self._logs[context] = np.log(shares).tolist()
        return self._logs[context]

    def _shares(self, context: tuple[int, ...]) -> np.ndarray:
        if context not in self._known:
            self._known[context] = self._smoothed(context)
        return self._known[context]

    def _smoothed(self, context: tuple[int, ...]) -> np.ndarray:
        grams, counts = self.grams[len(context)], self.counts[len(context)]
        key = _pack(context) << BITS
        start, stop = np.searchsorted(grams, np.array([key, key + (1 << BITS)], dtype=np.uint64))
        seen = np.zeros(len(MAPPING))
        seen[grams[start:stop] & np.uint64((1 << BITS) - 1)] = counts[start:stop]
        if not context:
            return (seen + UNSEEN) / (seen + UNSEEN).sum()
        kinds = stop - start
        shorter = self._shares(context[1:])
        return (seen + kinds * shorter) / (seen.sum() + kinds) if kinds else shorter

    def save(self, path: Path) -> None:
        """Equal counts give equal bytes."""
        arrays = {f"grams{n}": gram for n, gram in enumerate(self.grams)}
        arrays |= {f"counts{n}": count for n, count in enumerate(self.counts)}
        with path.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "NGram":
        """Raises ModelError where the file is missing or no n-gram."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                order = len(arrays.files) // 2
                return cls([arrays[f"grams{n}"] for n in range(order)], [arrays[f"counts{n}"] for n in range(order)])
        except FileNotFoundError:
            raise ModelError(f"{path} does not exist", "restore the whole model folder") from None
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} holds no n-gram: {error}", "restore the whole model folder") from None


def count(texts: Iterable[str], order: int, least: int = 2) -> NGram:
    """Counts runs of up to `order` (1 to 8) characters, newlines as spaces; each text begins after a space.

    Runs of four and more that were seen fewer than `least` times are left out: they are what the texts said rather than
    how the language goes, and they are most of the file.
    """
    runs = [CLASS[[SPACE, *encode(one_line(text))]] for text in texts]
    grams, counts = [], []
    for length in range(1, order + 1):
        keys = np.concatenate([np.zeros(0, dtype=np.uint64), *(_windows(ids, length) for ids in runs)])
        gram, seen = np.unique(keys, return_counts=True)
        kept = seen >= (least if length > 3 else 1)
        grams.append(gram[kept])
        counts.append(seen[kept].astype(np.uint32))
    return NGram(grams, counts)


def _windows(ids: np.ndarray, length: int) -> np.ndarray:
    """The keys of all runs of `length` ids; the space before a text is only ever context."""
    first = 1 if length == 1 else 0
    total = max(0, len(ids) - first - length + 1)
    keys = np.zeros(total, dtype=np.uint64)
    for offset in range(length):
        keys = (keys << np.uint64(BITS)) | ids[first + offset : first + offset + total]
    return keys


def _pack(ids: tuple[int, ...]) -> int:
    key = 0
    for index in ids:
        key = key << BITS | index
    return key
