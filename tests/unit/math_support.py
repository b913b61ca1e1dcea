"""Math as its tests ask for it."""

from __future__ import annotations

from selfimprove_workers.tasks import Math, Verdict

CORRECT, WRONG, NO_ANSWER = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
TASK = Math()


def flexible(gold: str, response: str, **extra: object) -> Verdict:
    return TASK.check(response, gold, extra or None).flexible


def in_box(gold: str, answer: str) -> Verdict:
    return flexible(gold, rf"so \boxed{{{answer}}}.")
