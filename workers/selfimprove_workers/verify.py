"""The verify step: every sample of a shard gets a score by every method, and its verdict where an answer is known.

Verdicts are written whatever selects (design section 1: utility is measured, scores select). The methods of one model
are one pass over the shard, so that a run with another verifier loads each model once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from selfimprove.artifacts import Part, read_rows, step_folder
from selfimprove.filtering import GROUND_TRUTH, methods_of
from selfimprove.ledger import StepId
from selfimprove.records import SAMPLE
from selfimprove.summaries import Summary
from selfimprove_workers.aside import Aside
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.critiquing import critiqued
from selfimprove_workers.examining import (
    CRITIQUE_TOKENS,
    SAMPLE_COLUMNS,
    Examiner,
    Judge,
    Rows,
    Scored,
    check_judges,
    judges_of,
    judging_settings,
)
from selfimprove_workers.scorebook import Scorebook
from selfimprove_workers.whole_prompts import whole_prompts

CRITIQUES = "critique-aside"
"""The table of critiques that are in no part yet."""
SAMPLES_PER_PART = 512
"""Enough to fill a batch, few enough that a killed step loses little."""
SAMPLES_AT_ONCE = 2048
"""Whose critiques an engine is given together; they are committed as they come."""


def run(context: StepContext) -> Summary:
    """Score this shard's samples. Raises `UserError` for methods that can't be done, `FailedError` without samples."""
    began = time.monotonic()
    generate = StepId(context.step.iteration, "generate")
    samples, sha256 = context.input(generate, context.shard)
    recipe = Recipe({step_folder(generate, context.shard): sha256}, _settings(context))
    digest = recipe.digest(context)
    book = Scorebook(context, digest)
    score_samples(context, samples.parts, book, Aside(context, digest, CRITIQUES))
    counts = book.totals
    outcome = Outcome(book.parts, _prompts(samples.parts), counts.get(CRITIQUE_TOKENS, 0), counts, book.tables)
    return commit_step(context, recipe, outcome, began)


def _settings(context: StepContext) -> dict[str, Any]:
    methods = methods_of(context.spec)
    return {
        "grading": context.spec.dataset.grading,
        "acceptTruncated": context.spec.selection.accept_truncated,
        "methods": {
            j.name: {**methods[j.name].recipe(), "version": j.verifier.version} for j in judges_of(context.spec)
        },
        **judging_settings(context),
    }


def score_samples(context: StepContext, samples: Sequence[Part], book: Scorebook, aside: Aside) -> None:
    """Write what is missing, in the order (pass, prompt); a unit of the book is one prompt in one pass.

    `aside`: where critiques are put that are in no part yet.
    """
    total = _prompts(samples)
    examiner = Examiner(context)
    passes = _passes(judges_of(context.spec))
    if book.prompts_done < total * len(passes):
        check_judges(context)
    context.models.take_reads()  # of the step before, which may have left its model loaded
    context.progress.start(f"{context.step.name}", total * len(passes), book.prompts_done)
    for number, judges in enumerate(passes):
        done = min(max(book.prompts_done - number * total, 0), total)
        for scored in _scored(context, examiner, judges, samples, done, aside, verdicts=number == 0):
            book.write(scored, context.models.take_reads())
            context.progress.advance(scored.prompts)
            context.stop_if_asked()


def _passes(judges: Sequence[Judge]) -> list[list[Judge]]:
    """The judges by the model they need, the run's own (and none) first; within one, those that draw critiques last.

    GroundTruth is no judge: it is a fact.
    """
    by_model: dict[tuple[str, bool], list[Judge]] = {("", False): []}
    for judge in judges:
        if judge.name != GROUND_TRUTH:
            model = judge.source.model_dump_json() if judge.source else ""
            by_model.setdefault((model, judge.verifier.draws), []).append(judge)
    models = list(dict.fromkeys(model for model, _ in by_model))
    return [by_model[key] for key in sorted(by_model, key=lambda key: (models.index(key[0]), key[1]))]


def _scored(
    context: StepContext,
    examiner: Examiner,
    judges: Sequence[Judge],
    samples: Sequence[Part],
    done: int,
    aside: Aside,
    verdicts: bool,
) -> Iterator[Scored]:
    """The rows of one pass from its `done`-th prompt on, as they come."""
    draws = any(judge.verifier.draws for judge in judges)
    for rows, prompts in _chunks(context, samples, done, SAMPLES_AT_ONCE if draws else SAMPLES_PER_PART):
        batch = examiner.candidates(rows)
        if draws:
            yield from critiqued(context, examiner, judges, batch, aside)
            continue
        scored = examiner.verdict_rows(batch) if verdicts else []
        for judge in judges:
            scored += examiner.score_rows(judge, batch)
        yield Scored(scored, prompts)


def _chunks(context: StepContext, parts: Sequence[Part], done: int, at_least: int) -> Iterator[tuple[Rows, int]]:
    """The samples of the prompts after the first `done`, some whole prompts at a time, with how many those are."""
    first = 0
    while first < len(parts) and _prompts(parts[: first + 1]) <= done:
        first += 1
    skip = done - _prompts(parts[:first])
    batches = read_rows(context.store, parts[first:], SAMPLE, SAMPLE_COLUMNS, batch_rows=at_least)
    for table in whole_prompts(batches, at_least):
        names = list(dict.fromkeys(table["prompt"].to_pylist()))
        wanted = set(names[skip:])
        skip = max(skip - len(names), 0)
        if wanted:
            yield [row for row in table.to_pylist() if row["prompt"] in wanted], len(wanted)


def _prompts(parts: Sequence[Part]) -> int:
    return sum(part.prompts for part in parts)
