"""A trained model folder, loaded and ready to read: onnxruntime and numpy."""

from collections.abc import Callable, Sequence
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
from text_recognizer.inference.transcription import DecodedLine, Transcription
from text_recognizer.pages.opening import open_pages
from text_recognizer.pages.strip_batches import foreground_of, group_by_width, to_batch
from text_recognizer.pages.strips import at_resolution
from text_recognizer.utils.files import sha256
from text_recognizer.utils.onnx_sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from text_recognizer.inference.page_reader import PageReader

MAX_BATCH = 16  # strips that the network reads at once
MAX_PADDED = 1.25  # times the width of the shortest strip among them that all are padded to
# The input and the output of the ONNX graph. Published graphs carry these names, so they cannot change.
STRIPS, LOG_PROBABILITIES = "strips", "log_probabilities"


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

    @property
    def digest(self) -> str:
        """The sha256 of `reader.json`, which identifies the model."""
        return self.info.digest

    @property
    def runtime(self) -> str:
        """The name and version of the runtime, and the precision in which the graph computes."""
        from onnxruntime import __version__

        return f"onnxruntime {__version__}, {self.info.precision}"

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
        session = open_session(graph, threads)
        if [node.name for node in session.get_inputs()] != [STRIPS]:
            raise ModelError(f"{graph} was exported by an earlier version", "train again, or export its weights again")
        return cls(info, session, decoder, threads)

    def read(
        self,
        picture: "np.ndarray | Path | str | bytes",
        printed: bool = False,
        crossed_out: CrossedOut = "mark",
        check: Callable[[], None] = lambda: None,
    ) -> Transcription:
        """Read a picture: a file, its bytes, or uint8 grey (H, W) or RGB (H, W, 3). Of several pages, read the first.

        Printed lines are left out unless `printed`. Crossed-out words are `#` in the text, or left out if `crossed_out`
        is `drop`. Boxes are in pixels of the picture. `check` is called after each step; what it raises ends the
        reading.

        Raises DataError if a file cannot be opened.
        """
        page = self.reader.read(to_rgb(picture), printed, check)
        return drop_crossed_out(page) if crossed_out == "drop" else page

    @cached_property
    def reader(self) -> "PageReader":
        """The reader of whole pictures, which finds the lines first."""
        from text_recognizer.inference.page_reader import PageReader

        return PageReader.load(self, self._threads)

    def score_strips(self, strips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the log-probabilities (w, C) of strips, each uint8 (STRIP_HEIGHT, W), dark on white, of one line each.

        Strips of similar width are read at once.
        """
        resized = [at_resolution(strip, self.info.dpi) for strip in strips]
        scores: list[np.ndarray] = [np.zeros(0)] * len(strips)
        for chosen in _batches([strip.shape[1] for strip in resized]):
            for index, score in zip(chosen, self._score_batch([resized[index] for index in chosen]), strict=True):
                scores[index] = score[: max(1, resized[index].shape[1] // self.info.grid.cell_width)]
        return scores

    def _score_batch(self, strips: Sequence[np.ndarray]) -> np.ndarray:
        """Return the log-probabilities (L, w, C) of strips of equal height."""
        batch = to_batch(list(map(foreground_of, strips)), self.info.grid.cell_width)
        (scores,) = self._session.run([LOG_PROBABILITIES], {STRIPS: batch})
        return np.asarray(scores)

    def decode_lines(self, scores: Sequence[np.ndarray]) -> list[DecodedLine]:
        """Decode lines, each (w, C), in reading order.

        With a language model, this is a beam search, and the lines above a line are its context.
        """
        if self._decoder is None:
            return [DecodedLine(line, line.argmax(axis=1)) for line in scores]
        lines = self._decoder.prepare(scores)
        paths = align(scores, self._decoder.decode(lines))
        return [DecodedLine(self._decoder.fuse(line, path), path) for line, path in zip(lines, paths, strict=True)]


def _batches(widths: Sequence[int]) -> list[list[int]]:
    """Group strips of similar width, so that little is padded."""
    return group_by_width(widths, lambda count, shortest, width: count < MAX_BATCH and width <= MAX_PADDED * shortest)


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


def to_rgb(picture: "np.ndarray | Path | str | bytes") -> np.ndarray:
    """Return a picture as uint8 (H, W, 3). Raises DataError if it is a file that cannot be opened."""
    if isinstance(picture, np.ndarray):
        return picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)
    source = picture if isinstance(picture, bytes) else Path(picture)
    return next(open_pages(source)).rgb
