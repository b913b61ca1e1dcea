"""What `resample` has written so far, in chains of parts, and what of it an attempt that goes on has to know."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from selfimprove.artifacts import Part, read_rows
from selfimprove.records import DECISION, GIVEN, SAMPLE
from selfimprove_workers.choosing import ACCEPTED
from selfimprove_workers.consulting import CRITIQUE
from selfimprove_workers.context import StepContext
from selfimprove_workers.examining import CRITIQUE_TOKENS
from selfimprove_workers.guidance.base import Attempt
from selfimprove_workers.tutoring import Lesson, attempt_of, sampled_tokens


class Book:
    """Samples, decisions and what was given, kept in step; critiques and the leak probe's samples beside them.

    `gives`: whether samples may begin from a prefix. `budget`: tokens that this shard may sample, infinite where
    `resampling.maxTokens` is not set.
    """

    def __init__(self, context: StepContext, digest: str, gives: bool) -> None:
        self._context, self.budget = context, _budget(context)
        tables = {"part": SAMPLE, "decision": DECISION, **({"given": GIVEN} if gives else {})}
        writers = context.writers_in_step(digest, tables)
        self.samples, self.decisions, self._given = writers["part"], writers["decision"], writers.get("given")
        self.critiques = context.writer(digest, CRITIQUE, table="critique")
        self.probes = context.writer(digest, SAMPLE, table="probe")

    @property
    def counts(self) -> dict[str, int]:
        """What all parts count, of `tokens` those that no sample was drawn with: `teacherTokens`, `probeTokens`."""
        totals: Counter[str] = Counter()
        for chain in (self.samples, self.critiques, self.probes):
            totals.update(chain.totals)
        del totals["tokens"]
        apart = {"teacherTokens": self.critiques, "probeTokens": self.probes}
        return {**totals, **{name: n for name, chain in apart.items() if (n := chain.totals.get("tokens", 0))}}

    @property
    def tokens(self) -> int:
        """Everything that was sampled: by the student, by the teacher, by the leak probe, and by judges."""
        return self._guiding + self.counts.get(CRITIQUE_TOKENS, 0)

    @property
    def left(self) -> float:
        """Tokens that may still be sampled, but by judges; infinite without `resampling.maxTokens`.

        None are where a teacher took more than it was asked to.
        """
        return max(self.budget - self._guiding, 0)

    @property
    def _guiding(self) -> int:
        return sum(chain.totals.get("tokens", 0) for chain in (self.samples, self.critiques, self.probes))

    @property
    def tables(self) -> dict[str, list[Part]]:
        """The tables beside the samples; those that a strategy has no use for are left out."""
        tables = {"decision": self.decisions.parts, "critique": self.critiques.parts, "probe": self.probes.parts}
        if self._given is not None:
            tables["given"] = self._given.parts
        return {name: parts for name, parts in tables.items() if parts or name == "decision"}

    def write(self, lesson: Lesson) -> None:
        """Commit a lesson's rows as one part of each chain, the samples last."""
        if self._given is not None:
            self._given.write(lesson.given, lesson.prompts)
        self.decisions.write(lesson.decisions, lesson.prompts)
        self.samples.write(lesson.rows, lesson.prompts, lesson.counts)

    def recorded(self) -> dict[tuple[int, str], tuple[list[Attempt], int]]:
        """(round, prompt) -> the attempts that earlier runs of this step made in it, and the tokens they sampled."""
        found: dict[tuple[int, str], tuple[list[Attempt], int]] = {}
        for sample, reason in self._decided("round", "prompt", "text", "tokens", "prefix_length"):
            attempts, tokens = found.get(turn := (sample["round"], sample["prompt"]), ([], 0))
            attempts.append(attempt_of(sample["text"], reason))
            found[turn] = attempts, tokens + sampled_tokens(sample)
        return found

    def first_accepted(self) -> dict[str, dict[str, Any]]:
        """Prompt -> text and prefix_length of its first accepted guided sample, in the order of these samples."""
        found: dict[str, dict[str, Any]] = {}
        for sample, reason in self._decided("prompt", "strategy", "text", "prefix_length"):
            if reason == ACCEPTED:
                found.setdefault(sample["prompt"], sample)
        return found

    def _decided(self, *columns: str) -> Iterator[tuple[dict[str, Any], str]]:
        """SAMPLE rows, with what was decided of each."""
        store = self._context.store
        samples = _rows(read_rows(store, self.samples.parts, SAMPLE, columns))
        decisions = _rows(read_rows(store, self.decisions.parts, DECISION, ["reason"]))
        return ((sample, decision["reason"]) for sample, decision in zip(samples, decisions, strict=True))


def _budget(context: StepContext) -> float:
    """This shard's share of `resampling.maxTokens`, by its prompts; rounded down: the shares never exceed the whole."""
    whole = context.spec.resampling.max_tokens
    if whole is None:
        return math.inf
    everyone = sum(part.rows for part in context.prompt_set[0].tables.get("train", ()))
    return whole if context.shards == 1 else whole * len(context.prompts) // max(everyone, 1)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()
