"""How good a verifier's scores are: AUROC and correlations within a prompt, calibration of probabilities.

Within a prompt first, then averaged over prompts: pooled over prompts a verifier is rewarded for knowing which prompts
are easy, which helps no filter (Mind the Gap, Definition 2.1, compares the samples of one prompt).
"""

from __future__ import annotations

import numpy as np

from selfimprove.measures.ranking import mid_ranks
from selfimprove.measures.table import Floats, Ints
from selfimprove.summaries import Estimate

BINS = 15
"""As in Guo et al. 2017 (arXiv 1706.04599)."""
_FLAT = 1e-12
"""Of the sum of squares: what is left of rounding where all values are equal."""


def auroc(score: Floats, utility: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[P] The chance that a right sample scores above a wrong one of its prompt, ties half; NaN without such a pair.

    `score`, `utility`: [n], NaN where unknown; such samples are left out.
    """
    known = np.isfinite(score) & np.isfinite(utility)
    group, right = prompt[known], utility[known] == 1
    ranks = mid_ranks(score[known], group)
    ones = np.bincount(group[right], minlength=n_prompts)
    zeros = np.bincount(group[~right], minlength=n_prompts)
    total = np.bincount(group[right], ranks[right], n_prompts)
    return _ratio(total - ones * (ones + 1) / 2, (ones * zeros).astype(np.float64))


def pearson(one: Floats, other: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[P] Correlation of two scores over the samples of each prompt; NaN where either does not vary there."""
    known = np.isfinite(one) & np.isfinite(other)
    return _pearson(one[known], other[known], prompt[known], n_prompts)


def spearman(one: Floats, other: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[P] The same of their ranks, which asks for no common scale."""
    known = np.isfinite(one) & np.isfinite(other)
    group = prompt[known]
    return _pearson(mid_ranks(one[known], group), mid_ranks(other[known], group), group, n_prompts)


def not_probabilities(score: Floats) -> str | None:
    """Why calibration can't be asked of a score; None for one that may be a probability."""
    known = score[np.isfinite(score)]
    if not known.size:
        return "every score is missing"
    outside = known[(known < 0) | (known > 1)]
    return f"{outside[0]:g} is no probability, which goes from 0 to 1" if outside.size else None


def brier(score: Floats, utility: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[P] Mean of (score - utility)^2 over the samples of each prompt where both are known."""
    known = np.isfinite(score) & np.isfinite(utility)
    group = prompt[known]
    total = np.bincount(group, (score[known] - utility[known]) ** 2, n_prompts)
    return _ratio(total, np.bincount(group, minlength=n_prompts).astype(np.float64))


def mean_mass(mass: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[P] Mean probability mass on the labels over the samples of each prompt where it is known; `mass`: [n]."""
    known = np.isfinite(mass)
    total = np.bincount(prompt[known], mass[known], n_prompts)
    return _ratio(total, np.bincount(prompt[known], minlength=n_prompts))


def calibration_error(score: Floats, utility: Floats, prompt: Ints) -> Estimate | None:
    """Expected calibration error of probabilities in 15 bins of equal width, over all samples; None without any.

    It has no interval. A bin's gap is taken without its sign, so that chance alone makes a calibrated score look off
    (Kumar et al. 2019, arXiv 1909.10155, section 4), and a resample adds the same chance again: its interval would lie
    above the truth, and of a calibrated score above the value itself.
    """
    known = np.isfinite(score) & np.isfinite(utility)
    if not known.any():
        return None
    place = np.minimum((score[known] * BINS).astype(np.int64), BINS - 1)
    excess = np.bincount(place, score[known] - utility[known])
    return Estimate(value=float(np.abs(excess).sum() / len(place)), n=len(np.unique(prompt[known])))


def _pearson(one: Floats, other: Floats, prompt: Ints, n_prompts: int) -> Floats:
    one, other = (_centred(_scaled(each, prompt, n_prompts), prompt, n_prompts) for each in (one, other))
    both = np.bincount(prompt, one * other, n_prompts)
    spread = np.sqrt(np.bincount(prompt, one * one, n_prompts) * np.bincount(prompt, other * other, n_prompts))
    return np.clip(_ratio(both, spread), -1.0, 1.0)


def _scaled(values: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[n] The values by the largest size in their prompt, so that no square is beyond a float, nor lost below one."""
    most = np.zeros(n_prompts)
    np.maximum.at(most, prompt, np.abs(values))
    return _ratio(values, np.where(most > 0, most, 1.0)[prompt])


def _centred(values: Floats, prompt: Ints, n_prompts: int) -> Floats:
    """[n] Each value less its prompt's mean; exactly 0 where they are all equal, whatever rounding says."""
    size = np.maximum(np.bincount(prompt, minlength=n_prompts), 1)
    mean = np.bincount(prompt, values, n_prompts) / size
    found: Floats = values - mean[prompt]
    scale = np.bincount(prompt, values * values, n_prompts)
    flat = np.bincount(prompt, found * found, n_prompts) <= _FLAT * scale
    return np.where(flat[prompt], 0.0, found)


def _ratio(above: Floats | Ints, below: Floats | Ints) -> Floats:
    ratio: Floats = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return ratio
