"""Check that DVC watches the files which `params.yaml` names for the training.

DVC takes its dependencies from `dvc.yaml` alone. A file that only a parameter names could change, and DVC would still
report the model as up to date.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from text_recognizer.core.errors import ConfigError
from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.inference.model_info import WEIGHTS_FILE

GRAPH = "dvc.yaml"
STAGE = "train"


def require_watched(params: Params, layout: Layout) -> None:
    """Raise ConfigError for the first file that a parameter names and no dependency of the train stage covers.

    A project without `dvc.yaml` is not checked: nothing there can be up to date.
    """
    graph = layout.root / GRAPH
    if not graph.is_file():
        return
    stages = yaml.safe_load(graph.read_text(encoding="utf-8"))["stages"]
    watched = [_absolute(layout.root / dependency) for dependency in stages[STAGE]["deps"]]
    for key, path in _named(params):
        file = _absolute(layout.root / path)
        if not any(file == place or place in file.parents for place in watched):
            raise ConfigError(
                f"{key} names {path}, which DVC does not watch",
                f"move or link it into data/inputs, or add it to the deps of the stage {STAGE} in {GRAPH}",
            )


def _named(params: Params) -> Iterator[tuple[str, Path]]:
    for text in params.language.texts:
        yield "language.texts", Path(text)
    if params.train.init_from:
        yield "train.init_from", Path(params.train.init_from) / WEIGHTS_FILE


def _absolute(path: Path) -> Path:
    """Make a path absolute without following links: DVC follows them itself."""
    return Path(os.path.abspath(path))  # noqa: PTH100
