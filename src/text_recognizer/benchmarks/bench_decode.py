"""Decoding a page with a key-value cache, against computing the whole prefix again for each token."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import ModelError
from text_recognizer.models import ResnetTransformer

CONFIG = {"input_dims": (1, 576, 640), "output_dims": (682, 1), "mapping": CHARSET}
NEVER = -1  # a token that is never chosen, so that every page has all of its 681 characters
MAX_THREADS = 2


def decode() -> Iterator[Measurement]:
    """Measure one and eight pages of 576 x 640 pixels and 681 characters, with random weights of the lab's network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(min(MAX_THREADS, threads))
    try:
        torch.manual_seed(1)
        model = ResnetTransformer(CONFIG).eval()
        model.end_token = model.padding_token = NEVER
        for pages in (1, 8):
            foreground = torch.rand(pages, 1, 576, 640)
            with torch.no_grad():
                model.encode(foreground)  # the first time is slower
            seconds, tokens = timed(partial(model, foreground), repeats=3)
            reference, expected = timed(partial(uncached, model, foreground))
            if not torch.equal(tokens, expected):
                raise ModelError("the cached decoder returns other tokens than the uncached one", "report this")
            what = f"{pages} page{'s' if pages > 1 else ''} of 681 characters"
            yield Measurement(f"{what}, keys and values cached", "not cached", seconds, reference)
    finally:
        torch.set_num_threads(threads)


@torch.no_grad()
def uncached(model: ResnetTransformer, foreground: Tensor) -> Tensor:
    """Return what `model(ink)` returns, without a cache: every token decodes all tokens before it."""
    tokens, memory = model.tokens, model.encode(foreground)
    out = tokens.rows(len(foreground), foreground.device)
    ended = torch.zeros(len(foreground), dtype=torch.bool, device=foreground.device)
    for now in range(1, tokens.length):
        chosen = model.decode(memory, out[:, :now])[-1].argmax(dim=1)
        out[:, now] = chosen
        ended |= tokens.ends(chosen)
        if bool(ended.all()):
            break
    return tokens.padded(out)
