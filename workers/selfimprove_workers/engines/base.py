"""What a step needs of a model that samples: the same on transformers and on vLLM, tokens in and tokens out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from selfimprove.errors import SelfImproveError

SETTINGS = "spec.generation"
"""Where `engine` and `engineArgs` of the run's own model stand, for messages."""


class EngineDiedError(SelfImproveError):
    """The process of an engine is gone. Another attempt, on an engine that is loaded anew, may do better."""

    def __init__(self, cause: str, field: str = SETTINGS):
        super().__init__(
            f"vLLM's engine process died: {cause}; if it dies again, give it more memory, or begin another run "
            f"with a smaller {field}.engineArgs.maxModelLen or with {field}.engine: Transformers"
        )
        self.cause = cause
        """In a line."""


@dataclass(frozen=True)
class SampleRequest:
    """One sample to draw. `tokens`: the whole context, an assistant prefix included, as token ids."""

    tokens: Sequence[int]
    seed: int
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completion:
    """One sample that was drawn."""

    tokens: list[int]
    """Sampled token ids, EOS included where it was sampled."""
    logprob_sum: float
    """Sum of log-probabilities of `tokens` under the untruncated model at temperature 1, EOS included."""
    finish: str
    """"stop" (EOS or a stop string) or "length"."""


@dataclass(frozen=True)
class Reads:
    """What an engine that has a prefix cache was given to read."""

    tokens: int = 0
    """Of the contexts of all requests that are finished."""
    cached: int = 0
    """Of these, how many lay in the cache: nothing was computed for them."""


class Engine(Protocol):
    """A loaded model."""

    name: str
    """"transformers" or "vllm"."""
    tokenizer: Any
    """The Hugging Face tokenizer of the model."""
    max_model_len: int
    eos_token_ids: frozenset[int]

    def sample(
        self, requests: Sequence[SampleRequest], progress: Callable[[int, int], None] | None = None
    ) -> Generator[tuple[int, Completion]]:
        """Draw every request; yields (index of the request, completion) as they finish, in any order.

        `progress(samples_done, tokens_done)` is called as the work advances.
        """

    def label_logprobs(self, contexts: Sequence[Sequence[int]], labels: Sequence[int]) -> NDArray[np.float64]:
        """Log-probability of each label token as the next token of each context; shape (contexts, labels)."""

    def logprobs(
        self, contexts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[NDArray[np.float64]]:
        """Teacher-forced log-probability of every token of each continuation after its context (temperature 1)."""

    def take_reads(self) -> Reads | None:
        """What was read since this was last asked; None without a prefix cache."""

    def close(self) -> None:
        """Give the memory back as far as this process can; the rest goes with the process."""
