"""One strategy a file: how a hint is given, never what is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from selfimprove_workers.guidance.framing import Frame


class Leak(Enum):
    """How a hint may show in a sample although nothing was learnt, by what a person is told of it."""

    COPY = "copy"
    SPOKEN_OF = "speaks of the hint"
    NO_REASONING = "answer without reasoning"
    NOTHING_ADDED = "adds nothing"


@dataclass(frozen=True)
class Guided:
    """What the model sees in one guided attempt. The training prompt stays the plain one."""

    messages: list[dict[str, str]]
    prefix: str = ""
    """The beginning of the assistant's turn that is given; it becomes part of the stored solution."""


@dataclass(frozen=True)
class Reference:
    """What is known of a prompt's solution."""

    answer: str | None
    rationale: str | None = None
    option: str | None = None
    """The text of the choice that the answer names."""
    critique: str | None = None
    """What a teacher wrote of the last wrong attempt, for strategies that ask one."""
    extra: Mapping[str, Any] | None = field(default=None, hash=False)
    """What the task's check reads beside the answer."""


@dataclass(frozen=True)
class Attempt:
    """One earlier response to the prompt."""

    text: str
    accepted: bool
    wrong: bool = False
    """A right answer that was refused for another reason, as a copy, is neither accepted nor wrong."""


class Strategy(Protocol):
    """One way to guide."""

    name: str
    version: str
    """Of its template: hashed into the manifest."""
    needs_answer: bool
    """Whether it shows the gold answer: a prompt without one can't be guided."""
    needs_rationale: bool
    """Whether it shows the reference solution: a prompt without one can't be guided."""
    needs_prefix: bool
    """Whether it begins from a part of the reference solution: a prompt of which none may be shown can't be guided."""
    needs_teacher: bool
    """Whether it shows what a teacher says of a wrong attempt."""
    leaks: frozenset[Leak]
    """What is looked for in its accepted samples."""
    frame: Frame
    """What it says around its hint, in words that nobody says by chance."""

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """What to show for a prompt in a round (from 1); pure."""


def with_last_turn(messages: Sequence[dict[str, str]], content: str) -> list[dict[str, str]]:
    """The same chat with other words in its last turn, which is the question."""
    *earlier, asked = messages
    return [*earlier, {**asked, "content": content}]
