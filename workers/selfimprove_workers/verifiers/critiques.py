"""Verification by critiques: the model reasons about a sample, then ends with what it makes of it (Mind the Gap, 3).

Critiques are drawn as plain samples are (`spec.generation`, but for its stop strings, which are made for answers), each
from a seed of its own: (method, prompt, sample, vote). So a sample's score depends on no other sample, and `votes` may
grow. The mean is over those critiques that can be read; a sample with none has no score.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from selfimprove.api.selecting import Method
from selfimprove_workers.engines.base import Completion, SampleRequest
from selfimprove_workers.templates import template_of
from selfimprove_workers.verifiers.asking import asked, field_of
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Said, Tools
from selfimprove_workers.verifiers.declarations import Critique


class Critiques(ABC):
    """`votes` critiques of every sample; how one is read is the method's own."""

    needs_model = True
    compares = False
    draws = True

    def __init__(self, method: Method, values: Mapping[str, object]) -> None:
        """`values`: what the template may use beside the question and the response."""
        self._name, self._votes, self._values = str(method.name or method.type), method.votes, values
        self._template = template_of(method, f"{field_of(method.name, method.type)}.template")
        self.version = self._template.version

    @abstractmethod
    def parse(self, critique: Critique) -> int | None:
        """What one critique says; None where it can't be told."""

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """The mean over each sample's critiques; None where none of them can be read."""
        requests = [request for candidate in batch for request in self.requests(tools, candidate)]
        drawn: dict[int, Completion] = {}
        with closing(tools.engine().sample(requests)) as completions:
            for at, completion in completions:
                drawn[at] = completion
                tools.stop_if_asked()
        firsts = range(0, len(requests), self._votes)
        return [self.read(tools, [drawn[first + vote] for vote in range(self._votes)]) for first in firsts]

    def requests(self, tools: Tools, candidate: Candidate) -> list[SampleRequest]:
        """The critiques to draw of one sample."""
        context = asked(self._template, tools, tools.engine(), candidate, **self._values)
        identity = (self._name, candidate.prompt, candidate.sample)
        return [tools.request(context, tools.seed(*identity, vote)) for vote in range(self._votes)]

    def read(self, tools: Tools, critiques: Sequence[Completion]) -> MethodScore:
        """The mean of what the critiques say."""
        said = [self._said(tools.engine().tokenizer, each) for each in critiques]
        known = [each.says for each in said if each.says is not None]
        mean = sum(known) / len(known) if known else None
        tokens = sum(each.tokens for each in said)
        return MethodScore(mean, unparsed=len(said) - len(known), tokens=tokens, critiques=said)

    def _said(self, tokenizer: Any, drawn: Completion) -> Said:
        text = tokenizer.decode(drawn.tokens, skip_special_tokens=True)
        critique = Critique(text, cut=drawn.finish == "length", runs_on=not tokenizer.chat_template)
        return Said(text, drawn.finish, self.parse(critique), len(drawn.tokens))
