"""A reader of lines: it computes a grid of features on the strip of a line, and reads it with CTC.

Line pooling turns the grid into one sequence of features, and CTC (Graves et al. 2006) reads that. `L` lines, `H W`
pixels of a strip, `h w` cells of its grid, `E` embedding, `C` classes of the charset.

The names of attributes that hold parameters (`encoder`, `deeper`, `context`, `head`, and `mix`, `norm`, `lstm` inside
them) are keys of the weights in published model folders, so they must stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from text_recognizer.models.convolution import Convolution
from text_recognizer.models.network import CheckedModule
from text_recognizer.pages.feature_grid import FeatureGrid

MAX_SPAN = 6  # columns: about two letters
FIRST_KERNEL = "encoder.0.0.weight"
LINE_HEAD = "row_head."


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
    """A residual block (He et al. 2016): a 3x3 convolution whose result is added to the grid.

    Its normalisation starts at 0 (Goyal et al. 2017), so a new block changes nothing in a trained encoder.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = Convolution(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.mix(x)))


class TimeMask(nn.Module):
    """Mask about `share` of the columns of each line `(L, E, w)` in training, in spans of up to MAX_SPAN columns.

    The reader then has to use the columns beside them: SpecAugment's time masking (Park et al. 2019).
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.share:
            return x
        lines, _, columns = x.shape
        spans = max(1, round(2 * self.share * columns / (1 + MAX_SPAN)))
        starts = torch.rand(lines, spans, 1, device=x.device) * (columns + MAX_SPAN) - MAX_SPAN
        lengths = torch.randint(1, MAX_SPAN + 1, (lines, spans, 1), device=x.device)
        offsets = torch.arange(columns, device=x.device) - starts  # (L, spans, w)
        masked = ((offsets >= 0) & (offsets < lengths)).any(dim=1)
        return x.masked_fill(masked[:, None], 0.0)


class Context(nn.Module):
    """A residual block that mixes a column of a line with its neighbours, so that a letter is read in its word."""

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


@dataclass(frozen=True)
class ReaderConfig:
    """The shape of a LineReader and its regularisation.

    `channels` are the feature maps of the four stages of the encoder, `num_blocks` the residual convolutions after
    them. `lstm_hidden` is the number of LSTM units per direction over a line; 0 uses two convolutions instead, which
    train faster and read worse if there are enough pages. `time_mask` is the share of a line's columns that is
    masked in training.
    """

    num_classes: int
    channels: tuple[int, int, int, int]
    dropout: float = 0.0
    lstm_hidden: int = 0
    dpi: int = 75
    time_mask: float = 0.0
    num_blocks: int = 0


class LineReader(CheckedModule):
    """Read strips `(L, 1, H, W)`, 1 on ink and 0 on paper, at `config.dpi`, each with one line at mid-height.

    Strips of 150 dpi and more are folded first: each square of pixels becomes the channels of one (pixel unshuffle, Shi
    et al. 2016). A grid cell is 8 x 4 such squares, so a finer strip costs hardly more.
    """

    # A reader with more residual blocks can continue from one with fewer.
    optional = ("deeper.",)

    def __init__(self, config: ReaderConfig) -> None:
        super().__init__()
        self.config = config
        self.grid = FeatureGrid.at(config.dpi)
        first, second, third, last = config.channels
        self.encoder = nn.Sequential(
            Block(self.grid.side**2, first, (2, 2)),
            Block(first, second, (2, 2)),
            Block(second, third, (2, 1)),
            Block(third, last, (1, 1)),
        )
        self.deeper = nn.Sequential(*(Residual(last) for _ in range(config.num_blocks)))
        self.time_mask = TimeMask(config.time_mask)
        self.context: nn.Module
        if config.lstm_hidden:
            recurrent = Recurrent(last, config.lstm_hidden, config.dropout)
            self.context = nn.Sequential(nn.Dropout(config.dropout), recurrent)
        else:
            self.context = nn.Sequential(Context(last), Context(last))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * config.lstm_hidden or last, config.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the log-probabilities `(L, w, C)` of the columns of each strip; class 0 is CTC's blank."""
        return self.read_lines(self.encode(x))

    def encode(self, x: Tensor) -> Tensor:
        """Return the features `(L, E, w)` of each strip: the rows of its grid, pooled around the middle."""
        grid = self.deeper(self.encoder(self._folded(x.contiguous(memory_format=torch.channels_last))))
        weights = torch.from_numpy(self.grid.pooling_weights(x.shape[2])).to(grid)
        return torch.einsum("lehw,h->lew", grid, weights)

    def _folded(self, x: Tensor) -> Tensor:
        """Pad to whole cells, and turn each square of pixels into the channels of one pixel."""
        height, width = x.shape[2:]
        below, beside = -height % self.grid.cell_height, -width % self.grid.cell_width
        if below or beside:
            x = F.pad(x, (0, beside, 0, below))
        if self.grid.side == 1:
            return x
        return F.pixel_unshuffle(x, self.grid.side).contiguous(memory_format=torch.channels_last)

    def read_lines(self, sequences: Tensor) -> Tensor:
        """Return the log-probabilities `(L, w, C)` of lines `(L, E, w)`."""
        mixed = self.context(self.time_mask(sequences)).transpose(1, 2)  # (L, w, E)
        scores: Tensor = self.head(self.dropout(mixed))
        return scores.float().log_softmax(dim=2)

    def converted(self, state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return weights for this resolution: a reader of unfolded strips gives its first kernel to folded ones.

        Weights of readers that also found the lines of a page lose the part that did.
        """
        given = {name: value for name, value in super().converted(state_dict).items() if not name.startswith(LINE_HEAD)}
        if FIRST_KERNEL in given:
            given[FIRST_KERNEL] = unfolded_kernel(given[FIRST_KERNEL], self.grid.side**2)
        return given


def unfolded_kernel(kernel: Tensor, channels: int) -> Tensor:
    """Adapt a kernel `(O, 1, h, w)` of unfolded strips to those folded into `channels`; return others unchanged.

    The result applies to the mean of a square of pixels what the kernel applied to one pixel of a coarser strip.
    """
    return kernel.repeat(1, channels, 1, 1) / channels if kernel.shape[1] == 1 else kernel
