"""Estimate the character n-gram language model of a reader."""

from pathlib import Path

from text_recognizer.core.charset import normalise, unknown_characters
from text_recognizer.core.errors import DataError
from text_recognizer.core.params import LanguageSection
from text_recognizer.corpora.brown import brown_sentences
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.inference.beam_search import BeamSearchDecoder
from text_recognizer.inference.language_model import count_ngrams
from text_recognizer.utils.archives import TAR_SUFFIXES

FIX = "correct language.texts in params.yaml"


def estimate_language_model(processed: Path, section: LanguageSection) -> BeamSearchDecoder | None:
    """Count the n-grams of the training pages and of `section.texts`; return None if `section.order` is 0.

    The texts are text files, and archives or folders of the Brown corpus. A paragraph, or a sentence of that corpus,
    with a character outside the charset is left out. Raises DataError if a file cannot be read or has no usable text.
    """
    if not section.order:
        return None
    texts = [page.text for page in PackedSplit.open(processed, "train").pages]
    for name in section.texts:
        texts += _paragraphs(Path(name))
    return BeamSearchDecoder(
        count_ngrams(texts, section.order),
        section.lm_weight,
        section.insertion_bonus,
        section.beam_width,
        section.min_lm_share,
    )


def _paragraphs(path: Path) -> list[str]:
    try:
        path.stat()
        archive = path.is_dir() or path.name.endswith((".zip", *TAR_SUFFIXES))
        rows = brown_sentences(path) if archive else path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", FIX) from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error}", FIX) from None
    usable = [row for row in map(normalise, rows) if row and not unknown_characters(row)]
    if not usable:
        raise DataError(f"{path} holds no line of the charset's characters", FIX)
    return usable
