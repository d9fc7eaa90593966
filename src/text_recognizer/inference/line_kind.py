"""Say of each detected text line whether it is handwritten, printed, or no text at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from text_recognizer.core.errors import ModelError
from text_recognizer.pages.strip_batches import foreground_of, group_by_width, to_batch
from text_recognizer.utils.files import read_json_object, sha256
from text_recognizer.utils.onnx_sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

GRAPH_FILE, INFO_FILE = "line_kind.onnx", "line_kind.json"
KINDS = ("written", "printed", "none")
WRITTEN, PRINTED, NONE = range(len(KINDS))
INPUT_HEIGHT = 48  # pixels of the network's input
MIN_WIDTH, MAX_WIDTH = 16, 1024  # pixels of the network's input; the middle of a longer line decides
WIDTH_STEP = 8  # the network halves the width three times
BATCH_PIXELS = 16 * INPUT_HEIGHT * MAX_WIDTH  # padded pixels of one run
SLANTS = (0.25, 0.5)  # pixels to the right per pixel up, that are taken from letters that may lean


class LineKindInfo(BaseModel):
    """`line_kind.json`: how the network was made and how its answer is used.

    A line is left out if the probability of `written` is below `min_written`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: tuple[str, ...]
    input_height: int
    normalisation: str
    temperature: Annotated[float, Field(gt=0, le=100)]
    min_written: Annotated[float, Field(ge=0, le=1)]
    sha256: str
    trained_on: tuple[str, ...] = ()
    metrics: dict[str, Any] = {}


class LineKindClassifier:
    """A network that tells handwriting from print and from pictures. `info` describes it."""

    def __init__(self, info: LineKindInfo, session: "InferenceSession") -> None:
        self.info = info
        self._session = session

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> "LineKindClassifier":
        """Load the network of a model folder. `threads` limits the CPU threads; 0 leaves them to onnxruntime.

        Raises ModelError if a file is missing, does not describe such a network, or was changed since it was written.
        """
        info, graph = read_line_kind_info(folder / INFO_FILE), folder / GRAPH_FILE
        if not graph.is_file():
            raise ModelError(f"{graph} does not exist", "train it with `text-recognizer train-line-kind`")
        if sha256(graph) != info.sha256:
            raise ModelError(f"{graph} is not the file that {INFO_FILE} names", "restore both files together")
        return cls(info, open_session(graph, threads))

    def classify(self, strips: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probabilities (N, 3) of written, printed and none, in the order of KINDS.

        The strips are uint8 (H, W), dark on white, as `pages.strips.rectify` returns them.
        """
        return self._answers([line_kind_input(strip) for strip in strips])

    def least_written(self, strips: Sequence[np.ndarray], probabilities: np.ndarray) -> np.ndarray:
        """Return the probabilities (N, 3) of each strip at the slant at which it is least likely written.

        Print that leans, as italics do, and more so on a sheet that is seen from the side, resembles writing; its
        upright letters do not. So a strip that may be writing, by what `classify` says of it, is also seen with each of
        SLANTS taken from it.
        """
        least = probabilities.copy()
        likely = np.flatnonzero(probabilities[:, WRITTEN] >= self.info.min_written)
        inputs = [line_kind_input(strips[index]) for index in likely.tolist()]
        for slant in SLANTS:
            upright = self._answers([unslanted(ink, slant) for ink in inputs])
            less = upright[:, WRITTEN] < least[likely, WRITTEN]
            least[likely[less]] = upright[less]
        return least

    def _answers(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probabilities (N, 3) of inputs (INPUT_HEIGHT, w)."""
        logits = np.zeros((len(inputs), len(KINDS)), dtype=np.float32)
        for batch in group_by_width([columns.shape[1] for columns in inputs], _fits):
            pictures, widths = padded([inputs[index] for index in batch])
            (logits[batch],) = self._session.run(None, {"strips": pictures, "widths": widths})
        return _softmax(logits / self.info.temperature)


def read_line_kind_info(path: Path) -> LineKindInfo:
    """Read a `line_kind.json`. Raises ModelError if it is missing or describes no such network."""
    fix = "train it with `text-recognizer train-line-kind`"
    try:
        info = LineKindInfo.model_validate(read_json_object(path, fix, fix))
    except ValidationError as error:
        raise ModelError(f"{path} describes no line classifier: {' '.join(str(error).split())}", fix) from None
    if info.labels != KINDS or info.input_height != INPUT_HEIGHT:
        raise ModelError(f"{path} was made for other labels or another height", fix)
    return info


def line_kind_input(strip: np.ndarray) -> np.ndarray:
    """Shrink a strip, uint8 (H, W), to float32 (INPUT_HEIGHT, w), ink 1 on paper 0; cut the ends of a long one."""
    height, width = strip.shape
    wanted = max(MIN_WIDTH, round(width * INPUT_HEIGHT / height))
    interpolation = cv2.INTER_AREA if height >= INPUT_HEIGHT else cv2.INTER_LINEAR
    small = cv2.resize(strip, (wanted, INPUT_HEIGHT), interpolation=interpolation)
    if wanted > MAX_WIDTH:
        start = (wanted - MAX_WIDTH) // 2
        small = small[:, start : start + MAX_WIDTH]
    return foreground_of(small)


def unslanted(ink: np.ndarray, slant: float) -> np.ndarray:
    """Take a slant, in pixels to the right per pixel up, from an input (INPUT_HEIGHT, w); it becomes wider by it."""
    height, width = ink.shape
    reach = int(np.ceil(slant * height / 2))
    matrix = np.array([[1, slant, reach - slant * height / 2], [0, 1, 0]])
    upright: np.ndarray = cv2.warpAffine(ink, matrix, (width + 2 * reach, height))
    return upright


def padded(inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Stack inputs (INPUT_HEIGHT, w) to (N, 1, INPUT_HEIGHT, W) and return their widths (N,), int64."""
    return to_batch(inputs, WIDTH_STEP), np.array([columns.shape[1] for columns in inputs], dtype=np.int64)


def _fits(count: int, _shortest: int, width: int) -> bool:
    """Return whether one more input of this width keeps a run within BATCH_PIXELS."""
    return (count + 1) * width * INPUT_HEIGHT <= BATCH_PIXELS


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
