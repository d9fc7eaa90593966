"""A reader of whole paragraphs: finds the lines as bands of its own features and reads them all at once with CTC.

The encoder keeps a fine grid over the page. A row head, taught by the lines' boxes, draws a ridge along every line;
the features about a ridge are pooled into one sequence, and CTC (Graves et al. 2006) reads that. The page's line breaks
come with it. `B` pages, `L` lines of all pages, `H W` pixels, `h w` cells of the grid, `E` embedding, `C` classes of
`text.MAPPING`.
"""

from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text_recognizer.bands import Grid, find_lines, pooling
from text_recognizer.models.convolution import Convolution
from text_recognizer.text import END_ID, MAPPING, NEWLINE_ID, PADDING_ID, SPECIAL, START_ID, collapse

LONGEST_SPAN = 6  # columns: two letters


class Block(nn.Sequential):
    """A 3x3 convolution, max pooling by `pool` (height, width), batch normalisation, ReLU.

    Pooling comes first because the rest then works on a quarter of the pixels.
    """

    def __init__(self, inputs: int, outputs: int, pool: tuple[int, int]) -> None:
        super().__init__(
            Convolution(inputs, outputs, kernel_size=3, padding=1, bias=False),
            nn.MaxPool2d(pool),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Adds what a 3x3 convolution makes of the grid: nothing at first, so that it can be put into a trained encoder.

    A residual block (He et al. 2016) whose normalisation starts at 0 (Goyal et al. 2017).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = Convolution(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.mix(x)))


class SpanDropout(nn.Module):
    """Hides about `share` of the columns of each line `(L, E, w)` in training, in spans of up to LONGEST_SPAN.

    What was hidden has to be guessed from what stands beside it: SpecAugment's time masking (Park et al. 2019).
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.share:
            return x
        lines, _, columns = x.shape
        spans = max(1, round(2 * self.share * columns / (1 + LONGEST_SPAN)))
        starts = torch.rand(lines, spans, 1, device=x.device) * (columns + LONGEST_SPAN) - LONGEST_SPAN
        lengths = torch.randint(1, LONGEST_SPAN + 1, (lines, spans, 1), device=x.device)
        behind = torch.arange(columns, device=x.device) - starts  # (L, spans, w)
        hidden = ((behind >= 0) & (behind < lengths)).any(dim=1)
        return x.masked_fill(hidden[:, None], 0.0)


class Context(nn.Module):
    """Mixes a position of a line with its neighbours, so that a letter is read in its word. A residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(channels, channels, kernel_size=5, padding=2, bias=False)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.norm(self.mix(x)))


class Recurrent(nn.Module):
    """Two bidirectional LSTM layers over each line, as in CRNN (Shi et al. 2017): `(L, E, w)` → `(L, 2 hidden, w)`."""

    def __init__(self, inputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, num_layers=2, bidirectional=True, batch_first=True, dropout=dropout)

    def forward(self, x: Tensor) -> Tensor:
        steps = x.transpose(1, 2)
        if x.is_cuda and torch.is_autocast_enabled("cuda"):
            # Autocast would run cuDNN's LSTM in float16, where gradients as small as CTC's vanish.
            with torch.autocast("cuda", enabled=False):
                mixed: Tensor = self.lstm(steps.float())[0]
        else:
            mixed = self.lstm(steps)[0]
        return mixed.transpose(1, 2)


class ParagraphReader(nn.Module):
    """Reads ink `(B, 1, H, W)`, 1 where there is ink and 0 on paper, at `dpi`.

    Pages of 150 dpi and more are folded first, each square of pixels into the channels of one (pixel unshuffling, Shi
    et al. 2016): the grid's cells are 8 x 4 such squares, and a finer page costs hardly more.

    Four convolutions lead to the grid, and `blocks` residual ones work on it. A line's letters are put into context by
    two convolutions, or by an LSTM of `recurrent` cells a direction where that is not 0: slower to train, and better
    where there are enough pages.
    """

    def __init__(
        self,
        classes: int,
        channels: Sequence[int],
        dropout: float,
        recurrent: int = 0,
        dpi: int = 75,
        hidden: float = 0.0,
        blocks: int = 0,
    ) -> None:
        super().__init__()
        self.grid = Grid.at(dpi)
        first, second, third, last = channels
        self.encoder = nn.Sequential(
            Block(self.grid.side**2, first, (2, 2)),
            Block(first, second, (2, 2)),
            Block(second, third, (2, 1)),
            Block(third, last, (1, 1)),
        )
        self.deeper = nn.Sequential(*(Residual(last) for _ in range(blocks)))
        self.row_head = nn.Sequential(
            Convolution(last, 16, kernel_size=(5, 3), padding=(2, 1)), nn.ReLU(), nn.Conv2d(16, 1, kernel_size=1)
        )
        self.hide = SpanDropout(hidden)
        self.context: nn.Module
        if recurrent:
            self.context = nn.Sequential(nn.Dropout(dropout), Recurrent(last, recurrent, dropout))
        else:
            self.context = nn.Sequential(Context(last), Context(last))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * recurrent or last, classes)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The grid's features `(B, E, h, w)`, and the row head's logits `(B, h, w)`; see `Grid.size`."""
        features = self.deeper(self.encoder(self._folded(x)))
        return features, self.row_head(features)[:, 0]

    def _folded(self, x: Tensor) -> Tensor:
        """Whole cells, each square of pixels as the channels of one."""
        height, width = x.shape[2:]
        below, beside = -height % self.grid.cell_height, -width % self.grid.cell_width
        if below or beside:
            x = F.pad(x, (0, beside, 0, below))
        if self.grid.side == 1:
            return x
        return F.pixel_unshuffle(x, self.grid.side).contiguous(memory_format=torch.channels_last)

    def read_lines(self, sequences: Tensor) -> Tensor:
        """Pooled lines `(L, E, w)` → log-probabilities `(L, w, C)`; class 0 is CTC's blank."""
        mixed = self.context(self.hide(sequences)).transpose(1, 2)  # (L, w, E)
        scores: Tensor = self.head(self.dropout(mixed))
        return scores.float().log_softmax(dim=2)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """The tokens of each page, `(B, T)`: start, the lines joined by newlines, end, padding up to the longest.

        The lines are those that the row head finds; each is read by CTC's best path.
        """
        features, heat = self.encode(x.contiguous(memory_format=torch.channels_last))
        found = [find_lines(ridge, self.grid) for ridge in heat.float().sigmoid().cpu().numpy()]
        weights = [torch.from_numpy(pooling(centres, heat.shape[1], self.grid)) for centres in found]
        counts = [len(centres) for centres in found]
        paths = self.read_lines(pool(features, torch.cat(weights).to(x.device), counts)).argmax(dim=2).tolist()
        lines = iter(collapse(path) for path in paths)
        pages = [list(islice(lines, count)) for count in counts]
        rows = [[START_ID, *joined(page), END_ID] for page in pages]
        longest = max(map(len, rows), default=0)
        return torch.tensor([row + [PADDING_ID] * (longest - len(row)) for row in rows], device=x.device)


def joined(lines: Sequence[Sequence[int]]) -> list[int]:
    """The ids of lines, with a newline's between them; special tokens are left out."""
    with_breaks = [index for line in lines for index in (*line, NEWLINE_ID) if MAPPING[index] not in SPECIAL]
    return with_breaks[:-1]


def pool(features: Tensor, weights: Tensor, counts: Sequence[int]) -> Tensor:
    """Features `(B, E, h, w)` → one sequence a line `(L, E, w)`: the rows of its page, weighted.

    One product for all pages, each given rows of zeros up to the most lines that any of them has. Raises ValueError
    where `counts` are not those of `B` pages with `L` lines in all.
    """
    pages, channels, rows, columns = features.shape
    if len(counts) != pages or sum(counts) != len(weights):
        raise ValueError(f"counts {list(counts)} are not of {pages} pages with {len(weights)} lines in all")
    most = max(counts, default=0)
    places = [page * most + line for page, count in enumerate(counts) for line in range(count)]
    place = torch.tensor(places, dtype=torch.long).to(features.device, non_blocking=True)
    padded = features.new_zeros(pages * most, rows).index_copy(0, place, weights.to(features.dtype))
    # Channels-last features are taken as they lie.
    by_row = features.permute(0, 2, 3, 1).reshape(pages, rows, columns * channels)
    pooled = padded.view(pages, most, rows) @ by_row
    return pooled.view(-1, columns, channels).index_select(0, place).transpose(1, 2).contiguous()
