"""Training of the lab's models: loss, texts, error rates, schedule and average of the weights."""

from argparse import Namespace

import pytest
import pytorch_lightning as pl
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from text_recognizer.core.charset import CHARSET, encode_padded
from text_recognizer.core.metrics import character_edits, error_rate, word_edits
from text_recognizer.data.batches import PackedDataset, collate_texts
from text_recognizer.lit_models import ClassifierLitModel, CTCLitModel, TransformerLitModel
from text_recognizer.models import CNN, LineCNN, ResnetTransformer

PAGES = [("to be", "or not"), ("a sea",)]
LENGTH = 16
CONFIG = {"input_dims": (1, 64, 96), "output_dims": (LENGTH, 1), "mapping": CHARSET}
SMALL = {"tf_dim": 32, "tf_fc_dim": 64, "tf_layers": 2, "tf_nhead": 4, "tf_dropout": 0.0}


@pytest.fixture(scope="module")
def batch(printed_split):
    dataset = PackedDataset(printed_split(PAGES))
    xs, ys = collate_texts([dataset[index] for index in range(2)], LENGTH)
    return xs[..., :96], ys


@pytest.fixture
def make():
    def lit(**args) -> TransformerLitModel:
        torch.manual_seed(1)
        given = Namespace(**SMALL | args)
        return TransformerLitModel(ResnetTransformer(CONFIG, given), given).eval()

    return lit


def ids(text: str, length: int = LENGTH) -> torch.Tensor:
    return torch.tensor(encode_padded(text, length))


# --- teacher forcing


def test_with_teacher_forcing_each_token_follows_the_true_ones(make, batch):
    lit = make()
    (outs,) = lit.teacher_forward(batch[0][:1], batch[1][:1])
    assert outs.shape == (len(CHARSET), LENGTH)
    memory = lit.model.encode(batch[0][:1])
    for t in (0, 3, 9):
        alone = lit.model.decode(memory, batch[1][:1, : t + 1])[-1, 0]
        assert torch.allclose(outs[:, t], alone, atol=1e-4)


def test_the_loss_is_cross_entropy_and_ctc_in_equal_parts(make, batch):
    lit = make().train()
    xs, ys = batch
    with torch.no_grad():
        lit.model.eval()
        memory = lit.model.encode(xs)
        logits = lit.model.decode(memory, ys[:, :-1])  # (T, B, C)
        decoder = F.cross_entropy(logits.reshape(-1, len(CHARSET)), ys[:, 1:].T.reshape(-1), ignore_index=3)
        ctc = torch.stack(
            [
                F.ctc_loss(
                    lit.model.ctc(memory)[row].log_softmax(dim=1),
                    ys[row][ys[row] > 3],
                    torch.tensor(24),
                    (ys[row] > 3).sum(),
                )
                for row in range(2)
            ]
        ).mean()
        assert lit.training_step(batch, 0).item() == pytest.approx(0.5 * (decoder + ctc).item(), rel=1e-4)


def test_a_model_without_a_ctc_head_is_trained_by_cross_entropy_alone(make, batch):
    lit = make(ctc_columns=0)
    assert lit.ctc_weight == 0
    assert lit.training_step(batch, 0).requires_grad


# --- texts


def test_after_the_first_end_predictions_are_padding(make):
    lit = make()
    wanted = torch.tensor([[5, 6, 2, 7, 2], [5, 2, 2, 7, 7]])
    logits = F.one_hot(wanted, len(CHARSET)).permute(0, 2, 1).float()
    assert lit.get_preds(logits).tolist() == [[5, 6, 2, 3, 3], [5, 2, 3, 3, 3]]
    assert lit.get_preds(logits, replace_after_end=False).tolist() == wanted.tolist()


def test_ids_become_strings_with_or_without_special_tokens(make):
    lit = make()
    rows = torch.stack([ids("to be", 8), ids("a", 8)])
    assert lit.batchmap(rows) == ["to be", "a"]
    assert lit.batchmap(rows, ignore=False)[1] == "<S>a<E><P><P><P><P><P>"


@pytest.mark.parametrize("stray", ["<B>", "<S>"])
def test_a_special_token_inside_a_text_costs_one_edit(make, stray):
    row = ids("to be").tolist()
    row.insert(3, CHARSET.index(stray))
    read = make().text_of(row)
    assert character_edits("to be", read).edits == 1


def test_tokens_after_the_end_are_not_part_of_a_text(make):
    row = [*ids("to be", 7).tolist(), 10, 11]
    assert make().text_of(row) == "to be"


# --- whole splits


class Scripted(ResnetTransformer):
    """Returns given tokens, whatever the page."""

    tokens_to_return: torch.Tensor

    def forward(self, x):
        chosen, self.tokens_to_return = self.tokens_to_return[: len(x)], self.tokens_to_return[len(x) :]
        return chosen


def run(lit, batches, step):
    trainer = pl.Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        accelerator="cpu",
        enable_model_summary=False,
    )
    loader = DataLoader(batches, batch_size=None)
    return getattr(trainer, step)(lit, loader, verbose=False)[0]


def test_error_rates_are_those_of_the_whole_split_whatever_its_batches():
    # Given three pages in batches of two and one, and transcriptions with errors in a short and in a long one
    true, read = ["a", "to be or not", "and so"], ["b", "to bee or", "and so"]
    given = Namespace(**SMALL)
    torch.manual_seed(0)
    lit = TransformerLitModel(Scripted(CONFIG, given), given)
    ys = torch.stack([ids(text) for text in true])
    xs = torch.rand(3, 1, 64, 96)
    for split, step in (("validation", "validate"), ("test", "test")):
        lit.model.tokens_to_return = torch.stack([ids(text) for text in read])
        # When it is validated or tested
        metrics = run(lit, [(xs[:2], ys[:2]), (xs[2:], ys[2:])], step)
        # Then the rates are edits over length, both summed over all pages, under the split's own name
        cer = error_rate([character_edits(t, r) for t, r in zip(true, read, strict=True)])
        wer = error_rate([word_edits(t, r) for t, r in zip(true, read, strict=True)])
        assert metrics[f"{split}/cer"] == pytest.approx(cer, rel=1e-5)
        assert metrics[f"{split}/wer"] == pytest.approx(wer, rel=1e-5)
        assert {name.split("/")[0] for name in metrics} == {split}


def test_a_newline_read_as_a_space_is_an_error_only_if_newlines_are_kept():
    given = Namespace(**SMALL)
    lit = TransformerLitModel(Scripted(CONFIG, given), given)
    lit.model.tokens_to_return = torch.stack([ids("to be or not")])
    metrics = run(lit, [(torch.rand(1, 1, 64, 96), torch.stack([ids("to be\nor not")]))], "test")
    assert metrics["test/cer"] == 0
    assert metrics["test/cer_newlines"] == pytest.approx(1 / 12)


# --- options of training


def test_forcing_noise_replaces_only_characters(make):
    lit = make(forcing_noise=0.5)
    y = torch.stack([ids("to be or not")] * 200)
    torch.manual_seed(2)
    noisy = lit._with_noise(y)
    characters = y > 3
    assert torch.equal(noisy[~characters], y[~characters])
    assert 0.4 < (noisy[characters] != y[characters]).float().mean() < 0.6
    assert noisy[characters].min() > 3


def test_label_smoothing_penalises_confident_logits(make, batch):
    plain, smooth = make(), make(label_smoothing=0.2)
    for lit in (plain, smooth):
        with torch.no_grad():
            lit.model.fc.weight.mul_(50)
    assert smooth.training_step(batch, 0) > plain.training_step(batch, 0) + 0.1
    values = [lit._losses(batch[0], batch[1][:, :-1], batch[1])[0].item() for lit in (plain, smooth)]
    assert values[0] == pytest.approx(values[1], rel=1e-5), "validation is not smoothed"


@pytest.mark.parametrize(
    ("args", "rates"),
    [
        ({}, [0.001] * 4),
        ({"schedule": "cosine", "warmup": 0.25}, [0.0005, 0.001, 0.00075, 0.00025]),
    ],
)
@pytest.mark.slow
def test_the_learning_rate_follows_its_schedule(make, batch, args, rates):
    lit = make(**args)
    seen = []

    class Watch(pl.Callback):
        def on_train_batch_start(self, trainer, *_):
            seen.append(trainer.optimizers[0].param_groups[0]["lr"])

    trainer = pl.Trainer(
        max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, accelerator="cpu",
        enable_model_summary=False, callbacks=[Watch()],
    )  # fmt: skip
    trainer.fit(lit, DataLoader([batch] * 4, batch_size=None))
    assert seen == pytest.approx(rates)


def test_the_average_of_the_weights_is_validated(make, batch):
    lit = make(ema_decay=0.9)
    lit.on_train_batch_end()
    with torch.no_grad():
        lit.model.fc.bias[7] += 100
    assert (lit.eval()(batch[0])[:, 1] != 7).all()
    assert (lit.train()(batch[0])[:, 1] == 7).all()


# --- the other training modules


def test_lines_are_read_by_ctc(batch):
    config = {"input_dims": (1, 64, 96), "output_dims": (LENGTH, 1), "mapping": CHARSET}
    given = Namespace(conv_dim=4, fc_dim=8, loss="ctc")
    lit = CTCLitModel(LineCNN(config, given), given)
    path = torch.tensor([[5, 5, 0, 5, 6, 0, 0]])
    assert lit.read(F.one_hot(path, len(CHARSET)).permute(0, 2, 1)) == [CHARSET[5] * 2 + CHARSET[6]]
    assert torch.isfinite(lit.training_step(batch, 0))


def test_characters_are_classified_and_accuracy_is_over_the_split():
    config = {"input_dims": (1, 28, 28), "output_dims": (1,), "mapping": CHARSET}
    lit = ClassifierLitModel(CNN(config))
    xs = torch.rand(5, 1, 28, 28)
    ys = lit.eval().predict(xs)
    ys[0] = (ys[0] + 1) % 10
    metrics = run(lit, [(xs[:1], ys[:1]), (xs[1:], ys[1:])], "test")
    assert metrics["test/acc"] == pytest.approx(0.8)
