"""Gather the strips of one split from corpora, pictures and fonts, for the line classifier."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from text_recognizer.data.line_kind_drawings import FONT_SUFFIXES, pattern_strips, printed_strips, written_strips
from text_recognizer.data.line_kind_sources import (
    KindPage,
    corpus_pages,
    files_of_split,
    picture_pages,
    printed_pages,
)
from text_recognizer.data.line_kind_strips import KindStrip, strips_of_page
from text_recognizer.pages.text_detection import TextDetector

LOG = logging.getLogger(__name__)
# Strips or pages of the training split; the validation split has a share of VALIDATION of them.
PRINTED_STRIPS, PATTERNS, SYNTHETIC_FORMS, PAGES_OF_CORPUS = 5000, 1500, 150, 300
VALIDATION = 0.1
SEED = 5


@dataclass(frozen=True)
class KindFolders:
    """Where the training data lie.

    `corpora` are folders of pages of known kind, `pictures` holds pictures without text, and `fonts` holds fonts of
    print (no handwriting fonts) and printed PDFs.
    """

    corpora: tuple[Path, ...]
    pictures: Path
    fonts: Path


def gather_strips(folders: KindFolders, split: str, detector: TextDetector, share: float = 1.0) -> list[KindStrip]:
    """Return the strips of the split `train` or `validation`. `share` scales how many there are.

    Raises DataError if a folder of a corpus does not hold one.
    """
    share = share * (1.0 if split == "train" else VALIDATION)
    pages = max(1, round(PAGES_OF_CORPUS * share))
    rng = np.random.default_rng((SEED, *split.encode()))
    strips: list[KindStrip] = []
    for folder in folders.corpora:
        strips += _cut(islice(corpus_pages(folder, split), pages), detector, rng)
    strips += _cut(islice(picture_pages(folders.pictures, split), 2 * pages), detector, rng)
    strips += _cut(printed_pages(folders.fonts, split), detector, rng)
    fonts = files_of_split(folders.fonts, FONT_SUFFIXES, split)
    strips += printed_strips(fonts, max(1, round(PRINTED_STRIPS * share)), split)
    strips += pattern_strips(max(1, round(PATTERNS * share)), split)
    strips += written_strips(max(1, round(SYNTHETIC_FORMS * share)), split)
    LOG.info("%s: %d strips", split, len(strips))
    return strips


def _cut(pages: Iterable[KindPage], detector: TextDetector, rng: np.random.Generator) -> Iterator[KindStrip]:
    for page in pages:
        yield from strips_of_page(page, detector, rng)
