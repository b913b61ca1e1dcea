"""MajorityVote: how many of a prompt's samples came to the same answer (self-consistency). Label-free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from selfimprove.api.selecting import Method
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools


class MajorityVote:
    """Share of the prompt's samples whose answer, in the task's normal form, is this sample's; None without an answer.

    Samples without an answer count in the share's denominator: a prompt where one sample in eight found any answer at
    all is no unanimous one.
    """

    version = ""
    needs_model = False
    draws = False
    compares = True

    def __init__(self, method: Method | None = None) -> None:
        """No settings."""

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """A share in (0, 1] for each candidate that gave an answer."""
        voters = Counter(candidate.prompt for candidate in batch)
        votes = Counter((candidate.prompt, candidate.answer) for candidate in batch)
        return [
            MethodScore(votes[c.prompt, c.answer] / voters[c.prompt] if c.answer is not None else None) for c in batch
        ]
