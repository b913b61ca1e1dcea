"""Which attempt a teacher is shown: one that no rule accepted, and that the task's own check does not find right.

A sample that was cut at `maxTokens` is never accepted, whatever it answers, and a judge may refuse a right one: teacher
and student would look for a mistake that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from selfimprove_workers.guidance.base import Attempt
from selfimprove_workers.guidance.interactive import all_wrong
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.tasks.base import Task, Verdict
from selfimprove_workers.verifiers.ground_truth import verdict_of


def latest_wrong(task: Task, grading: str, prompt: PromptRow, attempts: Sequence[Attempt]) -> list[Attempt]:
    """The last attempt that is wrong and says anything, checked as if it had not been cut; none where there is none."""

    def is_right(attempt: Attempt) -> bool:
        check = task.check(attempt.text, prompt.answer or "", prompt.extra)
        return verdict_of(check, grading) is Verdict.CORRECT

    return list(islice((attempt for attempt in all_wrong(attempts) if not is_right(attempt)), 1))
