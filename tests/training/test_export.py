"""The exported graph computes what the torch model computes, and a model folder is written completely or not at all."""

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import ModelError
from text_recognizer.inference.model_info import read_info
from text_recognizer.models.paragraph_reader import pool
from text_recognizer.training.export import export
from text_recognizer.utils.files import sha256

HEIGHT, WIDTH = 64, 128
EMBEDDING, CLASSES = 8, len(CHARSET)
TOLERANCE = 1e-4


def random(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(7))


@pytest.fixture
def make_network(responsive_network):
    return responsive_network


@pytest.fixture(scope="module")
def folder(responsive_model):
    return responsive_model


@pytest.fixture(scope="module")
def session(folder):
    return onnxruntime.InferenceSession(folder / "reader.onnx", providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(("pages", "size"), [(1, (HEIGHT, WIDTH)), (3, (HEIGHT, WIDTH)), (2, (16, 8)), (1, (88, 300))])
def test_features_equal_those_of_the_torch_model(session, make_network, pages, size):
    ink = random(pages, 1, *size)
    with torch.no_grad():
        features, _ = make_network().encode(ink)
    assert features.std() > 100 * TOLERANCE  # features of zero would be equal to anything
    feeds = {"pictures": ink.numpy(), "sequences": np.zeros((1, EMBEDDING, 1), dtype=np.float32)}
    (graph_features,) = session.run(["features"], feeds)
    np.testing.assert_allclose(graph_features, features.numpy(), atol=TOLERANCE)


@pytest.mark.parametrize(("lines", "width"), [(1, WIDTH), (3, WIDTH), (2, 32)])
def test_log_probabilities_equal_those_of_the_torch_model(session, make_network, lines, width):
    network = make_network()
    with torch.no_grad():
        features, _ = network.encode(random(1, 1, HEIGHT, width))
        sequences = pool(features, random(lines, HEIGHT // 8).softmax(dim=1), [lines])
        expected = network.read_lines(sequences)
    feeds = {"pictures": np.zeros((0, 1, HEIGHT, WIDTH), dtype=np.float32), "sequences": sequences.numpy()}
    (scores,) = session.run(["log_probabilities"], feeds)
    np.testing.assert_allclose(scores, expected.numpy(), atol=TOLERANCE)


def test_the_graph_computes_nothing_but_what_reading_needs(session):
    assert [output.name for output in session.get_outputs()] == ["features", "log_probabilities"]


def test_the_folder_describes_its_own_files(folder, small_crops):
    info = read_info(folder / "reader.json")
    names = {path.name for path in folder.iterdir()}
    assert names == {"reader.json", "reader.onnx", "weights.safetensors", "language.npz"}
    assert info.graph_sha256 == sha256(folder / "reader.onnx")
    assert info.weights_sha256 == sha256(folder / "weights.safetensors")
    assert info.language
    assert info.language.sha256 == sha256(folder / "language.npz")
    assert (info.canvas, info.dpi, info.padding) == ((HEIGHT, WIDTH), small_crops.dpi, small_crops.padding)


def test_training_can_continue_from_the_weights(folder, make_network):
    network = make_network(seed=99)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    expected = make_network().state_dict()
    assert expected
    for name, value in expected.items():
        assert torch.equal(network.state_dict()[name], value), name


def test_equal_weights_give_equal_bytes(folder, make_network, small_crops, decoder, tmp_path):
    export(make_network(), small_crops, tmp_path / "again", decoder)
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in (tmp_path / "again").iterdir()}
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.slow
def test_an_export_that_fails_leaves_the_old_model(small_network, small_crops, tmp_path):
    folder = tmp_path / "reader"
    folder.mkdir()
    (folder / "reader.json").write_text("old", encoding="utf-8")
    network = small_network()
    network.head = torch.nn.Linear(EMBEDDING + 1, CLASSES)
    with pytest.raises((ModelError, RuntimeError)):
        export(network, small_crops, folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["reader", "reader.json"]
    assert (folder / "reader.json").read_text(encoding="utf-8") == "old"
