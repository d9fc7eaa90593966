"""The folder of an experiment: what it was asked for, on which data, and whether it may go on."""

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

from text_recognizer.errors import ConfigError
from text_recognizer.files import sha256, write_json

RUN_FILE = "run.json"
# The first of several processes that train together tells the others, which it starts, the folder that it made.
FOLDER_VARIABLE = "TEXT_RECOGNIZER_RUN"
# What may differ when a run goes on: it changes how it runs, not what comes out.
FREE = ("resume", "log_dir", "wandb", "profile", "num_workers")
SAMPLES = 16


def follows() -> bool:
    """Whether this process was started by the first of several that train together."""
    return os.environ.get("LOCAL_RANK", "0") != "0" or os.environ.get("NODE_RANK", "0") != "0"


def new_folder(logs: Path) -> Path:
    """`logs/version_N`, the first N that is free; the first process's, for those that it started."""
    if follows() and (given := os.environ.get(FOLDER_VARIABLE)):
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
def told(folder: Path) -> Iterator[None]:
    """Tells `folder` to the processes that are started meanwhile."""
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
    """The arguments that the run in `folder` was started with. Raises ConfigError where there is none."""
    try:
        given: list[str] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))["arguments"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"--resume {folder}: no run was started there", f"name a folder with a {RUN_FILE}") from None
    return given


def check_same(folder: Path, before: argparse.Namespace, now: argparse.Namespace) -> None:
    """Raises ConfigError naming each argument whose change would make the run another one."""
    changed = [
        f"--{name} was {value} and is now {getattr(now, name, None)}"
        for name, value in vars(before).items()
        if name not in FREE and getattr(now, name, None) != value
    ]
    if changed:
        raise ConfigError(
            f"the run in {folder} cannot go on with other parameters:\n  " + "\n  ".join(changed),
            "leave them out, or start a new run without --resume",
        )


def check_data(folder: Path, digest: str) -> None:
    """Raises ConfigError where the data, or torch, are not those that the run was started with."""
    saved = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    if saved["data"] != digest:
        raise ConfigError(f"the data of the run in {folder} have changed", "bring them back, or start a new run")
    if saved["torch"] != torch.__version__:
        raise ConfigError(
            f"the run in {folder} was started with torch {saved['torch']}, this is {torch.__version__}",
            "install that version, or start a new run",
        )


def save(folder: Path, arguments: Sequence[str], digest: str) -> None:
    write_json(folder / RUN_FILE, {"arguments": list(arguments), "data": digest, "torch": torch.__version__})


def data_digest(data: Any) -> str:  # noqa: ANN401
    """Names the data by their packed bytes, or else by the length of each split and samples spread over it."""
    parts: list[Any] = [type(data).__name__, [list(data.input_dims), list(data.output_dims)], list(data.mapping)]
    processed = getattr(data, "processed", None)
    for split, dataset in (("train", data.data_train), ("validation", data.data_val)):
        if processed is not None:
            parts += [sha256(Path(processed) / f"{split}{suffix}") for suffix in (".npy", ".jsonl")]
        elif dataset is not None:
            parts += [len(dataset), [_digest(dataset[index]) for index in _spread(len(dataset))]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _spread(length: int) -> list[int]:
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
