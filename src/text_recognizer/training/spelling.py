"""The character n-gram that a trained reader spells with."""

from pathlib import Path

from text_recognizer.config import LanguageSection
from text_recognizer.data.archives import TARS
from text_recognizer.data.brown import brown_sentences
from text_recognizer.data.packed import PackedSplit
from text_recognizer.errors import DataError
from text_recognizer.inference.beam import Speller
from text_recognizer.inference.language import count
from text_recognizer.text import normalise, unknown

MEND = "mend language.texts in params.yaml"


def learn_spelling(processed: Path, section: LanguageSection) -> Speller | None:
    """Counts the training pages and `section.texts`; None where `section.order` is 0.

    Those are text files, and archives or folders of the Brown corpus. A paragraph, or a sentence of that corpus, that
    holds a character outside the charset is left out. Raises DataError where a file cannot be read, or holds nothing
    that can be used.
    """
    if not section.order:
        return None
    texts = [page.text for page in PackedSplit.open(processed, "train").pages]
    for name in section.texts:
        texts += _paragraphs(Path(name))
    return Speller(count(texts, section.order), section.weight, section.bonus, section.beam)


def _paragraphs(path: Path) -> list[str]:
    try:
        path.stat()
        archive = path.is_dir() or path.name.endswith((".zip", *TARS))
        rows = brown_sentences(path) if archive else path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", MEND) from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error}", MEND) from None
    usable = [row for row in map(normalise, rows) if row and not unknown(row)]
    if not usable:
        raise DataError(f"{path} holds no line of the charset's characters", MEND)
    return usable
