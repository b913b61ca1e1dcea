"""The learning rate as a pure function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math


def learning_rate(step: int, total: int, peak: float, warmup_ratio: float) -> float:
    """The rate of optimizer step `step` (from 0) of `total`: a linear rise to `peak`, then a linear fall towards 0.

    No step has the rate 0: with the few steps that a small training set gives, each must count.
    """
    warmup = min(math.ceil(warmup_ratio * total), total)
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (total - step) / (total - warmup)
