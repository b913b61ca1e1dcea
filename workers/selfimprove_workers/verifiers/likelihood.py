"""Likelihood: how probable a model finds the words (sharpening, arXiv 2412.01951). Label-free.

By the run's own model it is free: the log-probabilities were recorded when the sample was drawn, at temperature 1 and
untruncated. Another model, to which the token ids mean nothing, reads the text once.
"""

from __future__ import annotations

from collections.abc import Sequence

from selfimprove.api.selecting import Method
from selfimprove_workers import chat
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools


class Likelihood:
    """Log-probability of the sample's tokens: their sum, or (by default) their mean, which favours no short ones."""

    version = ""
    draws = False
    compares = False

    def __init__(self, method: Method) -> None:
        self._mean = method.reduction != "Sum"
        self.needs_model = method.verifier is not None

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """Sum or mean in nats; None where nothing was sampled or recorded, or where it does not fit the model."""
        if tools.own:
            return [MethodScore(self._reduce(c.logprob_sum, len(c.tokens) - c.prefix_length)) for c in batch]
        return self._read(tools, batch)

    def _read(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """By another model, over the tokens that the text has there."""
        engine = tools.engine()
        contexts = [chat.render(engine.tokenizer, c.messages, tools.template_kwargs) for c in batch]
        texts = [chat.following(engine.tokenizer, context, c.text) for context, c in zip(contexts, batch, strict=True)]
        pairs = zip(contexts, texts, strict=True)
        fits = [len(context) + len(text) <= engine.max_model_len for context, text in pairs]
        read = iter(
            engine.logprobs(
                [context for context, fit in zip(contexts, fits, strict=True) if fit],
                [text for text, fit in zip(texts, fits, strict=True) if fit],
            )
        )
        sums = [next(read) if fit else None for fit in fits]
        return [MethodScore(None if each is None else self._reduce(float(each.sum()), len(each))) for each in sums]

    def _reduce(self, total: float | None, tokens: int) -> float | None:
        if total is None or tokens <= 0:
            return None
        return total / tokens if self._mean else total
