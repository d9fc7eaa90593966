"""The folder of a run: where it is, what it was started with, and whether it may be resumed.

Every run keeps its last checkpoint, CHECKPOINT, in a folder of its own. The pipeline's training names the folder by a
digest of everything that decides its result (`training.fit`), and deletes it at the end. An experiment has a numbered
folder that stays; EXPERIMENT_FILE in it holds the arguments and a digest of the data.
"""

import argparse
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from text_recognizer.core.errors import ConfigError
from text_recognizer.utils.files import sha256, write_json

CHECKPOINT = "last.ckpt"
EXPERIMENT_FILE = "experiment.json"
# The first of several processes that train together passes the folder to the processes that it starts.
FOLDER_VARIABLE = "TEXT_RECOGNIZER_RUN"
# Arguments that may differ when a run is resumed: they change how it runs, not its result.
FREE = ("resume", "log_dir", "wandb", "profile", "num_workers")
SAMPLES = 16


def is_follower() -> bool:
    """Return whether this process was started by the first of several that train together."""
    return os.environ.get("LOCAL_RANK", "0") != "0" or os.environ.get("NODE_RANK", "0") != "0"


def new_folder(logs: Path) -> Path:
    """Make and return `logs/version_N` for the first N that is free; a follower gets the first process's folder."""
    if is_follower() and (given := os.environ.get(FOLDER_VARIABLE)):
        return Path(given)
    number = 0
    while True:
        folder = logs / f"version_{number}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            continue
        return folder


@contextmanager
def announced(folder: Path) -> Iterator[None]:
    """Pass `folder` to the processes that are started inside the block."""
    before = os.environ.get(FOLDER_VARIABLE)
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[FOLDER_VARIABLE]
        else:
            os.environ[FOLDER_VARIABLE] = before


def saved_arguments(folder: Path) -> list[str]:
    """Return the arguments that the run in `folder` was started with. Raises ConfigError if there is no run."""
    path = folder / EXPERIMENT_FILE
    try:
        given: list[str] = json.loads(path.read_text(encoding="utf-8"))["arguments"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f"--resume {folder}: no run was started there", f"name a folder with an {EXPERIMENT_FILE}"
        ) from None
    return given


def check_arguments(folder: Path, before: argparse.Namespace, now: argparse.Namespace) -> None:
    """Raise ConfigError naming each argument whose change would change the result of the run."""
    changed = [
        f"--{name} was {value} and is now {getattr(now, name, None)}"
        for name, value in vars(before).items()
        if name not in FREE and getattr(now, name, None) != value
    ]
    if changed:
        raise ConfigError(
            f"the run in {folder} cannot be resumed with other arguments:\n  " + "\n  ".join(changed),
            "leave them out, or start a new run without --resume",
        )


def check_data(folder: Path, digest: str) -> None:
    """Raise ConfigError if the data or the version of torch are not those that the run was started with."""
    saved = json.loads((folder / EXPERIMENT_FILE).read_text(encoding="utf-8"))
    if saved["data"] != digest:
        raise ConfigError(
            f"the data of the run in {folder} have changed since it was started",
            "restore the data, or start a new run without --resume",
        )
    if saved["torch"] != torch.__version__:
        raise ConfigError(
            f"the run in {folder} was started with torch {saved['torch']}, this is {torch.__version__}",
            "install that version, or start a new run without --resume",
        )


def save(folder: Path, arguments: Sequence[str], digest: str) -> None:
    """Write EXPERIMENT_FILE."""
    write_json(folder / EXPERIMENT_FILE, {"arguments": list(arguments), "data": digest, "torch": torch.__version__})


def packed_digests(processed: Path) -> list[str]:
    """Return the digests of the packed pages that a training reads: canvases and labels of two splits."""
    names = [f"{split}{suffix}" for split in ("train", "validation") for suffix in (".npy", ".jsonl")]
    return [sha256(processed / name) for name in names]


def data_digest(data: Any) -> str:  # noqa: ANN401
    """Return a digest of a data module's data: of the packed bytes, or of each split's length and some samples."""
    parts: list[Any] = [type(data).__name__, [list(data.input_dims), list(data.output_dims)], list(data.mapping)]
    if (processed := getattr(data, "processed", None)) is not None:
        parts += packed_digests(Path(processed))
    else:
        for dataset in (data.data_train, data.data_val):
            if dataset is not None:
                parts += [len(dataset), [_digest(dataset[index]) for index in _spaced_indices(len(dataset))]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _spaced_indices(length: int) -> list[int]:
    return sorted({index * (length - 1) // max(1, SAMPLES - 1) for index in range(SAMPLES)}) if length else []


def _digest(sample: object) -> str:
    digest = hashlib.sha256()
    for tensor in _tensors(sample):
        digest.update(str(tuple(tensor.shape)).encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _tensors(part)
