"""The resample step: guided attempts at the tail, round after round, until a prompt has enough accepted samples.

The second phase of guided self-improvement (arXiv 2411.00750), with what it left open made exact: one batch a round, a
prompt leaves the pool the moment it reaches the target, tokens are counted before they are spent, and a killed step
goes on inside the round where it stopped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import pyarrow as pa

from selfimprove.api.execution import StepName
from selfimprove.artifacts import PartWriter, read_rows, require_manifest, step_folder
from selfimprove.errors import UserError
from selfimprove.ledger import StepId
from selfimprove.records import DECISION, SAMPLE
from selfimprove.summaries import Summary
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.examining import CRITIQUE_TOKENS, judges_of, judging_settings
from selfimprove_workers.guidance import strategy_for
from selfimprove_workers.guidance.base import Attempt
from selfimprove_workers.judging import absolute_rules
from selfimprove_workers.sampling import Plan
from selfimprove_workers.tail import TailPrompt, find_tail
from selfimprove_workers.turns import Course, Fixed, Turn, can_be_guided
from selfimprove_workers.tutoring import Lesson, Tutor, attempt_of, sampled_tokens

STEPS_BEFORE: tuple[StepName, StepName] = ("generate", "verify")

SAMPLES_PER_PART = 512
"""Drawn, judged and committed together where a model judges; else a round is one batch, committed as it goes."""


def run(context: StepContext) -> Summary:
    """Guide the model through this shard's tail. Raises `UserError` for a strategy or rules that can't be followed."""
    began = time.monotonic()
    generate, verify = (step_folder(StepId(context.step.iteration, name), context.shard) for name in STEPS_BEFORE)
    (generated, made), (verified, judged) = (require_manifest(context.store, folder) for folder in (generate, verify))
    course = _course(context)
    tail = find_tail(context, generated, verified, keep_plain=_compares(context))
    pool = [prompt for prompt in tail if can_be_guided(course, prompt)]
    _require_references(course, tail, pool)
    recipe = Recipe({generate: made, verify: judged}, _settings(context, course))
    book = Book(context, recipe.digest(context))
    Lessons(context, course, book).give(pool)
    counts = {"tail": len(tail), "noReference": len(tail) - len(pool), **book.samples.totals}
    counts["mastered"] = sum(prompt.accepted >= context.spec.resampling.target for prompt in tail)
    tables = {"decision": book.decisions.parts}
    tokens = counts.pop("tokens", 0) + counts.get(CRITIQUE_TOKENS, 0)
    outcome = Outcome(book.samples.parts, len(tail), tokens, counts, tables)
    return commit_step(context, recipe, outcome, began)


class Lessons:
    """Every round that is allowed, those of earlier attempts at this step first, from what they left."""

    def __init__(self, context: StepContext, course: Course, book: Book) -> None:
        self._context, self._course, self._book = context, course, book
        self._recorded, self._done = book.recorded(), book.samples.prompts_done
        self._budget = _budget(context)

    def give(self, prompts: Sequence[TailPrompt]) -> None:
        """Guide these prompts until none is left, or the rounds or the tokens are used up."""
        settings = self._context.spec.resampling
        for round in range(1, settings.max_rounds + 1):
            pool = [prompt for prompt in prompts if prompt.accepted < settings.target]
            for group in self._course.groups(pool):
                if not self._group(self._course.turns(group, round), round):
                    return

    def _group(self, turns: list[Turn], round: int) -> bool:
        """What one group's turns bring; False when the tokens that are left would not pay for the next one."""
        past, turns = turns[: self._done], turns[self._done :]
        self._done -= len(past)
        for turn in past:
            self._learn(turn, *self._recorded.get((round, turn.prompt.prompt.id), ([], 0)))
        if not turns:
            return True
        self._context.progress.start(f"{self._context.step.name} round {round}", len(past) + len(turns), len(past))
        while turns:
            now = turns[: min(self._most_at_once(len(turns)), self._affordable())]
            if not now:
                return False
            for lesson in self._tutor.lessons(now, round):
                self._book.write(lesson)
                for turn in turns[: lesson.prompts]:
                    prompt = turn.prompt.prompt.id
                    self._learn(turn, lesson.attempts.get(prompt, []), lesson.tokens[prompt])
                turns = turns[lesson.prompts :]
                self._context.stop_if_asked()
            self._context.stop_if_asked()
        return True

    def _learn(self, turn: Turn, attempts: list[Attempt], tokens: int) -> None:
        turn.prompt.learn(attempts)
        self._course.learn(turn, attempts, tokens)

    @cached_property
    def _tutor(self) -> Tutor:
        return Tutor(self._context)

    def _most_at_once(self, turns: int) -> int:
        return turns if self._tutor.judges_while_drawing else SAMPLES_PER_PART // _per_round(self._context) or 1

    def _affordable(self) -> int:
        """How many prompts may have a turn so that even samples of full length stay within the budget."""
        if self._budget is None:
            return sys.maxsize
        left = self._budget - self._book.samples.totals.get("tokens", 0)
        return left // (self._context.spec.generation.max_tokens * _per_round(self._context))


def _budget(context: StepContext) -> int | None:
    """This shard's share of `resampling.maxTokens`, by its prompts; rounded down: the shares never exceed the whole."""
    whole = context.spec.resampling.max_tokens
    if whole is None or context.shards == 1:
        return whole
    everyone = sum(part.rows for part in context.prompt_set[0].tables.get("train", ()))
    return whole * len(context.prompts) // max(everyone, 1)


def _compares(context: StepContext) -> bool:
    """Whether a rule of acceptance looks at a prompt's other samples too."""
    rules = absolute_rules(context.spec)
    return any(judge.verifier.compares for judge in judges_of(context.spec) if judge.name in rules)


def _per_round(context: StepContext) -> int:
    return context.spec.resampling.samples_per_round


def _course(context: StepContext) -> Course:
    tokenizer = context.models.tokenizer(context.model_folder(context.sampling_iteration))
    return Fixed(strategy_for(context.spec.resampling, tokenizer))


def _require_references(course: Course, tail: Sequence[TailPrompt], pool: Sequence[TailPrompt]) -> None:
    if tail and not pool:
        strategy = course.strategies[0]
        what = "rationale" if strategy.needs_rationale else "answer"
        raise UserError(
            f"spec.resampling.strategy: {strategy.name} shows a prompt's {what}, and none of the {len(tail)} prompts "
            f"of the tail has one; map spec.dataset.fields.{what}, or use BruteForce"
        )


def _settings(context: StepContext, course: Course) -> dict[str, Any]:
    """What the rows of this step depend on, beside its inputs."""
    spec = context.spec
    return {
        "resampling": spec.resampling.to_json(),
        "strategies": {strategy.name: strategy.version for strategy in course.strategies},
        "sampling": vars(Plan.of_generation(spec)),
        "seed": spec.seed,
        "grading": spec.dataset.grading,
        "acceptTruncated": spec.selection.accept_truncated,
        "rules": {name: rule.to_json() for name, rule in absolute_rules(spec).items()},
        "methods": {judge.name: judge.verifier.version for judge in judges_of(spec)},
        **judging_settings(context, absolute_rules(spec)),
    }


class Book:
    """What this step has written so far: samples and decisions, two chains of parts that are kept in step."""

    def __init__(self, context: StepContext, digest: str) -> None:
        self._context, self._digest = context, digest
        self.samples = self._chain("part", SAMPLE)
        self.decisions = self._chain("decision", DECISION)
        while self.samples.prompts_done != self.decisions.prompts_done:
            both = min(self.samples.prompts_done, self.decisions.prompts_done)
            self.samples = self._chain("part", SAMPLE, both)
            self.decisions = self._chain("decision", DECISION, both)

    def write(self, lesson: Lesson) -> None:
        """Commit a lesson's rows as one part of each chain, the decisions first."""
        self.decisions.write(lesson.decisions, lesson.prompts)
        self.samples.write(lesson.rows, lesson.prompts, lesson.counts)

    def recorded(self) -> dict[tuple[int, str], tuple[list[Attempt], int]]:
        """(round, prompt) -> the attempts that earlier runs of this step made in it, and the tokens they sampled."""
        store = self._context.store
        columns = ["round", "prompt", "text", "tokens", "prefix_length"]
        samples = _rows(read_rows(store, self.samples.parts, SAMPLE, columns))
        decisions = _rows(read_rows(store, self.decisions.parts, DECISION, ["reason"]))
        found: dict[tuple[int, str], tuple[list[Attempt], int]] = {}
        for sample, decision in zip(samples, decisions, strict=True):
            attempts, tokens = found.get(turn := (sample["round"], sample["prompt"]), ([], 0))
            attempts.append(attempt_of(sample["text"], decision["reason"]))
            found[turn] = attempts, tokens + sampled_tokens(sample)
        return found

    def _chain(self, table: str, schema: pa.Schema, at_most: int | None = None) -> PartWriter:
        return self._context.writer(self._digest, schema, table=table, at_most=at_most)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()
