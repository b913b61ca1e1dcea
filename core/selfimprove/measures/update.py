"""What training made of the gap: what was promised, what was gained, and what the update lost on the way.

Mind the Gap, section 2.1, condition 3: J(f_{t+1}) - J(f_t) >= gap(f_t) - eps_update. All of it on the same held-out
prompts, with plain samples, and paired by prompt, since models differ far less than prompts do.
"""

from __future__ import annotations

from selfimprove.details import Update
from selfimprove.measures.bootstrap import RESAMPLES, estimates
from selfimprove.measures.compare import check_alike, paired_change
from selfimprove.measures.entry import ranges_of
from selfimprove.measures.perprompt import columns, mean_utility
from selfimprove.measures.table import Floats, Table
from selfimprove.summaries import Estimate

_NO_UTILITY = "no held-out prompt has an answer that can be read under both models"
_NO_GAP = "nothing weighs the held-out samples of the model before"


def update_measures(
    current: Table, previous: Table, iteration: int, *, seed: int, resamples: int = RESAMPLES
) -> Update:
    """M_n (`current`) against M_(n-1) (`previous`, whose `iteration` this is), by prompt.

    predicted gap: J(f[w]) - J(f) of M_(n-1), with its own verifier; realised gain: J of M_n less that of M_(n-1), and
    the same by the strict check, so that a gain of format is not taken for ability; epsUpdate: J(f[w]) of M_(n-1) less
    J of M_n, below 0 where training gained more than filtering promised. Prompts that lack a value are left out of it.
    Raises `FailedError` when the two answered different prompts.
    """
    check_alike(current, previous)

    def change(values: Floats) -> Estimate | None:
        return paired_change(values, seed=seed, resamples=resamples)

    found = columns(previous)
    gap = found.get("gap")
    predicted = {} if gap is None else {"gap": gap}
    gain = mean_utility(current) - mean_utility(previous)
    realised = change(gain)
    missing = _NO_UTILITY if realised is None else _NO_GAP if gap is None else None
    return Update(
        previous=iteration,
        predicted_gap=estimates(predicted, seed=seed, resamples=resamples, ranges=ranges_of(found)).get("gap"),
        realised_gain=realised,
        strict_realised_gain=change(mean_utility(current, strict=True) - mean_utility(previous, strict=True)),
        eps_update=None if gap is None else change(gap - gain),
        reason=missing,
    )
