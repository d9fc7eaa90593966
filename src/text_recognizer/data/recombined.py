"""Paragraphs that nobody wrote: the words and lines of real pages, put together anew.

The largest single gain that people report who trained such readers on IAM. Each one is of one writer, with gaps,
indents and a spacing of its own; some of its lines are real ones, the rest is words in any order, so that the reader
has to look rather than guess. Words with rare characters come oftener than they were written.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.words import INK, cut_words
from text_recognizer.images import PAPER
from text_recognizer.text import NEWLINE

SLACK = 3  # px above and below a line's box that are cut out with it
WHOLE_LINES = 0.35  # share of lines that are taken as they were written
FULL = 0.55, 1.0  # how much of the width a line of words fills
Range = tuple[float, float]
PITCH: Range = (1.0, 1.75)  # from line to line, in heights of the writer's median line
SPACE: Range = (0.4, 1.7)  # between words, in widths of a character
COMMON, MOST = 0.01, 5.0  # frequency from which on a character is common, and how much oftener the rarest come
WOBBLE = 0.03  # of words about their line, in heights
INDENT: Range = (0.0, 0.08)  # of the width


@dataclass(frozen=True)
class Piece:
    """A word or a line: its text, the page it is on, and its pixels there, `(left, top, right, bottom)`."""

    text: str
    page: int
    box: tuple[int, int, int, int]
    middle: int  # row where half of its line's ink lies above

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]


@dataclass(frozen=True)
class Hand:
    """What one writer wrote. `character` is the mean width of a character, `height` of a line's box, in px.

    `until` (words,) sums up the shares of the words so far, the last one 1.
    """

    lines: tuple[Piece, ...]
    words: tuple[Piece, ...]
    until: np.ndarray
    character: float
    height: float


class Recombined:
    """An endless supply of recombined paragraphs from the pages of one split; number `n` is a function of the seed.

    A page ends where its canvas, uint8 `size`, is full, or where another word would take its text above `limit`
    characters, newlines included; None is no limit.
    """

    def __init__(self, split: PackedSplit, size: tuple[int, int], seed: int, limit: int | None = None) -> None:
        self.split, self.size, self.seed, self.limit = split, size, seed, limit
        self.hands = _hands(split)
        counts = np.array([len(hand.lines) for hand in self.hands], dtype=float)
        self._shares = counts / counts.sum()

    def page(self, number: int) -> tuple[np.ndarray, list[str], list[tuple[int, int, int, int]]]:
        """A canvas, uint8 `size`, its lines' texts, and their boxes (x, y, width, height) in pixels."""
        draw = np.random.default_rng((self.seed, number))
        hand = self.hands[draw.choice(len(self.hands), p=self._shares)]
        canvas = np.full(self.size, PAPER, dtype=np.uint8)
        texts: list[str] = []
        boxes: list[tuple[int, int, int, int]] = []
        middle = hand.height * draw.uniform(0.6, 1.2)
        pitch = hand.height * draw.uniform(*PITCH)
        while middle < self.size[0] - 0.45 * hand.height or not texts:
            pieces = self._within(self._line(hand, draw), texts)
            if not pieces:
                break
            boxes.append(self._write(canvas, pieces, hand, int(middle), draw))
            texts.append(" ".join(piece.text for piece, _ in pieces))
            middle += max(pitch * draw.uniform(0.92, 1.08), 0.8 * hand.height)
        return canvas, texts, boxes

    def _within(self, pieces: list[tuple[Piece, int]], texts: list[str]) -> list[tuple[Piece, int]]:
        """The pieces of a line that the limit leaves room for, after the lines in `texts`."""
        if self.limit is None:
            return pieces
        room = self.limit - sum(len(text) + 1 for text in texts)
        while pieces and sum(len(piece.text) + 1 for piece, _ in pieces) - 1 > room:
            pieces = pieces[:-1]
        return pieces

    def _line(self, hand: Hand, draw: np.random.Generator) -> list[tuple[Piece, int]]:
        """The pieces of one line, each with its left edge."""
        width = self.size[1]
        left = int(width * draw.uniform(*INDENT))
        whole = [piece for piece in hand.lines if piece.width <= width - 2]
        if whole and (not hand.words or draw.random() < WHOLE_LINES):
            piece = whole[draw.integers(len(whole))]
            return [(piece, min(left, width - piece.width - 1))]
        stop = width * draw.uniform(*FULL)
        pieces: list[tuple[Piece, int]] = []
        while True:
            piece = hand.words[int(np.searchsorted(hand.until, draw.random(), side="right"))]
            if pieces and left + piece.width >= stop:
                return pieces
            pieces.append((piece, left))
            left += piece.width + max(2, int(hand.character * draw.uniform(*SPACE)))

    def _write(
        self, canvas: np.ndarray, pieces: list[tuple[Piece, int]], hand: Hand, middle: int, draw: np.random.Generator
    ) -> tuple[int, int, int, int]:
        """Draws the pieces with the middle of their ink in one row; returns the box around their lines' boxes."""
        top, bottom, right = canvas.shape[0], 0, 0
        for piece, left in pieces:
            x0, y0, x1, y1 = piece.box
            start = middle - (piece.middle - y0) + round(draw.normal(0, WOBBLE * hand.height))
            cut = max(0, -start)
            ink = self.split.canvases[piece.page][y0 + cut : y1, x0:x1]
            target = canvas[start + cut : y1 - y0 + start, left : left + x1 - x0]
            np.minimum(target, ink[: target.shape[0], : target.shape[1]], out=target)
            top, bottom = min(top, start + SLACK), max(bottom, start + y1 - y0 - SLACK)
            right = max(right, left + target.shape[1])
        top, bottom = max(top, 0), min(bottom, canvas.shape[0])
        return pieces[0][1], top, right - pieces[0][1], bottom - top


def _hands(split: PackedSplit) -> list[Hand]:
    lines: dict[str, list[Piece]] = defaultdict(list)
    words: dict[str, list[Piece]] = defaultdict(list)
    for index, page in enumerate(split.pages):
        canvas = np.asarray(split.canvases[index])
        for text, box in zip(page.text.split(NEWLINE), page.boxes, strict=True):
            whole = _piece(canvas, text, index, box)
            lines[page.writer].append(whole)
            words[page.writer] += [
                Piece(word.text, index, (word.left, whole.box[1], word.right, whole.box[3]), whole.middle)
                for word in cut_words(canvas, text, box)
            ]
    often = Counter(character for pieces in words.values() for piece in pieces for character in piece.text)
    return [_hand(tuple(lines[writer]), tuple(words[writer]), often) for writer in sorted(lines)]


def _hand(lines: tuple[Piece, ...], words: tuple[Piece, ...], often: Counter) -> Hand:
    character = float(np.median([line.width / len(line.text) for line in lines]))
    height = float(np.median([line.box[3] - line.box[1] - 2 * SLACK for line in lines]))
    shares = np.array([_oftener(word.text, often) for word in words])
    return Hand(lines, words, shares.cumsum() / shares.sum(), character, max(height, 1.0))


def _oftener(text: str, often: Counter) -> float:
    """How much oftener than others a word is taken for its rarest character, digits and capitals most.

    By the root of how much rarer than COMMON it is, as word embeddings leave out frequent words (Mikolov et al. 2013).
    """
    rarest = min(often[character] for character in text) / often.total()
    return float(np.clip((COMMON / rarest) ** 0.5, 1.0, MOST))


def _piece(canvas: np.ndarray, text: str, page: int, box: tuple[int, int, int, int]) -> Piece:
    top, bottom = max(0, box[1] - SLACK), min(canvas.shape[0], box[1] + box[3] + SLACK)
    left, right = max(0, box[0]), min(canvas.shape[1], box[0] + box[2])
    weight = np.cumsum((canvas[top:bottom, left:right] < INK).sum(axis=1))
    middle = top + int(np.searchsorted(weight, weight[-1] / 2)) if len(weight) else top
    return Piece(text, page, (left, top, right, bottom), middle)
