"""Single elimination as pure bookkeeping: who meets whom in a round, who goes on, and how far everybody came.

Nothing depends on the order in which entrants are given: a lot, drawn by entrant and round, orders those who are still
in, and neighbours meet. Of an odd field the last one goes on without a match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

Lot = Callable[[int, int], int]
"""(entrant, round) -> a number that is drawn for them; the lower comes first."""

EVEN = 1e-6
"""Chances this close to a half are what rounding leaves of a tie."""


class Bracket:
    """One tournament of some entrants, who are known by distinct numbers."""

    def __init__(self, entrants: Iterable[int], lot: Lot) -> None:
        self._lot, self._round = lot, 0
        self.survived = dict.fromkeys(entrants, 0)
        """Entrant -> rounds survived so far; in the end 0 to ceil(log2(entrants))."""
        self._standing = list(self.survived)

    def pairs(self) -> list[tuple[int, int]]:
        """Who meets in the next round; empty when it is over."""
        self._standing.sort(key=lambda entrant: (self._lot(entrant, self._round), entrant))
        return list(zip(self._standing[::2], self._standing[1::2], strict=False))

    def settle(self, chances: Sequence[float]) -> None:
        """End the round: the probability, for each of `pairs`, that its first is the better one; ties go by lot."""
        pairs = self.pairs()
        winners = [pair[0 if chance > 0.5 - EVEN else 1] for pair, chance in zip(pairs, chances, strict=True)]
        self._standing = winners + self._standing[2 * len(pairs) :]
        self._round += 1
        for entrant in self._standing:
            self.survived[entrant] += 1
