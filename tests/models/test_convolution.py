"""The convolution that computes the gradient of its kernel from planar tensors equals that of torch."""

import pytest
import torch
from torch import nn

from text_recognizer.models import convolution
from text_recognizer.models.convolution import Convolution, PlanarGradient

SETTINGS = [
    {"in_channels": 6, "out_channels": 8, "kernel_size": 3, "padding": 1, "bias": False},
    {"in_channels": 6, "out_channels": 4, "kernel_size": (5, 3), "padding": (2, 1)},
    {"in_channels": 1, "out_channels": 4, "kernel_size": 3},
    {"in_channels": 6, "out_channels": 8, "kernel_size": 3, "stride": 2},
    {"in_channels": 6, "out_channels": 6, "kernel_size": 3, "groups": 2},
    {"in_channels": 6, "out_channels": 8, "kernel_size": 3, "padding": "same"},
]


@pytest.fixture
def without_avx512(monkeypatch):
    """Treat this CPU, whatever it can do, as one with a slow gradient."""
    monkeypatch.setattr(convolution, "FAST", "another")


def results(layer, x):
    """Return a layer's output, and the gradients of its input and parameters for a fixed loss."""
    x = x.clone(memory_format=torch.channels_last).requires_grad_()
    y = layer(x)
    weights = torch.linspace(-1, 1, y.numel()).view_as(y)
    (y * weights).sum().backward()
    return [y, x.grad, *(parameter.grad for parameter in layer.parameters())]


@pytest.mark.usefixtures("without_avx512")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_values_and_gradients_equal_those_of_torch(settings):
    torch.manual_seed(1)
    ours = Convolution(**settings).to(memory_format=torch.channels_last)
    torchs = nn.Conv2d(**settings)
    torchs.load_state_dict(ours.state_dict())
    x = torch.rand(3, settings["in_channels"], 17, 12)
    for mine, theirs in zip(results(ours, x), results(torchs, x), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_its_gradients_equal_numerical_ones():
    x = torch.rand(2, 3, 5, 4, dtype=torch.double, requires_grad=True)
    kernel = torch.rand(2, 3, 3, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(PlanarGradient.apply, (x, kernel, (1, 1)))


@pytest.mark.usefixtures("without_avx512")
def test_no_gradient_is_computed_for_a_frozen_kernel_or_for_the_input_of_a_first_layer():
    x = torch.rand(1, 3, 8, 8)
    first = Convolution(3, 4, 3).train()
    first(x).sum().backward()
    assert (x.grad, first.weight.grad is None) == (None, False)
    frozen = Convolution(3, 4, 3).requires_grad_(requires_grad=False)
    x.requires_grad_()
    frozen(x).sum().backward()
    assert (x.grad is None, frozen.weight.grad) == (False, None)


@pytest.mark.parametrize(("capability", "planar"), [("AVX512", False), ("AVX2", True), ("DEFAULT", True)])
def test_planar_tensors_are_used_only_on_cpus_with_a_slow_gradient(monkeypatch, capability, planar):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    out = Convolution(3, 4, 3, bias=False)(torch.rand(1, 3, 8, 8))
    assert ("PlanarGradient" in str(out.grad_fn)) is planar


@pytest.mark.usefixtures("without_avx512")
def test_evaluation_and_half_precision_use_torch_s_own_convolution():
    layer, x = Convolution(3, 4, 3, bias=False), torch.rand(1, 3, 8, 8)
    assert "PlanarGradient" not in str(layer.eval()(x).grad_fn)
    layer.train()
    with torch.no_grad():
        assert layer(x).grad_fn is None
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
