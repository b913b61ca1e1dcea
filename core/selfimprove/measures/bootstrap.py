"""Intervals by a seeded bootstrap over prompts, honest also where there are few prompts or nothing varies.

The interval is the expanded percentile one (Hesterberg 2015, "What Teachers Should Know About the Bootstrap"): the
plain percentile interval is too narrow by sqrt((n-1)/n) and knows no t, which its two tails are moved out for. BCa was
not chosen: its gain is for skewed statistics, while its acceleration is noise for a column of zeros and ones, and its
far tail needs many times the resamples. Where all values are equal every resample is the same and the bootstrap would
claim certainty; there the interval is the exact one of "n of n alike": with confidence 1 - a at most 1 - (a/2)^(1/n) of
all prompts can be otherwise, and those at most at the ends of the range.

Between the two lie values that are nearly all alike, as pass@8 of a model that is mostly right: what would move the
mean was not drawn, and the plain interval held the truth in half of the draws. So an imagined prompt joins every
resample, at either end: its share is Beta(heft, n), and it lies at the end of the range as far as its heft goes, else
at the farthest value that was seen. The heft is the square of the share of prompts that are alike. Of n alike it is 1,
which is the exact interval (with heft 1 and the ends of the range it is the bound of Gaffke 2005 for any bounded
values); where values are spread it is next to none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from statistics import NormalDist

import numpy as np

from selfimprove.measures.table import Floats
from selfimprove.summaries import Estimate

RESAMPLES = 2000
FEW = 12
"""Prompts from which on 92% or more of intervals hold the truth; of 2 prompts 41 to 74% do, of 5 90 to 98%."""
ALIKE = 0.01
"""As near to the median are those prompts that count as alike."""
ALIKE_OF_SPREAD = 0.1
"""Nor farther from it than so much of the spread: where all values are small, they differ in small ways."""
BLOCK = 1 << 20
"""Draws held at a time: 10,000 prompts x 2,000 resamples at once would be 160 MB an array."""

Range = tuple[float, float]


def estimates(
    columns: Mapping[str, Floats],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    ranges: Mapping[str, Range] | None = None,
) -> dict[str, Estimate]:
    """The mean of every column ([P], NaN: not defined) over its prompts, with its 95% interval.

    All columns share the resamples. A column without a value is left out; one with a single value has no interval.
    `ranges`: the least and most that a measure can be, by column, 0 to 1 where not given.
    """
    defined = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    if not defined:
        return {}
    means = resampled_means(np.stack(list(defined.values()), axis=1), seed, resamples)
    return {
        name: _estimate(values[np.isfinite(values)], means[:, i], (ranges or {}).get(name, (0.0, 1.0)), seed)
        for i, (name, values) in enumerate(defined.items())
    }


def resampled_means(values: Floats, seed: int, resamples: int) -> Floats:
    """[resamples, m] Means of the columns of `values` [P, m] over prompts drawn with replacement, NaN entries left out.

    A resample that holds none of a column's prompts has no mean (NaN).
    """
    known = np.isfinite(values)
    both = np.concatenate([np.where(known, values, 0.0), known.astype(np.float64)], axis=1)
    sums = resample(lambda counts: counts @ both, len(values), seed, resamples)
    totals, sizes = np.split(sums, 2, axis=1)
    means: Floats = np.divide(totals, sizes, out=np.full(totals.shape, np.nan), where=sizes > 0)
    return means


def resample(statistic: Callable[[Floats], Floats], prompts: int, seed: int, resamples: int) -> Floats:
    """What `statistic` gives for each resample, stacked; it is given counts [b, P]: how often each prompt was drawn."""
    random = np.random.default_rng(seed)
    block = max(1, BLOCK // prompts)
    sizes = [min(block, resamples - start) for start in range(0, resamples, block)]
    return np.concatenate([statistic(_counts(random, size, prompts)) for size in sizes])


def interval(values: Floats, means: Floats, level: float, limits: Range) -> Range | None:
    """The interval of confidence `level` of the mean of `values` [n], from its resampled `means`; None when n < 2."""
    n = len(values)
    if n < 2:
        return None
    if np.all(values == values[0]):
        return _exact(float(values[0]), n, level, limits)
    tail = expanded_tail(n, level)
    low, high = np.nanquantile(means, [tail, 1 - tail])
    return float(low), float(high)


def expanded_tail(n: int, level: float) -> float:
    """The tail to cut from n values' resampled means so that t and the missing sqrt(n / (n - 1)) are made up for.

    Student's t by its expansion in 1 / (n - 1): close from 8 prompts on, and below the interval ends at the extremes.
    """
    normal = NormalDist()
    z, v = normal.inv_cdf((1 + level) / 2), n - 1
    t = z + (z**3 + z) / (4 * v) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
    return normal.cdf(-t * sqrt(n / v))


def _counts(random: np.random.Generator, size: int, prompts: int) -> Floats:
    """[size, prompts] Multinomial counts. Counting plain draws is 10 times as fast as numpy's own multinomial."""
    drawn = random.integers(0, prompts, (size, prompts))
    drawn += (np.arange(size) * prompts)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * prompts).reshape(size, prompts).astype(np.float64)


def _estimate(values: Floats, means: Floats, limits: Range, seed: int) -> Estimate:
    found = interval(values, means, 0.95, limits)
    if found is not None and not np.all(values == values[0]):
        found = _joined(found, values, means, limits, seed)
    low, high = found or (None, None)
    return Estimate(value=float(values.mean()), low=low, high=high, n=len(values))


def _joined(found: Range, values: Floats, means: Floats, limits: Range, seed: int, level: float = 0.95) -> Range:
    """`found`, moved out to where it is with an imagined prompt in every resample, if that reaches farther."""
    heft = _heft(values)
    if heft == 0:
        return found
    share = np.random.default_rng([seed, len(values)]).beta(heft, len(values), len(means))
    low, high = (
        heft * end + (1 - heft) * farthest for end, farthest in zip(limits, (values.min(), values.max()), strict=True)
    )
    tail = (1 - level) / 2
    return (
        min(found[0], float(np.nanquantile(means + share * (low - means), tail))),
        max(found[1], float(np.nanquantile(means + share * (high - means), 1 - tail))),
    )


def _heft(values: Floats) -> float:
    """The square of the share of values that are alike, from 0 (all differ) to 1 (all are nearly the same)."""
    near = np.abs(values - np.median(values)) <= min(ALIKE, ALIKE_OF_SPREAD * np.ptp(values))
    return float(near.mean()) ** 2


def _exact(value: float, n: int, level: float, limits: Range) -> Range:
    share = 1 - ((1 - level) / 2) ** (1 / n)
    return value - share * (value - limits[0]), value + share * (limits[1] - value)
