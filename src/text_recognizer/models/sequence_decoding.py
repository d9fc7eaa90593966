"""Decode tokens one after another, greedily or by beam search, and end repetitions.

`B` pages, `R` rows that are decoded (as many as pages, or `width` times as many), `T` tokens, `C` classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

MAX_LOOP = 16  # tokens in a phrase whose repetition is detected
CHECK_INTERVAL = 8  # steps between two checks for ended rows on a GPU, which would otherwise wait at each step


@dataclass(frozen=True)
class Tokens:
    """The ids that start, end and pad a row, and its length in tokens, with the start."""

    start: int
    end: int
    padding: int
    length: int

    def rows(self, count: int, device: torch.device) -> Tensor:
        """Return rows with only their start, `(count, T)`."""
        out = torch.full((count, self.length), self.padding, dtype=torch.long, device=device)
        out[:, 0] = self.start
        return out

    def ends(self, tokens: Tensor) -> Tensor:
        """Return which tokens end a row: its end, or padding."""
        return (tokens == self.end) | (tokens == self.padding)

    def padded(self, out: Tensor) -> Tensor:
        """Pad rows `(R, T)` after their first end or padding."""
        ended = self.ends(out[:, :-1]).cumsum(dim=1) > 0
        return torch.cat([out[:, :1], out[:, 1:].masked_fill(ended, self.padding)], dim=1)


Step = Callable[[Tensor], Tensor]  # from the last token of each row (R,) to the logits of the next (R, C)


def greedy(step: Step, tokens: Tokens, rows: int, device: torch.device, max_repeats: int = 0) -> Tensor:
    """Choose the likeliest token at each step until every row has ended; return `(R, T)`.

    If a phrase of up to MAX_LOOP tokens comes `max_repeats` times in a row, its row ends after the first time; 0 allows
    any repetition.
    """
    out = tokens.rows(rows, device)
    ended = torch.zeros(rows, dtype=torch.bool, device=device)
    for now in range(1, tokens.length):
        chosen = step(out[:, now - 1]).argmax(dim=1)
        out[:, now] = chosen
        ended |= tokens.ends(chosen)
        if max_repeats > 1:
            ended |= _end_loops(out, now, max_repeats, tokens.end)
        if (out.is_cpu or now % CHECK_INTERVAL == 0) and bool(ended.all()):
            break
    return tokens.padded(out)


def _end_loops(out: Tensor, now: int, times: int, end: int) -> Tensor:
    """Return which rows repeat a phrase `times` times up to `now`, (R,); end them at its second time."""
    found = torch.zeros(len(out), dtype=torch.bool, device=out.device)
    for period in range(1, min(MAX_LOOP, now // times) + 1):
        first = now + 1 - period * times
        phrase = out[:, first : now + 1]
        looping = (phrase[:, period:] == phrase[:, :-period]).all(dim=1) & ~found
        out[:, first + period] = torch.where(looping, end, out[:, first + period])
        found |= looping
    return found


def beam_search(
    step: Step, reorder: Callable[[Tensor], None], tokens: Tokens, pages: int, width: int, device: torch.device
) -> Tensor:
    """Return the likeliest of `width` sequences per page by their mean log-probability per token, `(B, T)`.

    `step` and `reorder` work on `B * width` rows, page after page. An ended sequence stays in the beam unchanged.
    """
    out = tokens.rows(pages * width, device)
    scores = torch.full((pages, width), float("-inf"), device=device)
    scores[:, 0] = 0  # at first all rows of a page are equal, so only one counts
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
        ended |= tokens.ends(chosen)
        if bool(ended.all()):
            break
    mean = scores / (lengths.view(pages, width) - 1)
    return tokens.padded(out[page_start[:, 0] + mean.argmax(dim=1)])
