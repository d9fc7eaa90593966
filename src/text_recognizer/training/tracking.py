"""Weights & Biases: online with a key, offline without one, one run for a training and whatever resumes it."""

import os
from pathlib import Path

import wandb
from pytorch_lightning.loggers import WandbLogger

from text_recognizer.config import TrainSection

PROJECT = "text-recognizer"


def tracker(section: TrainSection, digest: str) -> WandbLogger | None:
    """The run's logger, named by the digest of its data and parameters; None where `WANDB_MODE` is `disabled`."""
    mode = os.environ.get("WANDB_MODE", "online")
    if mode == "disabled":
        return None
    run = wandb.init(
        project=PROJECT,
        id=digest[:16],
        mode="offline" if mode == "offline" else "online",
        # Named at every start: within one process W&B would keep the folder of the first run.
        dir=os.environ.get("WANDB_DIR", str(Path.cwd())),
        resume=None if mode == "offline" else "allow",
        config=section.model_dump(mode="json"),
        settings=wandb.Settings(silent=True),
    )
    return WandbLogger(experiment=run)
