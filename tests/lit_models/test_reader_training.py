"""Training of the reader: the loss, the average of the weights, and that it overfits the lines of two pages."""

import pytest
import torch
from torch.nn import functional as F

from text_recognizer.core.charset import BLANK_ID, CHARSET, encode
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.data.batches import PackedDataset, collate_lines
from text_recognizer.lit_models import LineReaderLitModel
from text_recognizer.lit_models.losses import ctc_loss
from text_recognizer.models.line_reader import LineReader, ReaderConfig

PAGES = [("to be", "or not"), ("a",)]
STEPS = 300
DPI = 50


@pytest.fixture(scope="module")
def batch(printed_split):
    dataset = PackedDataset(printed_split(PAGES))
    return collate_lines([dataset[index] for index in range(len(dataset))], DPI)


@pytest.fixture
def lit(params):
    torch.manual_seed(1)
    section = params.train.model_copy(update={"augment": 0.0, "ema_decay": 0.0})
    network = LineReader(ReaderConfig(len(CHARSET), (8, 16, 24, 32), dpi=DPI))
    return LineReaderLitModel(network.to(memory_format=torch.channels_last), section)


@pytest.fixture(scope="module")
def lines():
    """The ids of the lines "to be", "or not" and "a", one after another, and how many belong to each."""
    ids = [torch.tensor(encode(line)) for page in PAGES for line in page]
    return torch.cat(ids), torch.tensor([len(each) for each in ids])


def scores_for(lengths, columns):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(len(lengths), columns, len(CHARSET), generator=generator).log_softmax(dim=2)


def test_the_loss_is_the_mean_of_torch_s_ctc_loss_over_lines(lines):
    targets, lengths = lines
    scores = scores_for(lengths, 32)
    each = [
        F.ctc_loss(line, target, torch.tensor(32), torch.tensor(len(target)), blank=BLANK_ID)
        for line, target in zip(scores, targets.split(lengths.tolist()), strict=True)
    ]
    assert ctc_loss(scores, targets, lengths).item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_a_line_with_too_few_columns_contributes_nothing(lines):
    targets, lengths = lines
    scores = scores_for(lengths, 5)  # "or not" has six characters
    fits = [0, 2]
    texts = targets.split(lengths.tolist())
    each = [F.ctc_loss(scores[i], texts[i], torch.tensor(5), lengths[i], blank=BLANK_ID) for i in fits]
    assert ctc_loss(scores, targets, lengths).item() == pytest.approx(torch.stack(each).sum().item() / 3, rel=1e-5)


def test_the_loss_of_a_batch_is_the_mean_over_the_lines_of_all_groups(lit, batch):
    lit.eval()
    assert len(batch.groups) > 1
    with torch.no_grad():
        each = [
            ctc_loss(lit(group.strips[[row]]), ids, length[None])
            for group in batch.groups
            for row, (ids, length) in enumerate(
                zip(group.targets.split(group.lengths.tolist()), group.lengths, strict=True)
            )
        ]
        assert lit.loss(batch).item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-4)


def test_ink_is_1_and_paper_0():
    ink = to_foreground(torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8))
    assert torch.allclose(ink, torch.tensor([[[[1.0, 0.0, 0.8]]]]))


@pytest.fixture
def averaging(lit):
    return LineReaderLitModel(lit.model, lit.section.model_copy(update={"ema_decay": 0.9}))


def weights(network):
    return network.state_dict()


def test_without_an_average_the_model_s_own_weights_are_kept(lit):
    assert lit.kept_model is lit.model


def test_the_average_follows_the_weights_and_the_statistics(averaging):
    # Given an average that has seen a hundred steps of one set of weights
    for _ in range(100):
        averaging.on_train_batch_end()
    before = {name: value.clone() for name, value in weights(averaging.kept_model).items()}
    # When the weights jump
    with torch.no_grad():
        for value in [*averaging.model.parameters(), *averaging.model.buffers()]:
            value.add_(1)
    averaging.on_train_batch_end()
    # Then it takes a tenth of the way, and the count of batches is the model's
    for name, value in weights(averaging.kept_model).items():
        moved = value.float() - before[name].float()
        assert torch.allclose(moved, torch.full_like(moved, 0.1 if value.is_floating_point() else 1.0), atol=1e-4), name


def test_the_first_weights_are_soon_forgotten(averaging):
    averaging.on_train_batch_end()
    with torch.no_grad():
        averaging.model.head.bias.fill_(5.0)
    for _ in range(30):
        averaging.on_train_batch_end()
    assert torch.allclose(averaging.kept_model.head.bias, torch.tensor(5.0), atol=0.05)


def test_training_uses_the_weights_and_validation_their_average(averaging, batch):
    averaging.on_train_batch_end()
    with torch.no_grad():
        averaging.model.head.bias.add_(torch.arange(len(CHARSET)).float())
        averaging.train()
        trained = averaging(batch.groups[0].strips)
        averaging.eval()
        validated = averaging(batch.groups[0].strips)
    assert trained.argmax(dim=2).float().mean() > validated.argmax(dim=2).float().mean() + 10


@pytest.mark.slow
def test_a_single_batch_is_overfitted(lit, batch):
    optimizer = torch.optim.AdamW(lit.parameters(), lr=0.005)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    lit.train()
    for _ in range(STEPS):
        loss = lit.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    lit.eval()
    with torch.no_grad():
        read = [lit.texts(lit(group.strips)) for group in batch.groups]
    assert batch.in_order(read) == [line for page in PAGES for line in page]
