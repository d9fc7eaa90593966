"""One training run: from a packed corpus to a model folder, resumable from the epoch in which it was stopped."""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import WandbLogger

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.core.params import LanguageSection, PreprocessSection, RuntimeSection, TrainSection
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.data.batches import PackedDataset, collate_lines
from text_recognizer.data.iam_paragraphs import EpochOptions, IAMOriginalAndSyntheticParagraphs, IAMParagraphs
from text_recognizer.lit_models import LineReaderLitModel
from text_recognizer.models.line_reader import LineReader, ReaderConfig
from text_recognizer.training import training_loop
from text_recognizer.training.export import export
from text_recognizer.training.language_model_training import estimate_language_model
from text_recognizer.training.run_folders import CHECKPOINT, packed_digests
from text_recognizer.training.tracking import make_logger
from text_recognizer.training.weights import load_weights, weights_file
from text_recognizer.utils.files import replace_atomically, sha256
from text_recognizer.utils.wandb_runs import save_run_id

EXAMPLE_PAGES = 8
# What to do if the weights to start from are missing or do not fit.
INIT_FIX = (
    "set train.init_from to a model folder, train.channels and train.lstm_hidden as that model was trained, "
    "or train.init_from to null"
)


@dataclass(frozen=True)
class TrainingPlan:
    """What decides the result of a training, and how this machine runs it."""

    train: TrainSection
    preprocess: PreprocessSection
    language: LanguageSection
    runtime: RuntimeSection


@dataclass(frozen=True)
class TrainingFiles:
    """Where a training reads and writes: packed pages, model folder, curves, and scratch space for checkpoints."""

    processed: Path
    model: Path
    curves: Path
    scratch: Path


@dataclass(frozen=True)
class TrainingResult:
    """The checkpoint that was kept: its CER on the validation split and its optimiser step."""

    validation_cer: float
    step: int


def train(plan: TrainingPlan, files: TrainingFiles, finish: Callable[[Path], None] = lambda _: None) -> TrainingResult:
    """Train a reader, write its model folder and its curves, and return what was kept.

    A stopped run resumes from its last checkpoint, found in `files.scratch` by a digest of data and parameters. On the
    CPU it ends with the same weights as an uninterrupted run, bit for bit. `finish` is called with the model folder
    before the checkpoints are deleted.
    """
    for split in ("train", "validation"):
        PackedSplit.open(files.processed, split)
    section = plan.train
    decoder = estimate_language_model(files.processed, plan.language)
    if section.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("train.accelerator is 'gpu', but torch finds no GPU", "set train.accelerator to auto or cpu")
    if plan.runtime.threads:
        torch.set_num_threads(plan.runtime.threads)
    run = run_id(run_digest(files.processed, section, plan.preprocess))
    folder = files.scratch / "train" / run
    lit = fit(files.processed, plan, folder)
    if not lit.best:
        raise TextRecognizerError("training ended before its first validation", "raise train.steps")
    network = lit.kept_model
    network.load_state_dict(lit.best["weights"])
    export(network, plan.preprocess, files.model, decoder, _examples(files.processed, plan.preprocess.dpi))
    save_run_id(files.model, run)
    with replace_atomically(files.curves) as draft:
        pd.DataFrame(lit.curve).to_csv(draft, index=False)
    finish(files.model)
    shutil.rmtree(folder, ignore_errors=True)
    return TrainingResult(lit.best["cer"], lit.best["step"])


def fit(processed: Path, plan: TrainingPlan, folder: Path, callbacks: Sequence[pl.Callback] = ()) -> LineReaderLitModel:
    """Run Lightning's loop to the end of the budget, from the checkpoint in `folder` if there is one.

    The folder's name is the id of the run. The budget is cut into epochs of equal length, so up to
    `train.num_validations - 1` of its steps are not used. `callbacks` join those of every training.
    """
    section = plan.train
    pl.seed_everything(section.seed, verbose=False)
    epochs = min(section.num_validations, section.steps)
    data = _data(processed, plan, epochs)
    network = LineReader(reader_config(section, plan.preprocess.dpi))
    if section.init_from:
        load_weights(network, Path(section.init_from), INIT_FIX)
    # Channels last makes these convolutions three times as fast on the CPU, and uses the tensor cores on a GPU.
    lit = LineReaderLitModel(network.to(memory_format=torch.channels_last), section)
    logger = make_logger(section.model_dump(mode="json"), folder.name)
    trainer = _trainer(section, epochs, [_checkpoints(folder), *callbacks], logger)
    training_loop.fit(trainer, lit, data, folder)
    if logger:
        logger.experiment.finish()
    return lit


def _examples(processed: Path, dpi: int) -> list[np.ndarray]:
    """Return the strips of some training pages, each float32 (L, 1, H, W), to measure the ranges of the network on."""
    pages = PackedDataset(PackedSplit.open(processed, "train"))
    chosen = np.linspace(0, len(pages) - 1, min(EXAMPLE_PAGES, len(pages))).astype(int).tolist()
    groups = [group for index in chosen for group in collate_lines([pages[index]], dpi).groups]
    return [to_foreground(group.strips).numpy() for group in groups]


def reader_config(section: TrainSection, dpi: int) -> ReaderConfig:
    """Return the configuration of the network that `section` describes, for pages at `dpi`."""
    return ReaderConfig(
        num_classes=len(CHARSET),
        channels=section.channels,
        dropout=section.dropout,
        lstm_hidden=section.lstm_hidden,
        dpi=dpi,
        time_mask=section.time_mask,
        num_blocks=section.num_blocks,
    )


def _data(processed: Path, plan: TrainingPlan, epochs: int) -> IAMParagraphs:
    section = plan.train
    options = EpochOptions(
        target="lines",
        steps_per_epoch=section.steps // epochs,
        recombined=section.recombined,
        epochs=epochs,
        dpi=plan.preprocess.dpi,
    )
    kind = IAMOriginalAndSyntheticParagraphs if any(section.recombined) else IAMParagraphs
    return kind(processed, section.batch_size, section.seed, plan.runtime.num_workers, options=options)


def _checkpoints(folder: Path) -> ModelCheckpoint:
    return ModelCheckpoint(folder, Path(CHECKPOINT).stem, save_on_train_epoch_end=False, enable_version_counter=False)


def _trainer(
    section: TrainSection, epochs: int, callbacks: Sequence[pl.Callback], logger: WandbLogger | None
) -> pl.Trainer:
    return training_loop.make_trainer(
        [*callbacks, *([LearningRateMonitor("step")] if logger else [])],
        logger,
        accelerator=section.accelerator,
        devices=1,
        precision=section.precision,
        # Two runs with equal settings differ on a GPU in any case, and its deterministic algorithms are slower.
        deterministic=False if section.accelerator != "cpu" and torch.cuda.is_available() else "warn",
        max_epochs=epochs,
        max_steps=epochs * (section.steps // epochs),
        gradient_clip_val=section.clip_norm,
    )


def run_id(digest: str) -> str:
    """Return the id of a run in Weights & Biases, which is also the name of its folder."""
    return digest[:16]


def run_digest(processed: Path, section: TrainSection, preprocess: PreprocessSection) -> str:
    """Return a digest of what decides the result: the packed bytes, the parameters and the initial weights."""
    parts = [
        [*packed_digests(processed), *_init_digests(section)],
        section.model_dump(mode="json"),
        preprocess.model_dump(mode="json"),
        torch.__version__,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _init_digests(section: TrainSection) -> list[str]:
    return [sha256(weights_file(Path(section.init_from), INIT_FIX))] if section.init_from else []
