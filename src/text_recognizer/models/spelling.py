"""Choosing tokens one after another: greedily, or with a beam; and an end to endless repeats.

`B` pages, `R` rows that are spelt (as many as pages, or `width` times as many), `T` tokens, `C` classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

LONGEST_LOOP = 16  # tokens in a phrase whose repetition is noticed
CHECK_EVERY = 8  # steps between two looks at the ends on a GPU, which would otherwise wait for each


@dataclass(frozen=True)
class Tokens:
    """The ids that start, end and fill up a row, and the most tokens that it holds, the start included."""

    start: int
    end: int
    padding: int
    length: int

    def rows(self, count: int, device: torch.device) -> Tensor:
        """Rows that hold nothing but their start, `(count, T)`."""
        out = torch.full((count, self.length), self.padding, dtype=torch.long, device=device)
        out[:, 0] = self.start
        return out

    def closes(self, tokens: Tensor) -> Tensor:
        return (tokens == self.end) | (tokens == self.padding)

    def filled_up(self, out: Tensor) -> Tensor:
        """Padding after the first end or padding of each row, `(R, T)`."""
        closed = self.closes(out[:, :-1]).cumsum(dim=1) > 0
        return torch.cat([out[:, :1], out[:, 1:].masked_fill(closed, self.padding)], dim=1)


Step = Callable[[Tensor], Tensor]  # the last token of each row (R,) to the next one's logits (R, C)


def greedy(step: Step, tokens: Tokens, rows: int, device: torch.device, max_repeats: int = 0) -> Tensor:
    """The likeliest token at each step, `(R, T)`, until every row has ended.

    Where a phrase of up to 16 tokens comes `max_repeats` times in a row, its row ends after the first; 0 lets it go on.
    """
    out = tokens.rows(rows, device)
    ended = torch.zeros(rows, dtype=torch.bool, device=device)
    for now in range(1, tokens.length):
        chosen = step(out[:, now - 1]).argmax(dim=1)
        out[:, now] = chosen
        ended |= tokens.closes(chosen)
        if max_repeats > 1:
            ended |= _end_loops(out, now, max_repeats, tokens.end)
        if (out.is_cpu or now % CHECK_EVERY == 0) and bool(ended.all()):
            break
    return tokens.filled_up(out)


def _end_loops(out: Tensor, now: int, times: int, end: int) -> Tensor:
    """Which rows have said the same `times` times up to `now` (R,); the second time becomes the end."""
    found = torch.zeros(len(out), dtype=torch.bool, device=out.device)
    for period in range(1, min(LONGEST_LOOP, now // times) + 1):
        first = now + 1 - period * times
        said = out[:, first : now + 1]
        looping = (said[:, period:] == said[:, :-period]).all(dim=1) & ~found
        out[:, first + period] = torch.where(looping, end, out[:, first + period])
        found |= looping
    return found


def beam_search(
    step: Step, reorder: Callable[[Tensor], None], tokens: Tokens, pages: int, width: int, device: torch.device
) -> Tensor:
    """The likeliest of `width` sequences a page by their mean log-probability a token, `(B, T)`.

    `step` and `reorder` work on `B * width` rows, page after page. An ended sequence stays among the `width` as it is.
    """
    out = tokens.rows(pages * width, device)
    scores = torch.full((pages, width), float("-inf"), device=device)
    scores[:, 0] = 0  # at first all rows of a page are the same: one of them counts
    ended = torch.zeros(pages * width, dtype=torch.bool, device=device)
    lengths = torch.ones(pages * width, device=device)
    page_start = torch.arange(pages, device=device)[:, None] * width
    for now in range(1, tokens.length):
        gains = step(out[:, now - 1]).float().log_softmax(dim=1)  # (R, C)
        classes = gains.shape[1]
        gains[ended] = float("-inf")
        gains[ended, tokens.padding] = 0
        scores, best = (scores[:, :, None] + gains.view(pages, width, classes)).flatten(1).topk(width, dim=1)
        rows, chosen = (page_start + best // classes).flatten(), (best % classes).flatten()
        reorder(rows)
        out, ended = out[rows], ended[rows]
        out[:, now] = chosen
        lengths = lengths[rows] + ~ended
        ended |= tokens.closes(chosen)
        if bool(ended.all()):
            break
    mean = scores / (lengths.view(pages, width) - 1)
    return tokens.filled_up(out[page_start[:, 0] + mean.argmax(dim=1)])
