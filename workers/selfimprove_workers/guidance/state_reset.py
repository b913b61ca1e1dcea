"""StateReset: the model is put into the middle of a reference solution and goes on from there (arXiv 2411.00750).

Guidance starts weak and grows with each round; after the strongest prefix it starts over. What is stored and graded is
prefix and continuation as one solution.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from selfimprove_workers.guidance.base import Attempt, Guided, Leak, Reference
from selfimprove_workers.guidance.framing import Frame
from selfimprove_workers.guidance.prefixes import TokenEnds, growing_prefixes
from selfimprove_workers.guidance.solving import Solves, solves_for

_LEAKS = (Leak.COPY, Leak.SPOKEN_OF, Leak.NO_REASONING, Leak.NOTHING_ADDED)


class StateReset:
    """`schedule`: Lines, Tokens, None to choose by the reference's shape, or Paper, which may give the gold away.

    `solves`: which prefixes are right answers by themselves; only Paper gives such.
    """

    name = "StateReset"
    version = "state-reset-9"
    needs_answer = False
    needs_rationale = True
    needs_prefix = True
    needs_teacher = False
    frame = Frame()

    def __init__(self, schedule: str | None, token_ends: TokenEnds, solves: Solves | None = None) -> None:
        self._schedule = None if schedule == "Paper" else schedule
        self._may_hold_gold = schedule == "Paper"
        self._token_ends, self._solves = token_ends, solves or solves_for(None)
        self._known: dict[str, tuple[list[str], Iterator[str]]] = {}
        self.leaks = frozenset((Leak.COPY, Leak.SPOKEN_OF) if self._may_hold_gold else _LEAKS)

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """The plain prompt, and the round's prefix; no prefix where every one would give the answer away."""
        prefixes = self._prefixes(reference, round)
        return Guided(list(messages), prefixes[(round - 1) % len(prefixes)] if prefixes else "")

    def _prefixes(self, reference: Reference, most: int) -> list[str]:
        """The first of a prompt's prefixes, each worked out once: that may cost as much as grading a sample."""
        key = repr((reference.rationale, reference.answer, reference.option, reference.extra))
        if key not in self._known:
            prefixes = growing_prefixes(
                reference.rationale or "",
                reference.answer,
                self._schedule,
                self._token_ends,
                self._may_hold_gold,
                reference.option,
                lambda text: self._solves(text, reference),
            )
            self._known[key] = [], prefixes
        known, others = self._known[key]
        known.extend(islice(others, max(0, most - len(known))))
        return known
