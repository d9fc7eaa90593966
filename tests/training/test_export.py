"""The exported graph computes what the torch model computes, and a model folder is written completely or not at all."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import ModelError
from text_recognizer.inference.model_info import read_info
from text_recognizer.training.export import export
from text_recognizer.utils.files import sha256

pytestmark = pytest.mark.slow

HEIGHT, WIDTH = 32, 128  # a strip at 50 dpi
CLASSES = len(CHARSET)
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


@pytest.mark.parametrize(("lines", "width"), [(1, WIDTH), (3, WIDTH), (2, 32)])
def test_log_probabilities_equal_those_of_the_torch_model(session, make_network, lines, width):
    strips = random(lines, 1, HEIGHT, width)
    with torch.no_grad():
        expected = make_network()(strips)
    assert expected.std() > 100 * TOLERANCE  # scores that are all alike would be equal to anything
    (scores,) = session.run(["log_probabilities"], {"strips": strips.numpy()})
    np.testing.assert_allclose(scores, expected.numpy(), atol=TOLERANCE)


def test_the_graph_has_one_input_and_one_output(session):
    assert [node.name for node in session.get_inputs()] == ["strips"]
    assert [node.name for node in session.get_outputs()] == ["log_probabilities"]


@pytest.mark.slow
def test_a_quantised_graph_computes_about_the_same_and_repeats(make_network, small_crops, tmp_path):
    examples = [random(2, 1, HEIGHT, WIDTH).numpy(), 0.5 * random(1, 1, HEIGHT, 64).numpy()]
    infos = [export(make_network(), small_crops, tmp_path / name, examples=examples) for name in ("one", "two")]
    assert infos[0] == infos[1]
    assert infos[0].precision == "int8"
    graph = onnx.load(tmp_path / "one/reader.onnx")
    assert {tensor.data_type for tensor in graph.graph.initializer} >= {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    strips = random(3, 1, HEIGHT, 96).numpy()
    with torch.no_grad():
        expected = make_network()(torch.from_numpy(strips)).exp().numpy()
    quantised = onnxruntime.InferenceSession(tmp_path / "one/reader.onnx", providers=["CPUExecutionProvider"])
    (scores,) = quantised.run(["log_probabilities"], {"strips": strips})
    assert expected.std() > 0.002
    assert np.abs(np.exp(scores) - expected).mean() < 0.1 * expected.std()


def test_the_folder_describes_its_own_files(folder, small_crops):
    info = read_info(folder / "reader.json")
    names = {path.name for path in folder.iterdir()}
    assert names == {"reader.json", "reader.onnx", "weights.safetensors", "language.npz"}
    assert info.graph_sha256 == sha256(folder / "reader.onnx")
    assert info.weights_sha256 == sha256(folder / "weights.safetensors")
    assert info.language
    assert info.language.sha256 == sha256(folder / "language.npz")
    assert (info.canvas, info.dpi, info.padding) == ((64, 128), small_crops.dpi, small_crops.padding)


def test_training_can_continue_from_the_weights(folder, make_network):
    network = make_network(seed=99)
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    expected = make_network().state_dict()
    assert expected
    for name, value in expected.items():
        assert torch.equal(network.state_dict()[name], value), name


@pytest.mark.slow
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
    network.head = torch.nn.Linear(9, CLASSES)
    with pytest.raises((ModelError, RuntimeError)):
        export(network, small_crops, folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["reader", "reader.json"]
    assert (folder / "reader.json").read_text(encoding="utf-8") == "old"
