"""What the reader is trained on: the loss, the targets, and that it can learn two pages by heart."""

import pytest
import torch
from torch.nn import functional as F

from text_recognizer.bands import Grid
from text_recognizer.data.base import as_ink
from text_recognizer.data.samples import PackedDataset, collate
from text_recognizer.lit_models import ParagraphLitModel
from text_recognizer.lit_models.paragraph import ctc_loss, trimmed
from text_recognizer.metrics import character_edits, error_rate
from text_recognizer.models import ParagraphReader
from text_recognizer.text import BLANK_ID, MAPPING

PAGES = [("to be", "or not"), ("a sea",)]
WIDTH = 64
STEPS = 300
GRID = Grid(dpi=50, cell_height=8, cell_width=4)


@pytest.fixture(scope="module")
def batch(printed_split):
    dataset = PackedDataset(printed_split(PAGES))
    whole = collate([dataset[index] for index in range(len(dataset))])
    # With much paper beside them, two lines are told apart by the edge of the canvas sooner than by their letters.
    return whole._replace(canvases=whole.canvases[..., :WIDTH])


@pytest.fixture(autouse=True)
def one_thread():
    """Work this small only waits for more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def lit(shipped):
    torch.manual_seed(1)
    section = shipped.train.model_copy(update={"channels": (8, 16, 24, 32), "dropout": 0.0, "augment": 0.0})
    network = ParagraphReader(len(MAPPING), section.channels, section.dropout)
    return ParagraphLitModel(network.to(memory_format=torch.channels_last), section, GRID)


def scores_for(batch, columns):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(len(batch.lengths), columns, len(MAPPING), generator=generator).log_softmax(dim=2)


def test_the_loss_is_torch_s_own_line_by_line(batch):
    scores = scores_for(batch, 32)
    each = [
        F.ctc_loss(line, target, torch.tensor(32), torch.tensor(len(target)), blank=BLANK_ID)
        for line, target in zip(scores, batch.targets.split(batch.lengths.tolist()), strict=True)
    ]
    assert ctc_loss(scores, batch).item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_a_line_with_too_few_columns_counts_nothing(batch):
    scores = scores_for(batch, 5)  # "or not" has six characters
    fits = [0, 2]
    lines = batch.targets.split(batch.lengths.tolist())
    each = [F.ctc_loss(scores[i], lines[i], torch.tensor(5), torch.tensor(5), blank=BLANK_ID) for i in fits]
    assert ctc_loss(scores, batch).item() == pytest.approx(torch.stack(each).sum().item() / 3, rel=1e-5)


def test_ink_is_1_and_paper_0():
    ink = as_ink(torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8))
    assert torch.allclose(ink, torch.tensor([[[[1.0, 0.0, 0.8]]]]))


def test_the_ridges_to_draw_lie_on_the_lines_of_their_own_page(lit, batch):
    _, heat, target = lit(as_ink(batch.canvases), batch.boxes, batch.counts)
    assert target.shape == heat.shape == (2, 8, WIDTH // 4)
    # Lines stand at y = 15 and 47 of 64 px, the second only on the first page.
    assert target.amax(dim=2).gt(0.8).nonzero().tolist() == [[0, 1], [0, 5], [1, 1]]


def test_the_ridges_to_draw_end_with_their_line(lit, batch):
    _, _, target = lit(as_ink(batch.canvases), batch.boxes, batch.counts)
    x, _, width, _ = batch.boxes[2].tolist()
    inside = target[1, 1].nonzero().flatten() * GRID.cell_width
    assert inside.min() >= x - GRID.cell_width
    assert inside.max() <= x + width


def test_pages_without_a_ridge_are_read_as_nothing(lit, batch):
    lit.eval()
    ink = as_ink(batch.canvases)
    with torch.no_grad():
        lit.model.row_head[2].bias.fill_(-20)
        assert lit.read(ink) == ["", ""]


@pytest.fixture
def averaging(lit):
    return ParagraphLitModel(lit.model, lit.section.model_copy(update={"average": 0.9}), GRID)


def weights(network):
    return network.state_dict()


def test_without_an_average_the_model_itself_is_kept(lit):
    assert lit.reader is lit.model


def test_the_average_follows_the_weights_and_the_statistics(averaging):
    # Given an average that has seen a hundred steps of one set of weights
    for _ in range(100):
        averaging.on_train_batch_end()
    before = {name: value.clone() for name, value in weights(averaging.reader).items()}
    # When the weights jump
    with torch.no_grad():
        for value in [*averaging.model.parameters(), *averaging.model.buffers()]:
            value.add_(1)
    averaging.on_train_batch_end()
    # Then it takes a tenth of the way, and the count of batches is the model's
    for name, value in weights(averaging.reader).items():
        moved = value.float() - before[name].float()
        assert torch.allclose(moved, torch.full_like(moved, 0.1 if value.is_floating_point() else 1.0), atol=1e-4), name


def test_the_first_weights_are_soon_forgotten(averaging):
    averaging.on_train_batch_end()
    with torch.no_grad():
        averaging.model.head.bias.fill_(5.0)
    for _ in range(30):
        averaging.on_train_batch_end()
    assert torch.allclose(averaging.reader.head.bias, torch.tensor(5.0), atol=0.05)


def test_training_reads_with_the_weights_and_validation_with_their_average(averaging, batch):
    averaging.on_train_batch_end()
    with torch.no_grad():
        averaging.model.head.bias.add_(torch.arange(len(MAPPING)).float())
        ink = as_ink(batch.canvases)
        averaging.train()
        trained = averaging(ink, batch.boxes, batch.counts)[0]
        averaging.eval()
        validated = averaging(ink, batch.boxes, batch.counts)[0]
    assert trained.argmax(dim=2).float().mean() > validated.argmax(dim=2).float().mean() + 10


def test_one_batch_is_learnt_by_heart(lit, batch):
    optimizer = torch.optim.AdamW(lit.parameters(), lr=0.005)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    ink = as_ink(batch.canvases)
    lit.train()
    for _ in range(STEPS):
        scores, heat, target = lit(ink, batch.boxes, batch.counts)
        loss = ctc_loss(scores, batch) + F.binary_cross_entropy_with_logits(heat, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    lit.eval()
    with torch.no_grad():
        read = lit.read(ink)
    assert error_rate([character_edits("\n".join(p), r) for p, r in zip(PAGES, read, strict=True)]) == 0


def inked(*spots):
    """Empty canvases of 96 x 160, (B, 1, H, W), each with a pixel of ink at its (row, column)."""
    ink = torch.full((len(spots), 1, 96, 160), 0.1)
    for page, (row, column) in enumerate(spots):
        ink[page, 0, row, column] = 1
    return ink


@pytest.mark.parametrize(
    ("spots", "size"),
    [
        (((0, 0),), (32, 32)),
        (((10, 100), (40, 20)), (80, 128)),
        (((95, 159),), (96, 160)),
        (((7, 7), (95, 0)), (96, 32)),
    ],
)
def test_training_leaves_out_what_no_page_of_the_batch_uses(spots, size):
    # Then the size is that of the largest page, a margin and whole cells, and what is kept stays as it was
    ink = inked(*spots)
    assert tuple(trimmed(ink, GRID).shape[2:]) == size
    assert torch.equal(trimmed(ink, GRID), ink[:, :, : size[0], : size[1]])


def test_pages_without_any_ink_keep_their_margin():
    assert trimmed(torch.zeros(2, 1, 96, 160), GRID).shape == (2, 1, 32, 32)


def test_the_margin_of_a_finer_page_is_as_wide_on_paper():
    ink = inked((40, 50))
    finer = ink.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    height, width = trimmed(ink, GRID).shape[2:]
    assert trimmed(finer, Grid.at(150)).shape[2:] == (2 * height, 2 * width)
