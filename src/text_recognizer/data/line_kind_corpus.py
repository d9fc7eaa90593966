"""Gather the strips of one split from corpora, pictures and fonts, for the line classifier."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from text_recognizer.data.line_kind_cache import cached_strips
from text_recognizer.data.line_kind_drawings import written_strips
from text_recognizer.data.line_kind_patterns import pattern_strips
from text_recognizer.data.line_kind_print import FONT_SUFFIXES, printed_strips
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
PRINTED_STRIPS, PATTERN_STRIPS, PAGES_OF_CORPUS = 8000, 2800, 300
PAGES_OF_PDF, SYNTHETIC_FORMS = 12, 150
VALIDATION = 0.1
SEED = 5
Maker = Callable[[], Iterable[KindStrip]]


@dataclass(frozen=True)
class KindFolders:
    """Where the training data lie.

    `corpora` are folders of pages of known kind, `pictures` holds pictures without text, and `fonts` holds fonts of
    print (no handwriting fonts) and printed PDFs.
    """

    corpora: tuple[Path, ...]
    pictures: Path
    fonts: Path


def gather_strips(
    folders: KindFolders, split: str, detector: TextDetector, share: float = 1.0, cache: Path | None = None
) -> list[KindStrip]:
    """Return the strips of the split `train` or `validation`.

    `share` scales the number of pages. The strips of each source are kept in the folder `cache`, if there is one, and
    taken from there the next time. Raises DataError if a folder of a corpus does not hold one.
    """
    strips: list[KindStrip] = []
    for name, make in _sources(folders, split, detector, share):
        strips += cached_strips(cache, f"{name}.{split}", make)
    LOG.info("%s: %d strips", split, len(strips))
    return strips


def _sources(folders: KindFolders, split: str, detector: TextDetector, share: float) -> Iterator[tuple[str, Maker]]:
    """Yield each source with the function that makes its strips."""
    part = 1.0 if split == "train" else VALIDATION
    pages, in_pdf = (max(1, round(number * share * part)) for number in (PAGES_OF_CORPUS, PAGES_OF_PDF / part))
    for folder in folders.corpora:
        yield folder.name, partial(_cut, partial(corpus_pages, folder, split, pages), detector, split)
    yield "pictures", partial(_cut, partial(picture_pages, folders.pictures, split, 4 * pages), detector, split)
    yield "pdfs", partial(_cut, partial(printed_pages, folders.fonts, split, in_pdf), detector, split)
    fonts = files_of_split(folders.fonts, FONT_SUFFIXES, split)
    yield "printed", partial(printed_strips, fonts, round(PRINTED_STRIPS * part), split)
    yield "patterns", partial(pattern_strips, round(PATTERN_STRIPS * part), split)
    yield "written", partial(written_strips, SYNTHETIC_FORMS, split)


def _cut(pages: Callable[[], Iterable[KindPage]], detector: TextDetector, split: str) -> Iterator[KindStrip]:
    rng = np.random.default_rng((SEED, *split.encode()))
    for page in pages():
        yield from strips_of_page(page, detector, rng)
