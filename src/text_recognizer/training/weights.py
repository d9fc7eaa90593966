"""Starting from the weights of a model that was trained before."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from text_recognizer.errors import ModelError
from text_recognizer.inference.info import WEIGHTS_FILE


def weights_file(folder: Path) -> Path:
    """The weights of a model folder. Raises ModelError where there are none."""
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelError(f"{path} does not exist", "set train.start to a model folder, or to null to start anew")
    return path


def load_weights(network: nn.Module, folder: Path) -> None:
    """Gives `network` the weights of a model folder. Raises ModelError naming what is broken or does not fit."""
    path = weights_file(folder)
    try:
        saved = load_file(path)
    except SafetensorError as error:
        raise ModelError(f"{path} holds no weights: {error}", "name a folder with a whole model") from None
    own = network.state_dict()
    problems = [f"it lacks {name}" for name in own.keys() - saved.keys()]
    problems += [f"it has {name}, which the model lacks" for name in saved.keys() - own.keys()]
    problems += [
        f"{name} is {list(saved[name].shape)} there and {list(own[name].shape)} in the model"
        for name in own.keys() & saved.keys()
        if saved[name].shape != own[name].shape
    ]
    if problems:
        fix = "set train.channels and train.recurrent as that model was trained, or train.start to null"
        raise ModelError(f"{path} does not fit: " + "; ".join(sorted(problems)[:5]), fix)
    network.load_state_dict(saved)
