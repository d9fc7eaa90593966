"""Spelling a page with what was computed kept, against computing the whole prefix again for each token."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.errors import ModelError
from text_recognizer.models import ResnetTransformer
from text_recognizer.text import MAPPING

CONFIG = {"input_dims": (1, 576, 640), "output_dims": (682, 1), "mapping": MAPPING}
NOWHERE = -1  # a token that is never chosen, so that every page has all of its 681 characters
CORES = 2


def decode() -> Iterator[Measurement]:
    """Pages of 576 x 640 pixels and 681 characters, one and eight at once, the lab's network with random weights."""
    threads = torch.get_num_threads()
    torch.set_num_threads(min(CORES, threads))
    try:
        torch.manual_seed(1)
        model = ResnetTransformer(CONFIG).eval()
        model.end_token = model.padding_token = NOWHERE
        for pages in (1, 8):
            ink = torch.rand(pages, 1, 576, 640)
            with torch.no_grad():
                model.encode(ink)  # the first time is slower
            seconds, tokens = timed(partial(model, ink), repeats=3)
            reference, expected = timed(partial(uncached, model, ink))
            if not torch.equal(tokens, expected):
                raise ModelError("the cached decoder spells other tokens than the uncached one", "report this")
            what = f"{pages} page{'s' if pages > 1 else ''} of 681 characters"
            yield Measurement(f"{what}, keys and values kept", "not kept", seconds, reference)
    finally:
        torch.set_num_threads(threads)


@torch.no_grad()
def uncached(model: ResnetTransformer, ink: Tensor) -> Tensor:
    """What `model(ink)` returns, the slow way: every token decodes all tokens before it."""
    tokens, memory = model.tokens, model.encode(ink)
    out = tokens.rows(len(ink), ink.device)
    ended = torch.zeros(len(ink), dtype=torch.bool, device=ink.device)
    for now in range(1, tokens.length):
        chosen = model.decode(memory, out[:, :now])[-1].argmax(dim=1)
        out[:, now] = chosen
        ended |= tokens.closes(chosen)
        if bool(ended.all()):
            break
    return tokens.filled_up(out)
