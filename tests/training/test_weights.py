"""Loading weights: from model folders and checkpoints, into readers of the same resolution or a finer one."""

import pytest
import torch
from safetensors.torch import save_file

from text_recognizer.core.errors import ModelError
from text_recognizer.models.line_reader import LineReader, ReaderConfig
from text_recognizer.training.weights import load_weights, weights_file

CLASSES = 84


def reader(dpi, seed, first=4, num_blocks=0):
    torch.manual_seed(seed)
    return LineReader(ReaderConfig(CLASSES, (first, 4, 8, 8), 0.1, dpi=dpi, num_blocks=num_blocks)).eval()


def saved(network, folder):
    save_file(network.state_dict(), folder / "weights.safetensors")
    return folder


def load(network, path):
    load_weights(network, path, "the fix")


def equal(first, second):
    return all(torch.equal(second.state_dict()[name], tensor) for name, tensor in first.state_dict().items())


@pytest.mark.parametrize("dpi", [150, 225])
@torch.no_grad()
def test_a_finer_reader_starts_with_the_output_of_the_coarser_one(dpi, tmp_path):
    coarse, fine = reader(75, seed=1), reader(dpi, seed=2)
    load(fine, saved(coarse, tmp_path))
    side, page = dpi // 75, torch.rand(1, 1, 64, 96)
    finer = page.repeat_interleave(side, dim=2).repeat_interleave(side, dim=3)
    assert torch.allclose(fine.encode(finer), coarse.encode(page), atol=1e-5)


def test_a_reader_of_the_same_resolution_gets_the_weights_unchanged(tmp_path):
    first, second = reader(150, seed=1), reader(150, seed=2)
    load(second, saved(first, tmp_path))
    assert equal(first, second)


def test_the_part_of_earlier_weights_that_found_lines_is_left_out(tmp_path):
    first, second = reader(150, seed=1), reader(150, seed=2)
    save_file(first.state_dict() | {"row_head.0.weight": torch.ones(3)}, tmp_path / "weights.safetensors")
    load(second, tmp_path)
    assert equal(first, second)


@pytest.mark.parametrize("prefix", ["", "model."], ids=["state dict", "checkpoint"])
def test_files_that_torch_wrote_are_loaded_too(prefix, tmp_path):
    first, second = reader(150, seed=1), reader(150, seed=2)
    state = {f"{prefix}{name}": value for name, value in first.state_dict().items()}
    torch.save({"state_dict": state} if prefix else state, tmp_path / "last.ckpt")
    load(second, tmp_path / "last.ckpt")
    assert equal(first, second)


@pytest.mark.parametrize(
    "other", [reader(75, seed=2), reader(225, seed=2), reader(150, seed=2, first=5)], ids=["coarser", "finer", "wider"]
)
def test_a_reader_that_does_not_fit_is_refused_by_parameter(other, tmp_path):
    with pytest.raises(ModelError) as refused:
        load(other, saved(reader(150, seed=1), tmp_path))
    assert "encoder.0.0.weight: (4, 4, 3, 3) in the file" in refused.value.what
    assert refused.value.fix == "the fix"


@torch.no_grad()
def test_a_deeper_reader_starts_with_the_output_of_the_other_one_and_can_learn(tmp_path):
    first, deeper = reader(75, seed=1, num_blocks=1), reader(75, seed=2, num_blocks=3)
    torch.nn.init.ones_(first.deeper[0].norm.weight)  # as if trained
    load(deeper, saved(first, tmp_path))
    page = torch.rand(1, 1, 64, 96)
    assert torch.equal(deeper.encode(page), first.encode(page))
    with torch.enable_grad():
        deeper.encode(page).sum().backward()
    assert len(deeper.deeper) == 3
    assert all(block.norm.weight.grad.abs().sum() > 0 for block in deeper.deeper)


def test_a_reader_with_fewer_blocks_than_the_file_is_refused(tmp_path):
    with pytest.raises(ModelError) as refused:
        load(reader(75, seed=2, num_blocks=1), saved(reader(75, seed=1, num_blocks=2), tmp_path))
    assert "deeper.1.mix.weight: unknown" in refused.value.what


@pytest.mark.parametrize("name", ["weights.safetensors", "last.ckpt"])
def test_a_file_without_weights_is_refused_by_name(name, tmp_path):
    path = tmp_path / name
    path.write_text("not weights", encoding="utf-8")
    with pytest.raises(ModelError) as refused:
        load(reader(75, seed=1), path)
    assert str(path) in refused.value.what


@pytest.mark.parametrize("name", ["", "nothing"])
def test_a_folder_without_weights_is_refused_by_the_missing_file(name, tmp_path):
    with pytest.raises(ModelError) as refused:
        weights_file(tmp_path / name, "the fix")
    assert str(tmp_path / name / "weights.safetensors") in refused.value.what
