"""A trained model folder, loaded and ready to read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.bands import INKED, find_lines, pooling
from text_recognizer.errors import ModelError
from text_recognizer.files import sha256
from text_recognizer.images import ink_box, level, middle_rows, place, straighten
from text_recognizer.inference.beam import Speller, align
from text_recognizer.inference.info import GRAPH_FILE, INFO_FILE, LANGUAGE_FILE, LanguageInfo, ModelInfo, read_info
from text_recognizer.inference.language import LONGEST, SPACE, NGram
from text_recognizer.inference.reading import Box, Doubt, Reading, glyphs, to_line

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# A picture's resolution is unknown, so a part of it is read at several sizes, and the surest one is kept.
SIZES = (1.0, 0.75, 0.55, 0.4)


@dataclass(frozen=True)
class ScoredPage:
    """The lines found on a page: `centres` (L,) in rows of the grid, `log_probabilities` (L, w, C).

    `paths` (L, w) holds the class of each column along the CTC path that is taken for what the line says. Where the
    n-gram had a say, the log-probabilities are what it left of them, and their columns need not sum to 1.
    """

    centres: np.ndarray
    log_probabilities: np.ndarray
    paths: np.ndarray


class Recognizer:
    """Reads pictures. `info` says what the model is; `digest` names it in every answer."""

    def __init__(self, info: ModelInfo, session: "InferenceSession", speller: Speller | None = None) -> None:
        self.info = info
        self._session = session
        self._speller = speller
        self._empty = _empty_inputs(session, info.grid.cell_height)
        # Graphs that were written before take canvases of one size.
        self._trims = not isinstance(session.get_inputs()[0].shape[2], int)

    @property
    def digest(self) -> str:
        return self.info.digest

    @property
    def runtime(self) -> str:
        """What reads, and in which numbers."""
        from onnxruntime import __version__

        return f"onnxruntime {__version__}, float32"

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
        return [self.spelled(page) for page in self.scored(canvases)]

    def scored(self, canvases: np.ndarray) -> Iterator[ScoredPage]:
        """The lines of each canvas. Raises ModelError where the canvases are not the model's."""
        return (self._spell(page) for page in self._found(canvases))

    def spelled(self, page: ScoredPage, doubt: Doubt | None = None) -> Reading:
        """What the lines say; confidences as the model was calibrated, or by another doubt."""
        doubt, grid = doubt or self.info.doubt, self.info.grid
        rows = zip(page.log_probabilities, page.paths, page.centres, strict=True)
        lines = [to_line(glyphs(line, path, doubt), centre, grid) for line, path, centre in rows]
        return Reading.of([line for line in lines if line])

    def read(self, picture: np.ndarray) -> Reading:
        """Reads a picture of one paragraph, uint8 grey (H, W) of any size; boxes are in its pixels."""
        straight = straighten(level(picture, self.info.binarise))
        clean = straight.grey
        box = ink_box(clean)
        if box is None:
            return Reading.of([])
        left, top, right, bottom = box
        margin = max(1, round(0.02 * (right - left)))
        left, top = max(0, left - margin), max(0, top - margin)
        clean = clean[top : bottom + margin, left : right + margin]
        placed = place(clean, self.info.canvas, self._scale(clean), left, top)
        (page,) = self.scored(placed.canvas[None])
        reading = self.spelled(page)
        lines = [(line, _inside(straight.to_picture(placed.to_picture(line.box)), picture)) for line in reading.lines]
        # What was found on the canvas beside the picture is no line of it.
        return Reading.of([replace(line, box=box) for line, box in lines if box[2] and box[3]])

    def _scale(self, clean: np.ndarray) -> float:
        """The scale at which the network is surest of a part of the picture, or of all of it where that says nothing.

        The n-gram is not asked: how sure the network alone is says how well a size suits it, and costs little.
        """
        fit = min(self.info.canvas_height / clean.shape[0], self.info.canvas_width / clean.shape[1])
        for part in (clean[middle_rows(clean)], clean):
            tries = np.stack([place(part, self.info.canvas, fit * size).canvas for size in SIZES])
            credits = [_credit(self.spelled(page)) for page in self._found(tries)]
            if any(credits):
                break
        return fit * SIZES[int(np.argmax(credits))]

    def _found(self, canvases: np.ndarray) -> Iterator[ScoredPage]:
        """The lines of each canvas, along CTC's best paths."""
        if canvases.shape[1:] != self.info.canvas:
            raise ModelError(
                f"the model reads canvases of {self.info.canvas}, but got {canvases.shape[1:]}",
                "preprocess with the parameters that the model was trained with",
            )
        return (self._score_page(*page) for page in self._encode(canvases))

    def _encode(self, canvases: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Features (E, h, w) and ridges (h, w) of each page."""
        for canvas in canvases:
            features, heat = self._run(["features", "heat"], pictures=self._ink(canvas)[None, None])
            yield features[0], heat[0]

    def _ink(self, canvas: np.ndarray) -> np.ndarray:
        """Ink, 1 on paper of 0, of the part of a canvas that is written on, in whole cells."""
        ink: np.ndarray = 1.0 - canvas.astype(np.float32) / 255.0
        if not self._trims:
            return ink
        grid, inked = self.info.grid, ink > INKED
        ends = (int(np.flatnonzero(inked.any(axis=axis)).max(initial=-1)) + 1 for axis in (1, 0))
        ink = ink[tuple(slice(grid.reach(end)) for end in ends)]
        height, width = ink.shape
        return np.pad(ink, ((0, -height % grid.cell_height), (0, -width % grid.cell_width)))

    def _score_page(self, features: np.ndarray, heat: np.ndarray) -> ScoredPage:
        grid = self.info.grid
        centres = find_lines(heat, grid)
        scores = np.zeros((0, features.shape[2], len(self.info.charset)), dtype=np.float32)
        if len(centres):
            sequences = np.tensordot(pooling(centres, len(heat), grid), features, axes=(1, 1))  # (L, E, w)
            (scores,) = self._run(["log_probabilities"], sequences=sequences)
        return ScoredPage(centres, scores, scores.argmax(axis=2))

    def _spell(self, page: ScoredPage) -> ScoredPage:
        """The page along the paths that suit the n-gram as well, each line in the light of those above it."""
        if self._speller is None or not len(page.centres):
            return page
        paths, weighed = [], []
        context: tuple[int, ...] = (SPACE,)
        for scores in page.log_probabilities:
            ids = self._speller.spell(scores, context)
            paths.append(align(scores, ids))
            weighed.append(self._speller.weighed(scores, paths[-1], context))
            if ids:
                context = (*context, *ids, SPACE)[-LONGEST:]
        return ScoredPage(page.centres, np.stack(weighed), np.stack(paths))

    def _run(self, wanted: list[str], **inputs: np.ndarray) -> list[np.ndarray]:
        """One half of the graph; the other half's input is empty, so that it costs next to nothing."""
        feeds = {name: inputs.get(name, empty) for name, empty in self._empty.items()}
        outputs: list[np.ndarray] = self._session.run(wanted, feeds)
        return outputs


def _checked(path: Path, digest: str) -> Path:
    if not path.is_file():
        raise ModelError(f"{path} does not exist", "train a model, or name a folder that holds one")
    if sha256(path) != digest:
        raise ModelError(f"{path} is not the file that {INFO_FILE} names: its digest differs", "export it again")
    return path


def _speller(folder: Path, language: LanguageInfo) -> Speller:
    ngram = NGram.load(_checked(folder / LANGUAGE_FILE, language.sha256))
    return Speller(ngram, language.weight, language.bonus, language.width)


def _empty_inputs(session: "InferenceSession", whole: int) -> dict[str, np.ndarray]:
    """No page and no line, each side that may be of any length being `whole`."""
    shapes = {node.name: node.shape[1:] for node in session.get_inputs()}
    sizes = {name: [side if isinstance(side, int) else whole for side in shape] for name, shape in shapes.items()}
    return {name: np.zeros([0, *shape], dtype=np.float32) for name, shape in sizes.items()}


def _inside(box: Box, picture: np.ndarray) -> Box:
    """The part of a box that lies on the picture; empty, at its edge, where none does."""
    x, y, width, height = box
    left, right = (min(max(edge, 0), picture.shape[1]) for edge in (x, x + width))
    top, bottom = (min(max(edge, 0), picture.shape[0]) for edge in (y, y + height))
    return left, top, right - left, bottom - top


def _credit(reading: Reading) -> float:
    """How much to believe a reading: nothing where it holds no text."""
    return reading.confidence if reading.text else 0.0
