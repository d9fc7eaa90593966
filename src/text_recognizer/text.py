"""The only rules about text: which characters exist, how text is normalised, and how it becomes ids and back."""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

from text_recognizer.errors import DataError

BLANK, START, END, PADDING = "<B>", "<S>", "<E>", "<P>"
SPECIAL = (BLANK, START, END, PADDING)
NEWLINE = "\n"
# The FSDL lab's order (EMNIST's essentials, then the newline), so that weights trained with it keep their meaning.
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz !\"#&'()*+,-./:;?" + NEWLINE
MAPPING: tuple[str, ...] = SPECIAL + tuple(CHARACTERS)
INDEX = {character: index for index, character in enumerate(MAPPING)}
BLANK_ID, START_ID, END_ID, PADDING_ID = (INDEX[token] for token in SPECIAL)
NEWLINE_ID = INDEX[NEWLINE]

_LOOKALIKES = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
        "…": "...", "\t": " ", "\u00a0": " ", "\r": "",
    }
)  # fmt: skip


def normalise(text: str) -> str:
    """Typographic look-alikes become the charset's own characters; spaces collapse; lines lose their outer spaces.

    Newlines stay. A character that has no counterpart stays too: `unknown` finds it, `encode` refuses it.
    """
    text = unicodedata.normalize("NFC", text).translate(_LOOKALIKES)
    return NEWLINE.join(" ".join(line.split()) for line in text.split(NEWLINE))


def one_line(text: str) -> str:
    """Newlines as spaces, spaces collapsed: the convention of published paragraph results (VAN, OrigamiNet)."""
    return " ".join(text.split())


def unknown(text: str) -> list[str]:
    """The characters of `text` that no id stands for, sorted, each once."""
    return sorted({character for character in text if character not in INDEX})


def encode(text: str) -> list[int]:
    """Character ids of `text`. Raises DataError naming what is outside the charset."""
    if missing := unknown(text):
        raise DataError(
            f"text holds characters outside the charset: {' '.join(map(repr, missing))} in {text[:60]!r}",
            "correct the transcription, or map the character in text.normalise",
        )
    return [INDEX[character] for character in text]


def decode(ids: Iterable[int]) -> str:
    """Text of character ids; special tokens are left out."""
    return "".join(MAPPING[index] for index in ids if MAPPING[index] not in SPECIAL)


def collapse(path: Sequence[int]) -> list[int]:
    """CTC's many-to-one map: repeats merged, then blanks removed (Graves et al. 2006, section 3.1)."""
    previous, out = BLANK_ID, []
    for index in path:
        if index not in (previous, BLANK_ID):
            out.append(index)
        previous = index
    return out


def ctc_columns(text: str) -> int:
    """Fewest CTC time steps that can spell `text`: one a character, and one more between two equal neighbours."""
    return len(text) + sum(left == right for left, right in pairwise(text))


def framed(text: str, length: int, ends: bool = True) -> list[int]:
    """`<S>`, the ids of `text`, `<E>`, then `<P>` up to `length`; without `<S>` and `<E>` where `ends` is false.

    Raises DataError where the text is longer than `length`.
    """
    ids = [START_ID, *encode(text), END_ID] if ends else encode(text)
    if len(ids) > length:
        raise DataError(f"a text of {len(ids)} tokens does not fit into {length}: {text[:60]!r}", "raise the length")
    return ids + [PADDING_ID] * (length - len(ids))
