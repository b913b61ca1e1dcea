"""StateReset: the model is put into the middle of a reference solution and goes on from there (arXiv 2411.00750).

Guidance starts weak and grows with each round; after the strongest prefix it starts over. What is stored and graded is
prefix and continuation as one solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from selfimprove_workers.guidance.base import Attempt, Guided, Leak, Reference
from selfimprove_workers.guidance.prefixes import TokenEnds, growing_prefixes


class StateReset:
    """`schedule`: Lines, Tokens, None to choose by the reference's shape, or Paper, which may give the gold away."""

    name = "StateReset"
    version = "state-reset-3"
    needs_answer = False
    needs_rationale = True
    needs_prefix = True
    needs_teacher = False
    leaks = frozenset((Leak.COPY, Leak.SPOKEN_OF))

    def __init__(self, schedule: str | None, token_ends: TokenEnds) -> None:
        self._schedule = None if schedule == "Paper" else schedule
        self._may_hold_gold = schedule == "Paper"
        self._token_ends = token_ends
        self._prefixes = lru_cache(maxsize=None)(self._grown)  # asked for every round anew

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """The plain prompt, and the round's prefix; no prefix where every one would give the answer away."""
        prefixes = self._prefixes(reference.rationale or "", reference.answer, reference.option)
        return Guided(list(messages), prefixes[(round - 1) % len(prefixes)] if prefixes else "")

    def _grown(self, rationale: str, answer: str | None, option: str | None) -> list[str]:
        return growing_prefixes(rationale, answer, self._schedule, self._token_ends, self._may_hold_gold, option)
