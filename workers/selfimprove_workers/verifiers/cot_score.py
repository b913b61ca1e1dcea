"""CoTScore: reasoning, then a whole number in a range, by default 1 to 10 (Mind the Gap, section 3 and App. A)."""

from __future__ import annotations

from selfimprove.api.asking import RANGE
from selfimprove.api.selecting import Method
from selfimprove_workers.verifiers.critiques import Critiques
from selfimprove_workers.verifiers.declarations import Critique
from selfimprove_workers.verifiers.verdicts import score_of


class CoTScore(Critiques):
    """The mean score of `votes` critiques, within the range."""

    def __init__(self, method: Method) -> None:
        self._low, self._high = method.range or RANGE
        super().__init__(method, {"low": self._low, "high": self._high})

    def parse(self, critique: Critique) -> int | None:
        """The score that the critique gives."""
        return score_of(critique, self._low, self._high)
