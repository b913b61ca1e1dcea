"""What a verification method is: samples in, one score a sample out (design section 2; Mind the Gap, section 3).

A method sees whole prompts, so that it may compare the samples of one prompt. It knows nothing of steps or storage,
so that it can score any samples, also those that no run of ours has made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from selfimprove_workers.engines.base import Engine
from selfimprove_workers.tasks.base import Check


@dataclass(frozen=True)
class Candidate:
    """One sample as a method sees it."""

    prompt: str
    """The prompt's id: samples with the same id compete with one another."""
    sample: int
    messages: Sequence[dict[str, str]]
    """The plain prompt, as a chat."""
    text: str
    prompt_tokens: Sequence[int]
    tokens: Sequence[int]
    """The whole completion, a given prefix included."""
    prefix_length: int = 0
    logprob_sum: float | None = None
    check: Check | None = None
    """The task's verdicts; None where no gold answer is known."""
    answer: str | None = None
    """What the text answers, in the task's normal form; None where it gives none or was cut by length."""

    @property
    def graded(self) -> bool:
        """Whether there was a gold answer to check against."""
        return self.check is not None


class MethodScore(NamedTuple):
    """A score, or None when there is none (never 0 for that); and the probability mass on the labels it came from."""

    score: float | None
    mass: float | None = None


@dataclass(frozen=True)
class Tools:
    """What a method may use to judge: a model that is loaded only when asked for, and how its chat is rendered."""

    engine: Callable[[], Engine]
    own: bool = True
    """Whether the engine is the model that drew the samples, so that their token ids mean the same to it."""
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    grading: str = "Flexible"
    """Which of a check's two verdicts is the utility: Flexible or Strict."""


class Verifier(Protocol):
    """One verification method with its settings."""

    version: str
    """What it says to a model, by name and digest, for the manifest; empty where it asks no model."""
    needs_model: bool
    compares: bool
    """Whether a sample's score depends on the other samples of its prompt."""

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """One score for each candidate, in order. `batch` holds all samples of each of its prompts."""
