"""MultipleChoice: p(positive) / (p(positive) + p(negative)) for the next token (Mind the Gap, section 3 and App. A).

The verification turn continues the very tokens of the sample, so that an engine with a prefix cache reads only the
turn. The mass that both labels have together is kept beside the score: without it a model that wants to say something
else entirely gets a confident-looking ratio of two tiny numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfimprove.api.selecting import Labels, Method
from selfimprove_workers import chat
from selfimprove_workers.engines.base import Engine
from selfimprove_workers.templates import choose
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools
from selfimprove_workers.verifiers.labels import label_tokens


class MultipleChoice:
    """One forward read a sample, nothing is sampled."""

    needs_model = True
    compares = False

    def __init__(self, method: Method) -> None:
        self._field = f"spec.verification.methods[{method.name or method.type}]"
        self._labels = method.labels or Labels()
        self._min_mass = method.min_mass or 0.0
        self._template = choose(method.template, "multiple-choice-1", f"{self._field}.template")
        self.version = self._template.version

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """Scores in [0, 1]; None where the labels' mass is below `minMass` or the context does not fit the model."""
        engine = tools.engine()
        tokens = label_tokens(engine.tokenizer, self._labels, f"{self._field}.labels")
        contexts = [self._context(tools, engine, candidate) for candidate in batch]
        fits = [len(context) < engine.max_model_len for context in contexts]
        asked = [context for context, fit in zip(contexts, fits, strict=True) if fit]
        if not asked:
            return [MethodScore(None)] * len(batch)
        read = np.exp(engine.label_logprobs(asked, (*tokens.positive, *tokens.negative)))
        half = len(tokens.positive)
        masses = iter(zip(read[:, :half].sum(axis=1), read[:, half:].sum(axis=1), strict=True))
        return [self._ratio(*next(masses)) if fit else MethodScore(None) for fit in fits]

    def _ratio(self, positive: float, negative: float) -> MethodScore:
        mass = float(positive + negative)
        if mass <= 0.0 or mass < self._min_mass:
            return MethodScore(None, mass)
        return MethodScore(float(positive) / mass, mass)

    def _context(self, tools: Tools, engine: Engine, candidate: Candidate) -> list[int]:
        turn = self._template.render(positive=self._labels.positive, negative=self._labels.negative)
        if tools.own:
            return chat.render_continuation(
                engine.tokenizer, candidate.prompt_tokens, candidate.tokens, turn, tools.template_kwargs
            )
        dialogue = [*candidate.messages, _says("assistant", candidate.text), _says("user", turn)]
        return chat.render(engine.tokenizer, dialogue, tools.template_kwargs)


def _says(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
