"""Make up the texts of printed lines: prose, capitals, numbers, labels, prices, code, page numbers."""

import string
from collections.abc import Iterator

import numpy as np

LABELS = (
    "Name:",
    "Date",
    "No.",
    "Page",
    "Address",
    "Total",
    "Signature",
    "Class",
    "Question",
    "Score",
    "Figure",
    "TO:",
    "Tel.",
    "EXIT",
    "Chapter",
    "Subtotal",
    "Notes",
)
LEADERS = ("", " ....................", " ______________", " [ ]", ": 0.00")
# The chance of each kind of text, in the order of the kinds in `printed_text`; the rest is prose.
CHANCES = (0.12, 0.1, 0.1, 0.05, 0.06, 0.06, 0.05)


def printed_text(words: Iterator[str], rng: np.random.Generator) -> str:
    """Return a line of print."""
    text = " ".join(next(words) for _ in range(int(rng.integers(1, 14))))
    kinds = (
        text.upper(),
        " ".join(_number(rng) for _ in range(int(rng.integers(1, 8)))),
        str(rng.choice(LABELS)) + str(rng.choice((*LEADERS, f" {text[:12]}"))),
        "".join(rng.choice(list(string.ascii_letters + string.digits + string.punctuation), int(rng.integers(2, 30)))),
        _price(text, rng),
        _code(text, rng),
        str(rng.choice((_number(rng), f"- {_number(rng)} -", f"Page {_number(rng)}", "\u2022 " + text, "\u00a7 2"))),
    )
    chosen = int(np.searchsorted(np.cumsum(CHANCES), rng.random(), side="right"))
    return kinds[chosen] if chosen < len(kinds) else text


def _number(rng: np.random.Generator) -> str:
    return str(rng.integers(0, 10 ** int(rng.integers(1, 6))))


def _price(text: str, rng: np.random.Generator) -> str:
    """Return a line of a receipt or a timetable."""
    amount = f"{rng.integers(0, 200)}{rng.choice(('.', ':', ','))}{rng.integers(0, 100):02d}"
    return f"{text[: int(rng.integers(0, 20))]} {rng.choice(('', '$', '€', 'x '))}{amount}"


def _code(text: str, rng: np.random.Generator) -> str:
    """Return a line of a program, a path or an address."""
    names = "".join(letter if letter.isalpha() or letter == " " else "" for letter in text).lower().split()
    forms = ("{} = {}({})", "/{}/{}/{}.txt", "www.{}-{}.org/{}", "{}_{}: {}", "<{} {}={}>")
    first, second, third = (names[at % len(names)] if names else "x" for at in range(3))
    return str(rng.choice(forms)).format(first, second, third)
