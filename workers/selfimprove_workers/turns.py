"""Who is guided how, round by round: every prompt of the pool has one turn a round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from selfimprove_workers.guidance.base import Attempt, Strategy
from selfimprove_workers.tail import TailPrompt, guidable


@dataclass(frozen=True)
class Turn:
    """One prompt's turn in one round."""

    prompt: TailPrompt
    strategy: Strategy
    strength: int
    """The round that the strategy is told, from 1: hints that can grow grow with it."""
    critique: str | None = None
    """What the teacher said, where the strategy asks one."""


class Course(Protocol):
    """Decides what each prompt is shown. The same attempts, in the same order, lead to the same decisions."""

    strategies: Sequence[Strategy]
    """All that it may use."""

    def groups(self, pool: list[TailPrompt]) -> Iterator[list[TailPrompt]]:
        """The pool of a round, cut where what was learnt is to be used."""

    def turns(self, prompts: Sequence[TailPrompt], round: int) -> list[Turn]:
        """One turn for each of a group's prompts."""

    def learn(self, turn: Turn, attempts: Sequence[Attempt], tokens: int) -> None:
        """What came of a turn, and what it cost, the teacher's tokens included."""


class Fixed:
    """One strategy for every prompt, its strength the round."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategies: Sequence[Strategy] = (strategy,)

    def groups(self, pool: list[TailPrompt]) -> Iterator[list[TailPrompt]]:
        """The whole pool at once."""
        yield pool

    def turns(self, prompts: Sequence[TailPrompt], round: int) -> list[Turn]:
        """The same for all."""
        return [Turn(prompt, self.strategies[0], round) for prompt in prompts]

    def learn(self, turn: Turn, attempts: Sequence[Attempt], tokens: int) -> None:
        """Nothing: there is nothing to decide."""


def can_be_guided(course: Course, prompt: TailPrompt) -> bool:
    """Whether the dataset has what any strategy of the course wants to show of this prompt."""
    return any(guidable(strategy, prompt) for strategy in course.strategies)
