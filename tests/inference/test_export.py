"""The exported graph computes what the torch model does, and a model folder is written whole."""

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from text_recognizer.errors import ModelError
from text_recognizer.files import sha256
from text_recognizer.inference.export import export
from text_recognizer.inference.info import read_info
from text_recognizer.models.paragraph_reader import pool

HEIGHT, WIDTH = 64, 128
EMBEDDING, COLUMNS, CLASSES = 8, WIDTH // 4, 84
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def session(lively_model):
    return onnxruntime.InferenceSession(lively_model / "reader.onnx", providers=["CPUExecutionProvider"])


def random(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize(("pages", "size"), [(1, (HEIGHT, WIDTH)), (3, (HEIGHT, WIDTH)), (2, (16, 8)), (1, (88, 300))])
def test_features_and_ridges_equal_the_torch_model_s(session, lively_network, pages, size):
    ink = random(pages, 1, *size)
    with torch.no_grad():
        features, heat = lively_network().encode(ink)
    assert features.std() > 100 * TOLERANCE  # silent features would be equal to anything
    feeds = {"pictures": ink.numpy(), "sequences": np.zeros((0, EMBEDDING, COLUMNS), dtype=np.float32)}
    graph_features, graph_heat = session.run(["features", "heat"], feeds)
    np.testing.assert_allclose(graph_features, features.numpy(), atol=TOLERANCE)
    np.testing.assert_allclose(graph_heat, heat.sigmoid().numpy(), atol=TOLERANCE)


@pytest.mark.parametrize(("lines", "width"), [(1, WIDTH), (3, WIDTH), (2, 32)])
def test_log_probabilities_equal_the_torch_model_s(session, lively_network, lines, width):
    network = lively_network()
    with torch.no_grad():
        features, _ = network.encode(random(1, 1, HEIGHT, width))
        sequences = pool(features, random(lines, HEIGHT // 8).softmax(dim=1), [lines])
        expected = network.read_lines(sequences)
    feeds = {"pictures": np.zeros((0, 1, HEIGHT, WIDTH), dtype=np.float32), "sequences": sequences.numpy()}
    (scores,) = session.run(["log_probabilities"], feeds)
    np.testing.assert_allclose(scores, expected.numpy(), atol=TOLERANCE)


def test_no_lines_give_no_log_probabilities(session):
    feeds = {
        "pictures": np.zeros((0, 1, HEIGHT, WIDTH), dtype=np.float32),
        "sequences": np.zeros((0, EMBEDDING, COLUMNS), dtype=np.float32),
    }
    (scores,) = session.run(["log_probabilities"], feeds)
    assert scores.shape == (0, COLUMNS, CLASSES)


def test_the_folder_describes_its_own_files(lively_model, small_crops):
    info = read_info(lively_model / "reader.json")
    names = {path.name for path in lively_model.iterdir()}
    assert names == {"reader.json", "reader.onnx", "weights.safetensors", "language.npz"}
    assert info.graph_sha256 == sha256(lively_model / "reader.onnx")
    assert info.weights_sha256 == sha256(lively_model / "weights.safetensors")
    assert info.language
    assert info.language.sha256 == sha256(lively_model / "language.npz")
    assert (info.canvas, info.dpi, info.padding) == ((HEIGHT, WIDTH), small_crops.dpi, small_crops.padding)


def test_the_weights_can_be_trained_on_from(lively_model, lively_network):
    network = lively_network(seed=99)
    network.load_state_dict(load_file(lively_model / "weights.safetensors"))
    for name, value in lively_network().state_dict().items():
        assert torch.equal(network.state_dict()[name], value), name


def test_equal_weights_give_equal_bytes(lively_model, lively_network, small_crops, speller, tmp_path):
    export(lively_network(), small_crops, tmp_path / "again", speller)
    for path in lively_model.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_an_export_that_fails_leaves_the_old_model(lively_network, small_crops, tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    (folder / "reader.json").write_text("old", encoding="utf-8")
    network = lively_network()
    network.head = torch.nn.Linear(EMBEDDING + 1, CLASSES)
    with pytest.raises((ModelError, RuntimeError)):
        export(network, small_crops, folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["reader", "reader.json"]
    assert (folder / "reader.json").read_text(encoding="utf-8") == "old"
