"""The CTC loss (Graves et al. 2006) of every model that reads with CTC."""

import torch
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.core.charset import BLANK_ID


def ctc_loss(log_probabilities: Tensor, targets: Tensor, lengths: Tensor, blank: int = BLANK_ID) -> Tensor:
    """Return the mean over rows of the negative log-likelihood per character.

    `log_probabilities` is (R, S, C): R rows (lines or pages) of S columns each. `targets` holds the ids of all rows,
    one after another; `lengths` (R,) is how many belong to each row. A row with too few columns for its text
    contributes 0, not infinity.
    """
    columns = torch.full_like(lengths, log_probabilities.shape[1])
    scores = log_probabilities.transpose(0, 1)  # (S, R, C)
    return F.ctc_loss(scores, targets, columns, lengths, blank=blank, zero_infinity=True)
