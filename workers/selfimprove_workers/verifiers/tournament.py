"""Tournament: samples of a prompt meet in pairs, single elimination (Mind the Gap, section 3 and App. A).

A score is the number of rounds survived, so that a Threshold of k keeps what the paper's tournament of k rounds keeps.
Every pair is asked about in both orders, each going on from the tokens of the sample that comes first, and the two
probabilities are averaged: what a model gives a sample for its place, it gives both. `votes` tournaments with pairings
of their own are averaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from selfimprove.api.asking import LETTERS
from selfimprove.api.selecting import Method
from selfimprove_workers.engines.base import Engine
from selfimprove_workers.templates import template_of
from selfimprove_workers.verifiers.asking import asked, field_of
from selfimprove_workers.verifiers.base import Candidate, MethodScore, Tools
from selfimprove_workers.verifiers.bracket import Bracket
from selfimprove_workers.verifiers.labels import WHICH, label_tokens

_SLACK = 16
"""Tokens that a pair of samples may need beyond those of either of them twice."""


class Match(NamedTuple):
    """Two samples, as places in the batch."""

    first: int
    second: int


class Tournament:
    """Two forward reads a match, one match less than samples."""

    needs_model = True
    compares = True
    draws = False

    def __init__(self, method: Method) -> None:
        self._field = field_of(method.name, method.type)
        self._name, self._votes = str(method.name or method.type), method.votes
        self._labels = method.labels or LETTERS
        self._template = template_of(method, f"{self._field}.template")
        self.version = self._template.version

    def check(self, tokenizer: Any) -> None:
        """Raises `UserError` for labels that this tokenizer can't do, naming a pair that works."""
        label_tokens(tokenizer, self._labels, f"{self._field}.labels", WHICH)

    def score(self, tools: Tools, batch: Sequence[Candidate]) -> list[MethodScore]:
        """Rounds survived, 0 to ceil(log2(samples of the prompt)), and the mean label mass of a sample's matches.

        None for a prompt's only sample, and for one so long that two like it don't fit into the model's context.
        """
        engine = tools.engine()
        self.check(engine.tokenizer)
        fields = self._fields(tools, engine, batch)
        brackets = [self._bracket(tools, batch, field, vote) for field in fields for vote in range(self._votes)]
        masses: dict[int, list[float]] = {}
        while rounds := [(bracket, pairs) for bracket in brackets if (pairs := bracket.pairs())]:
            matches = [Match(*pair) for _, pairs in rounds for pair in pairs]
            chances = iter(self._meet(tools, engine, batch, matches, masses))
            for bracket, pairs in rounds:
                bracket.settle([next(chances) for _ in pairs])
            tools.stop_if_asked()
        survived = [0] * len(batch)
        for bracket in brackets:
            for at, rounds_survived in bracket.survived.items():
                survived[at] += rounds_survived
        played = {at for field in fields for at in field}
        return [
            MethodScore(survived[at] / self._votes, _mean(masses.get(at))) if at in played else MethodScore(None)
            for at in range(len(batch))
        ]

    def _fields(self, tools: Tools, engine: Engine, batch: Sequence[Candidate]) -> list[list[int]]:
        """The samples of each prompt that can meet each other, as places in the batch."""
        by_prompt = sorted(range(len(batch)), key=lambda at: batch[at].prompt)
        fields = [list(places) for _, places in groupby(by_prompt, key=lambda at: batch[at].prompt)]
        fitting = [[at for at in places if self._fits(tools, engine, batch[at])] for places in fields]
        return [places for places in fitting if len(places) > 1]

    def _fits(self, tools: Tools, engine: Engine, candidate: Candidate) -> bool:
        """Whether two samples of this length fit: so that who is left out does not depend on whom it meets."""
        return len(self._context(tools, engine, candidate, candidate.text)) + _SLACK <= engine.max_model_len

    def _bracket(self, tools: Tools, batch: Sequence[Candidate], field: Sequence[int], vote: int) -> Bracket:
        def lot(at: int, round: int) -> int:
            return tools.seed(self._name, batch[at].prompt, batch[at].sample, vote, round)

        return Bracket(field, lot)

    def _meet(
        self,
        tools: Tools,
        engine: Engine,
        batch: Sequence[Candidate],
        matches: Sequence[Match],
        masses: dict[int, list[float]],
    ) -> Iterator[float]:
        """The probability for each match that its first is better; notes the label mass of both under their places.

        Equal texts are a tie that needs no model.
        """
        differ = [match for match in matches if batch[match.first].text != batch[match.second].text]
        orders = [order for match in differ for order in (match, Match(match.second, match.first))]
        contexts = [self._context(tools, engine, batch[one], batch[other].text) for one, other in orders]
        said = self._read(engine, contexts)
        read = dict(zip(orders, said, strict=True))
        for match in matches:
            if match not in read:
                yield 0.5
                continue
            (as_first, mass), (as_second, other_mass) = read[match], read[Match(match.second, match.first)]
            for at in match:
                masses.setdefault(at, []).append((mass + other_mass) / 2)
            yield (as_first + 1.0 - as_second) / 2

    def _read(self, engine: Engine, contexts: Sequence[Sequence[int]]) -> list[tuple[float, float]]:
        """(probability that what came first is better, mass of both labels) for each context; 0.5 without any mass."""
        if not contexts:
            return []
        tokens = label_tokens(engine.tokenizer, self._labels, f"{self._field}.labels", WHICH)
        read = np.exp(engine.label_logprobs(contexts, (*tokens.positive, *tokens.negative)))
        half = len(tokens.positive)
        first, mass = read[:, :half].sum(axis=1), read.sum(axis=1)
        share = np.divide(first, mass, out=np.full_like(mass, 0.5), where=mass > 0)
        return list(zip(share.tolist(), mass.tolist(), strict=True))

    def _context(self, tools: Tools, engine: Engine, candidate: Candidate, other: str) -> list[int]:
        words: Mapping[str, object] = {"positive": self._labels.positive, "negative": self._labels.negative}
        return asked(self._template, tools, engine, candidate, other=other, **words)


def _mean(values: Sequence[float] | None) -> float | None:
    return sum(values) / len(values) if values else None
