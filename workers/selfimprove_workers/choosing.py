"""Which samples become training examples, at which weight, and why not the others: pure arithmetic on a few arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from selfimprove import weighting
from selfimprove.api.selecting import Selection
from selfimprove.weighting import Bools, Floats, Ints
from selfimprove_workers.guidance.base import Leak

(
    KEPT,
    NOT_ACCEPTED,
    TRUNCATED,
    NO_SCORE,
    COPY,
    DUPLICATE,
    OVER_THE_CAP,
    UNPAIRED,
    UNBALANCED,
    SPOKEN_OF,
    NO_REASONING,
    NOTHING_ADDED,
) = range(12)
REASONS = (
    "kept",
    "not accepted",
    "truncated",
    "no score",
    Leak.COPY.value,
    "duplicate",
    "over the cap",
    "no pair",
    "over the balance",
    Leak.SPOKEN_OF.value,
    Leak.NO_REASONING.value,
    Leak.NOTHING_ADDED.value,
)
"""What each code says to a person, in the `reason` of a DECISION row."""
LEAKS = (COPY, SPOKEN_OF, NO_REASONING)
"""Of right guided samples in which the hint shows."""

ACCEPTED = "accepted"
"""What `resample` says of a guided sample that passed every absolute rule; else it says one of the reasons above."""

Codes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Pool:
    """n samples of P prompts that may become examples: plain ones first, then guided ones, then replayed ones."""

    prompts: int
    """P."""
    prompt: Ints
    """[n] Index of the prompt."""
    weight: Floats
    """[n] What the filters give, or gave; 1 for a guided sample that was accepted."""
    reason: Codes
    """[n] KEPT, or why a sample is out already."""
    merit: Floats
    """[n] What samples of one prompt are ordered by (`filtering.ranked`); -inf where there is no score."""
    fingerprint: npt.NDArray[np.uint64] | None = None
    """[n] Of the normalised text: equal ones within a prompt are one solution."""
    replayed: int = 0
    """How many of the last ones are replayed."""


def choose(pool: Pool, selection: Selection, seed: int) -> tuple[Floats, Codes]:
    """[n] Final weights (0 where not kept) and reasons.

    Duplicates go first, then what is over the cap, then what makes prompts unequal; what is left is normalised.
    """
    pool = without_duplicates(pool, selection)
    if selection.per_prompt_cap is not None:
        pool = _drop(pool, _beyond(pool, selection.per_prompt_cap, seed), OVER_THE_CAP)
    if selection.balance:
        pool = _drop(pool, _beyond(pool, _fewest(pool), seed), UNBALANCED)
    weight = np.where(pool.reason == KEPT, pool.weight, 0.0)
    if selection.normalise == "Prompt":
        weight = weighting.normalise(weight, pool.prompt, pool.prompts)
    return weight, pool.reason


def without_duplicates(pool: Pool, selection: Selection) -> Pool:
    """The pool with each kept text of a prompt once, unless `selection` lets copies be."""
    if not selection.deduplicate or pool.fingerprint is None:
        return pool
    kept = np.flatnonzero(pool.reason == KEPT)
    repeated = np.zeros(len(pool.prompt), dtype=bool)
    repeated[np.setdiff1d(kept, first_of_each(pool, kept))] = True
    return _drop(pool, repeated, DUPLICATE)


def first_of_each(pool: Pool, places: Ints) -> Ints:
    """Of these places the first with each text of a prompt; the pool must have fingerprints."""
    assert pool.fingerprint is not None
    pairs = np.stack([pool.prompt[places].astype(np.uint64), pool.fingerprint[places]])
    _, first = np.unique(pairs, axis=1, return_index=True)
    chosen: Ints = places[first]
    return chosen


def plain_reasons(weight: Floats, truncated: Bools, missing: Bools, selection: Selection) -> Codes:
    """[n] Why each plain sample is kept or not, before it is compared with others."""
    cut = np.zeros_like(truncated) if selection.accept_truncated else truncated
    codes = np.select([cut, missing, weight <= 0], [TRUNCATED, NO_SCORE, NOT_ACCEPTED], KEPT)
    return codes.astype(np.int8)


def _drop(pool: Pool, out: Bools, why: int) -> Pool:
    return replace(pool, reason=np.where(out & (pool.reason == KEPT), why, pool.reason).astype(np.int8))


def _fewest(pool: Pool) -> int:
    """What the prompt with the fewest kept samples has, of those with any; at least 1."""
    counts = np.bincount(pool.prompt[(pool.reason == KEPT) & (pool.weight > 0)], minlength=1)
    return int(counts[counts > 0].min(initial=len(pool.prompt) or 1))


def _beyond(pool: Pool, cap: int, seed: int) -> Bools:
    """[n] Kept samples beyond the `cap` best of their prompt; ties are drawn by lot."""
    lot = np.random.default_rng(seed).random(len(pool.prompt))
    order = np.empty(len(lot), dtype=np.int64)
    order[np.lexsort((lot, -pool.merit))] = np.arange(len(lot))
    weight = np.where(pool.reason == KEPT, pool.weight, 0.0)
    beyond: Bools = (weight > 0) & (weighting.cap(weight, pool.prompt, cap, order) == 0)
    return beyond
