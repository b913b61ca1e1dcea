"""How unequally samples are spread over prompts: what sampling bias does first (arXiv 2411.00750, section 2)."""

from __future__ import annotations

import numpy as np

from selfimprove.measures.table import Floats, Ints
from selfimprove.telemetry import Counts


def counts_of(counts: Ints) -> Counts:
    """Of [P] counts, one a prompt: their histogram, their Gini coefficient, their divergence from equal counts."""
    return Counts(
        histogram=np.bincount(counts).tolist(),
        gini=gini(counts),
        divergence=divergence(counts, np.ones(len(counts))) if counts.any() else None,
    )


def gini(counts: Ints | Floats) -> float | None:
    """0 where all counts are equal, (P - 1) / P where one has all; None where all are 0."""
    total = counts.sum()
    if not total:
        return None
    ranked, size = np.sort(counts), len(counts)
    return float(((2 * np.arange(1, size + 1) - size - 1) * ranked).sum() / (size * total))


def divergence(counts: Ints | Floats, reference: Ints | Floats) -> float:
    """Kullback-Leibler divergence of two sets of counts as shares, D(counts || reference), in bits; 0 where equal.

    Raises `ValueError` where either is empty, or has something of what the reference has none of.
    """
    if not counts.sum() or not reference.sum():
        raise ValueError("counts: nothing was counted, so there are no shares")
    some = counts > 0
    if (reference[some] == 0).any():
        raise ValueError("reference: has none of what counts has")
    p, q = counts[some] / counts.sum(), reference[some] / reference.sum()
    return max(float((p * np.log2(p / q)).sum()), 0.0)
