"""Starting from the weights of a model that was trained before."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from text_recognizer.errors import ModelError
from text_recognizer.inference.info import WEIGHTS_FILE
from text_recognizer.models.network import misfits

SHOWN = 5  # of the parameters that do not fit
FIRST, DEEPER = "encoder.0.0.weight", "deeper."  # of a ParagraphReader


def weights_file(folder: Path) -> Path:
    """The weights of a model folder. Raises ModelError where there are none."""
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelError(f"{path} does not exist", "set train.start to a model folder, or to null to start anew")
    return path


def load_weights(network: nn.Module, folder: Path) -> None:
    """Gives `network` the weights of a model folder; residual blocks that this lacks stay as they are.

    Raises ModelError naming what is broken or does not fit.
    """
    path = weights_file(folder)
    try:
        saved = load_file(path)
    except SafetensorError as error:
        raise ModelError(f"{path} holds no weights: {error}", "name a folder with a whole model") from None
    own = network.state_dict()
    if (first := own.get(FIRST)) is not None and FIRST in saved:
        saved[FIRST] = spread(saved[FIRST], first.shape[1])
    if problems := misfits(own, saved, optional=(DEEPER,)):
        fix = "set train.channels and train.recurrent as that model was trained, or train.start to null"
        raise ModelError(f"{path} does not fit:\n  " + "\n  ".join(problems[:SHOWN]), fix)
    network.load_state_dict(own | saved)


def spread(kernel: Tensor, channels: int) -> Tensor:
    """The kernel `(O, 1, h, w)` of pages as they are, for pages folded into `channels`; others come back as they were.

    It gives the mean of a square of pixels what it gave the one pixel of a coarser page.
    """
    return kernel.repeat(1, channels, 1, 1) / channels if kernel.shape[1] == 1 else kernel
