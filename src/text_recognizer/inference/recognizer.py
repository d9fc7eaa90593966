"""A trained model folder, loaded and ready to read: onnxruntime and numpy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.core.errors import ModelError
from text_recognizer.core.layout import pretrained_model
from text_recognizer.core.output_formats import CrossedOut
from text_recognizer.inference.alignment import align
from text_recognizer.inference.beam_search import BeamSearchDecoder
from text_recognizer.inference.crossed_out import drop_crossed_out
from text_recognizer.inference.language_model import NGram
from text_recognizer.inference.model_info import (
    GRAPH_FILE,
    INFO_FILE,
    LANGUAGE_FILE,
    LanguageInfo,
    ModelInfo,
    read_info,
)
from text_recognizer.inference.transcription import (
    Calibration,
    CanvasLine,
    Transcription,
    emitted_characters,
    to_line,
)
from text_recognizer.pages.line_heatmap import MIN_FOREGROUND, find_lines, pooling_weights
from text_recognizer.pages.opening import open_pages
from text_recognizer.utils.files import sha256
from text_recognizer.utils.onnx_sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from text_recognizer.inference.page_reader import PageReader

STACKED = 16  # strips that the encoder reads at once
MAX_PADDED = 1.25  # times the width of the shortest strip among them that all are padded to
# Outputs of the ONNX graph. Published graphs carry these names, so they cannot change.
FEATURES, HEATMAP, LOG_PROBABILITIES = "features", "heat", "log_probabilities"


@dataclass(frozen=True)
class DecodedPage:
    """The lines found on a page: `centres` (L,) in grid rows, `log_probabilities` (L, w, C), `paths` (L, w).

    `paths` holds the class of each column along the decoded CTC path. If a language model was fused, it has changed the
    log-probabilities along that path, and the probabilities of a column need not sum to 1.
    """

    centres: np.ndarray
    log_probabilities: np.ndarray
    paths: np.ndarray


class Recognizer:
    """Read pictures of handwriting. `info` describes the model; `digest` identifies it in every answer."""

    def __init__(
        self,
        info: ModelInfo,
        session: "InferenceSession",
        decoder: BeamSearchDecoder | None = None,
        threads: int = 0,
    ) -> None:
        self.info = info
        self._session = session
        self._decoder = decoder
        self._threads = threads
        self._empty = _empty_inputs(session, info.grid.cell_height)
        # Graphs of early versions take canvases of one size only.
        self._crops_canvas = not isinstance(session.get_inputs()[0].shape[2], int)

    @property
    def digest(self) -> str:
        """The sha256 of `reader.json`, which identifies the model."""
        return self.info.digest

    @property
    def runtime(self) -> str:
        """The name and version of the runtime, and its floating-point format."""
        from onnxruntime import __version__

        return f"onnxruntime {__version__}, float32"

    @classmethod
    def load(cls, folder: Path | None = None, threads: int = 0) -> "Recognizer":
        """Load a model folder, by default the pretrained reader's.

        `threads` limits the CPU threads of one reading; 0 leaves them to onnxruntime.

        Raises ModelError if a file is missing, was changed since it was written, or is for another charset.
        """
        folder = folder or pretrained_model()
        info = read_info(folder / INFO_FILE)
        graph = _verified(folder / GRAPH_FILE, info.graph_sha256)
        decoder = _load_decoder(folder, info.language) if info.language else None
        return cls(info, open_session(graph, threads), decoder, threads)

    def read_canvases(self, canvases: np.ndarray) -> list[Transcription]:
        """Read canvases, uint8 (B, H, W), of the model's own size. Boxes are in pixels of the canvas."""
        return [self.transcribe(page) for page in self.decode_canvases(canvases)]

    def decode_canvases(self, canvases: np.ndarray) -> Iterator[DecodedPage]:
        """Find and decode the lines of each canvas, uint8 (B, H, W).

        Raises ModelError if the canvases are not of the model's own size.
        """
        return (self._fuse_language_model(page) for page in self._decode_greedily(canvases))

    def transcribe(self, page: DecodedPage, calibration: Calibration | None = None) -> Transcription:
        """Return the text of the lines. Confidences follow `calibration`, by default the model's own."""
        calibration, grid = calibration or self.info.calibration, self.info.grid
        rows = zip(page.log_probabilities, page.paths, page.centres, strict=True)
        lines = [
            to_line(emitted_characters(line, path, calibration), CanvasLine(centre, grid))
            for line, path, centre in rows
        ]
        return Transcription.of([line for line in lines if line])

    def read(
        self, picture: "np.ndarray | Path | str | bytes", printed: bool = False, crossed_out: CrossedOut = "mark"
    ) -> Transcription:
        """Read a picture: a file, its bytes, or uint8 grey (H, W) or RGB (H, W, 3). Of several pages, read the first.

        Printed lines are left out unless `printed`. Crossed-out words are `#` in the text, or left out if `crossed_out`
        is `drop`. Boxes are in pixels of the picture.

        Raises DataError if a file cannot be opened.
        """
        page = self.reader.read(to_rgb(picture), printed)
        return drop_crossed_out(page) if crossed_out == "drop" else page

    @cached_property
    def reader(self) -> "PageReader":
        """The reader of whole pictures, which finds the lines first."""
        from text_recognizer.inference.page_reader import PageReader

        return PageReader.load(self, self._threads)

    def score_strips(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the log-probabilities (w, C) of strips, each uint8 (H, W), dark on white, with one line at mid-height.

        Strips of similar width are stacked on one canvas, so that the encoder runs once for several lines.
        """
        scores: list[np.ndarray] = [np.zeros(0)] * len(strips)
        for chosen in _stacks([strip.shape[1] for strip in strips]):
            for index, score in zip(chosen, self._score_stack([strips[index] for index in chosen]), strict=True):
                scores[index] = score[: max(1, strips[index].shape[1] // self.info.grid.cell_width)]
        return scores

    def _score_stack(self, strips: Sequence[np.ndarray]) -> np.ndarray:
        """Return the log-probabilities (L, w, C) of strips of equal height."""
        grid = self.info.grid
        height, width = strips[0].shape[0], max(strip.shape[1] for strip in strips)
        ink = np.zeros((len(strips) * height, width + -width % grid.cell_width), dtype=np.float32)
        for index, strip in enumerate(strips):
            ink[index * height : (index + 1) * height, : strip.shape[1]] = 1.0 - strip.astype(np.float32) / 255.0
        ink = np.pad(ink, ((0, -len(ink) % grid.cell_height), (0, 0)))
        (features,) = self._run([FEATURES], pictures=ink[None, None])
        centres = (np.arange(len(strips)) + 0.5) * height / grid.cell_height
        sequences = np.tensordot(pooling_weights(centres, features.shape[2], grid), features[0], axes=(1, 1))
        (scores,) = self._run([LOG_PROBABILITIES], sequences=sequences)
        return scores

    def _decode_greedily(self, canvases: np.ndarray) -> Iterator[DecodedPage]:
        """Find the lines of each canvas and take the best path of each, without the language model."""
        if canvases.shape[1:] != self.info.canvas:
            raise ModelError(
                f"the model reads canvases of {self.info.canvas}, but got {canvases.shape[1:]}",
                "preprocess with the parameters that the model was trained with",
            )
        return (self._classify_lines(*self._encode(canvas)) for canvas in canvases)

    def _encode(self, canvas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the features (E, h, w) and the line heatmap (h, w) of a canvas."""
        features, heatmap = self._run([FEATURES, HEATMAP], pictures=self._foreground(canvas)[None, None])
        return features[0], heatmap[0]

    def _foreground(self, canvas: np.ndarray) -> np.ndarray:
        """Return the foreground of a canvas, 1 on a background of 0, cropped to the written part in whole cells."""
        foreground: np.ndarray = 1.0 - canvas.astype(np.float32) / 255.0
        if not self._crops_canvas:
            return foreground
        grid, mask = self.info.grid, foreground > MIN_FOREGROUND
        ends = (int(np.flatnonzero(mask.any(axis=axis)).max(initial=-1)) + 1 for axis in (1, 0))
        foreground = foreground[tuple(slice(grid.crop_length(end)) for end in ends)]
        height, width = foreground.shape
        return np.pad(foreground, ((0, -height % grid.cell_height), (0, -width % grid.cell_width)))

    def _classify_lines(self, features: np.ndarray, heatmap: np.ndarray) -> DecodedPage:
        """Find the lines in the heatmap, pool their features, and classify each of their columns."""
        grid = self.info.grid
        centres = find_lines(heatmap, grid)
        scores = np.zeros((0, features.shape[2], len(self.info.charset)), dtype=np.float32)
        if len(centres):
            sequences = np.tensordot(pooling_weights(centres, len(heatmap), grid), features, axes=(1, 1))  # (L, E, w)
            (scores,) = self._run([LOG_PROBABILITIES], sequences=sequences)
        return DecodedPage(centres, scores, scores.argmax(axis=2))

    def _fuse_language_model(self, page: DecodedPage) -> DecodedPage:
        """Decode the page by beam search with the language model; the lines above a line are its context."""
        if self._decoder is None or not len(page.centres):
            return page
        lines = self.decode_lines(list(page.log_probabilities))
        return DecodedPage(page.centres, np.stack([line for line, _ in lines]), np.stack([path for _, path in lines]))

    def decode_lines(self, scores: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Decode lines, each (w, C), in reading order. Return the fused log-probabilities and the path (w,) of each.

        With a language model, this is a beam search, and the lines above a line are its context.
        """
        if self._decoder is None:
            return [(line, line.argmax(axis=1)) for line in scores]
        lines = self._decoder.prepare(scores)
        paths = align(scores, self._decoder.decode(lines))
        return [(self._decoder.fuse(line, path), path) for line, path in zip(lines, paths, strict=True)]

    def _run(self, outputs: list[str], **inputs: np.ndarray) -> list[np.ndarray]:
        """Run one half of the graph. The input of the other half is empty, so that it costs next to nothing."""
        feeds = {name: inputs.get(name, empty) for name, empty in self._empty.items()}
        results: list[np.ndarray] = self._session.run(outputs, feeds)
        return results


def _stacks(widths: Sequence[int]) -> list[list[int]]:
    """Group strips of similar width, so that little is padded."""
    stacks: list[list[int]] = []
    for index in sorted(range(len(widths)), key=lambda index: widths[index]):
        shortest = widths[stacks[-1][0]] if stacks else 0
        if stacks and len(stacks[-1]) < STACKED and widths[index] <= MAX_PADDED * shortest:
            stacks[-1].append(index)
        else:
            stacks.append([index])
    return stacks


def _verified(path: Path, digest: str) -> Path:
    """Return `path`. Raises ModelError if the file is missing or has another digest."""
    if not path.is_file():
        raise ModelError(f"{path} does not exist", "train a model, or name a folder that holds one")
    if sha256(path) != digest:
        raise ModelError(f"{path} is not the file that {INFO_FILE} names: its digest differs", "export it again")
    return path


def _load_decoder(folder: Path, language: LanguageInfo) -> BeamSearchDecoder:
    ngram = NGram.load(_verified(folder / LANGUAGE_FILE, language.sha256))
    return BeamSearchDecoder(
        ngram, language.lm_weight, language.insertion_bonus, language.beam_width, language.min_lm_share
    )


def _empty_inputs(session: "InferenceSession", size: int) -> dict[str, np.ndarray]:
    """Return an empty batch for each input of the graph. Dimensions without a fixed size are `size` long."""
    shapes = {node.name: node.shape[1:] for node in session.get_inputs()}
    sizes = {name: [side if isinstance(side, int) else size for side in shape] for name, shape in shapes.items()}
    return {name: np.zeros([0, *shape], dtype=np.float32) for name, shape in sizes.items()}


def to_rgb(picture: "np.ndarray | Path | str | bytes") -> np.ndarray:
    """Return a picture as uint8 (H, W, 3). Raises DataError if it is a file that cannot be opened."""
    if isinstance(picture, np.ndarray):
        return picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    source = picture if isinstance(picture, bytes) else Path(picture)
    return next(open_pages(source)).rgb
