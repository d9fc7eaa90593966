"""What the forms say: public-domain prose, and sentences with figures, dates and signs; apart for each split."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

import numpy as np

from text_recognizer.data.iam import SPLITS
from text_recognizer.data.synthetic.strokes import read_asset
from text_recognizer.data.synthetic.templates import LISTS, TEMPLATES
from text_recognizer.text import normalise, unknown

SHARES = (0.7, 0.1, 0.2)
# Sentences stay in runs, so that a form reads on like the story it comes from.
RUN = 25
SPICED_SHARE = 0.6
_SLOT = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Prose:
    """One split's sentences in story order, `order` in which forms begin at them, and its templates."""

    sentences: tuple[str, ...]
    order: tuple[int, ...]
    templates: tuple[str, ...]

    def words(self, number: int, rng: np.random.Generator) -> Iterator[str]:
        """Endless words for form `number`; a sentence made from a template stands near the start of most forms."""
        start = self.order[number % len(self.order)]
        spiced = int(rng.random() < 0.2) if rng.random() < SPICED_SHARE else -1
        for index in count():
            if index == spiced:
                yield from fill(self.templates[int(rng.integers(len(self.templates)))], rng).split()
            yield from self.sentences[(start + index) % len(self.sentences)].split()


def fill(template: str, rng: np.random.Generator) -> str:
    """The template with each `{low-high}` a number in that range and each `{list}` an entry of `templates.LISTS`."""

    def choose(slot: re.Match[str]) -> str:
        name = slot[1]
        if name in LISTS:
            return LISTS[name][int(rng.integers(len(LISTS[name])))]
        low, high = map(int, name.split("-"))
        return str(int(rng.integers(low, high + 1)))

    return _SLOT.sub(choose, template)


@lru_cache(maxsize=1)
def sentences() -> tuple[str, ...]:
    """Every sentence of the asset that the charset can spell, each once however it is cased or pointed."""
    lines = map(normalise, read_asset("sentences.txt").read_text(encoding="utf-8").splitlines())
    apart = {re.sub("[^a-z]", "", line.lower()): line for line in lines if line and not unknown(line)}
    return tuple(apart.values())


@lru_cache(maxsize=2)
def prose_of(seed: int) -> dict[str, Prose]:
    """Each split's prose. No sentence and no template stands in two of them."""
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
