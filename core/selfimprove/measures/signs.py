"""How often a fair coin would lean as far as the signs of some changes do: what is asked where only few changed."""

from __future__ import annotations

from math import log

import numpy as np

from selfimprove.measures.table import Floats


def sign_test(change: Floats) -> float:
    """The exact two-sided chance of as many gains and losses, or fewer of either, among those of `change` [n] not 0.

    1 where nothing changed.
    """
    gains, losses = int((change > 0).sum()), int((change < 0).sum())
    tossed, fewer = gains + losses, np.arange(min(gains, losses))
    ratios = np.log((tossed - fewer) / (fewer + 1))  # of each binomial coefficient to the one before it
    coefficients = np.concatenate([[0.0], np.cumsum(ratios)])
    return min(1.0, 2 * float(np.exp(coefficients - tossed * log(2)).sum()))
