"""The measure step: what the held-out samples say of M_n, of its gap, and of what it gained on M_0 and on the best.

Reads verdicts and scores only, column by column, so that memory does not grow with the length of the samples.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from selfimprove.artifacts import load_ledger, read_manifest, step_folder
from selfimprove.details import HeldOutDetails, notes_of
from selfimprove.filtering import methods_of, weigh
from selfimprove.gathering import Gathered, gather_checked
from selfimprove.ledger import StepId
from selfimprove.loop import shards_of
from selfimprove.measures import (
    Table,
    control_line,
    held_out_measures,
    levels_of,
    pass_at_k_change,
    pass_rate,
    scaled_target,
    table_of,
    update_measures,
)
from selfimprove.stopping import best_iteration
from selfimprove.summaries import Summary
from selfimprove.telemetry import Levels
from selfimprove_workers.committing import Outcome, Recipe, commit_step
from selfimprove_workers.context import StepContext
from selfimprove_workers.describing import described
from selfimprove_workers.judging import acceptance
from selfimprove_workers.keeping import keep_to_retention
from selfimprove_workers.noting import diversity_of
from selfimprove_workers.sampling import Plan


def run(context: StepContext) -> Summary:
    """Measure the iteration's model. Raises `FailedError` when held-out samples are missing."""
    began = time.monotonic()
    iteration, split = context.step.iteration, context.step.split
    best = 0 if split or not iteration else best_iteration(load_ledger(context.store), before=iteration)
    wanted = [iteration, 0, *([] if split else [1, iteration - 1]), best]
    iterations = sorted({n for n in wanted if 0 <= n <= iteration})
    inputs: dict[str, str] = {}
    tables: dict[int, Table] = {}
    for n in iterations:  # the model at hand is the last, and its samples are the only ones that stay
        samples = _samples(context, StepId(n, "evaluate", split), inputs)
        tables[n] = _table(context, samples)
    spec = context.spec
    drawn, reference = Plan.of_evaluation(spec).samples, spec.generation.samples_per_prompt
    target = scaled_target(spec.resampling.target, samples=drawn, reference=reference)
    measures = held_out_measures(
        tables[iteration],
        iteration=iteration,
        baseline=tables[0] if iteration else None,
        first=tables.get(1) if iteration > 1 else None,
        best=(best, tables[best]) if iteration else None,
        target=target,
        seed=context.bootstrap_seed,
    )
    verification = spec.verification.recipe() if spec.verification else None
    recipe = Recipe(inputs, {"best": best, "verification": verification, "target": spec.resampling.target})
    measures = measures.model_copy(update={"checkpoint": _checkpoint(context)})
    notes = notes_of(_details(context, tables, samples, target))
    outcome = Outcome([], measures.held_out.prompts, measures=measures, notes=notes)
    summary = commit_step(context, recipe, outcome, began)
    keep_to_retention(context)
    return summary


def _checkpoint(context: StepContext) -> str | None:
    distilled = read_manifest(context.store, step_folder(StepId(context.step.iteration, "distill")))
    return distilled[0].checkpoint if distilled else None


def _details(context: StepContext, tables: Mapping[int, Table], current: Gathered, target: int) -> HeldOutDetails:
    """What is noted of the model beside its measures: what training made of the gap, how its answers differ, levels."""
    iteration, split = context.step.iteration, context.step.split
    seed = context.bootstrap_seed
    made = iteration > 0 and not split
    return HeldOutDetails(
        update=update_measures(tables[iteration], tables[iteration - 1], iteration - 1, seed=seed) if made else None,
        diversity=diversity_of(context, current),
        pass_at_k_change=pass_at_k_change(tables[iteration], tables[0], seed=seed) if iteration else None,
        levels=_levels(context, tables[iteration], tables[0], seed),
        control=None if iteration else control_line(tables[0], target, seed=seed),
    )


def _levels(context: StepContext, current: Table, baseline: Table, seed: int) -> Levels | None:
    """Coverage by level; the tables hold the same prompts in the same order, as all that is paired here."""
    difficulty = described(context, current.ids).difficulty(pass_rate(baseline))
    return None if difficulty is None else levels_of(difficulty, current, seed=seed)


def _samples(context: StepContext, step: StepId, inputs: dict[str, str]) -> Gathered:
    """The held-out samples of one model; its manifests are noted among the inputs."""
    spec = context.spec
    committed = [context.input(step, shard) for shard in range(shards_of(spec, step))]
    inputs |= {step_folder(step, shard): sha256 for shard, (_, sha256) in enumerate(committed)}
    return gather_checked(context.store, [manifest for manifest, _ in committed], methods_of(spec))


def _table(context: StepContext, found: Gathered) -> Table:
    spec = context.spec
    return table_of(
        [found.ids[at] for at in found.prompt],
        found.utility,
        strict_utility=found.strict_utility,
        weight=weigh(spec, found.scores, found.prompt, len(found.ids)),
        accepted=acceptance(spec, found.scores, found.truncated),
    )
