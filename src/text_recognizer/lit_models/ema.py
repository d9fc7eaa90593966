"""The exponential moving average (EMA) of a model's weights. It varies less than the last weights."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Return an average of the weights and of the statistics of batch normalisation, with `decay` per step.

    Step n decays by (1 + n) / (10 + n) at most, so that the first weights are soon forgotten.
    """

    tensors = tuple[Tensor, ...] | list[Tensor]

    @torch.no_grad()
    def follow(average: tensors, now: tensors, updates: Tensor | int) -> None:
        share = 1 - min(decay, (1 + int(updates)) / (10 + int(updates)))
        for old, new in zip(average, now, strict=True):
            if old.is_floating_point():
                old.lerp_(new, share)
            else:  # the count of batches that the normalisation has seen
                old.copy_(new)

    average = AveragedModel(model, multi_avg_fn=follow, use_buffers=True)
    # The average is not trained: processes that train together must not wait for its gradients.
    average.requires_grad_(False)
    return average
