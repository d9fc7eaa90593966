"""The probabilities of the next character after many contexts at once, from the counts of an n-gram model."""

from collections.abc import Sequence

import numpy as np

from text_recognizer.core.charset import CHARSET
from text_recognizer.inference.ngram_keys import BITS, CLASS_OF, DIGIT, DIGITS, MAX_ORDER, NO_CHARACTER, PRUNED

NUM_DISCOUNTS = 3  # counts of 1, of 2, and of 3 or more have a discount each
ADDED_COUNT = 0.1  # added to the count of every single character, so that none is impossible
# The ten digits share the probability of their class.
LOG_SHARE = np.zeros(len(CHARSET))
LOG_SHARE[list(DIGITS)] = -np.log(len(DIGITS))


class NextCharacters:
    """The distribution of the character after any context, looked up for arrays of contexts.

    A context is a key: the classes of its last `order - 1` characters. The probability of a character is a sum over the
    lengths of the context's endings. Each length adds its share, which is what was counted after an ending of that
    length less the discount, times its weight, which is what all longer endings leave to shorter ones.

    The endings of all lengths stand in one sorted array, and all n-grams in another, so that one search finds them all.
    """

    def __init__(
        self, grams: Sequence[np.ndarray], counts: Sequence[np.ndarray], discounts: Sequence[np.ndarray]
    ) -> None:
        self._length = len(grams) - 1
        lengths = np.arange(1, len(grams), dtype=np.int64)[:, None]
        self._masks, self._marks = (1 << BITS * lengths) - 1, lengths << BITS * MAX_ORDER
        self._single = _single_characters(grams[0], counts[0])
        parts = [_discounted(*one) for one in list(zip(grams, counts, discounts, strict=True))[1:]]
        marks = self._marks.ravel()
        self._endings = _joined([part[0] | mark for part, mark in zip(parts, marks, strict=True)], np.int64)
        self._left = _joined([part[1] for part in parts], np.float64)
        self._grams = _joined([part[2] | mark for part, mark in zip(parts, marks, strict=True)], np.int64)
        self._shares = _joined([part[3] for part in parts], np.float64)

    def keys_along(self, context: Sequence[int], text: Sequence[int] = ()) -> np.ndarray:
        """Return the key of what stands before each character of a text, and of all of it, (len(text) + 1,)."""
        known = [*[NO_CHARACTER] * self._length, *CLASS_OF[list(context)]]
        classes = np.array([*known[len(known) - self._length :], *CLASS_OF[list(text)]], dtype=np.int64)
        keys = np.zeros(len(text) + 1, dtype=np.int64)
        for offset in range(self._length):
            keys = keys << BITS | classes[offset : offset + len(keys)]
        return keys

    def longer(self, keys: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the keys of contexts that one more character, an id, is appended to."""
        longer: np.ndarray = (keys << BITS | CLASS_OF[characters]) & ((1 << BITS * self._length) - 1)
        return longer

    def weights(self, keys: np.ndarray) -> np.ndarray:
        """Return the weight of each length from 0 to `order - 1` (order, N) after each context."""
        wanted = keys & self._masks | self._marks
        weights = np.ones((self._length + 1, len(keys)))
        weights[:-1] = _found(self._endings, self._left, wanted, 1.0)[::-1].cumprod(axis=0)[::-1]
        return weights

    def log_probabilities(self, keys: np.ndarray, weights: np.ndarray, characters: np.ndarray) -> np.ndarray:
        """Return the log-probability of one character, an id, after each context, (N,); `weights` are the contexts'."""
        classes = CLASS_OF[characters]
        wanted = (keys & self._masks) << BITS | classes | self._marks
        shares = _found(self._grams, self._shares, wanted, 0.0)
        probabilities = self._single[classes] * weights[0] + (shares * weights[1:]).sum(axis=0)
        log_probabilities: np.ndarray = np.log(probabilities) + LOG_SHARE[characters]
        return log_probabilities

    def log_probabilities_along(self, context: Sequence[int], text: Sequence[int]) -> np.ndarray:
        """Return the log-probability of each character of a text after a context, (len(text),)."""
        keys = self.keys_along(context, text)[:-1]
        return self.log_probabilities(keys, self.weights(keys), np.array(text, dtype=np.int64))

    def distributions_along(self, context: Sequence[int], text: Sequence[int]) -> np.ndarray:
        """Return the log-probabilities of all characters where each character of a text stands, (len(text), C)."""
        keys = self.keys_along(context, text)[:-1]
        weights, every = self.weights(keys), np.arange(len(CHARSET))
        keys, weights = np.repeat(keys, len(every)), np.repeat(weights, len(every), axis=1)
        return self.log_probabilities(keys, weights, np.tile(every, len(text))).reshape(-1, len(every))


def _found(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, default: float) -> np.ndarray:
    """Return the value of each wanted key, or the default where it is not one of the sorted keys."""
    if not len(keys):
        return np.full(wanted.shape, default)
    places = keys.searchsorted(wanted)
    return np.where(keys.take(places, mode="clip") == wanted, values.take(places, mode="clip"), default)


def _discounted(
    grams: np.ndarray, counts: np.ndarray, discounts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Discount the counts of the sorted n-grams of one length, at least 2 characters.

    Return the contexts, the mass that each leaves to the shorter one, the n-grams without PRUNED, and their shares.
    """
    keys, times = grams.astype(np.int64), counts.astype(np.int64)
    contexts = keys >> BITS
    first = np.ones(len(contexts), dtype=bool)
    first[1:] = contexts[1:] != contexts[:-1]
    owner = np.cumsum(first) - 1
    shares = (times - discounts[np.minimum(times, NUM_DISCOUNTS) - 1]) / np.bincount(owner, weights=times)[owner]
    kept = keys & (1 << BITS) - 1 != PRUNED
    left = 1 - np.bincount(owner[kept], shares[kept], minlength=int(first.sum()))
    return contexts[first], left, keys[kept], shares[kept]


def _joined(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=dtype), *parts])


def _single_characters(grams: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the probability (C,) of each class without a context."""
    seen = np.full(len(CHARSET), ADDED_COUNT)
    seen[DIGIT] *= len(DIGITS)
    seen[grams.astype(np.int64)] += counts
    probabilities: np.ndarray = seen / (counts.sum(dtype=np.int64) + ADDED_COUNT * len(CHARSET))
    return probabilities
