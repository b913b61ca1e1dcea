"""AnswerDriven: the gold answer stands in the prompt, the model finds the way to it (arXiv 2411.00750).

The hint stands before the question, so that a prompt still ends with whatever the dataset's template ends it with.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove_workers.guidance.base import Attempt, Guided, Leak, Reference, with_last_turn
from selfimprove_workers.guidance.framing import frame_of
from selfimprove_workers.templates import Template, shipped


class AnswerDriven:
    """The last turn of the prompt is asked with its answer beside it."""

    name = "AnswerDriven"
    needs_answer = True
    needs_rationale = False
    needs_prefix = False
    needs_teacher = False
    leaks = frozenset((Leak.SPOKEN_OF, Leak.NO_REASONING))

    def __init__(self, template: Template | None = None) -> None:
        self._template = template or shipped("answer-driven-1")
        self.version = self._template.version
        self.frame = frame_of(self._template, "answer", "question")

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """The same chat, its last turn with the hint. The round does not matter: the hint can't grow."""
        question = messages[-1]["content"]
        return Guided(with_last_turn(messages, self._template.render(question=question, answer=reference.answer)))
