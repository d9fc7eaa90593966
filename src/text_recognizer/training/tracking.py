"""The W&B run of a training: one run for a training and for whatever resumes it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import grad_norm

from text_recognizer.lit_models.image_to_text import ImageToTextLitModel
from text_recognizer.utils.files import sha256
from text_recognizer.utils.wandb_runs import image, open_run

MAX_PICTURES = 8
NORM_INTERVAL = 10  # steps between two norms of the gradient


def make_logger(settings: Mapping[str, object], run_id: str) -> WandbLogger | None:
    """Return the run's logger, with its settings and the revisions of code and data.

    It is None if `WANDB_MODE` is `disabled`.
    """
    run = open_run(run_id, {**settings, **revisions()})
    return WandbLogger(experiment=run) if run else None


def revisions() -> dict[str, str]:
    """Return the current commit, marked if files differ from it, and the digest of `dvc.lock`, which names the data."""
    found = {}
    if commit := _git("rev-parse", "HEAD"):
        found["git_revision"] = commit + ("-changed" if _git("status", "--porcelain", "--untracked-files=no") else "")
    lock = Path("dvc.lock")
    if lock.exists():
        found["dvc_lock_sha256"] = sha256(lock)
    return found


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


class RunDetails(pl.Callback):
    """Log the model's size, gradient norms, and pictures with their true and predicted text."""

    def on_fit_start(self, trainer: pl.Trainer, lit: pl.LightningModule) -> None:
        logger = _logger(trainer)
        if logger and isinstance(lit.model, torch.nn.Module):
            sizes = [parameter.numel() for parameter in lit.model.parameters()]
            logger.experiment.summary.update({"parameters": sum(sizes), "megabytes": sum(sizes) * 4 / 2**20})

    def on_before_optimizer_step(self, trainer: pl.Trainer, lit: pl.LightningModule, _: torch.optim.Optimizer) -> None:
        logger = _logger(trainer)
        if logger and trainer.global_step % NORM_INTERVAL == 0 and isinstance(lit.model, torch.nn.Module):
            # `lit.log` would pass the norm on only at the steps that Lightning logs.
            norm = float(grad_norm(lit.model, norm_type=2)["grad_2.0_norm_total"])
            logger.log_metrics({"train/gradient_norm": norm}, step=trainer.global_step)

    def on_validation_end(self, trainer: pl.Trainer, lit: pl.LightningModule) -> None:
        logger = _logger(trainer)
        if not logger or not isinstance(lit, ImageToTextLitModel) or lit.shown is None:
            return
        xs, read, true = lit.shown
        rows = zip(xs[:MAX_PICTURES].float().cpu(), read, true, strict=False)
        # Not in a table: offline, W&B would leave its pictures outside the run's folder.
        pictures = [image(x, f"predicted: {r}\ntrue: {t}") for x, r, t in rows]
        logger.experiment.log({"validation/transcriptions": pictures, "trainer/global_step": trainer.global_step})


def _logger(trainer: pl.Trainer) -> WandbLogger | None:
    return trainer.logger if isinstance(trainer.logger, WandbLogger) and trainer.is_global_zero else None
