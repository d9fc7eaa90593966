"""A trained model folder, loaded and ready to read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.bands import find_lines, pooling
from text_recognizer.errors import ModelError
from text_recognizer.files import sha256
from text_recognizer.images import ink_box, level, place
from text_recognizer.inference.beam import Speller, align
from text_recognizer.inference.info import GRAPH_FILE, INFO_FILE, LANGUAGE_FILE, LanguageInfo, ModelInfo, read_info
from text_recognizer.inference.language import LONGEST, SPACE, NGram
from text_recognizer.inference.reading import Box, Reading, ReadLine, best_path, glyphs, to_line
from text_recognizer.text import encode

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# A picture's resolution is unknown, so it is read at several sizes, and the surest reading is kept.
SIZES = (1.0, 0.75, 0.55, 0.4)
BATCH = 16


class Recognizer:
    """Reads pictures. `info` says what the model is; `digest` names it in every answer."""

    def __init__(self, info: ModelInfo, session: "InferenceSession", speller: Speller | None = None) -> None:
        self.info = info
        self._session = session
        self._speller = speller
        self._empty = _empty_inputs(session)

    @property
    def digest(self) -> str:
        return self.info.digest

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> "Recognizer":
        """Raises ModelError where a file is missing, was changed since it was written, or is for another charset.

        `threads` is how many CPU threads one reading may use; 0 leaves it to onnxruntime.
        """
        import onnxruntime

        info = read_info(folder / INFO_FILE)
        graph = _checked(folder / GRAPH_FILE, info.graph_sha256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return cls(info, session, _speller(folder, info.language) if info.language else None)

    def read_canvases(self, canvases: np.ndarray) -> list[Reading]:
        """Reads uint8 canvases (N, H, W) of the model's own size; boxes are in pixels of the canvas."""
        return [self._read(page, self._speller) for page in self._pages(canvases)]

    def read(self, picture: np.ndarray) -> Reading:
        """Reads a picture of one paragraph, uint8 grey (H, W) of any size; boxes are in its pixels."""
        clean = level(picture)
        box = ink_box(clean)
        if box is None:
            return Reading.of([])
        left, top, right, bottom = box
        margin = max(1, round(0.02 * (right - left)))
        left, top = max(0, left - margin), max(0, top - margin)
        clean = clean[top : bottom + margin, left : right + margin]
        fit = min(self.info.canvas_height / clean.shape[0], self.info.canvas_width / clean.shape[1])
        tries = [place(clean, self.info.canvas, fit * size, left, top) for size in SIZES]
        pages = list(self._pages(np.stack([placed.canvas for placed in tries])))
        # What the network alone makes of a size says how well the size suits it, and costs little.
        page, placed = max(zip(pages, tries, strict=True), key=lambda pair: _credit(self._read(pair[0], None)))
        reading = self._read(page, self._speller)
        lines = [(line, _inside(placed.to_picture(line.box), picture)) for line in reading.lines]
        # What was found on the canvas beside the picture is no line of it.
        return Reading.of([replace(line, box=box) for line, box in lines if box[2] and box[3]])

    def _pages(self, canvases: np.ndarray) -> Iterator["_Page"]:
        if canvases.shape[1:] != self.info.canvas:
            raise ModelError(
                f"the model reads canvases of {self.info.canvas}, but got {canvases.shape[1:]}",
                "preprocess with the parameters that the model was trained with",
            )
        yield from (self._find(*page) for page in self._encode(canvases))

    def _encode(self, canvases: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Features (E, h, w) and ridges (h, w) of each page."""
        for start in range(0, len(canvases), BATCH):
            ink = 1.0 - canvases[start : start + BATCH, None].astype(np.float32) / 255.0
            yield from zip(*self._run(["features", "heat"], pictures=ink), strict=True)

    def _find(self, features: np.ndarray, heat: np.ndarray) -> "_Page":
        grid = self.info.grid
        centres = find_lines(heat, grid)
        if not len(centres):
            return _Page(centres, np.zeros((0, features.shape[2], len(self.info.charset)), dtype=np.float32))
        sequences = np.tensordot(pooling(centres, len(heat), grid), features, axes=(1, 1))  # (L, E, w)
        return _Page(centres, self._run(["log_probabilities"], sequences=sequences)[0])

    def _read(self, page: "_Page", speller: Speller | None) -> Reading:
        """Each line is spelt in the light of those above it."""
        lines: list[ReadLine] = []
        context: tuple[int, ...] = (SPACE,)
        for scores, centre in zip(page.scores, page.centres, strict=True):
            written = glyphs(scores, align(scores, speller.spell(scores, context))) if speller else best_path(scores)
            line = to_line(written, centre, self.info.grid)
            if line:
                lines.append(line)
                context = (*context, *encode(line.text), SPACE)[-LONGEST:]
        return Reading.of(lines)

    def _run(self, wanted: list[str], **inputs: np.ndarray) -> list[np.ndarray]:
        """One half of the graph; the other half's input is empty, so that it costs next to nothing."""
        feeds = {name: inputs.get(name, empty) for name, empty in self._empty.items()}
        outputs: list[np.ndarray] = self._session.run(wanted, feeds)
        return outputs


@dataclass(frozen=True)
class _Page:
    """The lines of a page: where their centres are, in rows of the grid (L,), and their log-probabilities (L, w, C)."""

    centres: np.ndarray
    scores: np.ndarray


def _checked(path: Path, digest: str) -> Path:
    if not path.is_file():
        raise ModelError(f"{path} does not exist", "train a model, or name a folder that holds one")
    if sha256(path) != digest:
        raise ModelError(f"{path} is not the file that {INFO_FILE} names: its digest differs", "export it again")
    return path


def _speller(folder: Path, language: LanguageInfo) -> Speller:
    ngram = NGram.load(_checked(folder / LANGUAGE_FILE, language.sha256))
    return Speller(ngram, language.weight, language.bonus, language.width)


def _empty_inputs(session: "InferenceSession") -> dict[str, np.ndarray]:
    shapes = {node.name: node.shape for node in session.get_inputs()}
    return {name: np.zeros([0, *shape[1:]], dtype=np.float32) for name, shape in shapes.items()}


def _inside(box: Box, picture: np.ndarray) -> Box:
    """The part of a box that lies on the picture; empty, at its edge, where none does."""
    x, y, width, height = box
    left, right = (min(max(edge, 0), picture.shape[1]) for edge in (x, x + width))
    top, bottom = (min(max(edge, 0), picture.shape[0]) for edge in (y, y + height))
    return left, top, right - left, bottom - top


def _credit(reading: Reading) -> float:
    """How much to believe a reading: nothing where it holds no text."""
    return reading.confidence if reading.text else 0.0
