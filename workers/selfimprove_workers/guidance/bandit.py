"""Thompson sampling by expected accepted samples per token: the pure core of Adaptive guidance.

An arm is a strategy at one strength of its hint. Its chance is drawn from what all its tries say, and the strategy's
other strengths as far as they count, then drawn towards what its tries in the bucket say, and divided by what a try
costs there; the highest quotient is taken. The lot is cast once an arm and not once a bucket: with a few hundred tries
in all, every bucket exploring for itself would spend most of them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

BORROWED = 20.0
"""Tries in a bucket that count as much as what is known of the arm elsewhere."""
LENT = 4.0
"""As how many tries of an arm those of its strategy at other strengths count, at most."""
FIRST_WON, FIRST_LOST = 0.3, 2.0
"""The Beta prior of an arm that nobody tried: the tail is hard, so little is expected, and little is certain."""


class Arm(NamedTuple):
    """A strategy by number, and how strong its hint is, from 1."""

    strategy: int
    strength: int


@dataclass
class Tally:
    """What tries of one arm came to."""

    tried: float = 0.0
    accepted: float = 0.0
    tokens: float = 0.0

    def add(self, tried: float, accepted: float, tokens: float) -> None:
        """Some more tries."""
        self.tried += tried
        self.accepted += accepted
        self.tokens += tokens


class Bandit:
    """Arms in the order in which equal ones are preferred; buckets by any key."""

    def __init__(self, first_costs: Sequence[float]) -> None:
        """`first_costs`: tokens that a try of each strategy is thought to cost before one was made."""
        self._first_costs = list(first_costs)
        self._strategies = [Tally() for _ in first_costs]
        self._arms: defaultdict[Arm, Tally] = defaultdict(Tally)
        self._parts: defaultdict[tuple[Hashable, Arm], Tally] = defaultdict(Tally)

    def choose(self, bucket: Hashable, arms: Sequence[Arm], seed: int, failed: Collection[Arm] = ()) -> Arm:
        """One of these arms: the same for the same tallies and seed. Raises `ValueError` without any.

        The lot is cast among those that have not failed, or among all where all have. One that failed is taken instead
        where what is known of both, without a lot, promises more of it.
        """
        lot = random.Random(seed)
        fresh = [arm for arm in arms if arm not in failed] or arms
        chosen = _best(fresh, [self._chance(bucket, arm, lot) / self._cost(bucket, arm) for arm in fresh])
        known = [chosen, *(arm for arm in arms if arm not in fresh)]
        return _best(known, [self._chance(bucket, arm) / self._cost(bucket, arm) for arm in known])

    def learn(self, bucket: Hashable, arm: Arm, tried: int, accepted: float, tokens: float) -> None:
        """What some tries of an arm came to; `accepted` may be an expectation."""
        for tally in (self._strategies[arm.strategy], self._arms[arm], self._parts[bucket, arm]):
            tally.add(tried, accepted, tokens)

    def tried(self, arm: Arm) -> bool:
        """Whether anything is known of it."""
        return self._arms[arm].tried > 0

    def _chance(self, bucket: Hashable, arm: Arm, lot: random.Random | None = None) -> float:
        own, part, lent = self._arms[arm], self._parts[bucket, arm], self._lent(arm)
        won = FIRST_WON + own.accepted + lent.accepted
        lost = FIRST_LOST + own.tried - own.accepted + lent.tried - lent.accepted
        elsewhere = lot.betavariate(won, lost) if lot else won / (won + lost)
        return (BORROWED * elsewhere + part.accepted) / (BORROWED + part.tried)

    def _lent(self, arm: Arm) -> Tally:
        """What the other strengths of its strategy say of an arm."""
        whole, own = self._strategies[arm.strategy], self._arms[arm]
        tried, accepted = whole.tried - own.tried, whole.accepted - own.accepted
        share = min(1.0, LENT / tried) if tried > 0 else 0.0
        return Tally(share * tried, share * max(accepted, 0.0))

    def _cost(self, bucket: Hashable, arm: Arm) -> float:
        whole, own, part = self._strategies[arm.strategy], self._arms[arm], self._parts[bucket, arm]
        expected = (self._first_costs[arm.strategy] + whole.tokens) / (whole.tried + 1)
        for known in (own, part):
            expected = (expected + known.tokens) / (known.tried + 1)
        return max(expected, 1.0)


def _best(arms: Sequence[Arm], worth: Sequence[float]) -> Arm:
    """The first of those that are worth most."""
    return arms[worth.index(max(worth))]
