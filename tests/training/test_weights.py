"""Starting from a model that was trained before, on pages as fine as its own or finer."""

import pytest
import torch
from safetensors.torch import save_file

from text_recognizer.errors import ModelError
from text_recognizer.models import ParagraphReader
from text_recognizer.training.weights import load_weights

CLASSES = 84


def reader(dpi, seed, first=4, blocks=0):
    torch.manual_seed(seed)
    return ParagraphReader(CLASSES, (first, 4, 8, 8), 0.1, dpi=dpi, blocks=blocks).eval()


def saved(network, folder):
    save_file(network.state_dict(), folder / "weights.safetensors")
    return folder


@pytest.mark.parametrize("dpi", [150, 225])
@torch.no_grad()
def test_a_finer_reader_starts_by_reading_as_the_coarser_one_did(dpi, tmp_path):
    coarse, fine = reader(75, seed=1), reader(dpi, seed=2)
    load_weights(fine, saved(coarse, tmp_path))
    side, page = dpi // 75, torch.rand(1, 1, 64, 96)
    finer = page.repeat_interleave(side, dim=2).repeat_interleave(side, dim=3)
    for ours, theirs in zip(fine.encode(finer), coarse.encode(page), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


@torch.no_grad()
def test_a_reader_as_fine_gets_the_weights_as_they_are(tmp_path):
    first, second = reader(150, seed=1), reader(150, seed=2)
    load_weights(second, saved(first, tmp_path))
    assert all(torch.equal(second.state_dict()[name], tensor) for name, tensor in first.state_dict().items())


@pytest.mark.parametrize(
    "other", [reader(75, seed=2), reader(225, seed=2), reader(150, seed=2, first=5)], ids=["coarser", "finer", "wider"]
)
def test_a_coarser_reader_or_another_size_cannot_start_from_a_finer_one(other, tmp_path):
    with pytest.raises(ModelError, match=r"encoder\.0\.0\.weight: \(4, 4, 3, 3\) in the file"):
        load_weights(other, saved(reader(150, seed=1), tmp_path))


@torch.no_grad()
def test_a_deeper_reader_starts_by_reading_as_the_other_did_and_can_learn(tmp_path):
    first, deeper = reader(75, seed=1, blocks=1), reader(75, seed=2, blocks=3)
    torch.nn.init.ones_(first.deeper[0].norm.weight)  # as if trained
    load_weights(deeper, saved(first, tmp_path))
    page = torch.rand(1, 1, 64, 96)
    assert torch.equal(deeper.encode(page)[0], first.encode(page)[0])
    with torch.enable_grad():
        deeper.encode(page)[0].sum().backward()
    assert all(block.norm.weight.grad.abs().sum() > 0 for block in deeper.deeper)


def test_a_reader_with_fewer_blocks_cannot_start_from_one_with_more(tmp_path):
    with pytest.raises(ModelError, match=r"deeper\.1\.mix\.weight: unknown"):
        load_weights(reader(75, seed=2, blocks=1), saved(reader(75, seed=1, blocks=2), tmp_path))
