"""Lightning's loop as every training here runs it: resumable, and with a plain error if it cannot continue."""

import errno
import io
import logging
import signal
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from pytorch_lightning.plugins.io import TorchCheckpointIO

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.training.callbacks import Progress, Watchdog
from text_recognizer.training.memory import keep_memory
from text_recognizer.training.run_folders import CHECKPOINT
from text_recognizer.utils.files import replace_atomically

OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # in messages of torch
FINDER_DECAY = 0.98  # of the running mean of the loss in Lightning's learning-rate finder, per step
WINDOW = 5  # steps over which the finder's losses are averaged


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write a checkpoint beside its place and move it there, so that a kill or a full disk leaves the last one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None) -> None:  # noqa: ARG002
        # In memory first: torch reports a full disk by an error that does not name it.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with replace_atomically(Path(path)) as draft:
            draft.write_bytes(content.getbuffer())


def make_trainer(callbacks: Sequence[pl.Callback], logger: Logger | None, **settings: Any) -> pl.Trainer:  # noqa: ANN401
    """Return a Trainer with the settings that all trainings share; `settings` add to them."""
    silence_hints()
    keep_memory()
    common: dict[str, Any] = {
        "num_sanity_val_steps": 0,
        "deterministic": "warn",
        "enable_model_summary": False,
        "enable_progress_bar": False,
        "log_every_n_steps": 10,
        # The data modules divide the batches themselves: Lightning would shuffle them, and repeat some.
        "use_distributed_sampler": False,
    }
    return pl.Trainer(
        logger=logger or False,
        callbacks=[*callbacks, Progress(), Watchdog()],
        plugins=[AtomicCheckpointIO()],
        **common | settings,
    )


def fit(trainer: pl.Trainer, lit: pl.LightningModule, data: pl.LightningDataModule, folder: Path) -> None:
    """Train to the end of the budget, from the checkpoint in `folder` if there is one.

    Raises KeyboardInterrupt, with `folder`, if a person stopped the training, and TextRecognizerError if memory or
    disk are full or the loss is not finite.
    """
    saved = folder / CHECKPOINT
    resume: dict[str, Any] = {"ckpt_path": saved, "weights_only": False} if saved.exists() else {}
    ctrl_c = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(lit, data, **resume)
    except SystemExit:  # Lightning raises it on Ctrl-C and leaves a handler that ignores the next Ctrl-C
        if not trainer.interrupted:
            raise
        signal.signal(signal.SIGINT, ctrl_c)
        raise KeyboardInterrupt(str(folder)) from None
    except (OSError, RuntimeError) as error:
        explained = explain(error)
        if explained is None:
            raise
        kept = f"the last good checkpoint is {saved}" if saved.exists() else "there is no checkpoint yet"
        raise TextRecognizerError(f"{explained[0]} at step {trainer.global_step}; {kept}", explained[1]) from error


def explain(error: Exception) -> tuple[str, str] | None:
    """Return what happened and what to change for an error of the machine; None for an error of the code."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full ({error.strerror})", "free disk space, and repeat the command to resume"
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in OUT_OF_MEMORY):
        fix = "lower the batch size, and accumulate gradients over more batches to make up for it"
        return "the memory is full", f"{fix}; or use half precision"
    return None


def choose_rate(rates: Sequence[float], smoothed: Sequence[float]) -> float | None:
    """Return a tenth of the rate at which the loss is lowest; None if it does not fall by a twentieth.

    `smoothed` is the running mean that Lightning's finder reports. It starts at half the first loss and lags by dozens
    of steps, so the losses themselves are computed from it and averaged over WINDOW steps.
    """
    if len(smoothed) < WINDOW:
        return None
    totals = np.array(smoothed) * (1 - FINDER_DECAY ** np.arange(2, len(smoothed) + 2))
    losses = np.diff(totals, prepend=0.0) / (1 - FINDER_DECAY) + np.append(0.0, totals[:-1])
    means = np.convolve(losses, np.full(WINDOW, 1 / WINDOW), "valid")
    lowest = int(means.argmin())
    return rates[lowest + WINDOW // 2] / 10 if means[lowest] < 0.95 * means[0] else None


def silence_hints() -> None:
    """Silence Lightning's hints on loaders, sampler and tensor cores: they do not fit data mapped from one file."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", message=".*deterministic.*")
