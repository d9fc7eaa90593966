"""The texts of the forms: prose in the public domain, and generated sentences with figures, dates and signs.

No sentence and no template is in two splits.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np

from text_recognizer.core.charset import normalise, unknown_characters
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.synthetic.strokes import asset_path
from text_recognizer.synthetic.templates import LISTS, TEMPLATES

SHARES = (0.7, 0.1, 0.2)  # of the runs of sentences, for the training, validation and test split
# Consecutive sentences that stay together, so that a form reads like a story.
RUN = 25
TEMPLATE_SHARE = 0.6  # of the forms hold a sentence from a template
_SLOT = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Prose:
    """The texts of one split: sentences in story order, the order in which forms start at them, and templates."""

    sentences: tuple[str, ...]
    order: tuple[int, ...]
    templates: tuple[str, ...]

    def words(self, number: int, rng: np.random.Generator) -> Iterator[str]:
        """Yield words for form `number` without end. Most forms get a sentence from a template near the start."""
        start = self.order[number % len(self.order)]
        place = int(rng.random() < 0.2) if rng.random() < TEMPLATE_SHARE else -1
        for index in count():
            if index == place:
                yield from fill_template(self.templates[int(rng.integers(len(self.templates)))], rng).split()
            yield from self.sentences[(start + index) % len(self.sentences)].split()


def fill_template(template: str, rng: np.random.Generator) -> str:
    """Replace each `{low-high}` by a number in that range and each `{list}` by an entry of `templates.LISTS`."""

    def choose(slot: re.Match[str]) -> str:
        name = slot[1]
        if name in LISTS:
            return LISTS[name][int(rng.integers(len(LISTS[name])))]
        low, high = map(int, name.split("-"))
        return str(int(rng.integers(low, high + 1)))

    return _SLOT.sub(choose, template)


@lru_cache(maxsize=1)
def sentences() -> tuple[str, ...]:
    """Return the sentences whose characters are all in the charset. Sentences with the same letters count once."""
    lines = map(normalise, asset_path("sentences.txt").read_text(encoding="utf-8").splitlines())
    by_letters = {re.sub("[^a-z]", "", line.lower()): line for line in lines if line and not unknown_characters(line)}
    return tuple(by_letters.values())


@lru_cache(maxsize=2)
def prose_by_split(seed: int) -> dict[str, Prose]:
    """Return the texts of each split."""
    rng = np.random.default_rng((seed, *b"prose"))
    known = sentences()
    runs = [known[start : start + RUN] for start in range(0, len(known), RUN)]
    order = rng.permutation(len(runs))
    cuts = (np.cumsum(SHARES)[:-1] * len(runs)).astype(int)
    return {
        split: _prose(split, [runs[i] for i in part], rng)
        for split, part in zip(SPLITS, np.split(order, cuts), strict=True)
    }


def _prose(split: str, runs: list[tuple[str, ...]], rng: np.random.Generator) -> Prose:
    own = tuple(sentence for run in runs for sentence in run)
    return Prose(own, tuple(map(int, rng.permutation(len(own)))), TEMPLATES[split])
