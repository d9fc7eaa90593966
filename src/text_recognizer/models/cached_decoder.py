"""A Transformer decoder with cached keys and values: each token costs one step, not the whole prefix again.

The keys and values of a token in each layer do not depend on later tokens, so they are computed once and kept. Those of
the encoder's output are computed before the first step. `R` rows, `S` encoder positions, `E` embedding, `h` heads,
`d` = E / h.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAX_PARTS = 4  # more threads bring little


class CachedDecoder:
    """Step through `decoder`, whose layers normalise after each sublayer, without dropout.

    The weights are read when it is made. `memory` (S, R, E) is the encoder's output, `length` the largest number of
    steps.
    """

    def __init__(self, decoder: nn.TransformerDecoder, memory: Tensor, length: int) -> None:
        layers = [layer for layer in decoder.layers if isinstance(layer, nn.TransformerDecoderLayer)]
        self.layers = [_Layer(layer, memory.transpose(0, 1), length) for layer in layers]
        self.steps = 0

    def step(self, x: Tensor) -> Tensor:
        """Return the output `(R, E)` for the next token of every row, given its embedding `(R, E)`."""
        for layer in self.layers:
            x = layer.step(x, self.steps)
        self.steps += 1
        return x

    def reorder(self, rows: Tensor) -> None:
        """Let row `i` continue from row `rows[i]`, as a beam search needs."""
        for layer in self.layers:
            layer.cache = layer.cache[:, rows]
            layer.memory_keys, layer.memory_values = layer.memory_keys[rows], layer.memory_values[rows]


class _Layer:
    """One layer with its cache: keys and values of the tokens `(2, R, h, T, d)` and of the encoder `(R, h, S, d)`.

    A step consists of many small operations, so every operation that is saved counts.
    """

    def __init__(self, layer: nn.TransformerDecoderLayer, memory: Tensor, length: int) -> None:
        rows, positions, width = memory.shape
        attention, cross = layer.self_attn, layer.multihead_attn
        self.rows, self.heads, self.depth = rows, attention.num_heads, attention.head_dim
        self.norms = [Norm(norm) for norm in (layer.norm1, layer.norm2, layer.norm3)]
        self.qkv = Affine(attention.in_proj_weight, attention.in_proj_bias)
        self.out = Affine(attention.out_proj.weight, attention.out_proj.bias)
        self.memory_query = Affine(cross.in_proj_weight[:width], cross.in_proj_bias[:width])
        self.memory_out = Affine(cross.out_proj.weight, cross.out_proj.bias)
        self.linear1 = Affine(layer.linear1.weight, layer.linear1.bias)
        self.linear2 = Affine(layer.linear2.weight, layer.linear2.bias)
        mixed = F.linear(memory, cross.in_proj_weight[width:], cross.in_proj_bias[width:])  # (R, S, 2 E)
        mixed = mixed.view(rows, positions, 2, self.heads, self.depth).permute(2, 0, 3, 1, 4)
        self.memory_keys, self.memory_values = mixed.contiguous().unbind()
        self.cache = mixed.new_empty(2, rows, self.heads, length, self.depth)

    def step(self, x: Tensor, now: int) -> Tensor:
        x = self.norms[0](x + self._self_attention(x, now))
        x = self.norms[1](x + self._cross_attention(x))
        hidden = torch.relu(self.linear1(x))
        out: Tensor = self.norms[2](x + self.linear2(hidden))
        return out

    def _self_attention(self, x: Tensor, now: int) -> Tensor:
        qkv = self.qkv(x).view(self.rows, 3, self.heads, self.depth).transpose(0, 1)
        self.cache[:, :, :, now] = qkv[1:]
        keys, values = self.cache[:, :, :, : now + 1].unbind()
        mixed = F.scaled_dot_product_attention(qkv[0].unsqueeze(2), keys, values)
        return self.out(mixed.reshape(self.rows, -1))

    def _cross_attention(self, x: Tensor) -> Tensor:
        query = self.memory_query(x).view(self.rows, self.heads, 1, self.depth)
        mixed = F.scaled_dot_product_attention(query, self.memory_keys, self.memory_values)
        return self.memory_out(mixed.reshape(self.rows, -1))


class Norm:
    """A layer normalisation without the overhead of a module."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        self.shape, self.weight, self.bias, self.eps = norm.normalized_shape, norm.weight, norm.bias, norm.eps

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.shape, self.weight, self.bias, self.eps)


class Affine:
    """`x W^T + b` for a few rows of x.

    The time is that of reading W. A CPU uses one thread per product, so the outputs are divided among as many products
    as there are threads. A CPU reads a wide W faster from a transposed copy.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        outputs, inputs = weight.shape
        wanted = min(MAX_PARTS, torch.get_num_threads()) if weight.is_cpu else 1
        self.parts = next(parts for parts in range(wanted, 0, -1) if outputs % parts == 0)
        self.bias = bias.view(self.parts, 1, -1)
        self.weight = weight.view(self.parts, -1, inputs).transpose(1, 2)  # (parts, inputs, outputs / parts)
        if weight.is_cpu and outputs >= inputs:
            self.weight = self.weight.contiguous()

    def __call__(self, x: Tensor) -> Tensor:
        products = torch.baddbmm(self.bias, x.expand(self.parts, -1, -1), self.weight)
        return products.transpose(0, 1).flatten(1)
