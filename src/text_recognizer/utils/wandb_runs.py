"""The Weights & Biases run that a training and its evaluation share: online with a key, offline without one.

No other module imports wandb.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.utils.files import write_json

if TYPE_CHECKING:
    import wandb

PROJECT = "text-recognizer"
# Lies in a model folder and holds the id of the run that trained the model. It is not part of the model.
RUN_FILE = "run.json"
SERVER_TIMEOUT = 20.0  # seconds

logger = logging.getLogger(__name__)


def open_run(run_id: str, settings: Mapping[str, object] | None = None) -> "wandb.Run | None":
    """Start or resume the run with this id. Return None if `WANDB_MODE` is `disabled`.

    Offline, each start has a folder of its own, and `wandb sync` joins those of one id in their order. If the server
    does not answer, the run is offline too, with a warning.
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
        logger.warning("Weights & Biases: %s; the run is kept in wandb/, `wandb sync` sends it", reason)
        wandb.teardown()  # releases the id, which the failed run still holds
        return _start(run_id, settings, "offline")


def save_run_id(model: Path, run_id: str) -> None:
    """Record in a model folder the id of the run that trained the model."""
    write_json(model / RUN_FILE, {"run": run_id})


def load_run_id(model: Path) -> str | None:
    """Return the id of the run that trained a model; None if its folder does not hold one."""
    try:
        found = json.loads((model / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    run_id = found.get("run") if isinstance(found, dict) else None
    return run_id if isinstance(run_id, str) and run_id else None


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> object:
    """Return a table that a run can log."""
    import wandb

    return wandb.Table(columns=list(columns), data=[list(row) for row in rows])


def html(page: Path) -> object:
    """Return an HTML file that a run can log, unchanged."""
    import wandb

    return wandb.Html(str(page), inject=False)


def image(pixels: object, caption: str) -> object:
    """Return a picture, a tensor or an array, that a run can log with its caption."""
    import wandb

    return wandb.Image(pixels, caption=caption)


def _start(run_id: str, settings: Mapping[str, object] | None, mode: str) -> "wandb.Run":
    import wandb

    return wandb.init(
        project=PROJECT,
        id=run_id,
        mode="offline" if mode == "offline" else "online",
        # Given at every start, because W&B would otherwise keep the folder of the first run of the process.
        dir=os.environ.get("WANDB_DIR", str(Path.cwd())),
        resume=None if mode == "offline" else "allow",
        config=dict(settings or {}),
        settings=wandb.Settings(
            silent=True,
            init_timeout=SERVER_TIMEOUT,
            # W&B asks this address in a cloud's network, even offline, whether it runs there.
            x_stats_coreweave_metadata_base_url="http://127.0.0.1:9",
            x_disable_machine_info=mode == "offline",
        ),
    )
