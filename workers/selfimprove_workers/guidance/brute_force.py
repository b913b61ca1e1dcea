"""BruteForce: the plain prompt again. The baseline that any guidance has to beat per token."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove_workers.guidance.base import Attempt, Guided, Leak, Reference
from selfimprove_workers.guidance.framing import Frame


class BruteForce:
    """No hint at all."""

    name = "BruteForce"
    version = ""
    needs_answer = False
    needs_rationale = False
    needs_prefix = False
    needs_teacher = False
    leaks: frozenset[Leak] = frozenset()
    frame = Frame()

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """The messages as they are."""
        return Guided(list(messages))
