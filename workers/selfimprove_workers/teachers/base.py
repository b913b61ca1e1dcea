"""What Interactive guidance needs of a teacher: an answer to every question, if only why there is none."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

TEMPERATURE = 1.0
TOP_P = 0.95
"""As the paper samples its teacher (arXiv 2411.00750). Its answers may be as long as the student's."""


class Trouble(Enum):
    """Why there is no answer, by what a person is told of it."""

    TOO_LONG = "too long"
    NONSENSE = "nonsense"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Question:
    """One question in several lengths."""

    texts: tuple[str, ...]
    """The whole question first, then shorter ones, for a teacher whose context is too small."""
    seed: int


@dataclass(frozen=True)
class Answer:
    """What a teacher said, and what it cost."""

    text: str = ""
    tokens: int = 0
    """Sampled ones."""
    trouble: Trouble | None = None


class Teacher(Protocol):
    """Whoever writes critiques."""

    @property
    def at_once(self) -> int | None:
        """Questions on their way together, of a teacher whose answers may cost more than they should; else None."""

    def begin_round(self) -> None:
        """Before the first questions of a round: whoever was given up in an earlier one may be tried again."""

    def end_step(self) -> None:
        """After the last questions of a step: whoever left some without an answer says why."""

    def answers(self, questions: Sequence[Question]) -> Generator[Answer]:
        """One answer a question, in order, each as soon as those before it are there; fewer when a signal came."""
