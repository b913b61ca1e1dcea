"""Which samples of a prompt are compared with one another: the training set of DPO (Mind the Gap, Appendix D).

A kept sample is preferred to one of the same prompt that the filters dropped and that scores strictly lower. The best
meets the worst, the second best the second worst: that cuts off under a cap where the margins are narrowest, and no
sample stands in two pairs. Pure arithmetic on a few arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from selfimprove import weighting
from selfimprove.api.selecting import Selection
from selfimprove.measures.ranking import place_within
from selfimprove.weighting import Bools, Floats, Ints
from selfimprove_workers.choosing import (
    KEPT,
    NOT_ACCEPTED,
    OVER_THE_CAP,
    UNBALANCED,
    UNPAIRED,
    Codes,
    Pool,
    first_of_each,
    without_duplicates,
)


@dataclass(frozen=True)
class Pairs:
    """q pairs, those of one prompt together and the widest margin of them first."""

    chosen: Ints
    """[q] Place of the preferred sample in the pool."""
    rejected: Ints
    """[q] Place of the other."""

    def __len__(self) -> int:
        return len(self.chosen)


def pair(pool: Pool, accepted: Bools, selection: Selection, seed: int) -> tuple[Pairs, Floats, Codes]:
    """The new pairs; [n] the weight of each sample's pair, at the preferred one, 0 elsewhere; [n] reasons.

    `accepted` [n]: whether a sample passes every absolute rule. Guided samples (no merit) have no score to compare, but
    passed all of those, so they are preferred to any plain sample that did not. A sample whose score is missing, or
    that was cut by length where that is not let in, takes no part; nor does a dropped one with the text of a kept one
    (where duplicates go).

    What is replayed is a pair already, by the place of its preferred sample; it is deduplicated (by that sample's
    text), capped, balanced and normalised together with the new pairs, and comes after them.
    """
    fresh = len(pool.prompt) - pool.replayed
    replayed = np.arange(fresh, len(pool.prompt))
    own = without_duplicates(_without(pool, replayed), selection)
    lot = np.random.default_rng(seed).random(len(pool.prompt))  # among equals
    kept = np.flatnonzero(own.reason == KEPT)
    found = _match(own, accepted, _ranked(own, kept, -own.merit, lot), _ranked(own, _losers(own), own.merit, lot))
    pairs = np.concatenate([found.chosen, replayed])
    reason = own.reason.copy()
    reason[kept] = UNPAIRED
    reason[pairs] = KEPT
    reason = _thinned(replace(pool, reason=reason), pairs, selection)
    weight = np.zeros(len(pool.prompt))
    stay = pairs[reason[pairs] == KEPT]
    weight[stay] = pool.weight[stay]
    if selection.normalise == "Prompt":
        weight = weighting.normalise(weight, pool.prompt, pool.prompts)
    new = reason[found.chosen] == KEPT
    return Pairs(found.chosen[new], found.rejected[new]), weight, reason


def _without(pool: Pool, replayed: Ints) -> Pool:
    """The pool in which what is replayed takes no part in any match."""
    reason = pool.reason.copy()
    reason[replayed] = UNPAIRED
    return replace(pool, reason=reason)


def _thinned(pool: Pool, pairs: Ints, selection: Selection) -> Codes:
    """[n] Reasons after repeated pairs went, then those over the cap, then those that make prompts unequal.

    `pairs`: places of the preferred samples, those of a prompt in the order in which they are wanted.
    """
    reason = without_duplicates(pool, selection).reason.copy()
    ordered = pairs[np.argsort(pool.prompt[pairs], kind="stable")]
    if selection.per_prompt_cap is not None:
        _cut(reason, pool, ordered, selection.per_prompt_cap, OVER_THE_CAP)
    if selection.balance:
        counts = np.bincount(pool.prompt[ordered[reason[ordered] == KEPT]], minlength=1)
        _cut(reason, pool, ordered, int(counts[counts > 0].min(initial=len(ordered))), UNBALANCED)
    return reason


def _cut(reason: Codes, pool: Pool, ordered: Ints, most: int, why: int) -> None:
    """Mark what is kept beyond the first `most` of each prompt."""
    left = ordered[reason[ordered] == KEPT]
    reason[left[place_within(pool.prompt[left]) >= most]] = why


def _losers(pool: Pool) -> Ints:
    """Scored samples that the filters dropped; of equal texts one, and none whose text is a kept one's."""
    places = np.flatnonzero((pool.reason == NOT_ACCEPTED) & np.isfinite(pool.merit))
    if pool.fingerprint is None:
        return places
    kept = np.flatnonzero(pool.reason == KEPT)
    return np.setdiff1d(first_of_each(pool, np.concatenate([kept, places])), kept)


def _ranked(pool: Pool, places: Ints, order: Floats, lot: Floats) -> Ints:
    """The places by prompt, within a prompt by `order` [n]."""
    ranked: Ints = places[np.lexsort((lot[places], order[places], pool.prompt[places]))]
    return ranked


def _match(pool: Pool, accepted: Bools, kept: Ints, dropped: Ints) -> Pairs:
    """The first with the first of each prompt and so on, but for pairs in which the kept one is not the better."""
    ours, theirs = ((pool.prompt[places] << 32) | place_within(pool.prompt[places]) for places in (kept, dropped))
    _, at, other = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    chosen, rejected = kept[at], dropped[other]
    scored = np.isfinite(pool.merit[chosen])
    better = np.where(scored, pool.merit[chosen] > pool.merit[rejected], ~accepted[rejected])
    return Pairs(chosen[better], rejected[better])
