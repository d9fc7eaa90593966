"""The run in Weights & Biases that a training and its evaluation share: online with a key, offline without one."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.files import write_json

if TYPE_CHECKING:
    import wandb

PROJECT = "text-recognizer"
# Beside a model's files, and none of them: which training it came out of.
RUN_FILE = "run.json"
PATIENCE = 20.0  # seconds that a server has to answer


def open_run(run_id: str, settings: Mapping[str, object] | None = None) -> "wandb.Run | None":
    """The run of that id, begun or gone on with; None where `WANDB_MODE` is `disabled`.

    Offline, each start has a folder of its own, and `wandb sync` joins those of one id in their order. A server that
    does not answer leaves the run offline too, which is said.
    """
    mode = os.environ.get("WANDB_MODE", "online")
    if mode == "disabled":
        return None
    if mode == "offline":
        return _start(run_id, settings, "offline")
    import wandb

    try:
        return _start(run_id, settings, "online")
    except wandb.errors.CommError as error:
        reason = " ".join(str(error).split())
        print(f"Weights & Biases: {reason}; the run is kept in wandb/, `wandb sync` sends it", file=sys.stderr)
        wandb.teardown()  # which otherwise holds the id for the run that did not begin
        return _start(run_id, settings, "offline")


def name_run(model: Path, run_id: str) -> None:
    """Says in a model's folder which run it came out of."""
    write_json(model / RUN_FILE, {"run": run_id})


def run_of(model: Path) -> str | None:
    """The run that a model came out of; None where its folder does not say, as that of a model from elsewhere."""
    try:
        found = json.loads((model / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = found.get("run") if isinstance(found, dict) else None
    return name if isinstance(name, str) and name else None


def _start(run_id: str, settings: Mapping[str, object] | None, mode: str) -> "wandb.Run":
    import wandb

    return wandb.init(
        project=PROJECT,
        id=run_id,
        mode="offline" if mode == "offline" else "online",
        # Named at every start: within one process W&B would keep the folder of the first run.
        dir=os.environ.get("WANDB_DIR", str(Path.cwd())),
        resume=None if mode == "offline" else "allow",
        config=dict(settings or {}),
        settings=wandb.Settings(silent=True, init_timeout=PATIENCE),
    )
