"""The base of all training modules: optimiser, schedule, average of the weights, and error rates of whole splits.

Every metric is logged as `train/...`, `validation/...` or `test/...`. A split's metric is a mean over its samples,
characters or words. It does not depend on the size of the batches or on the number of processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from text_recognizer.core.errors import ConfigError
from text_recognizer.lit_models.ema import averaged
from text_recognizer.lit_models.error_rates import SplitErrors
from text_recognizer.lit_models.schedule import warm_up_and_cosine

Schedule = Literal["constant", "cosine", "one_cycle"]
Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class OptimizerConfig:
    """How the weights are updated.

    `optimizer` is a class of torch.optim; a `weight_decay` of None leaves that class its own default. The schedule
    'cosine' warms up over the share `warmup` of the steps. 'one_cycle' takes its peak and its length from `one_cycle`.
    `ema_decay` is the decay per step of the average of the weights; 0 keeps no average.
    """

    optimizer: str = "Adam"
    learning_rate: float = 1e-3
    weight_decay: float | None = None
    schedule: Schedule = "constant"
    warmup: float = 0.05
    one_cycle: tuple[float, int] = (1e-3, 100)
    ema_decay: float = 0.0


class BaseLitModel(pl.LightningModule, Generic[Model]):
    """Updates the weights, averages them, and logs the error rates of a split. Subclasses define the steps."""

    def __init__(self, model: Model, config: OptimizerConfig) -> None:
        super().__init__()
        self.model: Model = model
        self.config = config
        self.lr = config.learning_rate  # Lightning's learning-rate finder sets it
        self.ema = averaged(model, config.ema_decay) if config.ema_decay else None
        self._errors = SplitErrors()

    # --- the weights that are trained, and those that are kept

    @property
    def kept_model(self) -> Model:
        """The weights that are validated and saved: the average if there is one, else the model's own."""
        return cast(Model, self.ema.module) if self.ema else self.model

    @property
    def active_model(self) -> Model:
        """The weights of the current step: the model's own in training, those that are kept otherwise."""
        return self.model if self.training else self.kept_model

    def on_train_batch_end(self, *_: object) -> None:
        if self.ema:
            self.ema.update_parameters(self.model)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Return the optimiser and the schedule of `config`. Raises ConfigError if torch has no such optimiser."""
        optimizer = self._optimizer()
        scheduler: torch.optim.lr_scheduler.LRScheduler
        if self.config.schedule == "one_cycle":
            peak, steps = self.config.one_cycle
            scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=peak, total_steps=steps)
        elif self.config.schedule == "cosine":
            steps = int(self.trainer.estimated_stepping_batches)
            scheduler = warm_up_and_cosine(optimizer, steps, self.config.warmup)
        else:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _optimizer(self) -> torch.optim.Optimizer:
        name, decay = self.config.optimizer, self.config.weight_decay
        kind: Any = getattr(torch.optim, name, None)
        if not (isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)):
            raise ConfigError(f"--optimizer {name}: torch.optim has no such optimiser", "try Adam, AdamW or SGD")
        settings = {} if decay is None else {"weight_decay": decay}
        build: Any = kind  # the base class takes no learning rate, each of its children does
        return cast("torch.optim.Optimizer", build(self.model.parameters(), lr=self.lr, **settings))

    # --- error rates of a split

    def record_texts(self, true: Sequence[str], read: Sequence[str]) -> None:
        """Add the texts of a batch to the error rates of the split that is validated or tested."""
        self._errors.add(true, read)

    def log_error_rates(self, split: str) -> dict[str, float]:
        """Log `<split>/cer`, `<split>/cer_newlines` and `<split>/wer` and return them. No text gives no rate."""
        sums = self.trainer.strategy.reduce(self._errors.sums(self.device), reduce_op="sum")
        rates = SplitErrors.rates(cast(Tensor, sums))
        for name, rate in rates.items():
            self.log(f"{split}/{name}", rate)
        return rates

    def on_validation_epoch_start(self) -> None:
        self._errors = SplitErrors()

    def on_test_epoch_start(self) -> None:
        self._errors = SplitErrors()

    def on_validation_epoch_end(self) -> None:
        self.log_error_rates("validation")

    def on_test_epoch_end(self) -> None:
        self.log_error_rates("test")

    def log_mean(self, name: str, value: float | Tensor, weight: int) -> None:
        """Log the mean of `value` over a split's batches and over all processes, weighted by `weight`."""
        # Lightning takes the mean of the processes' weights as a whole number: as multiples of their number it is one.
        weight = max(1, weight) * (self._trainer.world_size if self._trainer else 1)
        self.log(name, value, on_step=False, on_epoch=True, batch_size=weight, sync_dist=True)
