"""Interactive: a teacher says where a wrong attempt goes wrong, and the student revises (arXiv 2411.00750).

The teacher reads the gold answer and no reference solution, and always an attempt that is wrong: in the released code
it was the last one, right or wrong. The critique stands in the conversation; the stored training prompt stays plain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfimprove_workers.guidance.base import Attempt, Guided, Leak, Reference
from selfimprove_workers.guidance.framing import frame_of
from selfimprove_workers.guidance.naming import VERSION
from selfimprove_workers.templates import Template, shipped

SHARES = (1.0, 0.5, 0.25)
"""How much of the attempt a teacher is shown: all of it, or less where all of it is too long."""


class Interactive:
    """`ask` makes the teacher's question, `guide` the student's conversation with the answer in it."""

    name = "Interactive"
    needs_answer = True
    needs_rationale = False
    needs_prefix = False
    needs_teacher = True
    leaks = frozenset((Leak.SPOKEN_OF, Leak.NO_REASONING))

    def __init__(self, critique: Template | None = None, revise: Template | None = None) -> None:
        self._critique = critique or shipped("interactive-critique-1")
        self._revise = revise or shipped("interactive-revise-1")
        self.frame = frame_of(self._revise, "critique")
        self.version = f"{self._critique.version} {self._revise.version} {VERSION}"

    def ask(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt]
    ) -> tuple[str, ...]:
        """What to ask the teacher, then the same with less and less of the attempt; nothing without a wrong one."""
        wrong = last_wrong(attempts)
        if wrong is None:
            return ()
        known = {"question": messages[-1]["content"], "answer": reference.answer}
        shown = dict.fromkeys(shortened(wrong.text.strip(), share) for share in SHARES)
        return tuple(self._critique.render(attempt=attempt, **known) for attempt in shown)

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """The prompt, the wrong attempt, what the teacher said of it; the plain prompt where it said nothing."""
        wrong = last_wrong(attempts)
        if wrong is None or not reference.critique:
            return Guided(list(messages))
        said = {"role": "assistant", "content": wrong.text.strip()}
        answered = {"role": "user", "content": self._revise.render(critique=reference.critique.strip())}
        return Guided([*messages, said, answered])


def last_wrong(attempts: Sequence[Attempt]) -> Attempt | None:
    """The latest attempt that is wrong and says anything."""
    return next(all_wrong(attempts), None)


def all_wrong(attempts: Sequence[Attempt]) -> Iterator[Attempt]:
    """The attempts that are wrong and say anything, the latest first."""
    return (attempt for attempt in reversed(attempts) if attempt.wrong and attempt.text.strip())


def shortened(text: str, share: float) -> str:
    """A text's beginning and end, of so much of its length; most of the beginning, where mistakes are made."""
    if share >= 1:
        return text
    kept = int(len(text) * share)
    end = kept // 3
    return f"{text[: kept - end]} [...] {text[len(text) - end :]}"
