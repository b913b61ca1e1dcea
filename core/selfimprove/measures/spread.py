"""How lengths and perplexities are spread: self-generated data lack the long and the unlikely (arXiv 2411.00750).

Bins are the same for every run and iteration, eight to a doubling, so that any two histograms can be laid over each
other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from selfimprove.measures.table import Floats, Ints
from selfimprove.telemetry import QUANTILES, Spread

BINS_PER_DOUBLING = 8


def spreads_of(values: Mapping[str, Floats]) -> dict[str, Spread]:
    """The spread of each group of values, those without any left out."""
    found = {name: spread_of(each) for name, each in values.items()}
    return {name: spread for name, spread in found.items() if spread is not None}


def spread_of(values: Floats | Ints) -> Spread | None:
    """Of [n] values above 0, others (an empty text's length, an unknown perplexity) left out; None where none is."""
    known = values[np.isfinite(values) & (values > 0)]
    if not len(known):
        return None
    bins = np.floor(BINS_PER_DOUBLING * np.log2(known)).astype(np.int64)
    first = int(bins.min())
    return Spread(
        samples=len(known),
        mean=float(known.mean()),
        quantiles=np.quantile(known, QUANTILES).tolist(),
        first=first,
        histogram=np.bincount(bins - first).tolist(),
    )


def edges(spread: Spread) -> Floats:
    """[bins + 1] Where the bins of its histogram begin and end."""
    at: Floats = 2.0 ** ((spread.first + np.arange(len(spread.histogram) + 1)) / BINS_PER_DOUBLING)
    return at
