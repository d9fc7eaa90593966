"""Load weights: those of a model folder, of a checkpoint of this project or of the lab, or a plain state dict."""

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from text_recognizer.core.errors import ModelError
from text_recognizer.inference.model_info import WEIGHTS_FILE
from text_recognizer.models.network import CheckedModule

SHOWN = 5  # parameters that an error names at most
PREFIX = "model."  # of the network's parameters in a checkpoint of a training module


def load_weights(network: CheckedModule, path: Path, fix: str) -> None:
    """Give `network` the weights at `path`: a model folder, or a file that torch or safetensors wrote.

    Parameters that the network declares optional may be missing. Raises ModelError, with `fix`, if there are no
    weights or if they do not fit, and names what is at fault.
    """
    given = network.converted(read_weights(path, fix))
    if problems := network.misfits(given):
        shown = problems[:SHOWN] + (["..."] if len(problems) > SHOWN else [])
        what = f"{path} does not fit this {type(network).__name__}:\n  " + "\n  ".join(shown)
        raise ModelError(what, fix)
    network.load_state_dict(given)


def read_weights(path: Path, fix: str) -> dict[str, Tensor]:
    """Return the state dict at `path`. Raises ModelError if it cannot be read or holds more than weights."""
    file = weights_file(path, fix)
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}", fix) from None
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError):
        raise ModelError(
            f"{file} is not a weights file: it has no tensors, or other objects than tensors", fix
        ) from None
    state: dict[str, Any] = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    inner = {name.removeprefix(PREFIX): value for name, value in state.items() if name.startswith(PREFIX)}
    return inner or state


def weights_file(path: Path, fix: str) -> Path:
    """Return the file with the weights of a model folder; a file is returned as it is.

    Raises ModelError if there is none.
    """
    file = path / WEIGHTS_FILE if path.is_dir() or not path.suffix else path
    if not file.is_file():
        raise ModelError(f"{file} does not exist", fix)
    return file
