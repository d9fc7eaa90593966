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
from text_recognizer.inference.info import GRAPH_FILE, INFO_FILE, ModelInfo, read_info
from text_recognizer.inference.reading import Box, Reading, best_path, to_line

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# A picture's resolution is unknown, so it is read at several sizes, and the surest reading is kept.
SIZES = (1.0, 0.75, 0.55, 0.4)
BATCH = 16


@dataclass(frozen=True)
class ScoredPage:
    """The lines found on a page: `centres` (L,) in rows of the grid, `log_probabilities` (L, w, C)."""

    centres: np.ndarray
    log_probabilities: np.ndarray


class Recognizer:
    """Reads pictures. `info` says what the model is; `digest` (sha256 of its graph) names it in every answer."""

    def __init__(self, info: ModelInfo, session: "InferenceSession") -> None:
        self.info = info
        self._session = session
        self._empty = _empty_inputs(session)

    @property
    def digest(self) -> str:
        return self.info.graph_sha256

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> "Recognizer":
        """Raises ModelError where a file is missing, was changed since it was written, or is for another charset.

        `threads` is how many CPU threads one reading may use; 0 leaves it to onnxruntime.
        """
        import onnxruntime

        info = read_info(folder / INFO_FILE)
        graph = folder / GRAPH_FILE
        if not graph.is_file():
            raise ModelError(f"{graph} does not exist", "train a model, or name a folder that holds one")
        if sha256(graph) != info.graph_sha256:
            raise ModelError(f"{graph} is not the file that {INFO_FILE} names: its digest differs", "export it again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        return cls(info, onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]))

    def read_canvases(self, canvases: np.ndarray) -> list[Reading]:
        """Reads uint8 canvases (N, H, W) of the model's own size; boxes are in pixels of the canvas."""
        return [self.spelled(page) for page in self.scored(canvases)]

    def scored(self, canvases: np.ndarray) -> Iterator[ScoredPage]:
        """The lines of each canvas, not spelled yet. Raises ModelError where the canvases are not the model's."""
        if canvases.shape[1:] != self.info.canvas:
            raise ModelError(
                f"the model reads canvases of {self.info.canvas}, but got {canvases.shape[1:]}",
                "preprocess with the parameters that the model was trained with",
            )
        return (self._score_page(*page) for page in self._encode(canvases))

    def spelled(self, page: ScoredPage, temperature: float | None = None) -> Reading:
        """What the lines say; confidences by the model's own temperature, or by another one."""
        warmth, grid = temperature or self.info.temperature, self.info.grid
        rows = zip(page.log_probabilities, page.centres, strict=True)
        lines = [to_line(best_path(line, warmth), centre, grid) for line, centre in rows]
        return Reading.of([line for line in lines if line])

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
        readings = self.read_canvases(np.stack([placed.canvas for placed in tries]))
        best = max(range(len(tries)), key=lambda index: _credit(readings[index]))
        lines = [(line, _inside(tries[best].to_picture(line.box), picture)) for line in readings[best].lines]
        # What was found on the canvas beside the picture is no line of it.
        return Reading.of([replace(line, box=box) for line, box in lines if box[2] and box[3]])

    def _encode(self, canvases: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Features (E, h, w) and ridges (h, w) of each page."""
        for start in range(0, len(canvases), BATCH):
            ink = 1.0 - canvases[start : start + BATCH, None].astype(np.float32) / 255.0
            yield from zip(*self._run(["features", "heat"], pictures=ink), strict=True)

    def _score_page(self, features: np.ndarray, heat: np.ndarray) -> ScoredPage:
        grid = self.info.grid
        centres = find_lines(heat, grid)
        if not len(centres):
            return ScoredPage(centres, np.zeros((0, 1, 1), np.float32))
        sequences = np.tensordot(pooling(centres, len(heat), grid), features, axes=(1, 1))  # (L, E, w)
        (scores,) = self._run(["log_probabilities"], sequences=sequences)
        return ScoredPage(centres, scores)

    def _run(self, wanted: list[str], **inputs: np.ndarray) -> list[np.ndarray]:
        """One half of the graph; the other half's input is empty, so that it costs next to nothing."""
        feeds = {name: inputs.get(name, empty) for name, empty in self._empty.items()}
        outputs: list[np.ndarray] = self._session.run(wanted, feeds)
        return outputs


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
