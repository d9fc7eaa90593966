"""The data of a beam search over several lines at once: the columns that it reads, and the prefixes that it keeps.

`L` lines, `w` columns, `C` classes. A slot is the number of one character of one line: the number of the line times
`C`, plus the id of the character.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.core.charset import BLANK_ID, SPECIAL
from text_recognizer.inference.ngram_keys import BITS

MIN_LOG_PROBABILITY = -9.0  # a character less likely than this is not tried in its column
NOWHERE = -1
NUM_IDS, NUM_LOGS = 5, 4
LINE, NODE, PARENT, SLOT, KEY = range(NUM_IDS)
BLANK, CHARACTER, TOTAL, LANGUAGE = range(NUM_LOGS)


@dataclass(frozen=True)
class Columns:
    """The log-probabilities (w, L * C) of lines, and the characters that are likely in each column.

    `slots` and `likely` (M,) are the slots and log-probabilities of all likely characters. In a column, those of a line
    are `counts` (w, L) in number, from `starts` (w, L) on; `places` (w, L * C) says where a slot stands, or NOWHERE.
    """

    logs: np.ndarray
    slots: np.ndarray
    likely: np.ndarray
    counts: np.ndarray
    starts: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, scores: Sequence[np.ndarray]) -> "Columns":
        """Take the columns of lines, each (w, C). In the columns after the end of a line nothing is likely."""
        logs = np.full((max(map(len, scores)), len(scores), scores[0].shape[1]), -np.inf)
        for index, line in enumerate(scores):
            logs[: len(line), index] = line
        possible = logs > MIN_LOG_PROBABILITY
        possible[:, :, : len(SPECIAL)] = False
        counts = np.count_nonzero(possible, axis=2)
        starts = (counts.cumsum() - counts.ravel()).reshape(counts.shape)
        flat = len(logs), logs[0].size if len(logs) else 0
        columns, slots = possible.reshape(flat).nonzero()
        logs, places = logs.reshape(flat), np.full(flat, NOWHERE)
        places[columns, slots] = np.arange(len(slots))
        return cls(logs, slots, logs[columns, slots], counts, starts, places)


@dataclass(frozen=True)
class Beams:
    """Prefixes (N,) of several lines, sorted by line, those of a line from the highest score to the lowest.

    `ids` (NUM_IDS, N) holds the line of each prefix; its number and that of the prefix without its last character, see
    `PrefixTree`; the slot of that character, or of the blank if there is none; and its key in `NextCharacters`, whose
    `weights` stand beside. `logs` (NUM_LOGS, N) holds the log-probability of its paths that end in a blank, of those
    that end in its last character, and of all; and what the language model and the insertion bonus add. `starts` (L,)
    says where the prefixes of each line begin.
    """

    ids: np.ndarray
    logs: np.ndarray
    weights: np.ndarray
    starts: np.ndarray

    @classmethod
    def empty_texts(cls, classes: int, keys: np.ndarray, weights: np.ndarray) -> "Beams":
        """Return the empty prefix of each line; `keys` (L,) and `weights` (order, L) are those of its context."""
        numbers = np.arange(len(keys))
        ids = np.zeros((NUM_IDS, len(keys)), dtype=np.int64)
        ids[LINE], ids[NODE], ids[SLOT], ids[KEY] = numbers, numbers + 1, numbers * classes + BLANK_ID, keys
        logs = np.zeros((NUM_LOGS, len(keys)))
        logs[CHARACTER] = -np.inf
        return cls(ids, logs, weights, numbers)

    @property
    def best(self) -> np.ndarray:
        """The number of the best prefix of each line."""
        best: np.ndarray = self.ids[NODE, self.starts]
        return best

    def of_first(self, lines: int) -> "Beams":
        """Return the prefixes of the first lines."""
        end = self.starts[lines]
        return Beams(self.ids[:, :end], self.logs[:, :end], self.weights[:, :end], self.starts[:lines])


class PrefixTree:
    """The numbers of prefixes: 0 is none, then come the empty prefixes of the lines. Equal prefixes have equal ones."""

    def __init__(self, lines: int) -> None:
        self._first = lines + 1
        self._numbers: dict[int, int] = {}  # by the parent's number and the last character
        self._places = np.zeros(2 * self._first, dtype=np.int64)

    def extended(self, parents: np.ndarray, characters: np.ndarray) -> list[int]:
        """Return the number of each parent with one more character."""
        numbers, first = self._numbers, self._first
        return [numbers.setdefault(key, first + len(numbers)) for key in (parents << BITS | characters).tolist()]

    def places(self, nodes: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Return where each of `wanted` stands among `nodes`, or any place if it does not stand there."""
        if len(self._numbers) + self._first > len(self._places):
            self._places = np.zeros(2 * (len(self._numbers) + self._first), dtype=np.int64)
        self._places[nodes] = np.arange(len(nodes))
        found: np.ndarray = np.minimum(self._places[wanted], len(nodes) - 1)
        return found

    def texts(self, nodes: np.ndarray) -> list[tuple[int, ...]]:
        """Return the ids of prefixes."""
        keys = list(self._numbers)
        return [self._text(keys, node) for node in nodes.tolist()]

    def _text(self, keys: list[int], node: int) -> tuple[int, ...]:
        backwards = []
        while node >= self._first:
            key = keys[node - self._first]
            backwards.append(key & (1 << BITS) - 1)
            node = key >> BITS
        return tuple(reversed(backwards))
