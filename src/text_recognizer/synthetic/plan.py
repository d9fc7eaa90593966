"""Which writer writes which form in which split. The plan is made before anything is drawn."""

from dataclasses import dataclass

import numpy as np

from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.synthetic.strokes import load_source_fonts

# Source fonts of the validation and of the test split; the others are for training. No font is in two splits.
VALIDATION_FONTS, TEST_FONTS = 5, 11


@dataclass(frozen=True)
class WriterPlan:
    """One writer: a number, a split, a source font and the numbers of the forms.

    `font` and `lenders` are indices into `strokes.load_source_fonts()`; the writer may borrow letters from `lenders`.
    `part` is the name of IAM's list that holds the writer's lines.
    """

    number: int
    split: str
    part: str
    font: int
    lenders: tuple[int, ...]
    forms: range

    @property
    def id(self) -> str:
        """The writer id in the archive."""
        return f"{self.number:05d}"


def form_id(number: int) -> str:
    """Return the id of form `number` in the archive."""
    return f"s{number // 1000:03d}-{number % 1000:03d}"


def plan(section: SyntheticSection) -> tuple[WriterPlan, ...]:
    """Return every writer in the order of their forms. The plan depends on the counts and the seed alone."""
    counts = (section.train_forms, section.validation_forms, section.test_forms)
    # The seed's suffix is part of the data: another one would draw other forms.
    fonts = np.random.default_rng((section.seed, *b"hands")).permutation(len(load_source_fonts()))
    cuts = (len(fonts) - VALIDATION_FONTS - TEST_FONTS, len(fonts) - TEST_FONTS)
    writers: list[WriterPlan] = []
    first = 0
    for split, count, own in zip(SPLITS, counts, np.split(fonts, cuts), strict=True):
        forms = range(first, first + count)
        writers += _writers(split, forms, tuple(map(int, own)), section.forms_per_writer, len(writers))
        first += count
    return tuple(writers)


def _writers(split: str, forms: range, fonts: tuple[int, ...], each: int, first: int) -> list[WriterPlan]:
    """Plan the writers of one split, numbered from `first`. The fonts are used in turn, so equally often."""
    shares = [forms[start : start + each] for start in range(0, len(forms), each)]
    return [
        WriterPlan(first + i, split, _part(split, i, len(shares)), fonts[i % len(fonts)], fonts, share)
        for i, share in enumerate(shares)
    ]


def _part(split: str, index: int, writers: int) -> str:
    if split == "validation":
        return "validationset1" if index < (writers + 1) // 2 else "validationset2"
    return {"train": "trainset", "test": "testset"}[split]
