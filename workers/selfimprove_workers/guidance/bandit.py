"""Thompson sampling by expected accepted samples per token: the pure core of Adaptive guidance.

An arm's chance is drawn from what all its tries say, then drawn towards what its tries in the bucket say, and divided
by what a try costs there; the highest quotient is taken. The lot is cast once an arm and not once a bucket: with a few
hundred tries in all, every bucket exploring for itself would spend most of them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

BORROWED = 20.0
"""Tries in a bucket that count as much as what is known of the arm elsewhere."""
FIRST_WON, FIRST_LOST = 0.3, 2.0
"""The Beta prior of an arm that nobody tried: the tail is hard, so little is expected, and little is certain."""


@dataclass
class Tally:
    """What tries of one arm came to."""

    tried: int = 0
    accepted: float = 0.0
    tokens: float = 0.0

    def add(self, tried: int, accepted: float, tokens: float) -> None:
        """Some more tries."""
        self.tried += tried
        self.accepted += accepted
        self.tokens += tokens


class Bandit:
    """Arms by number, in the order in which equal ones are preferred; buckets by any key."""

    def __init__(self, first_costs: Sequence[float]) -> None:
        """`first_costs`: tokens that a try of each arm is thought to cost before one was made."""
        self._first_costs = list(first_costs)
        self._whole = [Tally() for _ in first_costs]
        self._parts: defaultdict[tuple[Hashable, int], Tally] = defaultdict(Tally)

    def choose(self, bucket: Hashable, arms: Sequence[int], seed: int) -> int:
        """One of these arms, by lot: the same for the same tallies and seed. Raises `ValueError` without any."""
        lot = random.Random(seed)
        worth = [self._chance(bucket, arm, lot) / self._cost(bucket, arm) for arm in arms]
        return arms[worth.index(max(worth))]

    def learn(self, bucket: Hashable, arm: int, tried: int, accepted: float, tokens: float) -> None:
        """What some tries of an arm came to; `accepted` may be an expectation."""
        self._whole[arm].add(tried, accepted, tokens)
        self._parts[bucket, arm].add(tried, accepted, tokens)

    def _chance(self, bucket: Hashable, arm: int, lot: random.Random) -> float:
        whole, part = self._whole[arm], self._parts[bucket, arm]
        elsewhere = lot.betavariate(FIRST_WON + whole.accepted, FIRST_LOST + whole.tried - whole.accepted)
        return (BORROWED * elsewhere + part.accepted) / (BORROWED + part.tried)

    def _cost(self, bucket: Hashable, arm: int) -> float:
        whole, part = self._whole[arm], self._parts[bucket, arm]
        elsewhere = (self._first_costs[arm] + whole.tokens) / (whole.tried + 1)
        return max((elsewhere + part.tokens) / (part.tried + 1), 1.0)
