"""A convolution that trains faster on CPUs without AVX-512."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

FAST = "AVX512"  # with it, oneDNN computes the gradient of a kernel equally fast from any layout


class Convolution(nn.Conv2d):
    """`nn.Conv2d` that computes the gradient of its kernel from planar tensors if those are three times as fast.

    With channels last, a convolution and the gradient of its input come near the speed of a matrix product on any CPU.
    Without AVX-512 the gradient of the kernel reaches a fifth of that speed, and two thirds after a copy to planar
    tensors.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self._has_slow_gradient(x):
            return super().forward(x)
        convolved: Tensor = PlanarGradient.apply(x, self.weight, self.padding)
        return convolved if self.bias is None else convolved + self.bias[:, None, None]

    def _has_slow_gradient(self, x: Tensor) -> bool:
        plain = self.groups == 1 and set(self.stride) == set(self.dilation) == {1}
        plain = plain and self.padding_mode == "zeros" and not isinstance(self.padding, str)
        return (
            self.training
            and torch.is_grad_enabled()
            and plain
            and self.in_channels > 1  # one channel is planar already
            and x.device.type == "cpu"
            and not torch.is_autocast_enabled("cpu")
            and torch.backends.cpu.get_cpu_capability() != FAST
        )


class PlanarGradient(torch.autograd.Function):
    """Convolve `x` (B, I, H, W) with `kernel` (O, I, h, w); compute each gradient in its faster layout."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, padding: tuple[int, int]) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, kernel)
        ctx.padding = padding
        return F.conv2d(x, kernel, padding=padding)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # noqa: ANN401
        (grad,), (x, kernel) = grads, ctx.saved_tensors
        of_x = of_kernel = None
        if ctx.needs_input_grad[0]:
            of_x = conv2d_input(x.shape, kernel, grad, padding=ctx.padding)
        if ctx.needs_input_grad[1]:
            of_kernel = conv2d_weight(x.contiguous(), kernel.shape, grad.contiguous(), padding=ctx.padding)
        return of_x, of_kernel, None
