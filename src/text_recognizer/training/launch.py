"""Lightning's loop as every training here runs it: resumable, and ended by words where it cannot go on."""

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

from text_recognizer.errors import TextRecognizerError
from text_recognizer.files import replacing
from text_recognizer.training.callbacks import Progress, Watchdog
from text_recognizer.training.memory import keep_memory

CHECKPOINT = "last.ckpt"
NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and moves it there, so that a kill or a full disk leaves the last one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None) -> None:  # noqa: ARG002
        # In memory first: torch tells a full disk by an error that does not name it.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with replacing(Path(path)) as draft:
            draft.write_bytes(content.getbuffer())


def make_trainer(callbacks: Sequence[pl.Callback], logger: Logger | None, **settings: Any) -> pl.Trainer:  # noqa: ANN401
    """A Trainer with what all trainings share; `settings` are its own."""
    quieten()
    keep_memory()
    common: dict[str, Any] = {
        "num_sanity_val_steps": 0,
        "deterministic": "warn",
        "enable_model_summary": False,
        "enable_progress_bar": False,
        "log_every_n_steps": 10,
        # The data modules divide the batches themselves: Lightning would shuffle them, and double some.
        "use_distributed_sampler": False,
    }
    return pl.Trainer(
        logger=logger or False,
        callbacks=[*callbacks, Progress(), Watchdog()],
        plugins=[WholeCheckpoints()],
        **common | settings,
    )


def fit(trainer: pl.Trainer, lit: pl.LightningModule, data: pl.LightningDataModule, folder: Path) -> None:
    """Trains to the end of the budget, from the checkpoint in `folder` where there is one.

    Raises KeyboardInterrupt, with `folder`, where a person stopped it, and TextRecognizerError where memory, disk or
    figures gave out.
    """
    saved = folder / CHECKPOINT
    resume: dict[str, Any] = {"ckpt_path": saved, "weights_only": False} if saved.exists() else {}
    ctrl_c = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(lit, data, **resume)
    except SystemExit:  # Lightning's answer to Ctrl-C, deaf to another one from then on
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
    """What happened and what to change, for an error that is nobody's mistake in the code; else None."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full ({error.strerror})", "make room, and repeat the command to go on"
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in NO_MEMORY):
        fix = "lower the batch size, and accumulate gradients over more batches to make up for it"
        return "the memory is full", f"{fix}; or use half precision"
    return None


def rate_of(rates: Sequence[float], smoothed: Sequence[float]) -> float | None:
    """A tenth of the rate at which the loss is lowest; None where it does not fall by a twentieth.

    `smoothed` is Lightning's running mean, which starts at half the first loss and lags by dozens of steps: the losses
    themselves are computed from it, and averaged over `WINDOW` steps.
    """
    if len(smoothed) < WINDOW:
        return None
    totals = np.array(smoothed) * (1 - MEMORY ** np.arange(2, len(smoothed) + 2))
    losses = np.diff(totals, prepend=0.0) / (1 - MEMORY) + np.append(0.0, totals[:-1])
    means = np.convolve(losses, np.full(WINDOW, 1 / WINDOW), "valid")
    lowest = int(means.argmin())
    return rates[lowest + WINDOW // 2] / 10 if means[lowest] < 0.95 * means[0] else None


MEMORY = 0.98  # share of the running mean of Lightning's finder that each step keeps
WINDOW = 5


def quieten() -> None:
    """Lightning's hints about loader workers, sampler and tensor cores do not fit data that is mapped from one file."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    warnings.filterwarnings("ignore", message=".*deterministic.*")
