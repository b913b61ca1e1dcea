"""Likelihood: how probable the model found its own words (sharpening, arXiv 2412.01951). Label-free and free.

The log-probabilities were recorded when the sample was drawn, at temperature 1 and untruncated: no model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.api.selecting import Method
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools


class Likelihood:
    """Log-probability of the sampled tokens: their sum, or (by default) their mean, which favours no short ones."""

    version = ""
    needs_model = False
    compares = False

    def __init__(self, method: Method) -> None:
        self._mean = method.reduction != "Sum"

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """Sum or mean in nats; None where nothing was sampled or nothing was recorded."""
        return [MethodScore(self._reduce(candidate)) for candidate in batch]

    def _reduce(self, candidate: Candidate) -> float | None:
        sampled = len(candidate.tokens) - candidate.prefix_length
        if candidate.logprob_sum is None or sampled <= 0:
            return None
        return candidate.logprob_sum / sampled if self._mean else candidate.logprob_sum
