"""GroundTruth: the task's own check of the answer. The one method whose score is the utility (GSI's rule)."""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.api.selecting import Method
from selfimprove_workers.tasks.base import Check, Verdict, utility
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools


class GroundTruth:
    """1 for a correct answer, 0 for any other end, None where there is no gold or it can't be parsed."""

    version = ""
    needs_model = False
    draws = False
    compares = False

    def __init__(self, method: Method | None = None) -> None:
        """No settings: the task and `dataset.grading` say it all."""

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """The utility of each candidate under the grading that counts."""
        return [MethodScore(utility(verdict_of(c.check, tools.grading))) for c in batch]


def verdict_of(check: Check | None, grading: str) -> Verdict | None:
    """The verdict that counts: the flexible or the strict one."""
    if check is None:
        return None
    return check.strict if grading == "Strict" else check.flexible
