"""MultipleChoice: p(positive) / (p(positive) + p(negative)) for the next token (Mind the Gap, section 3 and App. A).

The verification turn continues the very tokens of the sample, so that an engine with a prefix cache reads only the
turn. The mass that both labels have together is kept beside the score: without it a model that wants to say something
else entirely gets a confident-looking ratio of two tiny numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from selfimprove.api.selecting import Labels, Method
from selfimprove_workers.templates import template_of
from selfimprove_workers.verifiers.asking import asked, field_of
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools
from selfimprove_workers.verifiers.labels import label_tokens


class MultipleChoice:
    """One forward read a sample, nothing is sampled."""

    needs_model = True
    compares = False
    draws = False

    def __init__(self, method: Method) -> None:
        self._field = field_of(method.name, method.type)
        self._labels = method.labels or Labels()
        self._min_mass = method.min_mass or 0.0
        self._template = template_of(method, f"{self._field}.template")
        self.version = self._template.version

    def check(self, tokenizer: Any) -> None:
        """Raises `UserError` for labels that this tokenizer can't do, naming a pair that works."""
        label_tokens(tokenizer, self._labels, f"{self._field}.labels")

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """Scores in [0, 1]; None where the labels' mass is below `minMass` or the context does not fit the model."""
        engine = tools.engine()
        tokens = label_tokens(engine.tokenizer, self._labels, f"{self._field}.labels")
        words = {"positive": self._labels.positive, "negative": self._labels.negative}
        contexts = [asked(self._template, tools, engine, candidate, **words) for candidate in batch]
        fits = [len(context) < engine.max_model_len for context in contexts]
        read_in = [context for context, fit in zip(contexts, fits, strict=True) if fit]
        if not read_in:
            return [MethodScore(None)] * len(batch)
        read = np.exp(engine.label_logprobs(read_in, (*tokens.positive, *tokens.negative)))
        half = len(tokens.positive)
        masses = iter(zip(read[:, :half].sum(axis=1), read[:, half:].sum(axis=1), strict=True))
        return [self._ratio(*next(masses)) if fit else MethodScore(None) for fit in fits]

    def _ratio(self, positive: float, negative: float) -> MethodScore:
        mass = float(positive + negative)
        if mass <= 0.0 or mass < self._min_mass:
            return MethodScore(None, mass)
        return MethodScore(float(positive) / mass, mass)
