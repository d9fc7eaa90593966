"""The trainings of an adaptation: each trains the reader on with some of the pages, and keeps its weights."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.params import LanguageSection, PreprocessSection, RuntimeSection, TrainSection
from text_recognizer.inference.model_info import INFO_FILE, ModelInfo, crops_of, read_info
from text_recognizer.lit_models import LineReaderLitModel
from text_recognizer.models.line_reader import LineReader, ReaderConfig
from text_recognizer.pages.strips import STRIP_DPI, STRIP_HEIGHT
from text_recognizer.preprocess.line_canvases import LabelledStrip
from text_recognizer.preprocess.line_packing import PackedPart, write_canvases
from text_recognizer.training.fit import TrainingPlan, fit
from text_recognizer.training.weights import read_weights
from text_recognizer.utils.files import replace_atomically

Weights = dict[str, Tensor]
STRIPS = 6  # on a canvas; a step trains on one canvas
MAX_COPIES = 4  # of a strip, each with other degradations and other strips beside it
NO_WEIGHTS = "name a model folder that holds its weights with --model: models/pretrained of a clone, or your own"


@dataclass(frozen=True)
class AdaptationSettings:
    """How the reader is trained on. docs/your-own-hand.md has what these values gave; others were not compared.

    A training has `columns` pixels of width of lines in all, but no more than `passes` over its pages, so it takes
    about the same time for any number of pages.
    """

    learning_rate: float = 3e-4
    columns: int = 900_000
    passes: int = 8
    epochs: int = 2
    folds: int = 3
    threads: int = 0
    seed: int = 1


@dataclass(frozen=True)
class StartingReader:
    """The reader that is adapted: its folder, its `reader.json`, and its weights."""

    folder: Path
    info: ModelInfo
    weights: Weights

    @classmethod
    def load(cls, folder: Path) -> "StartingReader":
        """Load a model folder. Raises ModelError if it is incomplete, or lacks the weights to train on from."""
        info = read_info(folder / INFO_FILE)
        weights = {
            name: value.float() if value.is_floating_point() else value
            for name, value in read_weights(folder, NO_WEIGHTS).items()
        }
        return cls(folder, info, weights)

    @property
    def config(self) -> ReaderConfig:
        """The sizes of the network, which its weights have."""
        recurrent = self.weights.get("context.1.lstm.weight_hh_l0")
        channels = [len(self.weights[f"encoder.{stage}.0.weight"]) for stage in range(4)]
        return ReaderConfig(
            num_classes=len(CHARSET),
            channels=(channels[0], channels[1], channels[2], channels[3]),
            lstm_hidden=0 if recurrent is None else recurrent.shape[1],
            dpi=self.info.dpi,
            num_blocks=sum(name.startswith("deeper.") and name.endswith(".mix.weight") for name in self.weights),
        )

    def network(self, weights: Weights) -> LineReader:
        """Return the network with other weights, in eval mode."""
        network = LineReader(self.config)
        network.load_state_dict(weights)
        network.to(memory_format=torch.channels_last)
        network.eval()
        return network

    def mixed(self, weights: Weights, share: float) -> Weights:
        """Return the weights that lie the share `share` of the way from the reader's to `weights`.

        A reader between both forgets less, and often reads better than either (Wortsman et al. 2022).
        """
        return {name: _lerp(self.weights[name], value, share) for name, value in weights.items()}


def _lerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    return start.lerp(end, share) if end.is_floating_point() else end


def mean_weights(parts: Sequence[Weights]) -> Weights:
    """Return the mean of the weights of several trainings from the same start (Wortsman et al. 2022)."""
    return {
        name: torch.stack([part[name] for part in parts]).mean(dim=0) if value.is_floating_point() else value
        for name, value in parts[0].items()
    }


class EpochWeights(pl.Callback):
    """Write the weights that are kept after each epoch to a file of the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_validation_end(self, trainer: pl.Trainer, lit: LineReaderLitModel) -> None:
        state = {name: value.detach().cpu().contiguous() for name, value in lit.kept_model.state_dict().items()}
        with replace_atomically(weights_path(self.folder, trainer.current_epoch)) as draft:
            draft.write_bytes(save(state))


def weights_path(folder: Path, epoch: int) -> Path:
    """Return the file of the weights after an epoch, counted from 0."""
    return folder / f"epoch-{epoch}.safetensors"


def train_on(
    start: StartingReader,
    trained: Sequence[LabelledStrip],
    held_out: Sequence[LabelledStrip],
    folder: Path,
    settings: AdaptationSettings,
) -> list[Weights]:
    """Train the reader on with the strips `trained`, and return its weights after each epoch.

    The CER on the strips `held_out` is printed after each. What is done already in `folder` is not done again.
    """
    files = [weights_path(folder, epoch) for epoch in range(settings.epochs)]
    if not all(file.exists() for file in files):
        plan = _plan(start, trained, settings)
        processed = folder / "processed"
        _pack(processed, trained, held_out, plan)
        fit(processed, plan, folder, [EpochWeights(folder)])
        shutil.rmtree(processed)
    return [load_file(file) for file in files]


def run_folder(scratch: Path, start: StartingReader, strips: Sequence[LabelledStrip], settings: object) -> Path:
    """Return the folder of an adaptation in `scratch`: another one if its pages, its start or its settings differ."""
    digest = hashlib.sha256(json.dumps([start.info.digest, repr(settings), torch.__version__]).encode())
    for strip in strips:
        digest.update(json.dumps([strip.text, strip.page]).encode() + strip.png)
    return scratch / "adapt" / digest.hexdigest()[:16]


def _pack(
    processed: Path, trained: Sequence[LabelledStrip], held_out: Sequence[LabelledStrip], plan: TrainingPlan
) -> None:
    """Write the canvases to train on, as many as there are steps if the strips give so many, and those to validate."""
    copies = min(MAX_COPIES, -(-plan.train.steps * STRIPS // len(trained)))
    with replace_atomically(processed) as draft:
        draft.mkdir()
        for split, strips in (("train", [*trained] * copies), ("validation", held_out)):
            write_canvases(draft, split, PackedPart(strips=list(strips)), plan.preprocess, plan.train.seed)


def num_steps(strips: Sequence[LabelledStrip], settings: AdaptationSettings) -> int:
    """Return the steps of a training on these strips."""
    width = float(np.mean([strip.width for strip in strips]))
    steps = min(settings.columns / (STRIPS * width), settings.passes * len(strips) / STRIPS)
    return max(settings.epochs, round(steps))


def _plan(start: StartingReader, trained: Sequence[LabelledStrip], settings: AdaptationSettings) -> TrainingPlan:
    config = start.config
    train = TrainSection(
        model_class="LineReader",
        init_from=str(start.folder),
        channels=config.channels,
        num_blocks=config.num_blocks,
        lstm_hidden=config.lstm_hidden,
        dropout=0.2,
        time_mask=0.08,
        steps=num_steps(trained, settings),
        batch_size=1,
        learning_rate=settings.learning_rate,
        weight_decay=0.02,
        warmup=0.1,
        clip_norm=5.0,
        augment=0.45,
        elastic=0.015,
        recombined=(0.0, 0.0),
        ema_decay=0.98,
        num_validations=settings.epochs,
        accelerator="cpu",
        precision="32",
        seed=settings.seed,
    )
    language = LanguageSection(order=0, lm_weight=0.0, insertion_bonus=0.0, beam_width=1, texts=())
    runtime = RuntimeSection(workers=1, runner="local", scheduler=None, num_workers=0, threads=settings.threads)
    return TrainingPlan(train, canvas_section(start.info), language, runtime)


def canvas_section(info: ModelInfo) -> PreprocessSection:
    """Return how the strips are packed: on canvases of the reader's width, STRIPS on each."""
    return crops_of(info).model_copy(update={"dpi": STRIP_DPI, "canvas_height": STRIPS * STRIP_HEIGHT})
