"""What the lab's training modules share: optimiser, schedule, averaging, and metrics of whole splits.

Every figure is logged as `train/...`, `validation/...` or `test/...`. A split's figure is a mean over its samples,
characters or words, whatever the size of the batches and the number of processes.
"""

from argparse import Namespace
from collections.abc import Sequence
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.errors import ConfigError
from text_recognizer.lit_models.average import averaged
from text_recognizer.lit_models.schedule import warm_up_and_cosine
from text_recognizer.metrics import character_edits, word_edits
from text_recognizer.models.network import Group, Network
from text_recognizer.text import one_line

OPTIMIZER = "Adam"
LR = 1e-3
LOSS = "cross_entropy"
ONE_CYCLE_TOTAL_STEPS = 100
WEIGHT_DECAY = 0.01
MOST_BATCHES, MOST_DRAWS = 1 << 20, 1 << 44  # in a round, and in a run: seeds that do not meet


class BaseLitModel(pl.LightningModule):
    """Classifies: logits `(B, C)` or `(B, C, S)` against ids `(B,)` or `(B, S)`, by a loss of torch.nn.functional."""

    def __init__(self, model: Network, args: Namespace | None = None) -> None:
        super().__init__()
        self.model = model
        self.args: dict[str, Any] = vars(args) if args is not None else {}
        self.data_config, self.mapping, self.input_dims = model.data_config, model.mapping, model.input_dims
        self.lr: float = self.args.get("lr", LR)
        decay = self.args.get("average", 0.0)
        self.average = averaged(model, decay) if decay else None
        self._batches = 0

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        add = parser.add_argument
        add("--optimizer", default=OPTIMIZER, help="a class of torch.optim; default: %(default)s")
        add("--lr", type=float, default=LR, help="learning rate; default: %(default)s")
        add("--weight_decay", type=float, default=None, help=f"default: AdamW's {WEIGHT_DECAY}, others none")
        add("--one_cycle_max_lr", type=float, default=None, help="peak of a one-cycle schedule; default: none")
        add("--one_cycle_total_steps", type=int, default=ONE_CYCLE_TOTAL_STEPS, help="steps that the cycle takes")
        add("--schedule", choices=("constant", "cosine"), default="constant", help="cosine: with a warm-up before it")
        add("--warmup", type=float, default=0.05, help="share of the steps that warm up; for the schedule 'cosine'")
        add("--average", type=float, default=0.0, help="decay a step of averaged weights, which are then validated")
        add("--loss", default=LOSS, help="transformer, ctc, or a loss of torch.nn.functional; default: %(default)s")
        add("--label_smoothing", type=float, default=0.0, help="share of the target given to all classes, 0 to 1")
        add("--compile", action="store_true", help="torch.compile: a slow start, then faster steps")
        return parser

    # --- what is trained, and what is kept

    @property
    def network(self) -> Network:
        """The weights that are validated and kept: the average where there is one."""
        return cast(Network, self.average.module) if self.average else self.model

    @property
    def reading(self) -> Network:
        """The weights of the step at hand: the model's in training, those that are kept otherwise."""
        return self.model if self.training else self.network

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.reading(x)
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
        """What is drawn is a function of the round and the batch, so that a resumed run draws the same."""
        if self.trainer.training:
            place = (self.current_epoch * MOST_BATCHES + self._batches) * self.trainer.world_size + self.global_rank
            torch.manual_seed(self.args.get("seed", 0) * MOST_DRAWS + place)
            self._batches += 1
        return batch

    def on_train_batch_end(self, *_: object) -> None:
        if self.average:
            self.average.update_parameters(self.model)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self._optimizer()
        if peak := self.args.get("one_cycle_max_lr"):
            steps = self.args.get("one_cycle_total_steps", ONE_CYCLE_TOTAL_STEPS)
            cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=peak, total_steps=steps)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}
        if self.args.get("schedule", "constant") == "cosine":
            steps = int(self.trainer.estimated_stepping_batches)
            cosine = warm_up_and_cosine(optimizer, steps, self.args.get("warmup", 0.05))
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cosine, "interval": "step"}}
        return optimizer

    def _optimizer(self) -> torch.optim.Optimizer:
        name = self.args.get("optimizer", OPTIMIZER)
        kind: Any = getattr(torch.optim, name, None)
        if not (isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)):
            raise ConfigError(f"--optimizer {name}: torch.optim has no such optimiser", "try Adam, AdamW or SGD")
        decay = self.args.get("weight_decay")
        settings = {} if decay is None else {"weight_decay": decay}
        build: Any = kind  # the base class takes no learning rate, each of its children does
        return cast("torch.optim.Optimizer", build(self.model.parameters(), lr=self.lr, **settings))

    # --- the three loops

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        x, y = batch
        logits = self(x)
        loss = self._loss(logits, y)
        self._log_mean("train/loss", loss.detach(), len(x))
        self._log_accuracy("train", logits, y)
        return loss

    def validation_step(self, batch: Sequence[Tensor], _: int) -> None:
        self._evaluate("validation", batch)

    def test_step(self, batch: Sequence[Tensor], _: int) -> None:  # noqa: PT019 (Lightning's signature, no test)
        self._evaluate("test", batch)

    def _evaluate(self, split: str, batch: Sequence[Tensor]) -> None:
        x, y = batch
        logits = self(x)
        self._log_mean(f"{split}/loss", self._loss(logits, y), len(x))
        self._log_accuracy(split, logits, y)

    def predict(self, x: Tensor) -> Tensor:
        """The likeliest class of each picture or window."""
        return self(x).argmax(dim=1)

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        name = self.args.get("loss", LOSS)
        smoothing = self.args.get("label_smoothing", 0.0)
        if name == LOSS:
            return F.cross_entropy(logits, y, label_smoothing=smoothing)
        if not hasattr(F, name):
            raise ConfigError(
                f"--loss {name}: torch.nn.functional has no such loss", "try cross_entropy, ctc, transformer"
            )
        loss: Tensor = getattr(F, name)(logits, y)
        return loss

    # --- figures

    def _log_mean(self, name: str, value: float | Tensor, weight: int) -> None:
        """A figure of one batch; the split's is their mean by weight, over all processes."""
        # Lightning takes the mean of the processes' weights as a whole number: as multiples of their number it is one.
        weight = max(1, weight) * (self._trainer.world_size if self._trainer else 1)
        self.log(name, value, on_step=False, on_epoch=True, batch_size=weight, sync_dist=True)

    def _log_accuracy(self, split: str, logits: Tensor, y: Tensor) -> None:
        right = (logits.argmax(dim=1) == y).float().mean()
        self._log_mean(f"{split}/acc", right, y.numel())

    def _log_readings(self, split: str, read: Sequence[str], true: Sequence[str]) -> None:
        """CER with newlines as spaces and with newlines kept, and WER: edits over length, both summed over it."""
        pairs = list(zip(true, read, strict=True))
        kinds = {
            "cer": [character_edits(one_line(t), one_line(r)) for t, r in pairs],
            "cer_newlines": [character_edits(t, r) for t, r in pairs],
            "wer": [word_edits(t, r) for t, r in pairs],
        }
        for name, rows in kinds.items():
            length = sum(row.length for row in rows)
            if length:
                self._log_mean(f"{split}/{name}", sum(row.edits for row in rows) / length, length)
