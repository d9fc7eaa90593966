"""Transcribed pages to take lines from: the forms of IAM archives, and corpora in any other format."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from text_recognizer.core.charset import normalise
from text_recognizer.core.data_params import IamSplit
from text_recognizer.core.errors import DataError
from text_recognizer.core.params import PreprocessSection
from text_recognizer.corpora import page_lists
from text_recognizer.corpora.corpus_base import Corpus
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.corpora.iam_corpus import IamCorpus
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.packed_pages import PackedPage
from text_recognizer.corpora.text_corpus import TextCorpus
from text_recognizer.corpora.transcribed_pages import LabelledLine
from text_recognizer.preprocess.crop import crop_paragraph, place_paragraph

# Pixels of paper round the paragraph of a form or a single line: the detector misses text at the edge of a picture.
BORDER = 30


@dataclass(frozen=True, eq=False)
class LinePage:
    """A page, uint8 RGB (H, W, 3), with its normalised lines, whose points are in its pixels.

    Without line breaks, one line holds all of the text. With `has_places`, the archive says where the lines are.
    `canvas` is the page on a canvas with its labels, if it is an IAM form, whose boxes are known. `shows_one_line` says
    that the picture was cut out of a page.
    """

    writer: str
    rgb: np.ndarray
    lines: tuple[LabelledLine, ...]
    has_line_breaks: bool = True
    has_places: bool = False
    canvas: tuple[np.ndarray, PackedPage] | None = None
    shows_one_line: bool = False

    @property
    def texts(self) -> list[str]:
        """The texts of the lines that have one."""
        return [line.text for line in self.lines if line.text]


@dataclass(frozen=True)
class FormFile:
    """A form of an archive in IAM's layout."""

    archive: Path
    id: str

    @property
    def name(self) -> str:
        """The name in messages."""
        return f"{self.archive}: {self.id}"

    @property
    def place(self) -> str:
        """What tells the form from the pages of all sources."""
        return f"{self.archive.resolve()}: {self.id}"

    def open(self, section: PreprocessSection) -> LinePage:
        """Crop the paragraph of the form. Raises DataError if that is impossible."""
        with IamArchive(self.archive) as iam:
            form, picture = iam.form(self.id), iam.picture(self.id)
        paragraph = crop_paragraph(form, picture, section)
        framed = np.pad(paragraph.grey, BORDER, constant_values=255)
        canvas = place_paragraph(paragraph, section)
        lines = tuple(LabelledLine(line.text) for line in form.lines)
        return LinePage(form.writer, cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB), lines, canvas=canvas)


@dataclass(frozen=True)
class CorpusPage:
    """A page of a corpus in another format."""

    corpus: Corpus = field(repr=False)
    id: str

    @property
    def name(self) -> str:
        """The name in messages."""
        return f"{self.corpus.address}: {self.id}"

    @property
    def place(self) -> str:
        """What tells the page from the pages of all sources."""
        return f"{self.corpus.address.resolve()}: {self.id}"

    def open(self, _: PreprocessSection) -> LinePage:
        """Open the picture and its labels. Raises DataError if one of them cannot be used."""
        return corpus_page(self.corpus, self.id)


PageFile = FormFile | CorpusPage


def corpus_page(corpus: Corpus, page_id: str) -> LinePage:
    """Open the picture and the labels of a page. Raises DataError if one of them cannot be used."""
    rgb, page = corpus.page(page_id).open()
    if not page.text:
        raise DataError(f"{corpus.address}: {page_id} has no text", "transcribe the page, or leave it out of the lists")
    if page.shows_one_line:
        frame = ((BORDER, BORDER), (BORDER, BORDER), (0, 0))
        rgb = np.pad(rgb, frame, constant_values=int(np.median(rgb)))
    lines = tuple(replace(line, text=normalise(line.text)) for line in page.lines)
    places = any(line.text and line.box for line in lines)
    return LinePage(page.group, rgb, lines, page.has_line_breaks, places, shows_one_line=page.shows_one_line)


def list_pages(sources: Iterable[Path], split: IamSplit, part: str, unlisted: bool) -> list[PageFile]:
    """Return the pages of a part (`train` or `validation`) of archives and folders.

    The forms of an archive in IAM's layout are those that its split `split` lists for the part. The
    pages of another source are those that its `<part>.list` names, or that its format assigns to the part. If it has no
    such part, and `unlisted`, they are the pages of no part. So the test pages are left out in any case.

    Raises:
        DataError: a source is missing or of no known format; it has no such split; a list names a page that is not
            there, or two lists name the same page; or a picture has no text beside it.
    """
    pages: list[PageFile] = []
    for source in sources:
        corpus = open_corpus(source, split=split)
        if isinstance(corpus, IamCorpus):
            pages += [FormFile(source, form_id) for form_id in corpus.own_parts()[part]]
            corpus.close()
        else:
            pages += [CorpusPage(corpus, page_id) for page_id in _ids(corpus, part, unlisted)]
    return pages


def _ids(corpus: Corpus, part: str, unlisted: bool) -> tuple[str, ...]:
    """Return the pages of a part of a corpus."""
    parts = corpus.parts()
    others = page_lists.unlisted(parts, corpus.ids) if unlisted else ()
    chosen = parts.get(part, others)
    if isinstance(corpus, TextCorpus):
        for page_id in chosen:
            corpus.text_file(page_id)
    return chosen
