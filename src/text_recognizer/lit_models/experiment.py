"""Training modules of the lab's experiments: they take their settings from command-line arguments."""

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.core.errors import ConfigError
from text_recognizer.lit_models.base import BaseLitModel, OptimizerConfig
from text_recognizer.models.network import Group, Network

OPTIMIZER = "Adam"
LR = 1e-3
LOSS = "cross_entropy"
WARMUP = 0.05
ONE_CYCLE_TOTAL_STEPS = 100
WEIGHT_DECAY = 0.01
# Batches of an epoch, and draws of a run: with these factors no two steps or runs share a seed.
MAX_BATCHES, MAX_DRAWS = 1 << 20, 1 << 44


class ExperimentLitModel(BaseLitModel[Network]):
    """Keeps `args` as a dict, logs the loss, and seeds every batch. Subclasses define `evaluate`."""

    def __init__(self, model: Network, args: Namespace | None = None) -> None:
        settings: dict[str, Any] = vars(args) if args is not None else {}
        super().__init__(model, optimizer_config(settings))
        self.args = settings
        self.data_config, self.mapping, self.input_dims = model.data_config, model.mapping, model.input_dims
        self._batches = 0

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        add = parser.add_argument
        add("--optimizer", default=OPTIMIZER, help="a class of torch.optim; default: %(default)s")
        add("--lr", type=float, default=LR, help="learning rate; default: %(default)s")
        add("--weight_decay", type=float, default=None, help=f"default: AdamW's {WEIGHT_DECAY}, others none")
        add("--one_cycle_max_lr", type=float, default=None, help="peak of a one-cycle schedule; default: none")
        add("--one_cycle_total_steps", type=int, default=ONE_CYCLE_TOTAL_STEPS, help="length of the cycle in steps")
        add("--schedule", choices=("constant", "cosine"), default="constant", help="cosine: with a warm-up before it")
        add("--warmup", type=float, default=WARMUP, help="share of the steps with a rising rate; for 'cosine'")
        add("--ema_decay", type=float, default=0.0, help="decay per step of averaged weights, which are validated")
        add("--loss", default=LOSS, help="transformer, ctc, or a loss of torch.nn.functional; default: %(default)s")
        add("--label_smoothing", type=float, default=0.0, help="share of the target given to all classes, 0 to 1")
        add("--compile", action="store_true", help="torch.compile: a slow start, then faster steps")
        return parser

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.active_model(x)
        return out

    def on_fit_start(self) -> None:
        if self.args.get("compile"):
            # In place, so that the names of the weights stay.
            for part in ("encode", "decode"):
                if hasattr(self.model, part):
                    setattr(self.model, part, torch.compile(getattr(self.model, part)))
            if not hasattr(self.model, "encode"):
                self.model.compile()

    def on_train_epoch_start(self) -> None:
        self._batches = 0

    def on_before_batch_transfer(self, batch: Any, _: int) -> Any:  # noqa: ANN401
        """Seed a training batch by its epoch, number and rank, so that a resumed run draws the same numbers."""
        if self.trainer.training:
            number = (self.current_epoch * MAX_BATCHES + self._batches) * self.trainer.world_size + self.global_rank
            torch.manual_seed(self.args.get("seed", 0) * MAX_DRAWS + number)
            self._batches += 1
        return batch

    def validation_step(self, batch: Sequence[Tensor], _: int) -> None:
        self.evaluate("validation", batch)

    def test_step(self, batch: Sequence[Tensor], _: int) -> None:  # noqa: PT019 (Lightning's signature, no test)
        self.evaluate("test", batch)

    def evaluate(self, split: str, batch: Sequence[Tensor]) -> None:
        """Log the metrics of one batch of the split 'validation' or 'test'."""
        raise NotImplementedError


def optimizer_config(settings: dict[str, Any]) -> OptimizerConfig:
    """Return the configuration that the arguments of a command line describe."""
    peak = settings.get("one_cycle_max_lr")
    steps = settings.get("one_cycle_total_steps", ONE_CYCLE_TOTAL_STEPS)
    return OptimizerConfig(
        optimizer=settings.get("optimizer", OPTIMIZER),
        learning_rate=settings.get("lr", LR),
        weight_decay=settings.get("weight_decay"),
        schedule="one_cycle" if peak else settings.get("schedule", "constant"),
        warmup=settings.get("warmup", WARMUP),
        one_cycle=(peak or LR, steps),
        ema_decay=settings.get("ema_decay", 0.0),
    )


class ClassifierLitModel(ExperimentLitModel):
    """Trains logits `(B, C)` or `(B, C, S)` against ids `(B,)` or `(B, S)` by a loss of torch.nn.functional."""

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        x, y = batch
        logits = self(x)
        loss = self._loss(logits, y)
        self.log_mean("train/loss", loss.detach(), len(x))
        self._log_accuracy("train", logits, y)
        return loss

    def evaluate(self, split: str, batch: Sequence[Tensor]) -> None:
        x, y = batch
        logits = self(x)
        self.log_mean(f"{split}/loss", self._loss(logits, y), len(x))
        self._log_accuracy(split, logits, y)

    def predict(self, x: Tensor) -> Tensor:
        """Return the likeliest class of each picture or window."""
        return self(x).argmax(dim=1)

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        name = self.args.get("loss", LOSS)
        if name == LOSS:
            return F.cross_entropy(logits, y, label_smoothing=self.args.get("label_smoothing", 0.0))
        if not hasattr(F, name):
            raise ConfigError(
                f"--loss {name}: torch.nn.functional has no such loss", "try cross_entropy, ctc, transformer"
            )
        loss: Tensor = getattr(F, name)(logits, y)
        return loss

    def _log_accuracy(self, split: str, logits: Tensor, y: Tensor) -> None:
        right = (logits.argmax(dim=1) == y).float().mean()
        self.log_mean(f"{split}/acc", right, y.numel())
