"""A task checks answers: the same typed verdict whatever was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from selfimprove.verdicts import UTILITY


class Verdict(StrEnum):
    """What a check found. Never collapsed to 0 and 1 before it is stored."""

    CORRECT = "Correct"
    WRONG = "Wrong"
    NO_ANSWER = "NoAnswer"
    GOLD_UNPARSABLE = "GoldUnparsable"
    TIMEOUT = "Timeout"
    TRUNCATED = "Truncated"


def utility(verdict: str | None) -> float | None:
    """1 for Correct, null for GoldUnparsable or no verdict, else 0."""
    return None if verdict is None else UTILITY[verdict]


@dataclass(frozen=True)
class Check:
    """The two verdicts of one response, and the answer that the flexible one read out of it."""

    flexible: Verdict
    strict: Verdict
    answer: str | None = None
    reason: str | None = None
    """Why, where a verdict of Wrong, NoAnswer or Timeout says too little (only Program)."""


class Task(Protocol):
    """Checks responses against the gold answer of their prompt."""

    name: str
    at_once: int
    """How many responses are worth checking at the same time, each by a thread that mostly waits."""

    def check(self, response: str, answer: str, extra: Mapping[str, Any] | None, truncated: bool = False) -> Check:
        """The verdicts of one response. Never raises on a hostile one, never takes more than a second
        (of Program: than a program may take).

        `answer` is the gold, `extra` the prompt's own JSON. A truncated response without an accepted answer channel is
        Truncated, and one cut by length is never Correct (unless the caller passes `truncated=False`).
        """

    def extract(self, response: str, extra: Mapping[str, Any] | None = None) -> str | None:
        """The answer a response gives, in one spelling for the same answer, where no gold is known. Never raises."""
