"""The charset: the characters that a model can emit, the normalisation of text, and its encoding as ids.

Text is changed in two steps. `normalise` replaces what is typography. It is applied to all labels, also to those of
scored pages. `to_label` also removes accents, because the charset has none. It is applied to labels for training only,
and says what it changed. No other character is replaced: labels with signs such as `£` are reported and left out.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from text_recognizer.core.errors import DataError

BLANK, START, END, PADDING = "<B>", "<S>", "<E>", "<P>"
SPECIAL = (BLANK, START, END, PADDING)
NEWLINE = "\n"
CROSSED_OUT = "#"  # stands for a word that the writer crossed out, as in IAM
# The order of the FSDL lab (the essential characters of EMNIST, then the newline), so that its weights still apply.
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz !\"#&'()*+,-./:;?" + NEWLINE
CHARSET: tuple[str, ...] = SPECIAL + tuple(CHARACTERS)
INDEX = {character: index for index, character in enumerate(CHARSET)}
BLANK_ID, START_ID, END_ID, PADDING_ID = (INDEX[token] for token in SPECIAL)
NEWLINE_ID = INDEX[NEWLINE]

_LOOKALIKES = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'", "ʼ": "'", "‹": "'", "›": "'",
        "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
        "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st",
        "…": "...", "\t": " ", "\u00a0": " ", "\r": "",
        # Soft hyphen, zero-width space and joiners, word joiner, byte order mark: nobody writes them.
        "\u00ad": "", "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "",
    }
)  # fmt: skip
# Letters of the Latin alphabet that are no letter with an accent, as they are written without them.
_LATIN_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "Ħ": "H", "ı": "i",
}  # fmt: skip


def normalise(text: str) -> str:
    """Replace typographic look-alikes by characters of the charset, collapse spaces, and strip each line.

    Newlines stay. A character without a counterpart stays too: `unknown_characters` finds it, `encode` refuses it.
    """
    text = unicodedata.normalize("NFC", text).translate(_LOOKALIKES)
    return NEWLINE.join(" ".join(line.split()) for line in text.split(NEWLINE))


@dataclass(frozen=True)
class Label:
    """A text to train on. `unaccented` are the letters of the original whose accents were removed, in order.

    `unknown` are the characters outside the charset, in order: a label with any cannot be trained on.
    """

    text: str
    unaccented: str
    unknown: str


def to_label(text: str) -> Label:
    """Return the label for a normalised text: letters with accents become the letters of the charset below them."""
    plain = [_without_accents(character) for character in text]
    return Label(
        text="".join(plain),
        unaccented="".join(before for before, after in zip(text, plain, strict=True) if before != after),
        unknown="".join(character for character in plain if unknown_characters(character)),
    )


@cache
def _without_accents(character: str) -> str:
    """Return the letters of the charset for a Latin letter with accents; any other character as it is."""
    if character in _LATIN_LETTERS:
        return _LATIN_LETTERS[character]
    parts = unicodedata.normalize("NFD", character)
    return parts[0] if parts[0] in INDEX and all(map(unicodedata.combining, parts[1:])) else character


def count_characters(counts: Counter[str]) -> str:
    """Return characters and their counts for a message, the most frequent first."""
    return ", ".join(f"{character} {count}" for character, count in counts.most_common())


def join_lines(text: str) -> str:
    """Replace newlines by spaces and collapse spaces, as published paragraph results do (VAN, OrigamiNet)."""
    return " ".join(text.split())


def is_crossed_out(word: str) -> bool:
    """Return whether a word was crossed out: it is `#`, perhaps with punctuation. `#5` is a number, and is not."""
    return CROSSED_OUT in word and not any(character.isalnum() for character in word)


def unknown_characters(text: str) -> list[str]:
    """Return the characters of `text` that are not in the charset, sorted, each once."""
    return sorted({character for character in text if character not in INDEX})


def encode(text: str) -> list[int]:
    """Return the character ids of `text`. Raises DataError, with the characters, if some are not in the charset."""
    if missing := unknown_characters(text):
        raise DataError(
            f"text holds characters outside the charset: {' '.join(map(repr, missing))} in {text[:60]!r}",
            "correct the transcription, or replace the character in core/charset.py: normalise",
        )
    return [INDEX[character] for character in text]


def decode(ids: Iterable[int]) -> str:
    """Return the text of character ids. Special tokens are left out."""
    return "".join(CHARSET[index] for index in ids if CHARSET[index] not in SPECIAL)


def collapse(path: Sequence[int]) -> list[int]:
    """Merge the repeats of a CTC path, then remove its blanks (Graves et al. 2006, section 3.1)."""
    previous, out = BLANK_ID, []
    for index in path:
        if index not in (previous, BLANK_ID):
            out.append(index)
        previous = index
    return out


def min_ctc_steps(text: str) -> int:
    """Return the fewest CTC time steps that can emit `text`: one a character, and a blank between equal neighbours."""
    return len(text) + sum(left == right for left, right in pairwise(text))


def encode_padded(text: str, length: int, ends: bool = True) -> list[int]:
    """Return `<S>`, the ids of `text`, `<E>`, and `<P>` up to `length`. If not `ends`, `<S>` and `<E>` are left out.

    Raises DataError if the text does not fit into `length`.
    """
    ids = [START_ID, *encode(text), END_ID] if ends else encode(text)
    if len(ids) > length:
        raise DataError(f"a text of {len(ids)} tokens does not fit into {length}: {text[:60]!r}", "raise the length")
    return ids + [PADDING_ID] * (length - len(ids))
