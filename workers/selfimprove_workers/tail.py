"""The prompts of a shard that the model has not mastered: fewer than `resampling.target` of their samples accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from selfimprove.artifacts import Manifest, read_rows
from selfimprove.errors import UserError
from selfimprove.filtering import methods_of
from selfimprove.gathering import Gathered, gather
from selfimprove.records import SAMPLE
from selfimprove_workers.context import StepContext
from selfimprove_workers.examining import SAMPLE_COLUMNS
from selfimprove_workers.guidance.base import Attempt, Reference, Strategy
from selfimprove_workers.guidance.lacking import has_prefix, has_reference, reference_of
from selfimprove_workers.judging import absolute_rules, accepted, unread
from selfimprove_workers.prompts import PromptRow
from selfimprove_workers.whole_prompts import whole_prompts


@dataclass
class TailPrompt:
    """One prompt in the pool and what has been tried on it. `accepted` and `drawn` count guided samples too."""

    prompt: PromptRow
    tokens: list[int]
    """The plain prompt, as it was sampled and as training will see it."""
    plain: list[dict[str, Any]]
    """Its plain samples, as SAMPLE rows, for rules that compare samples; empty where none does."""
    accepted: int
    drawn: int
    plain_length: float = 0.0
    """Mean tokens of its plain samples."""
    attempts: list[Attempt] = field(default_factory=list)
    is_hopeless: bool = False
    """Whether no sample can be accepted: that asks for the ground truth, and the prompt's answer can't be read."""

    @property
    def reference(self) -> Reference:
        """What a strategy may show of the solution."""
        return reference_of(self.prompt)

    def learn(self, attempts: list[Attempt]) -> None:
        """Take in what one more round brought."""
        self.attempts += attempts
        self.drawn += len(attempts)
        self.accepted += sum(attempt.accepted for attempt in attempts)


def find_tail(context: StepContext, samples: Manifest, scores: Manifest, keep_plain: bool) -> list[TailPrompt]:
    """The shard's tail after plain sampling, in the order of its prompts; `keep_plain`: with its plain samples.

    Raises `UserError` when the spec has no absolute rule by which a sample could be accepted.
    """
    if not absolute_rules(context.spec):
        raise UserError(
            "spec.resampling.strategy: no rule of spec.verification is absolute, so no sample is ever accepted; "
            "set spec.resampling.acceptThreshold, or add GroundTruth or a Threshold"
        )
    plain = gather(context.store, samples.parts, scores.parts, methods_of(context.spec))
    passed = accepted(context.spec, plain.scores, plain.truncated)
    assert passed is not None
    counts = np.bincount(plain.prompt[passed], minlength=len(plain.ids))
    short = {plain.ids[i]: int(counts[i]) for i in np.flatnonzero(counts < context.spec.resampling.target)}
    marks = _marks(plain, passed)
    readable = np.bincount(plain.prompt[~unread(context.spec, plain.scores)], minlength=len(plain.ids))
    hopeless = {plain.ids[i] for i in np.flatnonzero(readable == 0)}
    prompts = {prompt.id: prompt for prompt in context.prompts}
    return [
        _tail_prompt(prompts[rows[0]["prompt"]], rows, short, marks, keep_plain, hopeless)
        for rows in _rows_of(context, samples, set(short))
    ]


def guidable(strategy: Strategy, prompt: TailPrompt) -> bool:
    """Whether the dataset has what the strategy wants to show of this prompt, and it may be shown."""
    return has_reference(strategy, prompt.prompt) and has_prefix(strategy, prompt.prompt)


def _tail_prompt(
    prompt: PromptRow,
    rows: list[dict[str, Any]],
    accepted: dict[str, int],
    marks: set[tuple[str, int]],
    keep: bool,
    hopeless: set[str],
) -> TailPrompt:
    passed = [(prompt.id, row["sample"]) in marks for row in rows]
    attempts = [Attempt(row["text"], each, wrong=not each) for row, each in zip(rows, passed, strict=True)]
    drawn = max(row["sample"] for row in rows) + 1
    length = sum(len(row["tokens"]) for row in rows) / len(rows)
    plain = rows if keep else []
    tokens, is_hopeless = rows[0]["prompt_tokens"], prompt.id in hopeless
    return TailPrompt(prompt, tokens, plain, accepted[prompt.id], drawn, length, attempts, is_hopeless)


def _marks(plain: Gathered, passed: np.ndarray[Any, np.dtype[np.bool_]]) -> set[tuple[str, int]]:
    chosen = np.flatnonzero(passed)
    return {(plain.ids[plain.prompt[i]], int(plain.sample[i])) for i in chosen}


def _rows_of(context: StepContext, samples: Manifest, wanted: set[str]) -> Iterator[list[dict[str, Any]]]:
    for table in whole_prompts(read_rows(context.store, samples.parts, SAMPLE, SAMPLE_COLUMNS)):
        by_prompt: dict[str, list[dict[str, Any]]] = {}
        for row in table.to_pylist():
            if row["prompt"] in wanted:
                by_prompt.setdefault(row["prompt"], []).append(row)
        yield from by_prompt.values()
