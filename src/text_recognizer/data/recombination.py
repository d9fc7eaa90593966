"""New paragraphs from the words and lines of real pages.

For readers trained on IAM this is the largest single gain that people report. Each paragraph is of one writer, with
random gaps, indents and spacing. Some of its lines are real lines; the others are words in random order, so that the
reader has to look rather than guess. Words with rare characters are drawn more often than they were written.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from text_recognizer.core.charset import NEWLINE
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.data.word_segmentation import DARK, cut_words
from text_recognizer.pages.normalisation import PAPER

Range = tuple[float, float]
Box = tuple[int, int, int, int]
SLACK = 3  # px above and below a line's box that are cut out with it
WHOLE_LINES = 0.35  # share of lines that are taken whole
FILL: Range = (0.55, 1.0)  # share of the width that a line of words fills
PITCH: Range = (1.0, 1.75)  # distance of lines, in heights of the writer's median line
SPACE: Range = (0.4, 1.7)  # distance of words, in widths of a character
COMMON, MAX_BOOST = 0.01, 5.0  # frequency of a common character, and the largest boost of words with rarer ones
JITTER = 0.03  # standard deviation of a word's height on its line, in heights
INDENT: Range = (0.0, 0.08)  # share of the width


@dataclass(frozen=True)
class Piece:
    """A word or a line: its text, the index of its page, and its pixels there, `(left, top, right, bottom)`."""

    text: str
    page: int
    box: Box
    middle: int  # row that halves the foreground of its line

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]


@dataclass(frozen=True)
class WriterPieces:
    """The lines and words of one writer.

    `character` is the mean width of a character, `height` the median height of a line's box, in px. `cumulative`
    (words,) is the cumulative probability with which the words are drawn; its last value is 1.
    """

    lines: tuple[Piece, ...]
    words: tuple[Piece, ...]
    cumulative: np.ndarray
    character: float
    height: float


class Recombined:
    """An endless supply of recombined paragraphs from one split. Number `n` is a function of the seed and `n`.

    A page ends when its canvas, uint8 `size` (height, width), is full, or when another word would take its text above
    `limit` characters, newlines included; None is no limit.
    """

    def __init__(self, split: PackedSplit, size: tuple[int, int], seed: int, limit: int | None = None) -> None:
        self.split, self.size, self.seed, self.limit = split, size, seed, limit
        self.writers = _writers(split)
        counts = np.array([len(writer.lines) for writer in self.writers], dtype=float)
        self._shares = counts / counts.sum()

    def page(self, number: int) -> tuple[np.ndarray, list[str], list[Box]]:
        """Return a canvas, uint8 `size`, the texts of its lines, and their boxes (x, y, width, height) in pixels."""
        draw = np.random.default_rng((self.seed, number))
        writer = self.writers[draw.choice(len(self.writers), p=self._shares)]
        canvas = np.full(self.size, PAPER, dtype=np.uint8)
        texts: list[str] = []
        boxes: list[Box] = []
        middle = writer.height * draw.uniform(0.6, 1.2)
        pitch = writer.height * draw.uniform(*PITCH)
        while middle < self.size[0] - 0.45 * writer.height or not texts:
            pieces = self._within_limit(self._line(writer, draw), texts)
            if not pieces:
                break
            offsets = [round(draw.normal(0, JITTER * writer.height)) for _ in pieces]
            boxes.append(self._paste(canvas, pieces, int(middle), offsets))
            texts.append(" ".join(piece.text for piece, _ in pieces))
            middle += max(pitch * draw.uniform(0.92, 1.08), 0.8 * writer.height)
        return canvas, texts, boxes

    def _within_limit(self, pieces: list[tuple[Piece, int]], texts: list[str]) -> list[tuple[Piece, int]]:
        """Drop the last pieces of a line that would exceed the limit, after the lines in `texts`."""
        if self.limit is None:
            return pieces
        left = self.limit - sum(len(text) + 1 for text in texts)
        while pieces and sum(len(piece.text) + 1 for piece, _ in pieces) - 1 > left:
            pieces = pieces[:-1]
        return pieces

    def _line(self, writer: WriterPieces, draw: np.random.Generator) -> list[tuple[Piece, int]]:
        """Draw the pieces of one line, each with its left edge in pixels."""
        width = self.size[1]
        left = int(width * draw.uniform(*INDENT))
        whole = [piece for piece in writer.lines if piece.width <= width - 2]
        if whole and (not writer.words or draw.random() < WHOLE_LINES):
            piece = whole[draw.integers(len(whole))]
            return [(piece, min(left, width - piece.width - 1))]
        stop = width * draw.uniform(*FILL)
        pieces: list[tuple[Piece, int]] = []
        while True:
            piece = writer.words[int(np.searchsorted(writer.cumulative, draw.random(), side="right"))]
            if pieces and left + piece.width >= stop:
                return pieces
            pieces.append((piece, left))
            left += piece.width + max(2, int(writer.character * draw.uniform(*SPACE)))

    def _paste(self, canvas: np.ndarray, pieces: list[tuple[Piece, int]], middle: int, offsets: list[int]) -> Box:
        """Paste pieces with their middles in one row, give or take `offsets`; return the box around them."""
        top, bottom, right = canvas.shape[0], 0, 0
        for (piece, left), offset in zip(pieces, offsets, strict=True):
            x0, y0, x1, y1 = piece.box
            start = middle - (piece.middle - y0) + offset
            cut = max(0, -start)
            pixels = self.split.canvases[piece.page][y0 + cut : y1, x0:x1]
            target = canvas[start + cut : y1 - y0 + start, left : left + x1 - x0]
            np.minimum(target, pixels[: target.shape[0], : target.shape[1]], out=target)
            top, bottom = min(top, start + SLACK), max(bottom, start + y1 - y0 - SLACK)
            right = max(right, left + target.shape[1])
        top, bottom = max(top, 0), min(bottom, canvas.shape[0])
        return pieces[0][1], top, right - pieces[0][1], bottom - top


def _writers(split: PackedSplit) -> list[WriterPieces]:
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
    counts = Counter(character for pieces in words.values() for piece in pieces for character in piece.text)
    return [_writer(tuple(lines[writer]), tuple(words[writer]), counts) for writer in sorted(lines)]


def _writer(lines: tuple[Piece, ...], words: tuple[Piece, ...], counts: Counter[str]) -> WriterPieces:
    character = float(np.median([line.width / len(line.text) for line in lines]))
    height = float(np.median([line.box[3] - line.box[1] - 2 * SLACK for line in lines]))
    shares = np.array([_boost(word.text, counts) for word in words])
    return WriterPieces(lines, words, shares.cumsum() / shares.sum(), character, max(height, 1.0))


def _boost(text: str, counts: Counter[str]) -> float:
    """Return how much more often a word is drawn than others, for its rarest character.

    It is the root of how much rarer than COMMON the character is, as word embeddings subsample frequent words
    (Mikolov et al. 2013).
    """
    rarest = min(counts[character] for character in text) / counts.total()
    return float(np.clip((COMMON / rarest) ** 0.5, 1.0, MAX_BOOST))


def _piece(canvas: np.ndarray, text: str, page: int, box: Box) -> Piece:
    top, bottom = max(0, box[1] - SLACK), min(canvas.shape[0], box[1] + box[3] + SLACK)
    left, right = max(0, box[0]), min(canvas.shape[1], box[0] + box[2])
    weight = np.cumsum((canvas[top:bottom, left:right] < DARK).sum(axis=1))
    middle = top + int(np.searchsorted(weight, weight[-1] / 2)) if len(weight) else top
    return Piece(text, page, (left, top, right, bottom), middle)
