"""A Transformer decoder that remembers: each token costs one step, not the whole prefix again.

A token's keys and values in every layer depend on nothing that comes after it, so they are computed once and kept;
those of the encoder's output are computed before the first step. `R` rows, `S` encoder positions, `E` embedding,
`h` heads, `d` = E / h.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST_PARTS = 4  # more threads than these find little to do


class CachedDecoder:
    """Steps through `decoder`, whose layers normalise after each sublayer, as in evaluation: without dropout.

    The weights are those of now; `memory` (S, R, E) is the encoder's output, `length` the most steps there will be.
    """

    def __init__(self, decoder: nn.TransformerDecoder, memory: Tensor, length: int) -> None:
        layers = [layer for layer in decoder.layers if isinstance(layer, nn.TransformerDecoderLayer)]
        self.layers = [_Layer(layer, memory.transpose(0, 1), length) for layer in layers]
        self.steps = 0

    def step(self, x: Tensor) -> Tensor:
        """The next token of every row, embedded, `(R, E)`, to its output `(R, E)`."""
        for layer in self.layers:
            x = layer.step(x, self.steps)
        self.steps += 1
        return x

    def reorder(self, rows: Tensor) -> None:
        """Row `i` goes on from what row `rows[i]` was: what a beam search needs."""
        for layer in self.layers:
            layer.kept = layer.kept[:, rows]
            layer.memory_keys, layer.memory_values = layer.memory_keys[rows], layer.memory_values[rows]


class _Layer:
    """One layer, and what it knows: keys and values of the tokens `(2, R, h, T, d)` and of the encoder `(R, h, S, d)`.

    A step is many small operations, so that each of them that is spared counts.
    """

    def __init__(self, layer: nn.TransformerDecoderLayer, memory: Tensor, length: int) -> None:
        rows, positions, width = memory.shape
        own, cross = layer.self_attn, layer.multihead_attn
        self.rows, self.heads, self.depth = rows, own.num_heads, own.head_dim
        self.norms = [Norm(norm) for norm in (layer.norm1, layer.norm2, layer.norm3)]
        self.ask = Affine(own.in_proj_weight, own.in_proj_bias)
        self.answer = Affine(own.out_proj.weight, own.out_proj.bias)
        self.ask_memory = Affine(cross.in_proj_weight[:width], cross.in_proj_bias[:width])
        self.answer_memory = Affine(cross.out_proj.weight, cross.out_proj.bias)
        self.widen = Affine(layer.linear1.weight, layer.linear1.bias)
        self.narrow = Affine(layer.linear2.weight, layer.linear2.bias)
        mixed = F.linear(memory, cross.in_proj_weight[width:], cross.in_proj_bias[width:])  # (R, S, 2 E)
        mixed = mixed.view(rows, positions, 2, self.heads, self.depth).permute(2, 0, 3, 1, 4)
        self.memory_keys, self.memory_values = mixed.contiguous().unbind()
        self.kept = mixed.new_empty(2, rows, self.heads, length, self.depth)

    def step(self, x: Tensor, now: int) -> Tensor:
        x = self.norms[0](x + self._look_back(x, now))
        x = self.norms[1](x + self._look_at_memory(x))
        widened = torch.relu(self.widen(x))
        out: Tensor = self.norms[2](x + self.narrow(widened))
        return out

    def _look_back(self, x: Tensor, now: int) -> Tensor:
        asked = self.ask(x).view(self.rows, 3, self.heads, self.depth).transpose(0, 1)
        self.kept[:, :, :, now] = asked[1:]
        keys, values = self.kept[:, :, :, : now + 1].unbind()
        seen = F.scaled_dot_product_attention(asked[0].unsqueeze(2), keys, values)
        return self.answer(seen.reshape(self.rows, -1))

    def _look_at_memory(self, x: Tensor) -> Tensor:
        query = self.ask_memory(x).view(self.rows, self.heads, 1, self.depth)
        seen = F.scaled_dot_product_attention(query, self.memory_keys, self.memory_values)
        return self.answer_memory(seen.reshape(self.rows, -1))


class Norm:
    """A layer normalisation without a module's hooks."""

    def __init__(self, norm: nn.LayerNorm) -> None:
        self.shape, self.weight, self.bias, self.eps = norm.normalized_shape, norm.weight, norm.bias, norm.eps

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.shape, self.weight, self.bias, self.eps)


class Affine:
    """`x W^T + b` for a few rows of x.

    That costs what reading W costs. A CPU reads it with one thread for one product, so there are as many products as
    threads, each with a part of the outputs; and it reads a wide W faster from a transposed copy.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        outputs, inputs = weight.shape
        wanted = min(MOST_PARTS, torch.get_num_threads()) if weight.is_cpu else 1
        self.parts = next(parts for parts in range(wanted, 0, -1) if outputs % parts == 0)
        self.bias = bias.view(self.parts, 1, -1)
        self.weight = weight.view(self.parts, -1, inputs).transpose(1, 2)  # (parts, inputs, outputs / parts)
        if weight.is_cpu and outputs >= inputs:
            self.weight = self.weight.contiguous()

    def __call__(self, x: Tensor) -> Tensor:
        products = torch.baddbmm(self.bias, x.expand(self.parts, -1, -1), self.weight)
        return products.transpose(0, 1).flatten(1)
