"""One training run: from a packed corpus to a model folder, resumable from the round where it was stopped."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import LearningRateMonitor, ModelCheckpoint
from pytorch_lightning.loggers import WandbLogger

from text_recognizer.bands import Grid
from text_recognizer.config import LanguageSection, PreprocessSection, TrainSection
from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.paragraphs import IAMOriginalAndSyntheticParagraphs, IAMParagraphs
from text_recognizer.errors import ConfigError, TextRecognizerError
from text_recognizer.files import replacing, sha256
from text_recognizer.inference.export import export
from text_recognizer.lit_models import ParagraphLitModel
from text_recognizer.logbook import name_run
from text_recognizer.models.paragraph_reader import ParagraphReader
from text_recognizer.text import MAPPING
from text_recognizer.training import launch
from text_recognizer.training.spelling import learn_spelling
from text_recognizer.training.tracking import tracker
from text_recognizer.training.weights import load_weights, weights_file


def train(
    processed: Path,
    section: TrainSection,
    preprocess: PreprocessSection,
    language: LanguageSection,
    model: Path,
    curves: Path,
    scratch: Path,
    finish: Callable[[Path], None] = lambda _: None,
) -> dict:
    """Trains on `processed`, writes the folder `model` and the table `curves`; returns the last round's figures.

    A run that was stopped goes on from its last round, found in `scratch` by a digest of data and parameters; on the
    CPU it ends with the weights of an uninterrupted one, bit for bit. `finish` is called with the model's folder before
    what a stopped run would go on from is deleted.
    """
    for split in ("train", "validation"):
        PackedSplit.open(processed, split)
    speller = learn_spelling(processed, language)
    if section.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError("train.accelerator is 'gpu', but torch finds no GPU", "set train.accelerator to auto or cpu")
    if section.threads:
        torch.set_num_threads(section.threads)
    digest = run_digest(processed, section, preprocess)
    folder = scratch / "train" / run_id(digest)
    grid = Grid.at(preprocess.dpi)
    lit = fit(processed, section, grid, folder, digest)
    if not lit.best:
        raise TextRecognizerError("training ended before its first validation", "raise train.steps")
    network = lit.reader
    network.load_state_dict(lit.best["weights"])
    export(network, preprocess, model, speller)
    name_run(model, run_id(digest))
    with replacing(curves) as draft:
        pd.DataFrame(lit.curve).to_csv(draft, index=False)
    finish(model)
    shutil.rmtree(folder, ignore_errors=True)
    return {"validation/cer": lit.best["cer"], "step": lit.best["step"]}


def fit(processed: Path, section: TrainSection, grid: Grid, folder: Path, digest: str) -> ParagraphLitModel:
    """Runs Lightning's loop to the end of the budget, from the checkpoint in `folder` where there is one.

    The budget is cut into rounds of equal length, so up to `section.validations - 1` of its steps are left over.
    """
    pl.seed_everything(section.seed, verbose=False)
    rounds = min(section.validations, section.steps)
    data = _data(processed, section, rounds)
    network = ParagraphReader(
        len(MAPPING), section.channels, section.dropout, section.recurrent, grid.dpi, section.hidden, section.blocks
    )
    if section.start:
        load_weights(network, Path(section.start))
    # Channels last makes these convolutions three times as fast on the CPU, and uses the tensor cores on a GPU.
    lit = ParagraphLitModel(network.to(memory_format=torch.channels_last), section, grid)
    logger = tracker(section.model_dump(mode="json"), run_id(digest))
    trainer = _trainer(section, rounds, section.steps // rounds, folder, logger)
    launch.fit(trainer, lit, data, folder)
    if logger:
        logger.experiment.finish()
    return lit


def _data(processed: Path, section: TrainSection, rounds: int) -> IAMParagraphs:
    target: Literal["lines"] = "lines"
    common = processed, section.batch_size, section.steps // rounds, section.seed, section.loaders, target
    if any(section.recombined):
        return IAMOriginalAndSyntheticParagraphs(
            *common, rounds=rounds, share=section.recombined, bucketed=section.bucketed
        )
    return IAMParagraphs(*common, bucketed=section.bucketed)


def _trainer(
    section: TrainSection, rounds: int, round_steps: int, folder: Path, logger: WandbLogger | None
) -> pl.Trainer:
    name = Path(launch.CHECKPOINT).stem
    latest = ModelCheckpoint(folder, name, save_on_train_epoch_end=False, enable_version_counter=False)
    return launch.make_trainer(
        [latest, *([LearningRateMonitor("step")] if logger else [])],
        logger,
        accelerator=section.accelerator,
        devices=1,
        precision=section.precision,
        # Equal runs on a GPU differ all the same, and its faster algorithms are none of the deterministic ones.
        deterministic=False if section.accelerator != "cpu" and torch.cuda.is_available() else "warn",
        max_epochs=rounds,
        max_steps=rounds * round_steps,
        gradient_clip_val=section.clip_norm,
    )


def run_id(digest: str) -> str:
    """What a run is called in Weights & Biases, and its folder."""
    return digest[:16]


def run_digest(processed: Path, section: TrainSection, preprocess: PreprocessSection) -> str:
    """Names a run by what its result depends on: the packed bytes, the parameters and the weights it starts from."""
    files = [processed / f"{split}{suffix}" for split in ("train", "validation") for suffix in (".npy", ".jsonl")]
    if section.start:
        files.append(weights_file(Path(section.start)))
    parts = [
        [sha256(path) for path in files],
        section.model_dump(mode="json"),
        preprocess.model_dump(mode="json"),
        torch.__version__,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
