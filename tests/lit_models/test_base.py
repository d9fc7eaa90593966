"""What all training modules share: the optimiser, the average of the weights, and the error rates of a split."""

import pytest
import torch

from text_recognizer.core.errors import ConfigError
from text_recognizer.lit_models import (
    BaseLitModel,
    ClassifierLitModel,
    CTCLitModel,
    LineReaderLitModel,
    OptimizerConfig,
    TransformerLitModel,
)
from text_recognizer.lit_models.error_rates import SplitErrors

MODULES = [ClassifierLitModel, CTCLitModel, TransformerLitModel, LineReaderLitModel]
SHARED = ["configure_optimizers", "kept_model", "active_model", "on_train_batch_end", "log_error_rates", "record_texts"]
CPU = torch.device("cpu")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("name", SHARED)
def test_every_training_module_uses_the_same_training_set_up(module, name):
    assert getattr(module, name) is getattr(BaseLitModel, name)


def test_error_rates_are_edits_over_length_of_all_batches():
    errors = SplitErrors()
    errors.add(["a b"], ["a c"])
    errors.add(["to be\nor not"], ["to be or not"])
    rates = SplitErrors.rates(errors.sums(CPU))
    assert rates == {"cer": 1 / 15, "cer_newlines": 2 / 15, "wer": 1 / 6}


def test_the_sums_of_several_processes_can_be_added():
    first, second, together = SplitErrors(), SplitErrors(), SplitErrors()
    for errors in (first, together):
        errors.add(["to be"], ["to bee"])
    for errors in (second, together):
        errors.add(["or not"], ["not"])
    assert torch.equal(first.sums(CPU) + second.sums(CPU), together.sums(CPU))


def test_a_split_without_text_has_no_error_rate():
    errors = SplitErrors()
    errors.add([""], ["a"])
    assert SplitErrors.rates(errors.sums(CPU)) == {}


def test_an_unknown_optimiser_is_refused_by_name():
    lit = BaseLitModel(torch.nn.Linear(2, 2), OptimizerConfig(optimizer="Adams"))
    with pytest.raises(ConfigError) as refused:
        lit.configure_optimizers()
    assert "Adams" in refused.value.what


def test_a_weight_decay_of_none_keeps_the_optimiser_s_own_default():
    model = torch.nn.Linear(2, 2)
    decays = [
        BaseLitModel(model, OptimizerConfig("AdamW", weight_decay=decay))
        .configure_optimizers()
        .defaults["weight_decay"]
        for decay in (None, 0.5)
    ]
    assert decays == [0.01, 0.5]
