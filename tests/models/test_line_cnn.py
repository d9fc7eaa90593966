"""The lab's character and line networks: their shapes, their arguments, and the sliding window."""

import subprocess
import sys
from argparse import ArgumentParser, Namespace

import pytest
import torch

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import ModelError
from text_recognizer.models import CNN, MLP, LineCNN, LineCNNSimple

CHARACTER = {"input_dims": (1, 28, 28), "output_dims": (1,), "mapping": CHARSET}
LINE = {"input_dims": (1, 28, 28 * 5), "output_dims": (4, 1), "mapping": CHARSET}
TALL = {"input_dims": (1, 56, 80), "output_dims": (6, 1), "mapping": CHARSET}
SMALL = {"conv_dim": 4, "fc_dim": 8}


@pytest.mark.parametrize("model_class", [CNN, MLP])
def test_a_character_becomes_one_vector(model_class):
    assert model_class(CHARACTER)(torch.zeros(3, 1, 28, 28)).shape == (3, len(CHARSET))


def test_a_window_is_read_as_the_character_in_it():
    model = LineCNNSimple(LINE, Namespace(**SMALL)).eval()
    line = torch.rand(2, 1, 28, 28 * 5, generator=torch.Generator().manual_seed(1))
    logits = model(line)
    assert logits.shape == (2, len(CHARSET), 5)
    for window in range(5):
        assert torch.allclose(logits[:, :, window], model.cnn(line[..., 28 * window : 28 * (window + 1)]), atol=1e-5)


@pytest.mark.parametrize(("width", "stride", "windows"), [(28, 28, 5), (28, 14, 9), (20, 10, 13)])
def test_windows_may_overlap(width, stride, windows):
    model = LineCNNSimple(LINE, Namespace(**SMALL, window_width=width, window_stride=stride))
    assert model(torch.zeros(1, 1, 28, 28 * 5)).shape == (1, len(CHARSET), windows)


def test_the_output_can_be_cut_to_the_length_of_the_labels():
    model = LineCNNSimple(LINE, Namespace(**SMALL, limit_output_length=True))
    assert model(torch.zeros(1, 1, 28, 28 * 5)).shape[2] == 4


def test_the_fully_convolutional_network_gives_a_vector_per_window():
    model = LineCNN(TALL, Namespace(**SMALL)).eval()
    assert model(torch.zeros(2, 1, 56, 80)).shape == (2, len(CHARSET), (80 - 16) // 8 + 1)


@pytest.mark.parametrize("wrong", [{"window_width": 12}, {"window_stride": 4}])
def test_a_window_that_the_convolutions_cannot_make_is_refused(wrong):
    with pytest.raises(ModelError) as refused:
        LineCNN(TALL, Namespace(**SMALL, **wrong))
    assert next(iter(wrong)) in refused.value.what


@pytest.mark.parametrize(
    "read",
    [
        lambda: CNN(CHARACTER)(torch.zeros(1, 1, 28, 30)),
        lambda: LineCNNSimple(LINE, Namespace(**SMALL))(torch.zeros(1, 1, 28, 20)),
    ],
)
def test_a_picture_of_another_size_is_refused(read):
    with pytest.raises(ModelError):
        read()


@pytest.mark.parametrize("model_class", [CNN, MLP, LineCNN, LineCNNSimple])
def test_default_arguments_give_the_same_network_as_no_arguments(model_class):
    parser = ArgumentParser()
    model_class.add_to_argparse(parser)
    config = CHARACTER if model_class in (CNN, MLP) else TALL if model_class is LineCNN else LINE
    shapes = [
        {name: value.shape for name, value in model.state_dict().items()}
        for model in (model_class(config), model_class(config, parser.parse_args([])))
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.slow
def test_importing_a_network_imports_neither_torchvision_nor_lightning():
    code = "import sys; from text_recognizer.models import LineCNN\n"
    code += "print({'torchvision', 'pytorch_lightning'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
