"""The learning rate over a training."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def warm_up_and_cosine(optimizer: Optimizer, steps: int, warmup: float) -> LambdaLR:
    """Raise the rate over the share `warmup` of `steps`, then lower it to 0 as half a cosine.

    Source: Loshchilov and Hutter 2017, without restarts.
    """
    warm = max(1, round(warmup * steps))

    def rate(step: int) -> float:
        if step < warm:
            return (step + 1) / (warm + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))

    return LambdaLR(optimizer, rate)
