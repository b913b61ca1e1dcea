"""Whether a model differs from another one, paired by prompt: prompts differ far more than models do.

A percentile interval of a difference is too sure of itself where few prompts differ at all: when 7 of 200 greedy
answers got worse and none better, no resample ever shows a gain, and 99.5% "excludes 0" while a coin says 1 in 64. So
each set of differences is joined by two imagined prompts, one as far above the mean as the change that lies farthest
from it, and one as far below (after Agresti and Min 2005 for paired proportions). Their weight falls as 1/n; in 200
prompts x 4 samples they widen the interval by 4 to 8%. They stand around the mean and not around 0, where they would
drag the interval of changes that are much alike to one side. Where that leaves out a 0 that a coin would allow, as when
5 of 12 got worse and none better, the end next to 0 is that with the two around 0 if it reaches farther: after so few
signs the next prompt may change as much the other way. Where all are alike it is the exact one (`bootstrap`).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from selfimprove.errors import FailedError
from selfimprove.measures.bootstrap import RESAMPLES, Range, interval, resampled_means
from selfimprove.measures.perprompt import covered, mean_utility, member
from selfimprove.measures.signs import sign_test
from selfimprove.measures.table import Floats, Table
from selfimprove.summaries import Difference, Estimate

MORE_RESAMPLES = 5
"""A difference is one cheap column, and its 99.5% interval lies far out: it draws this many times the resamples."""


def paired_difference(
    current: Table, other: Table, iteration: int, *, seed: int, resamples: int = RESAMPLES, strict: bool = False
) -> Difference | None:
    """Accuracy of `current` minus that of `other` (M_`iteration`), by prompt, with its 95% and 99.5% intervals.

    None when fewer than two prompts have a known utility under both. Raises `FailedError` when the prompts differ.
    """
    check_alike(current, other)
    change = _known(mean_utility(current, strict) - mean_utility(other, strict))
    found = _intervals(change, seed, resamples, (0.95, 0.995))
    if found is None:
        return None
    (low, high), (low995, high995) = found
    return Difference(
        iteration=iteration,
        value=float(change.mean()),
        low=low,
        high=high,
        low995=low995,
        high995=high995,
        n=len(change),
    )


def tail_change(
    current: Table, first: Table, tail: Collection[str], *, seed: int, resamples: int = RESAMPLES
) -> Estimate | None:
    """Coverage of the prompts in `tail` by `current` minus that by `first` (M_1), paired; None below two such prompts.

    The tail must have been fixed on neither of the two: the model that chose it looks worst on it by choice alone.
    """
    check_alike(current, first)
    return paired_change((covered(current) - covered(first))[member(current, tail)], seed=seed, resamples=resamples)


def paired_change(
    change: Floats, *, seed: int, resamples: int = RESAMPLES, limits: Range = (-1.0, 1.0)
) -> Estimate | None:
    """The mean of one change a prompt ([P], NaN: not known under both), with its 95% interval; None below two known.

    `limits`: the least and most that a prompt can change by.
    """
    known = _known(change)
    found = _intervals(known, seed, resamples, (0.95,), limits)
    if found is None:
        return None
    return Estimate(value=float(known.mean()), low=found[0][0], high=found[0][1], n=len(known))


def check_alike(current: Table, other: Table) -> None:
    """Both models have answered the same prompts, or a pairing by place would compare different ones.

    Raises `FailedError` when they have not.
    """
    if current.ids == other.ids:
        return
    odd = sorted(set(current.ids) ^ set(other.ids))
    raise FailedError(
        f"two models can't be compared: they answered {len(current.ids)} and {len(other.ids)} prompts, and "
        f"{len(odd)} of them only under one model, as {odd[0]}; an evaluate step is incomplete or of other data"
    )


def _known(change: Floats) -> Floats:
    """[n] The changes of the prompts that have a value under both models."""
    known: Floats = change[np.isfinite(change)]
    return known


def _intervals(
    change: Floats, seed: int, resamples: int, levels: tuple[float, ...], limits: Range = (-1.0, 1.0)
) -> list[Range] | None:
    if len(change) < 2:
        return None

    def around(middle: float) -> list[Range]:
        guarded = _guarded(change, middle)
        means = resampled_means(guarded[:, None], seed, resamples * MORE_RESAMPLES)[:, 0]
        found = [interval(guarded, means, level, limits) for level in levels]
        return [_within(limits, each) for each in found if each is not None]

    found, chance = around(float(change.mean())), sign_test(change)
    allowed = [chance > 1 - level for level in levels]
    if not any(coin and not low <= 0 <= high for coin, (low, high) in zip(allowed, found, strict=True)):
        return found
    wider = zip(allowed, found, around(0.0), strict=True)
    return [_reaching(one, other) if coin else one for coin, one, other in wider]


def _guarded(change: Floats, middle: float) -> Floats:
    """[n + 2] The changes and two imagined ones around `middle`; [n] where all changes are alike."""
    if np.all(change == change[0]):
        return change
    farthest = np.abs(change - middle).max()
    return np.concatenate([change, [middle + farthest, middle - farthest]])


def _within(limits: Range, found: Range) -> Range:
    """To 12 decimals: an end that is 0 must be so as a float too, where a sum depends on its order."""
    low, high = (np.clip(found, *limits).round(12) + 0.0).tolist()  # + 0.0: no -0
    return low, high


def _reaching(found: Range, other: Range) -> Range:
    """`found`, and where it leaves 0 out, its end next to 0 moved to that of `other` if that reaches farther."""
    low, high = found
    if low > 0:
        return min(low, other[0]), high
    return (low, max(high, other[1])) if high < 0 else found
