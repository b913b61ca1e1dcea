"""RationaleDriven: the reference solution stands in the prompt, the model writes its own (arXiv 2411.00750).

The strongest hint, and the one most easily copied: what repeats the reference is no solution of the model's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove_workers.guidance.base import Attempt, Guided, Leak, Reference, with_last_turn
from selfimprove_workers.guidance.framing import frame_of
from selfimprove_workers.templates import Template, shipped


class RationaleDriven:
    """The last turn of the prompt is asked with its reference solution beside it."""

    name = "RationaleDriven"
    needs_answer = False
    needs_rationale = True
    needs_prefix = False
    needs_teacher = False
    leaks = frozenset(Leak)

    def __init__(self, template: Template | None = None) -> None:
        self._template = template or shipped("rationale-driven-1")
        self.version = self._template.version
        self.frame = frame_of(self._template, "rationale", "question")

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """The same chat, its last turn with the hint. The round does not matter: the hint can't grow."""
        question = messages[-1]["content"]
        rationale = (reference.rationale or "").strip()
        return Guided(with_last_turn(messages, self._template.render(question=question, rationale=rationale)))
