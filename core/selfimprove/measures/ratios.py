"""Intervals of a ratio of two sums over prompts, such as a share of all examples.

They rest on what each prompt adds to the ratio to first order (the delta method): these parts, whose mean is the ratio,
are resampled and guarded like any other value of a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping

from selfimprove.measures.bootstrap import RESAMPLES, estimates
from selfimprove.measures.table import Floats, Ints
from selfimprove.summaries import Estimate


def ratio_parts(above: Floats | Ints, below: Floats | Ints) -> Floats:
    """[P] What sum(above) / sum(below) would be if every prompt were as this one, to first order."""
    ratio = above.sum() / below.sum()
    parts: Floats = ratio + (above - ratio * below) / below.mean()
    return parts


def share_estimates(parts: Mapping[str, Floats], *, seed: int, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Shares from their parts, with intervals that stay within 0 and 1."""
    found = estimates(parts, seed=seed, resamples=resamples)
    return {name: estimate.model_copy(update=_bounds(estimate)) for name, estimate in found.items()}


def rate_estimate(
    won: Floats | Ints, spent: Floats | Ints, most: int, *, seed: int, resamples: int = RESAMPLES
) -> Estimate | None:
    """sum(won) / sum(spent) over [P] prompts, with an interval that stays above 0; None where nothing was spent.

    `most`: that a prompt could have won, for the upper end where no prompt won anything.
    """
    if not spent.sum():
        return None
    parts, limit = ratio_parts(won, spent), most / float(spent.mean())
    (found,) = estimates({"rate": parts}, seed=seed, resamples=resamples, ranges={"rate": (0.0, limit)}).values()
    return found if found.low is None else found.model_copy(update={"low": max(found.low, 0.0)})


def _bounds(estimate: Estimate) -> dict[str, float]:
    ends = {"low": estimate.low, "high": estimate.high}
    return {name: min(max(end, 0.0), 1.0) for name, end in ends.items() if end is not None}
