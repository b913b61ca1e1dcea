"""One strategy a file: how a hint is given, never what is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


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


@dataclass(frozen=True)
class Attempt:
    """One earlier response to the prompt."""

    text: str
    accepted: bool


class Strategy(Protocol):
    """One way to guide."""

    name: str
    version: str
    """Of its template: hashed into the manifest."""
    needs_answer: bool
    """Whether it shows the gold answer: a prompt without one can't be guided."""
    needs_rationale: bool
    """Whether it shows the reference solution, so that a copy of that solution earns nothing."""

    def guide(
        self, messages: Sequence[dict[str, str]], reference: Reference, attempts: Sequence[Attempt], round: int
    ) -> Guided:
        """What to show for a prompt in a round (from 1); pure."""
