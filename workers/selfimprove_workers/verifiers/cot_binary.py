"""CoTBinary: reasoning, then a verdict, correct or incorrect (Mind the Gap, section 3 and App. A)."""

from __future__ import annotations

from selfimprove.api.asking import VERDICTS
from selfimprove.api.selecting import Method
from selfimprove_workers.verifiers.critiques import Critiques
from selfimprove_workers.verifiers.declarations import Critique
from selfimprove_workers.verifiers.verdicts import verdict_of


class CoTBinary(Critiques):
    """The share of `votes` critiques that end in "correct"."""

    def __init__(self, method: Method) -> None:
        super().__init__(method, {"positive": VERDICTS.positive, "negative": VERDICTS.negative})

    def parse(self, critique: Critique) -> int | None:
        """1 or 0, as the critique's verdict is."""
        return verdict_of(critique)
