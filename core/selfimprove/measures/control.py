"""The control line: by how much a tail that one draw chose rises in a second draw of the very same model.

No new sample is needed: M_0's held-out samples are parted into two draws of half as many each. Nor does it matter how
they are parted: what is given is the mean over all ways to do so, from the hypergeometric distribution.
"""

from __future__ import annotations

from math import comb

import numpy as np

from selfimprove.measures.bootstrap import RESAMPLES
from selfimprove.measures.compare import paired_change
from selfimprove.measures.perprompt import counts_of_known, scaled_target
from selfimprove.measures.ratios import ratio_parts, share_estimates
from selfimprove.measures.table import Table
from selfimprove.telemetry import Control


def control_line(table: Table, target: int, *, seed: int, resamples: int = RESAMPLES) -> Control | None:
    """Of the samples of M_0, of which a tail prompt has fewer than `target` accepted; prompts with unknown ones
    are left out.

    None with fewer than two samples a prompt, or where no prompt can be tail.
    """
    samples = int(table.samples.max(initial=0))
    half = samples // 2
    if table.passed is None or half == 0:
        return None
    known, passed = counts_of_known(table, table.passed)
    wanted = scaled_target(target, samples=half, reference=samples)
    odds = np.array([_odds(int(n), int(c), half, wanted) for n, c in zip(known, passed, strict=True) if n >= 2 * half])
    if not odds.any():
        return None
    tail, chosen, again = odds.T
    parts = {"chosen": ratio_parts(chosen, tail), "again": ratio_parts(again, tail)}
    rise = paired_change(parts["again"] - parts["chosen"], seed=seed, resamples=resamples)
    if rise is None:
        return None
    return Control(samples=half, target=wanted, rise=rise, **share_estimates(parts, seed=seed, resamples=resamples))


def _odds(n: int, c: int, half: int, target: int) -> tuple[float, float, float]:
    """Of n samples, c of them accepted: the chance that a first draw of `half` makes the prompt tail, that it also
    covers it, and that it makes it tail and a second draw of `half` from the rest covers it."""
    tail = chosen = again = 0.0
    for found in range(min(target, c + 1, half + 1)):
        chance = comb(c, found) * comb(n - c, half - found) / comb(n, half)
        missed = comb(n - half - (c - found), half) / comb(n - half, half) if c - found <= n - half else 0.0
        tail += chance
        chosen += chance * (found > 0)
        again += chance * (1 - missed)
    return tail, chosen, again
