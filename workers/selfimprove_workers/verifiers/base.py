"""What a verification method is: samples in, one score a sample out (design section 2; Mind the Gap, section 3).

A method sees whole prompts, so that it may compare the samples of one prompt. It knows nothing of steps or storage,
so that it can score any samples, also those that no run of ours has made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

from selfimprove.seeds import derive_seed
from selfimprove_workers.engines.base import Completion, Engine, SampleRequest
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


class Said(NamedTuple):
    """One critique as it was drawn, and the score or verdict that was read from it; None where none can be."""

    text: str
    finish: str
    says: float | None
    tokens: int


class MethodScore(NamedTuple):
    """A score, or None when there is none (never 0 for that), and what it came from."""

    score: float | None
    mass: float | None = None
    """Probability mass on the labels, where labels were read."""
    unparsed: int = 0
    """Critiques that were drawn and end in no score."""
    tokens: int = 0
    """Tokens of the critiques."""
    critiques: Sequence[Said] = ()
    """The critiques themselves, vote by vote."""


@dataclass(frozen=True)
class Tools:
    """What a method may use to judge: a model that is loaded only when asked for, and how its chat is rendered."""

    engine: Callable[[], Engine]
    own: bool = True
    """Whether the engine is the model that drew the samples, so that their token ids mean the same to it."""
    template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    grading: str = "Flexible"
    """Which of a check's two verdicts is the utility: Flexible or Strict."""
    seed: Callable[..., int] = field(default=partial(derive_seed, 0))
    """A seed from what a draw is for: by convention (method, prompt id, sample, vote, round)."""
    request: Callable[[Sequence[int], int], SampleRequest] = field(default=partial(SampleRequest, max_tokens=512))
    """One critique to draw after these tokens, with this seed."""
    stop_if_asked: Callable[[], None] = lambda: None
    """To be called during work that takes long. Raises `TerminatedError` when a signal came."""


class Verifier(Protocol):
    """One verification method with its settings."""

    version: str
    """What it says to a model, by name and digest, for the manifest; empty where it asks no model."""
    needs_model: bool
    compares: bool
    """Whether a sample's score depends on the other samples of its prompt."""
    draws: bool
    """Whether it has the model write critiques (see `Critic`): those take long, and come back one by one."""

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """One score for each candidate, in order. `batch` holds all samples of each of its prompts."""


@runtime_checkable
class LabelReader(Protocol):
    """A verifier that reads the probabilities of two labels, which not every tokenizer has as one token each."""

    def check(self, tokenizer: Any) -> None:
        """Raises `UserError` for labels that this tokenizer can't do; needs no weights, so it is asked early."""


@runtime_checkable
class Critic(Protocol):
    """A verifier that draws critiques, for a caller that has many drawn at once and commits them as they come."""

    def requests(self, tools: Tools, candidate: Candidate) -> list[SampleRequest]:
        """The critiques to draw of one sample."""

    def read(self, tools: Tools, critiques: Sequence[Completion]) -> MethodScore:
        """The score that those critiques come to, in the order of `requests`."""
