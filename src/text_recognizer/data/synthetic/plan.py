"""Who writes which form: hands, writers and forms dealt out to the splits before anything is drawn."""

from dataclasses import dataclass

import numpy as np

from text_recognizer.config import SyntheticSection
from text_recognizer.data.iam import SPLITS
from text_recognizer.data.synthetic.strokes import load_hands

# Hands of the validation and of the test split; the rest are for training. No hand is in two of them.
VALIDATION_HANDS, TEST_HANDS = 5, 11


@dataclass(frozen=True)
class WriterPlan:
    """One writer: their hand, the hands they may borrow letters from, and the numbers of their forms.

    Hands are indices of `strokes.load_hands`; `part` is IAM's name of the list that the writer's lines stand in.
    """

    number: int
    split: str
    part: str
    hand: int
    borrow: tuple[int, ...]
    forms: range

    @property
    def id(self) -> str:
        return f"{self.number:05d}"


def form_id(number: int) -> str:
    return f"s{number // 1000:03d}-{number % 1000:03d}"


def plan(section: SyntheticSection) -> tuple[WriterPlan, ...]:
    """Every writer, in the order of their forms. A function of the counts and the seed alone."""
    counts = (section.train_forms, section.validation_forms, section.test_forms)
    hands = np.random.default_rng((section.seed, *b"hands")).permutation(len(load_hands()))
    cuts = (len(hands) - VALIDATION_HANDS - TEST_HANDS, len(hands) - TEST_HANDS)
    writers: list[WriterPlan] = []
    first = 0
    for split, count, part in zip(SPLITS, counts, np.split(hands, cuts), strict=True):
        forms = range(first, first + count)
        writers += _writers(split, forms, tuple(map(int, part)), section.forms_per_writer, len(writers))
        first += count
    return tuple(writers)


def _writers(split: str, forms: range, hands: tuple[int, ...], each: int, first: int) -> list[WriterPlan]:
    """Deals the hands to the split's writers one by one, so that each hand has as many as the next."""
    own = [forms[start : start + each] for start in range(0, len(forms), each)]
    return [
        WriterPlan(first + i, split, _part(split, i, len(own)), hands[i % len(hands)], hands, mine)
        for i, mine in enumerate(own)
    ]


def _part(split: str, index: int, writers: int) -> str:
    if split == "validation":
        return "validationset1" if index < (writers + 1) // 2 else "validationset2"
    return {"train": "trainset", "test": "testset"}[split]
