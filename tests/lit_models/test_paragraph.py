"""Training of the reader: the loss, the targets, the average of the weights, and that it overfits two pages."""

import pytest
import torch
from torch.nn import functional as F

from text_recognizer.core.charset import BLANK_ID, CHARSET
from text_recognizer.core.metrics import character_edits, error_rate
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.data.batches import PackedDataset, collate
from text_recognizer.lit_models import ParagraphLitModel
from text_recognizer.lit_models.losses import ctc_loss
from text_recognizer.lit_models.paragraph import trimmed
from text_recognizer.models.paragraph_reader import ParagraphReader, ReaderConfig
from text_recognizer.pages.line_heatmap import FeatureGrid

PAGES = [("to be", "or not"), ("a sea",)]
WIDTH = 64
STEPS = 300
GRID = FeatureGrid.at(50)


@pytest.fixture(scope="module")
def batch(printed_split):
    dataset = PackedDataset(printed_split(PAGES))
    whole = collate([dataset[index] for index in range(len(dataset))])
    # With much paper beside them, the edge of the canvas would distinguish the lines sooner than their letters do.
    return whole._replace(canvases=whole.canvases[..., :WIDTH])


@pytest.fixture(autouse=True)
def one_thread():
    """Work this small is slower on more threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def lit(params):
    torch.manual_seed(1)
    section = params.train.model_copy(update={"augment": 0.0, "ema_decay": 0.0})
    network = ParagraphReader(ReaderConfig(len(CHARSET), (8, 16, 24, 32), dpi=GRID.dpi))
    return ParagraphLitModel(network.to(memory_format=torch.channels_last), section)


def scores_for(batch, columns):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(len(batch.lengths), columns, len(CHARSET), generator=generator).log_softmax(dim=2)


def test_the_loss_is_the_mean_of_torch_s_ctc_loss_over_lines(batch):
    scores = scores_for(batch, 32)
    each = [
        F.ctc_loss(line, target, torch.tensor(32), torch.tensor(len(target)), blank=BLANK_ID)
        for line, target in zip(scores, batch.targets.split(batch.lengths.tolist()), strict=True)
    ]
    assert ctc_loss(scores, batch.targets, batch.lengths).item() == pytest.approx(
        torch.stack(each).mean().item(), rel=1e-5
    )


def test_a_line_with_too_few_columns_contributes_nothing(batch):
    scores = scores_for(batch, 5)  # "or not" has six characters
    fits = [0, 2]
    lines = batch.targets.split(batch.lengths.tolist())
    each = [F.ctc_loss(scores[i], lines[i], torch.tensor(5), torch.tensor(5), blank=BLANK_ID) for i in fits]
    assert ctc_loss(scores, batch.targets, batch.lengths).item() == pytest.approx(
        torch.stack(each).sum().item() / 3, rel=1e-5
    )


def test_ink_is_1_and_paper_0():
    ink = to_foreground(torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8))
    assert torch.allclose(ink, torch.tensor([[[[1.0, 0.0, 0.8]]]]))


def test_the_target_heatmap_marks_the_lines_of_its_own_page(lit, batch):
    _, heatmap, target = lit(to_foreground(batch.canvases), batch.boxes, batch.counts)
    assert target.shape == heatmap.shape == (2, 8, WIDTH // 4)
    # The centres of the lines are at y = 15 and 47 of 64 px, the second only on the first page.
    assert target.amax(dim=2).gt(0.8).nonzero().tolist() == [[0, 1], [0, 5], [1, 1]]


def test_the_target_heatmap_ends_with_its_line(lit, batch):
    _, _, target = lit(to_foreground(batch.canvases), batch.boxes, batch.counts)
    x, _, width, _ = batch.boxes[2].tolist()
    inside = target[1, 1].nonzero().flatten() * GRID.cell_width
    assert inside.min() >= x - GRID.cell_width
    assert inside.max() <= x + width


def test_pages_on_which_no_line_is_found_have_no_text(lit, batch):
    lit.eval()
    ink = to_foreground(batch.canvases)
    with torch.no_grad():
        lit.model.row_head[2].bias.fill_(-20)
        assert lit.read(ink) == ["", ""]


@pytest.fixture
def averaging(lit):
    return ParagraphLitModel(lit.model, lit.section.model_copy(update={"ema_decay": 0.9}))


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
        ink = to_foreground(batch.canvases)
        averaging.train()
        trained = averaging(ink, batch.boxes, batch.counts)[0]
        averaging.eval()
        validated = averaging(ink, batch.boxes, batch.counts)[0]
    assert trained.argmax(dim=2).float().mean() > validated.argmax(dim=2).float().mean() + 10


def test_a_single_batch_is_overfitted(lit, batch):
    optimizer = torch.optim.AdamW(lit.parameters(), lr=0.005)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    ink = to_foreground(batch.canvases)
    lit.train()
    for _ in range(STEPS):
        scores, heatmap, target = lit(ink, batch.boxes, batch.counts)
        loss = ctc_loss(scores, batch.targets, batch.lengths) + F.binary_cross_entropy_with_logits(heatmap, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    lit.eval()
    with torch.no_grad():
        read = lit.read(ink)
    assert error_rate([character_edits("\n".join(p), r) for p, r in zip(PAGES, read, strict=True)]) == 0


def pages_with_dots(*spots):
    """Empty canvases of 96 x 160, (B, 1, H, W), each with a pixel of foreground at its (row, column)."""
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
def test_training_crops_a_batch_to_the_part_that_its_pages_use(spots, size):
    # Then the size is that of the largest page, a margin and whole cells, and what is kept stays as it was
    ink = pages_with_dots(*spots)
    assert tuple(trimmed(ink, GRID).shape[2:]) == size
    assert torch.equal(trimmed(ink, GRID), ink[:, :, : size[0], : size[1]])


def test_blank_pages_keep_their_margin():
    assert trimmed(torch.zeros(2, 1, 96, 160), GRID).shape == (2, 1, 32, 32)


def test_the_margin_of_a_finer_page_is_as_wide_on_paper():
    ink = pages_with_dots((40, 50))
    finer = ink.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    height, width = trimmed(ink, GRID).shape[2:]
    assert trimmed(finer, FeatureGrid.at(150)).shape[2:] == (2 * height, 2 * width)
